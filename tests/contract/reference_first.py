"""References of smoothing, of thresholds and of basic morphology."""

import scipy.ndimage as ndi

from .case import NUMBERS, Case

CASES = [
    Case(
        "filters.gaussian",
        lambda image: ndi.gaussian_filter(image.astype("float32" if image.dtype == "float32" else float), 1.5),
        {"sigma": 1.5},
        NUMBERS,
        rtol=2e-6,
    ),
]
