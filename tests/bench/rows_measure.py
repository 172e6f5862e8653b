"""Labels and measurements beside their peers."""

import cv2
import numpy as np
import scipy.ndimage as ndi
from operations import row
from skimage import measure

ALL = np.ones((3, 3))


def counted(image):
    """Return the components of OpenCV, which numbers them as it likes."""
    return cv2.connectedComponents(image.view(np.uint8), connectivity=8)[1]


ROWS = [
    row(
        "measure.label",
        "mask",
        sk=lambda image: measure.label(image, connectivity=2),
        ndi=lambda image: ndi.label(image, ALL)[0],
        cv2=counted,
    ),
    row(
        "measure.label",
        "mask",
        {"connectivity": 1},
        sk=lambda image: measure.label(image, connectivity=1),
        ndi=lambda image: ndi.label(image)[0],
    ),
    row(
        "measure.label",
        "volume mask",
        {"dims": "zyx"},
        sk=lambda image: measure.label(image, connectivity=3),
        ndi=lambda image: ndi.label(image, np.ones((3, 3, 3)))[0],
    ),
]
