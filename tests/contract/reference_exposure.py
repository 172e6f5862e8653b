"""References of grey values: their range, their curves, their histogram, their background."""

import warnings
from functools import partial

import numpy as np
import scipy.ndimage as ndi
from skimage import exposure, util
from skimage.restoration import rolling_ball

from bigimg.testing import random_image

from .case import NUMBERS, Case

ALL = ("bool", "int8", "uint32", *NUMBERS)


def floating(image):
    return image.astype("float32" if image.dtype == "float32" else "float64")


def not_negative(dtype):
    image = random_image((61, 47), dtype)
    return image if dtype.kind in "bu" else np.abs(image.astype("float64")).clip(max=32767).astype(dtype)


def percentile(image, q):
    # NumPy's differences of signed integers may leave their dtype.
    return np.percentile(image.astype("int64") if image.dtype.kind in "bi" else image, q)


def rescaled(image, in_range="image", out_range=(0.0, 1.0)):
    return exposure.rescale_intensity(image, in_range, out_range)


def normalized(image, q):
    low, high = percentile(image, q)
    if low == high:
        return np.zeros(image.shape, floating(image).dtype)
    return np.clip((floating(image) - low) / (high - low), 0, 1)


def standardized(image):
    exact = image.astype("float64")
    return (exact - exact.mean()) / (exact.std() or 1)


def equalized(image, nbins=256):
    # scikit-image counts booleans as floats, with a warning of NumPy's.
    return exposure.equalize_hist(image.astype("uint8") if image.dtype == bool else image, nbins)


def adapted(image, **params):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Downcasting")
        return exposure.equalize_adapthist(image, **params)


def small(dtype):
    return random_image((61, 47), "uint8").astype(dtype)


def above(image, radius):
    """Return how far an image lies above its background, in a dtype that holds that."""
    background = rolling_ball(image, radius=radius)
    if image.dtype == bool:
        return image & ~background
    if image.dtype.kind == "i":
        return (image.astype("int64") - background).astype(f"u{image.dtype.itemsize}")
    return image - background


FLAT = random_image((61, 47), "uint16", seed=5) // 2 + 1000
DARK = random_image((61, 47), "uint8", seed=6)


def even(dtype):
    return random_image((2, 61, 47), dtype)


def distance(image):
    exact = image.astype(float) - FLAT
    return np.abs(exact).astype("float32") if image.dtype == "float32" else np.abs(exact)


def evened(image, flat, dark=0):
    light = flat.astype(float) - dark
    return (image.astype(float) - dark) * light.mean() / light


def curve(name, function, params, dtypes=ALL):
    return Case(f"exposure.{name}", lambda image: function(image, **params), params, dtypes, image=not_negative)


def lit(dtype):
    """Frames of one lamp and other objects."""
    lamp = np.linspace(0.4, 1, 47)
    frames = np.stack([random_image((31, 47), "float64", seed) for seed in range(5)]) * lamp
    return frames.astype(dtype) if dtype.kind == "f" else (frames * np.iinfo(dtype).max).astype(dtype)


def lamp_of(image, middle, sigma):
    frames = image.astype("float64")
    return ndi.gaussian_filter(middle(frames, axis=0).astype(floating(image).dtype), sigma)


CASES = [
    *(
        Case("exposure.rescale_intensity", partial(rescaled, **params), params, ALL)
        for params in (
            {},
            {"in_range": (10, 90)},
            {"in_range": (0.1, 0.6), "out_range": (-1, 3)},
            {"in_range": "dtype"},
            {"out_range": "dtype"},
            {"in_range": "dtype", "out_range": "dtype"},
            {"in_range": (-5.0, 50.0), "out_range": "dtype"},
        )
    ),
    Case("exposure.normalize", lambda image: normalized(image, (0, 100)), {}, ALL, rtol=1e-6),
    Case("exposure.normalize", lambda image: normalized(image, (2, 98)), {"percentiles": (2, 98)}, ALL, rtol=1e-6),
    Case("exposure.standardize", standardized, {}, ALL, rtol=1e-6),
    Case("exposure.invert", util.invert, {}, ALL),
    Case("exposure.invert", lambda image: util.invert(image, True), {"signed_float": True}, ALL),
    Case(
        "exposure.percentile_values",
        lambda image: percentile(image, [0.3, 25, 50, 99.9]),
        {"q": (0.3, 25, 50, 99.9)},
        (*ALL, "int64", "uint64"),
        wrong="numpy.percentile([-128, 127] as int8, 50) is 127.5",
    ),
    Case(
        "exposure.percentile_values",
        lambda image: percentile(image, [0, 10, 50, 99.9]),
        {"q": (0, 10, 50, 99.9)},
        ("float32", "float64"),
        image=lambda dtype: random_image((61, 47), dtype) - dtype.type(0.5),
    ),
    Case("exposure.mean_value", lambda image: image.mean(dtype="float64"), {}, ALL, rtol=1e-12),
    Case("exposure.std_value", lambda image: image.std(dtype="float64"), {}, ALL, rtol=1e-12),
    *(
        curve("adjust_gamma", exposure.adjust_gamma, params)
        for params in ({}, {"gamma": 0.45}, {"gamma": 2.2, "gain": 0.7}, {"gamma": 0})
    ),
    *(curve("adjust_log", exposure.adjust_log, params) for params in ({}, {"gain": 0.5}, {"inv": True})),
    *(
        curve("adjust_sigmoid", exposure.adjust_sigmoid, params)
        for params in ({}, {"cutoff": 0.3, "gain": 4.5}, {"inv": True})
    ),
    Case("exposure.equalize_hist", equalized, {}, ALL),
    Case("exposure.equalize_hist", partial(equalized, nbins=17), {"nbins": 17}, ALL),
    *(
        Case("exposure.equalize_adapthist", partial(adapted, **params), params, (*ALL, "int64"), volume=volume)
        for volume in (False, True)
        for params in (
            {},
            {"kernel_size": 7},
            {"kernel_size": 30, "clip_limit": 0.05},
            {"kernel_size": 8, "clip_limit": 0.0, "nbins": 50},
        )
    ),
    Case("exposure.equalize_adapthist", partial(adapted, kernel_size=(9, 4)), {"kernel_size": (9, 4)}, ALL),
    Case("exposure.equalize_adapthist", adapted, {}, ("int32", "uint32"), image=small),
    *(
        Case("exposure.rolling_ball", partial(rolling_ball, radius=radius), {"radius": radius}, ALL, volume=volume)
        for volume, radius in ((False, 3), (False, 7.3), (False, 100), (True, 4), (True, 11.5))
    ),
    *(
        Case("exposure.subtract_background", partial(above, radius=radius), {"radius": radius}, ALL, volume=volume)
        for volume, radius in ((False, 12), (True, 4))
    ),
    *(
        Case(
            "exposure.subtract_gaussian",
            lambda image: floating(image) - ndi.gaussian_filter(floating(image), 4.0),
            {"sigma": 4.0},
            rtol=3e-6,
            volume=volume,
        )
        for volume in (False, True)
    ),
    Case("exposure.flat_field", partial(evened, flat=FLAT), {"flat": FLAT}, ALL, rtol=1e-6, image=even),
    Case("exposure.absolute_difference", distance, {"other": FLAT}, ALL, rtol=0, image=even),
    Case(
        "exposure.flat_field",
        partial(evened, flat=FLAT, dark=DARK),
        {"flat": FLAT, "dark": DARK},
        ALL,
        rtol=1e-6,
        image=even,
    ),
    *(
        Case(
            "exposure.illumination",
            partial(lamp_of, middle=middle, sigma=3),
            {"method": middle.__name__, "sigma": 3},
            NUMBERS,
            rtol=2e-6,
            image=lit,
        )
        for middle in (np.mean, np.median)
    ),
]
