"""Morphology beside its peers."""

import cv2
import numpy as np
import scipy.ndimage as ndi
from operations import row
from skimage import morphology
from skimage.morphology import ball, disk

IGNORE = {"mode": "ignore"}


def by_cv2(operation, footprint):
    """Return OpenCV's operation, which takes bytes for booleans."""

    def call(image):
        pixels = image.view(np.uint8) if image.dtype == bool else image
        return operation(pixels, footprint.astype(np.uint8)).view(image.dtype)

    return call


def eroded(kind, radius, slow=True):
    """Return the row of an erosion by a disk."""
    footprint = disk(radius)
    peers = {"cv2": by_cv2(cv2.erode, footprint)}
    if slow:
        peers["ndi"] = (
            (lambda image: ndi.binary_erosion(image, footprint, border_value=1))
            if kind == "mask"
            else (lambda image: ndi.grey_erosion(image, footprint=footprint))
        )
        peers["sk"] = lambda image: morphology.erosion(image, footprint, **IGNORE)
    return row("morphology.erosion", kind, {"footprint": footprint}, detail=f"disk {radius}", **peers)


def opened(kind, radius):
    """Return the row of an opening by a disk."""
    footprint = disk(radius)
    return row(
        "morphology.opening",
        kind,
        {"footprint": footprint},
        detail=f"disk {radius}",
        sk=lambda image: morphology.opening(image, footprint, **IGNORE),
        cv2=by_cv2(lambda image, kernel: cv2.morphologyEx(image, cv2.MORPH_OPEN, kernel), footprint),
    )


def holes(image):
    """Return the mask without its small holes."""
    return morphology.remove_small_holes(image, max_size=64)


ROWS = [
    *(eroded("mask", radius, slow=radius < 10) for radius in (1, 3, 7, 15, 31)),
    *(eroded(kind, radius, slow=radius < 5) for kind in ("u8", "u16", "f32") for radius in (1, 3, 7, 15, 31)),
    row(
        "morphology.dilation",
        "u16",
        {"footprint": np.ones((31, 31))},
        detail="square 31",
        ndi=lambda image: ndi.grey_dilation(image, 31),
        cv2=by_cv2(cv2.dilate, np.ones((31, 31))),
    ),
    row(
        "morphology.dilation",
        "volume mask",
        {"footprint": ball(3), "dims": "zyx"},
        detail="ball 3",
        ndi=lambda image: ndi.binary_dilation(image, ball(3)),
        sk=lambda image: morphology.dilation(image, ball(3), **IGNORE),
    ),
    row(
        "morphology.dilation",
        "volume8",
        {"footprint": ball(3), "dims": "zyx"},
        detail="ball 3",
        ndi=lambda image: ndi.grey_dilation(image, footprint=ball(3)),
        sk=lambda image: morphology.dilation(image, ball(3), **IGNORE),
    ),
    row(
        "morphology.dilation",
        "volume8",
        {"footprint": np.ones((7, 7, 7)), "dims": "zyx"},
        detail="cube 7",
        ndi=lambda image: ndi.grey_dilation(image, 7),
    ),
    opened("mask", 3),
    opened("u8", 3),
    row(
        "morphology.white_tophat",
        "u8",
        {"footprint": disk(15)},
        detail="disk 15",
        cv2=by_cv2(lambda image, kernel: cv2.morphologyEx(image, cv2.MORPH_TOPHAT, kernel), disk(15)),
    ),
    row(
        "morphology.gradient",
        "u8",
        {"footprint": disk(3)},
        detail="disk 3",
        cv2=by_cv2(lambda image, kernel: cv2.morphologyEx(image, cv2.MORPH_GRADIENT, kernel), disk(3)),
    ),
    row(
        "morphology.hit_or_miss",
        "mask",
        {"footprint": [[0, 0, 0], [1, 1, 0], [0, 1, 0]]},
        detail="3 x 3",
        ndi=lambda image: ndi.binary_hit_or_miss(image, [[0, 0, 0], [1, 1, 0], [0, 1, 0]]),
    ),
    row(
        "morphology.skeletonize",
        "mask",
        {"max_iterations": 400},
        detail="",
        sk=lambda image: morphology.skeletonize(image, method="zhang"),
    ),
    row(
        "morphology.remove_small_objects",
        "mask",
        {"min_size": 64},
        sk=lambda image: morphology.remove_small_objects(image, max_size=63, connectivity=2),
    ),
    row("morphology.remove_small_holes", "mask", {"max_size": 64}, sk=holes),
    row("morphology.fill_holes", "mask", ndi=ndi.binary_fill_holes),
    row("morphology.largest_objects", "mask", {"number": 10}),
    row("morphology.distance_transform", "mask", ndi=ndi.distance_transform_edt),
    row("morphology.distance_transform", "volume mask", {"dims": "zyx"}, ndi=ndi.distance_transform_edt),
    row(
        "morphology.reconstruction",
        "u8",
        detail="seed 40 below",
        second={"mask": lambda image: image},
        sk=lambda image: morphology.reconstruction(image, image),
    ),
    row("morphology.h_maxima", "u8", {"h": 40}, sk=lambda image: morphology.h_maxima(image, 40).astype(bool)),
    row("morphology.local_maxima", "u8", sk=morphology.local_maxima),
]
