"""PNG previews: the level of an image that fits a screen, as its windows show it, with outlines of labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bigimg.errors import OutputError
from bigimg.io.exports.levels import levels_of
from bigimg.io.exports.shown import colours_of, outlined, picture_of
from bigimg.io.exports.subjects import Subject, middle

LARGEST = 1024
"""Rows and columns of a preview are at most these."""


def write_preview(subject: Subject, path: Path, scratch: Path) -> None:
    """Write the middle plane of an image as a PNG, shrunk until it fits; labels are drawn as outlines."""
    from PIL import Image  # noqa: PLC0415 - takes a tenth of a second

    levels = levels_of(subject.source, "image", scratch / "image")
    fits = [number for number, level in enumerate(levels) if max(level.shape[-2:]) <= LARGEST]
    chosen = fits[0] if fits else len(levels) - 1
    level = levels[chosen]
    windows = subject.windows(scratch / "image")
    picture = picture_of(level[middle(level)], level.dims, windows, colours_of(subject))
    for name, labels in subject.labels.items():
        small = levels_of(labels, "labels", scratch / f"labels-{name}")[chosen]
        # Labels without depth, or time, are those of every plane.
        picture = outlined(picture, np.squeeze(small[middle(small)].reshape(-1, *small.shape[-2:]), 0))
    try:
        Image.fromarray(picture).save(path, "PNG")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; is the disk full?") from error
