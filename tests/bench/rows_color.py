"""Colours beside their peers."""

import cv2
import numpy as np
from operations import row
from skimage import color

FIRST = {"channel_axis": 0}
WEIGHTS = np.array([[0.2125, 0.7154, 0.0721]])


def last(image):
    """Return the channels last, as OpenCV wants them."""
    return np.ascontiguousarray(np.moveaxis(image, 0, -1))


ROWS = [
    row("color.rgb2gray", "rgb8", sk=lambda image: color.rgb2gray(image, **FIRST) * 255, tolerance=1e-6),
    row(
        "color.rgb2gray",
        "rgb32",
        sk=lambda image: color.rgb2gray(image, **FIRST),
        cv2=lambda image: cv2.transform(last(image), WEIGHTS),
        tolerance=1e-6,
    ),
    row("color.rgb2hsv", "rgb8", sk=lambda image: color.rgb2hsv(image, **FIRST)),
    row("color.rgb2hsv", "rgb32", sk=lambda image: color.rgb2hsv(image, **FIRST), tolerance=1e-6),
    row("color.hsv2rgb", "rgb32", sk=lambda image: color.hsv2rgb(image, **FIRST), tolerance=1e-6),
    row("color.rgb2lab", "rgb8", sk=lambda image: color.rgb2lab(image, **FIRST), tolerance=1e-12),
    row("color.rgb2lab", "rgb32", sk=lambda image: color.rgb2lab(image, **FIRST), tolerance=1e-5),
    row("color.lab2rgb", "lab64", sk=lambda image: color.lab2rgb(image, **FIRST), tolerance=1e-9),
    row("color.rgb2hed", "rgb8", sk=lambda image: color.rgb2hed(image, **FIRST), tolerance=1e-9),
    row("color.rgb2hed", "rgb32", sk=lambda image: color.rgb2hed(image, **FIRST), tolerance=1e-6),
    row("color.hed2rgb", "rgb32", sk=lambda image: color.hed2rgb(image, **FIRST), tolerance=1e-6),
    row("color.hematoxylin", "rgb8", sk=lambda image: color.rgb2hed(image, **FIRST)[0], tolerance=1e-9),
    row("color.rgb2cmyk", "rgb8"),
    row("color.ndvi", "rgb16", {"nir": 2, "red": 0}),
]
