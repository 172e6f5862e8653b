"""References of the Gaussian."""

from functools import partial

import scipy.ndimage as ndi

from .case import NUMBERS, Case


def smoothed(image, sigma):
    return ndi.gaussian_filter(image.astype("float32" if image.dtype == "float32" else float), sigma)


CASES = [
    Case("filters.gaussian", partial(smoothed, sigma=1.5), {"sigma": 1.5}, NUMBERS, rtol=2e-6),
    Case("filters.gaussian", partial(smoothed, sigma=(1.5, 0)), {"sigma": (1.5, 0.0)}, ("uint8", "float32"), rtol=2e-6),
    *(
        Case("filters.gaussian", partial(smoothed, sigma=sigma), {"sigma": sigma}, NUMBERS, rtol=2e-6, volume=True)
        for sigma in (1.5, (0.6, 1.0, 1.5))
    ),
]
