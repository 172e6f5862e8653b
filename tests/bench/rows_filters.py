"""Filters beside their peers."""

import cv2
import scipy.ndimage as ndi
from operations import Row
from skimage import filters as skfilters

from bigimg import filters

ROWS = [
    Row(
        "filters.gaussian",
        "sigma 2",
        "f32",
        lambda image: filters.gaussian(image, sigma=2),
        {
            "scikit-image": lambda image: skfilters.gaussian(image, 2, mode="reflect"),
            "scipy": lambda image: ndi.gaussian_filter(image, 2),
            "cv2": lambda image: cv2.GaussianBlur(image, (17, 17), 2, borderType=cv2.BORDER_REFLECT),
        },
        1e-6,
    ),
]
