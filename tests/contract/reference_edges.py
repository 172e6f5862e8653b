"""References of the linear filters: edges, bands of sizes, given weights, Gabor."""

import numpy as np
import scipy.ndimage as ndi
from skimage import filters

from .case import Case

EXACT = ("bool", "uint8", "uint16", "int16", "int32")
FLOATS = ("float32", "float64")
SOME = ("uint8", "int32", "float32", "float64")


def as_float(image):
    return image if image.dtype.kind == "f" else image.astype(float)


def on_floats(function, **parameters):
    """The reference on grey values as floats: scikit-image scales integers to 0..1, SciPy rounds to integers."""
    return lambda image: function(as_float(image), **parameters)


def reflected(function, weights):
    """SciPy reads beyond its memory where weights reach further than the image is wide: reflect by hand."""
    reach = max(np.shape(weights)) // 2

    def reference(image):
        inside = tuple(slice(reach, reach + size) for size in image.shape)
        return function(np.pad(as_float(image), reach, mode="symmetric"), weights)[inside]

    return reference


def gabor_part(part, **parameters):
    def reference(image):
        wide = np.pad(as_float(image), 30, mode="symmetric")
        real, imaginary = (each[30:-30, 30:-30] for each in filters.gabor(wide, **parameters))
        return {"real": real, "imaginary": imaginary, "magnitude": np.hypot(real, imaginary)}[part]

    return reference


rng = np.random.default_rng(0)
WEIGHTS = [
    np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
    np.array([[1, 2, 0, -4]]),
    np.ones((9, 9)),
    rng.integers(-3, 9, (4, 7)),
]
REAL_WEIGHTS = [rng.random((2, 3)), rng.random((13, 12)), np.outer(rng.random(11), rng.random(9))]
EDGES = [("filters.sobel", filters.sobel), ("filters.prewitt", filters.prewitt)]

CASES = [
    *(
        Case("filters.sobel", on_floats(filters.sobel, axis=axis), {"axis": axis}, dtypes, rtol, volume)
        for dtypes, rtol in ((EXACT, 0.0), (FLOATS, 1e-6))
        for volume, axes in ((False, (None, 0, 1)), (True, (None, 0, 1, 2)))
        for axis in axes
    ),
    Case(
        "filters.sobel",
        on_floats(filters.sobel, axis=1),
        {"axis": -1},
        EXACT,
        wrong="scikit-image smooths along a negative axis too: an edge of 4 is 2 by axis=1, and 1/2 by axis=-1",
    ),
    *(
        Case("filters.prewitt", on_floats(filters.prewitt, axis=axis), {"axis": axis}, (*EXACT, *FLOATS), 1e-6, volume)
        for volume in (False, True)
        for axis in (None, 1)
    ),
    *(
        Case("filters.laplace", on_floats(filters.laplace, ksize=3), {}, dtypes, rtol, volume)
        for dtypes, rtol in ((EXACT, 0.0), (FLOATS, 1e-6))
        for volume in (False, True)
    ),
    *(
        Case(
            "filters.gaussian_laplace",
            on_floats(ndi.gaussian_laplace, sigma=sigma, truncate=truncate),
            {"sigma": sigma, "truncate": truncate},
            SOME,
            rtol=1e-5,
            volume=volume,
        )
        for sigma, truncate, volume in ((1.0, 4.0, False), ((0.7, 2.0), 3.0, False), ((0.8, 0.6, 1.0), 4.0, True))
    ),
    *(
        Case(
            "filters.difference_of_gaussians",
            on_floats(filters.difference_of_gaussians, low_sigma=low, high_sigma=high, truncate=truncate),
            {"low_sigma": low, "high_sigma": high, "truncate": truncate},
            SOME,
            rtol=1e-5,
            volume=volume,
        )
        for low, high, truncate, volume in (
            (1.0, None, 4.0, False),
            ((1.0, 2.0), (3.0, 2.0), 3.0, False),
            (0.6, 1.5, 4.0, True),
        )
    ),
    *(
        Case(
            "filters.unsharp_mask",
            on_floats(filters.unsharp_mask, radius=radius, amount=amount, preserve_range=True),
            {"radius": radius, "amount": amount},
            SOME,
            rtol=1e-5,
            volume=volume,
        )
        for radius, amount, volume in ((1.0, 1.0, False), ((1.0, 2.5), -0.4, False), (1.2, 3.0, True))
    ),
    *(
        Case(f"filters.{name}", reflected(function, weights), {"weights": weights}, dtypes, rtol)
        for name, function in (("correlate", ndi.correlate), ("convolve", ndi.convolve))
        for group, dtypes, rtol in (
            (WEIGHTS, EXACT, 0.0),
            (WEIGHTS, FLOATS, 1e-5),
            (REAL_WEIGHTS, SOME, 1e-5),
        )
        for weights in group
    ),
    *(
        Case(f"filters.{name}", reflected(function, weights), {"weights": weights}, dtypes, rtol, volume=True)
        for name, function in (("correlate", ndi.correlate), ("convolve", ndi.convolve))
        for weights, dtypes, rtol in (
            (rng.integers(-3, 9, (3, 2, 5)), EXACT, 0.0),
            (rng.random((2, 3, 3)), SOME, 1e-5),
            (np.ones((3, 5, 5)), EXACT, 0.0),
        )
    ),
    *(
        Case("filters.gabor", gabor_part(part, **parameters), {**parameters, "part": part}, SOME, rtol=1e-5)
        for part in ("real", "imaginary", "magnitude")
        for parameters in (
            {"frequency": 0.2},
            {"frequency": 0.15, "theta": 0.7, "offset": 0.4, "bandwidth": 1.5},
            {"frequency": 0.3, "theta": 2.0, "sigma_x": 2.0, "sigma_y": 4.0, "n_stds": 2.5},
        )
    ),
]
