"""Segmentation beside its peers."""

from typing import Any

import numpy as np
import scipy.ndimage as ndi
from operations import row
from skimage import measure, segmentation


def peaks(image):
    """Return labelled dark places of an image."""
    smooth = ndi.gaussian_filter(image, 4)
    return measure.label(smooth == ndi.minimum_filter(smooth, 15)).astype(np.int32)


_known: dict[int, Any] = {}


def markers(image):
    """Return the labelled dark places, found once."""
    if id(image) not in _known:
        _known[id(image)] = peaks(image)
    return _known[id(image)]


ROWS = [
    row(
        "segmentation.expand_labels",
        "labels",
        {"distance": 5},
        sk=lambda labels: segmentation.expand_labels(labels, 5),
    ),
    row(
        "segmentation.watershed",
        "u8",
        detail="from minima",
        second={"markers": markers},
        sk=lambda image: segmentation.watershed(image, markers(image)),
    ),
]
