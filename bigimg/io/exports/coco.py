"""COCO JSON of labels: a box, an area and a run-length mask for every object, exact to the pixel.

Masks are the compressed run lengths of pycocotools, which have holes and parts, where polygons of COCO have not. They
are made of column bands, so that an image need not fit into memory; what an object needs is its runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePath
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box
from bigimg.errors import OutputError
from bigimg.io.exports.levels import BLOCK_BYTES
from bigimg.io.exports.subjects import Subject
from bigimg.io.sources import Source

Runs = NDArray[np.int64]
"""(n, 3): label, first pixel counted down the columns, length; none goes beyond its column."""


@dataclass(frozen=True)
class CocoObject:
    """One object of a plane."""

    label: int
    area: int
    box: tuple[int, int, int, int]
    """Left, top, width, height."""
    counts: NDArray[np.int64]
    """Lengths of runs of background and object in turn, down the columns."""


def write_coco(subjects: Sequence[Subject], path: Path) -> None:
    """Write the labels of images as one COCO file; every plane of a stack or series is an image of its own.

    A category is a name of labels. ``file_name`` is that of the file an image was ingested from.
    """
    names = sorted({name for subject in subjects for name in subject.labels})
    categories = {name: number for number, name in enumerate(names, 1)}
    images: list[dict[str, Any]] = []
    try:
        with path.open("w", encoding="utf-8") as file:
            file.write('{"info": {"description": "labels exported by bigimg", "version": "1.0"},\n')
            file.write('"licenses": [],\n"categories": ')
            json.dump([{"id": number, "name": name} for name, number in categories.items()], file)
            file.write(',\n"annotations": [')
            _write_annotations(file, subjects, categories, images)
            file.write('],\n"images": [' + ",\n".join(json.dumps(each) for each in images) + "]}\n")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; is the disk full?") from error


def objects(labels: Source, box: Box) -> Iterator[CocoObject]:
    """Yield the objects of the plane ``box`` of ``labels``, in the order of their numbers."""
    runs = _runs(labels, box)
    height, width = labels.shape[-2:]
    runs = runs[np.argsort(runs[:, 0], kind="stable")]
    ends = np.flatnonzero(np.diff(runs[:, 0], append=-1)) + 1
    for mine in np.split(runs, ends)[:-1]:
        start, length = mine[:, 1], mine[:, 2]
        row, column = start % height, start // height
        top, left = int(row.min()), int(column.min())
        size = int(column.max()) + 1 - left, int((row + length).max()) - top
        yield CocoObject(int(mine[0, 0]), int(length.sum()), (left, top, *size), _counts(start, length, height * width))


def compressed(counts: NDArray[np.int64]) -> str:
    """Return run lengths as pycocotools writes them: differences to the one before the last, five bits a letter.

    Examples
    --------
    >>> compressed(np.array([6, 1, 40, 4, 5, 4, 5, 4, 48]))
    '61X13mN000[1'
    """
    letters = []
    for number, count in enumerate(counts.tolist()):
        value = count - int(counts[number - 2]) if number > 2 else count
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != -1 if bits & 0x10 else value != 0
            letters.append(chr((bits | 0x20 if more else bits) + 48))
    return "".join(letters)


def _write_annotations(
    file: TextIO, subjects: Sequence[Subject], categories: dict[str, int], images: list[dict[str, Any]]
) -> None:
    number = 0
    for subject in subjects:
        height, width = subject.source.shape[-2:]
        known: dict[tuple[int, ...], int] = {}
        for name, labels in subject.labels.items():
            for index in product(*(range(size) for size in labels.shape[:-2])):
                image = known.get(index)
                if image is None:
                    image = known[index] = len(images) + 1
                    at = dict(zip(labels.dims, index))
                    images.append(
                        {
                            "id": image,
                            "width": width,
                            "height": height,
                            "file_name": _file_name(subject),
                            "item": subject.name,
                        }
                        | at
                    )
                box = (*(slice(place, place + 1) for place in index), slice(0, height), slice(0, width))
                for each in objects(labels, box):
                    number += 1
                    file.write(
                        (",\n" if number > 1 else "\n")
                        + json.dumps(_annotation(number, image, categories[name], each, (height, width)))
                    )
        if not known:
            images.append(
                {
                    "id": len(images) + 1,
                    "width": width,
                    "height": height,
                    "file_name": _file_name(subject),
                    "item": subject.name,
                }
            )


def _annotation(number: int, image: int, category: int, found: CocoObject, size: tuple[int, int]) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "iscrowd": 0,
        "area": found.area,
        "bbox": list(found.box),
        "segmentation": {"size": list(size), "counts": compressed(found.counts)},
        "label": found.label,
    }


def _file_name(subject: Subject) -> str:
    return PurePath(subject.item.source).name if subject.item.source else f"{subject.name}.png"


def _runs(labels: Source, box: Box) -> Runs:
    """Return the runs of all objects, by bands of whole columns."""
    height, width = labels.shape[-2:]
    unit = labels.chunks[-1]
    step = max(1, BLOCK_BYTES // (height * labels.dtype.itemsize * unit)) * unit
    found = [np.zeros((0, 3), np.int64)]
    for left in range(0, width, step):
        band = labels[(*box[:-1], slice(left, min(left + step, width)))].reshape(height, -1)
        columns = np.ascontiguousarray(band.T)
        begins = np.ones(columns.shape, bool)
        begins[:, 1:] = columns[:, 1:] != columns[:, :-1]
        starts = np.flatnonzero(begins)
        lengths = np.diff(starts, append=columns.size)
        values = columns.ravel()[starts]
        inside = values != 0
        found.append(
            np.stack([values[inside].astype(np.int64), starts[inside] + left * height, lengths[inside]], axis=1)
        )
    return np.concatenate(found)


def _counts(start: NDArray[np.int64], length: NDArray[np.int64], pixels: int) -> NDArray[np.int64]:
    """Return the lengths of background and object in turn; a run that ends its column goes on in the next."""
    end = start + length
    begins = np.flatnonzero(start != np.concatenate([[-1], end[:-1]]))
    starts, ends = start[begins], end[np.append(begins[1:] - 1, len(end) - 1)]
    edges = np.stack([starts, ends], axis=1).ravel()
    counts = np.diff(edges, prepend=0)
    return np.append(counts, pixels - edges[-1]) if edges[-1] < pixels else counts
