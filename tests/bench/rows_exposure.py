"""Grey values beside their peers."""

import cv2
from operations import row
from skimage import exposure, restoration

LARGEST = 65535


ROWS = [
    row("exposure.adjust_gamma", "u8", {"gamma": 0.5}, sk=lambda image: exposure.adjust_gamma(image, 0.5)),
    row(
        "exposure.adjust_gamma",
        "f32",
        {"gamma": 0.5},
        sk=lambda image: exposure.adjust_gamma(image, 0.5),
        tolerance=1e-6,
    ),
    row("exposure.adjust_log", "f32", sk=exposure.adjust_log, tolerance=1e-6),
    row("exposure.adjust_sigmoid", "f32", sk=exposure.adjust_sigmoid, tolerance=1e-6),
    row(
        "exposure.rescale_intensity",
        "u16",
        sk=lambda image: exposure.rescale_intensity(image, out_range=(0.0, 1.0)),
        tolerance=1e-9,
    ),
    row("exposure.normalize", "u16", {"percentiles": (1, 99)}),
    row("exposure.percentile_values", "f32", {"q": (1, 50, 99)}),
    row("exposure.standardize", "u16"),
    row("exposure.equalize_hist", "u8", sk=exposure.equalize_hist, tolerance=1e-9),
    row("exposure.equalize_hist", "f32", sk=exposure.equalize_hist, tolerance=1e-6),
    row("exposure.equalize_adapthist", "u16", sk=exposure.equalize_adapthist, tolerance=1e-6),
    row("exposure.rolling_ball", "u8", {"radius": 15}, sk=lambda image: restoration.rolling_ball(image, radius=15)),
    row(
        "exposure.subtract_gaussian",
        "f32",
        {"sigma": 15},
        cv2=lambda image: image - cv2.GaussianBlur(image, (121, 121), 15, borderType=cv2.BORDER_REFLECT),
        tolerance=1e-5,
    ),
    row("exposure.flat_field", "u16", second={"flat": lambda image: image // 2 + 1000}, detail="flat"),
]
