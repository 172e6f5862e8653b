"""From the outcome of a run to the data of its report: which pictures to show, and making them on the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.core.tile import Box
from bigimg.engine.kinds import reduce
from bigimg.io.collection import Collection
from bigimg.io.scan import Skipped
from bigimg.io.sources import Source
from bigimg.learn.catalog import ANOMALY, CLUSTER
from bigimg.run.evaluate import lazy_image
from bigimg.run.inputs import open as open_collection
from bigimg.run.overlay import overlay_videos
from bigimg.run.report import (
    Cluster,
    Crop,
    Histogram,
    ImageCard,
    InputDigest,
    OtherImage,
    ReportData,
    Stage,
    TableSummary,
    write_report,
)
from bigimg.run.report import Skipped as SkippedLine
from bigimg.run.report_pictures import (
    display,
    display_limits,
    object_window,
    outline_overlay,
    thumbnail,
)
from bigimg.run.thumbnail import Sample, Shrink, shrink_factor
from bigimg.run.workflow import Workflow

CLASS_MAPS = ("learn.spectral_classes", "threshold.multi_otsu")
"""Operations whose numbers are classes, not objects: shown in colours with a legend."""

PICTURED = 24
"""Images shown in the report; the others are listed."""

ODD = 12
"""Most anomalous objects or images shown."""

EXAMPLES = 8
"""Crops shown of each cluster."""

HISTOGRAMS = 4
"""Histograms shown, of the first images."""

LARGEST = 640
"""Longer side of the picture of an image in pixels."""

LARGEST_CROP = 256
"""Longer side of what is read for a crop; of a larger object every second, third ... pixel."""

BAND = 1024
"""Rows of a large object read at once."""

PAD = 6
"""Pixels around an object in its crop."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run has found, for its record and its report."""

    workflow: Workflow
    input: str
    output: Path
    started: datetime
    seconds: float
    done: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    tables: Mapping[str, pd.DataFrame]
    thresholds: Mapping[str, Mapping[str, Any]]
    timings: Mapping[str, tuple[int, float]]
    """Tasks and seconds of each stage."""
    sources: Mapping[str, Source]
    versions: Mapping[str, str]
    machine: str


@dataclass(frozen=True)
class Pictured:
    """One image, small."""

    pixels: NDArray[Any]
    labels: NDArray[Any] | None


def write_run_report(client: Any, folder: Path, outcome: Outcome) -> None:
    """Write ``report.html`` into ``folder``, where the results are complete."""
    results = open_collection(folder)
    labels = next((step.name for step in outcome.workflow.steps if step.kind == "labels" and step.keep), None)
    objects = _object_table(outcome, labels)
    rows = _image_table(outcome)
    odd, groups = _odd_rows(rows), _group_rows(rows)
    wanted = dict.fromkeys(
        [*outcome.done[:PICTURED], *_items(odd), *(name for _, _, part in groups for name in _items(part))]
    )
    small = pictures(client, {name: outcome.sources[name] for name in wanted}, results, labels)
    counts = {} if objects is None else objects["item"].value_counts().to_dict()
    crops = _Crops(outcome.sources, results, labels)
    odd_crops: Iterable[Crop]
    if objects is not None:
        odd_crops = [crops.of(row) for _, row in _odd_rows(objects).iterrows()]
        clusters = [
            Cluster(name, size, tuple(crops.of(r) for _, r in part.iterrows()))
            for name, size, part in _group_rows(objects)
        ]
    else:
        odd_crops = [_image_crop(small, row) for _, row in odd.iterrows()]
        clusters = [
            Cluster(name, size, tuple(_image_crop(small, r) for _, r in part.iterrows())) for name, size, part in groups
        ]
    clips, notes = overlay_videos(client, folder, outcome.tables, outcome.sources, results)
    data = ReportData(
        workflow=outcome.workflow.name,
        workflow_text=outcome.workflow.dump(),
        description=outcome.workflow.description,
        workflow_sha256=outcome.workflow.sha256,
        input=outcome.input,
        output=str(outcome.output),
        started=outcome.started,
        seconds=outcome.seconds,
        done=len(outcome.done),
        objects=None if objects is None else len(objects),
        machine=outcome.machine,
        versions=dict(outcome.versions),
        skipped=tuple(SkippedLine(each.name, each.reason) for each in outcome.skipped),
        images=tuple(
            _card(outcome, name, small[name], counts.get(name, 0 if counts else None), _gives_classes(outcome, labels))
            for name in outcome.done[:PICTURED]
        ),
        others=tuple(
            OtherImage(name, counts.get(name, 0) if objects is not None else None) for name in outcome.done[PICTURED:]
        ),
        histograms=tuple(_histograms(outcome)),
        tables=tuple(TableSummary.of(name, table) for name, table in outcome.tables.items()),
        clusters=tuple(clusters),
        anomalies=tuple(odd_crops),
        anomalies_of="objects" if objects is not None else "images",
        stages=tuple(Stage(name, seconds, tasks) for name, (tasks, seconds) in outcome.timings.items()),
        inputs=tuple(
            InputDigest(name, str(getattr(s, "path", name)), s.fingerprint()) for name, s in outcome.sources.items()
        ),
        labels=(labels,) if labels else (),
        clips=clips,
        notes=notes,
    )
    write_report(folder / "report.html", data)


def pictures(
    client: Any, sources: Mapping[str, Source], results: Collection, labels: str | None
) -> dict[str, Pictured]:
    """Return small pictures of images and of their labels, made tile by tile on the cluster."""
    lazy = {}
    for name, source in sources.items():
        image = _plane(lazy_image(source, 2048))
        plane = (image.shape[-2], image.shape[-1])
        factor = shrink_factor(plane, LARGEST)
        parts = [reduce(Shrink(factor, plane), image.astype("uint8") if image.dtype == bool else image)]
        if labels is not None and name in results.labels(labels):
            numbers = _plane(lazy_image(results.label_source(labels, name), 2048), most_colours=1)
            parts.append(reduce(Sample(factor, plane), numbers))
        lazy[name] = parts
    flat = client.compute([part for parts in lazy.values() for part in parts], optimize_graph=True, sync=True)
    values = iter(flat)
    return {name: Pictured(next(values), next(values) if len(parts) > 1 else None) for name, parts in lazy.items()}


def _plane(image: Any, most_colours: int = 4) -> Any:
    """Return what of an image can be looked at: its colours or first channel, in the middle of its stack and time.

    Labels have no colours, and those of each channel are others.
    """
    for axis in ("t", "z"):
        if axis in image.dims:
            image = image.isel({axis: image.sizes[axis] // 2})
    if "c" in image.dims and not 3 <= image.sizes["c"] <= most_colours:
        image = image.isel(c=0)
    return image


def _card(outcome: Outcome, name: str, small: Pictured, count: int | None, is_class_map: bool) -> ImageCard:
    source = outcome.sources[name]
    shape = " x ".join(map(str, source.shape))
    note = f"{shape} ({', '.join(source.dims)}), {source.dtype}"
    pixels = _colours_first(small.pixels, source)
    if is_class_map and small.labels is not None:
        return ImageCard.of_classes(name, _display(pixels), small.labels, _class_sizes(outcome, name), note)
    return ImageCard.of(name, _display(pixels), small.labels, count, note)


def _colours_first(pixels: NDArray[Any], source: Source) -> NDArray[Any]:
    """Return three channels that are called red, green and blue in this order; scenes have them the other way round."""
    names = [str(name).lower() for name in source.attrs.get("channel_names", ())]
    if pixels.ndim != 3 or sorted(names) != ["blue", "green", "red"]:
        return pixels
    return pixels[[names.index(name) for name in ("red", "green", "blue")]]


def _gives_classes(outcome: Outcome, labels: str | None) -> bool:
    return any(step.name == labels and step.op in CLASS_MAPS for step in outcome.workflow.steps)


def _class_sizes(outcome: Outcome, name: str) -> dict[int, str]:
    """Return how large the classes of an image are, in words, where a table says so."""
    table = next((each for each in outcome.tables.values() if {"item", "class", "share"} <= {*each.columns}), None)
    if table is None:
        return {}
    area = next((column for column in table.columns if str(column).startswith("area_")), None)
    sizes = {}
    for _, row in table[table["item"] == name].iterrows():
        share = f"{row['share']:.1%}"
        sizes[int(row["class"])] = share if area is None else f"{row[area]:,.0f} {area.removeprefix('area_')}, {share}"
    return sizes


def _display(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    return display(pixels, dims=("c", "y", "x")[-pixels.ndim :])


def _histograms(outcome: Outcome) -> Iterable[Histogram]:
    for step, found in outcome.thresholds.items():
        for name, (histogram, value) in list(found.items())[:HISTOGRAMS]:
            if not histogram.counts.size:
                continue
            centers = histogram.centers.astype(np.float64)
            width = float(centers[1] - centers[0]) if len(centers) > 1 else 1.0
            edges = np.append(centers - width / 2, centers[-1] + width / 2)
            threshold = float(value) if np.isfinite(value) else None
            yield Histogram(f"{name}: {step}", histogram.counts, edges, threshold)


def _object_table(outcome: Outcome, labels: str | None) -> pd.DataFrame | None:
    tables = [table for table in outcome.tables.values() if "label" in table.columns]
    return tables[-1] if tables and labels else None


def _image_table(outcome: Outcome) -> pd.DataFrame:
    tables = [table for table in outcome.tables.values() if "label" not in table.columns]
    return tables[-1] if tables else pd.DataFrame({"item": []})


def _odd_rows(table: pd.DataFrame) -> pd.DataFrame:
    if ANOMALY not in table.columns:
        return table.iloc[:0]
    return table.dropna(subset=[ANOMALY]).sort_values(ANOMALY, ascending=False, kind="stable").head(ODD)


def _group_rows(table: pd.DataFrame) -> list[tuple[str, int, pd.DataFrame]]:
    """Return each cluster with its size and its most ordinary rows."""
    if CLUSTER not in table.columns:
        return []
    groups = []
    for number, rows in table.dropna(subset=[CLUSTER]).groupby(CLUSTER):
        ordered = rows.sort_values(ANOMALY, kind="stable") if ANOMALY in rows.columns else rows
        groups.append((f"cluster {number}", len(rows), ordered.head(EXAMPLES)))
    return groups


def _items(rows: pd.DataFrame) -> Sequence[str]:
    return [str(name) for name in rows["item"]]


def _image_crop(small: Mapping[str, Pictured], row: Any) -> Crop:
    picture = thumbnail(_display(small[row["item"]].pixels), 160)
    return Crop(picture, str(row["item"]), _score(row))


def _score(row: Any) -> float | None:
    return float(row[ANOMALY]) if ANOMALY in row.index and pd.notna(row[ANOMALY]) else None


class _Crops:
    """Crops of objects, read from the stored image around each; grey levels as in the whole image's sample."""

    def __init__(self, sources: Mapping[str, Source], results: Collection, labels: str | None) -> None:
        self._sources, self._results, self._labels = sources, results, labels
        self._limits: dict[str, tuple[float, float]] = {}

    def of(self, row: Any) -> Crop:
        """Return the crop of one object, outlined."""
        name, label = str(row["item"]), int(row["label"])
        bbox = [int(row[f"bbox-{k}"]) for k in range(4)] if "bbox-3" in row.index else None
        caption = f"{name}, object {label}"
        if bbox is None or "bbox-4" in row.index or self._labels is None:
            return Crop(np.zeros((8, 8), np.uint8), caption, _score(row))
        window = object_window((bbox[0], bbox[1], bbox[2], bbox[3]), PAD)
        source, labels = self._sources[name], self._results.label_source(self._labels, name)
        sides = [slice(max(0, side.start), min(size, side.stop)) for side, size in zip(window, source.shape[-2:])]
        step = max(1, -(-(window[0].stop - window[0].start) // LARGEST_CROP))
        frame = int(row["t"]) if "t" in row.index else None
        pixels = sampled(source, _shown(source, frame), sides, step)
        pixels = pixels.reshape([n for axis, n in enumerate(pixels.shape) if n > 1 or axis >= pixels.ndim - 2])
        limits = self._limits.setdefault(name, display_limits(pixels))
        picture = display(pixels, dims=("c", "y", "x")[-pixels.ndim :], limits=limits)
        mask = sampled(labels, _shown(labels, frame, colours=()), sides, step) == label
        factor = max(1, 96 // max(picture.shape[:2]))
        large, outline = (
            np.repeat(np.repeat(part, factor, 0), factor, 1) for part in (picture, mask.reshape(picture.shape[:2]))
        )
        return Crop(thumbnail(outline_overlay(large, outline), 128), caption, _score(row))


def sampled(source: Source, lead: Box, sides: Sequence[slice], step: int) -> NDArray[Any]:
    """Return every ``step``-th pixel of a window, read in bands so that no large object is ever in memory whole."""
    rows, columns = sides
    band = max(step, BAND // step * step)
    parts = []
    for top in range(rows.start, rows.stop, band):
        box = (*lead, slice(top, min(rows.stop, top + band)), columns)
        parts.append(source[box][..., ::step, ::step])
    return np.concatenate(parts, axis=-2)


def _shown(source: Source, frame: int | None = None, colours: Sequence[int] = (3, 4)) -> Box:
    """Return what is shown of the axes before the plane: all colours, or one channel, in the middle of the others.

    Of time the ``frame``, where it is known.
    """
    box = []
    for dim, size in zip(source.dims[:-2], source.shape[:-2]):
        if dim == "c":
            box.append(slice(0, size) if size in colours else slice(0, 1) if colours else _middle(size))
        else:
            box.append(slice(frame, frame + 1) if dim == "t" and frame is not None else _middle(size))
    return tuple(box)


def _middle(size: int) -> slice:
    return slice(size // 2, size // 2 + 1)
