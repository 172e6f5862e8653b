"""References of smoothing, of thresholds and of basic morphology."""

from functools import partial

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
    Case("filters.median", partial(ndi.median_filter, size=5), {"size": 5}, NUMBERS),
]
