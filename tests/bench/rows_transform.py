"""Geometry beside its peers."""

import cv2
import dask.array as da
import numpy as np
from dask_image import ndinterp
from operations import row
from skimage import transform

TURN = [[0.9, 0.3, 20.0], [-0.2, 1.1, -10.0], [0, 0, 1]]


def turned(image):
    """Return dask-image's affine map."""
    return ndinterp.affine_transform(
        da.from_array(image, chunks=-1), np.array(TURN), order=1, mode="constant"
    ).compute()


ROWS = [
    row(
        "transform.resize",
        "f32",
        {"output_shape": (757, 757)},
        sk=lambda image: transform.resize(image, (757, 757), order=1, anti_aliasing=True),
        tolerance=1e-5,
    ),
    row(
        "transform.rescale",
        "u8",
        {"scale": 0.5},
        sk=lambda image: transform.rescale(image, 0.5, order=1, anti_aliasing=True, preserve_range=True),
        tolerance=1e-2,
    ),
    row(
        "transform.downscale_local_mean",
        "u8",
        {"factors": 2},
        sk=lambda image: transform.downscale_local_mean(image, (2, 2)),
        tolerance=1e-9,
    ),
    row(
        "transform.pyramid_reduce",
        "f32",
        sk=transform.pyramid_reduce,
        tolerance=1e-4,
    ),
    row(
        "transform.rotate",
        "f32",
        {"angle": 20},
        sk=lambda image: transform.rotate(image, 20, order=1),
        tolerance=1e-3,
    ),
    row("transform.affine", "f32", {"matrix": TURN}, detail="matrix", dask=turned, tolerance=1e-4),
    row("transform.flip", "u16", cv2=lambda image: cv2.flip(image, 1)),
    row("transform.project", "volume16", {"axis": "z", "method": "mean"}, ndi=lambda image: image.mean(axis=0)),
]
