"""A report with every part in it, from real images that come inside scikit-image."""

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pandas as pd
from skimage import data, filters, measure
from skimage.morphology import remove_small_objects

from bigimg.run.report import (
    Cluster,
    Crop,
    Histogram,
    ImageCard,
    InputDigest,
    OtherImage,
    ReportData,
    Skipped,
    Stage,
    TableSummary,
)
from bigimg.run.report_pictures import crop_object, display

WORKFLOW = """\
name: nuclei
on_error: skip
steps:
- name: smooth
  op: filters.gaussian
  sigma: 1.0
- op: threshold.otsu
- op: measure.label
"""


def segmented(image):
    smooth = filters.gaussian(image, 1, preserve_range=True)
    threshold = filters.threshold_otsu(smooth)
    mask = remove_small_objects(smooth > threshold, max_size=29)
    return measure.label(mask), threshold


@cache
def measured():
    images = {
        "coins": data.coins(),
        "hubble": data.hubble_deep_field()[..., 1],
        "camera <small>": data.camera()[::8, ::8],
    }
    cards, histograms, tables, crops = [], [], [], []
    for name, image in images.items():
        labels, threshold = segmented(image)
        cards.append(ImageCard.of(name, display(image), labels, int(labels.max()), "x".join(map(str, image.shape))))
        counts, edges = np.histogram(image, 256, (0, 256))
        histograms.append(Histogram(name, counts, edges, float(threshold)))
        properties = ("label", "bbox", "area", "eccentricity", "intensity_mean")
        table = pd.DataFrame(measure.regionprops_table(labels, image, properties=properties))
        tables.append(table.assign(item=name))
        rows = table.sort_values("area").to_numpy()
        shown = display(image)
        crops += [Crop(crop_object(shown, row[1:5]), f"{name} #{row[0]:.0f}", row[5] / 100) for row in rows]
    colour = data.astronaut()
    cards.append(ImageCard.of("astronaut", colour, None, None, "512x512x3, 8 bit"))
    return cards, histograms, pd.concat(tables), crops


def sample(**changes) -> ReportData:
    cards, histograms, objects, crops = measured()
    values = {
        "workflow": "nuclei",
        "description": "Segment nuclei, measure them, group them by look, and show the odd ones.",
        "workflow_text": WORKFLOW,
        "workflow_sha256": "4f" * 32,
        "input": "/home/someone/microscopy/a rather long folder name/2026-11-23 plate 7",
        "output": "results",
        "started": datetime(2026, 11, 23, 14, 5, tzinfo=UTC),
        "seconds": 75.3,
        "done": 98,
        "objects": len(objects),
        "machine": "2 workers of 1 thread, 24 GiB",
        "versions": {"bigimg": "0.1.0", "python": "3.11.7", "dask": "2026.8.0"},
        "skipped": (
            Skipped("notes.txt", "not an image: <script>alert('x')</script>"),
            Skipped("plate7/well_B03.tif", "truncated: 31,744 of 65,536 bytes of the last strip are there"),
        ),
        "images": tuple(cards),
        "others": tuple(OtherImage(f"well_{index:03}", index % 40) for index in range(700)),
        "histograms": tuple(histograms),
        "tables": (TableSummary.of("objects", objects),),
        "clusters": (Cluster("group 0", 61, tuple(crops[::9])), Cluster("group 1", 40, tuple(crops[5::14]))),
        "anomalies": tuple(sorted(crops, key=lambda crop: -crop.score)[:12]),
        "stages": (Stage("read and smooth", 3.2, 98), Stage("label", 1.4, 98), Stage("measure", 0.41, 120)),
        "inputs": tuple(InputDigest(f"well_{i}", f"plate7/well_{i}.tif", "ab" * 32) for i in range(5)),
        "labels": ("label",),
    }
    return ReportData(**{**values, **changes})
