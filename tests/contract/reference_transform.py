"""References of geometry: scikit-image, SciPy, dask-image, and NumPy."""

from functools import partial

import numpy as np
import scipy.ndimage as ndi
from dask_image.ndinterp import affine_transform
from skimage import transform as sk

from bigimg.testing import random_image

from .case import FLOATS, INTEGERS, NUMBERS, Case

ALL = ("bool", *NUMBERS)
PLAIN = {"preserve_range": True, "clip": False}
TURN = np.array([[0.91234, 0.2345, 1.3], [-0.3123, 1.2456, -2.1]])
TURN_3D = np.array([[0.9123, 0.2345, 0.1, 1.3], [-0.3123, 1.2456, 0.05, -2.1], [0.1111, 0.1, 0.8765, 1]])


def averaged(image):
    """As an image whose values are averages: float32 stays, all else becomes float64."""
    return image.astype("float32" if image.dtype == "float32" else "float64")


def in_float64(function, **parameters):
    """Compute in float64, and give the dtype of averages: scikit-image turns float32 images in float32 throughout."""
    return lambda image: function(image.astype(float), **parameters).astype(averaged(image).dtype)


def affine_by_scipy(image, matrix, **parameters):
    given = image if parameters.get("order") == 0 else image.astype(float)
    found = ndi.affine_transform(given, matrix, mode="grid-constant", **parameters)
    return found if parameters.get("order") == 0 else found.astype(averaged(image).dtype)


def affine_by_dask_image(image, matrix, **parameters):
    return affine_transform(image.astype(float), matrix, mode="grid-constant", output_chunks=16, **parameters).compute()


def stack(dtype):
    return random_image((11, 13, 9), dtype)


def projected(image, method, axis):
    """As NumPy has it of float64; the extremes of the image itself."""
    if method in {"max", "min"}:
        return getattr(image, method)(axis=axis)
    return getattr(np, method)(image.astype(float), axis=axis).astype(averaged(image).dtype)


CASES = [
    *(
        Case(
            "transform.project",
            partial(projected, method=method, axis=place),
            {"axis": axis, "method": method},
            ALL,
            rtol=0 if method in {"max", "min", "median"} else 1e-6,
            image=stack,
        )
        for method in ["max", "min", "mean", "std", "median"]
        for place, axis in enumerate("zyx")
    ),
    *(
        Case(
            "transform.project",
            partial(projected, method="mean", axis=0),
            {"axis": axis, "method": "mean"},
            ("bool", *INTEGERS),
            image=stack,
        )
        for axis in "tc"
    ),
    Case(
        "transform.temporal_median",
        lambda image: projected(image[[0, 2, 5, 8, 10]], "median", 0),
        {"frames": 5},
        ALL,
        image=stack,
    ),
    *(
        Case(
            "transform.resize",
            partial(sk.resize, output_shape=shape, **PLAIN),
            {"output_shape": shape},
            NUMBERS,
            rtol=1e-6,
        )
        for shape in [(20, 33), (100, 30), (3, 2)]
    ),
    Case(
        "transform.resize",
        partial(sk.resize, output_shape=(25, 90), anti_aliasing=False, **PLAIN),
        {"output_shape": (25, 90), "anti_aliasing": False},
        NUMBERS,
        rtol=1e-6,
    ),
    Case(
        "transform.resize",
        partial(sk.resize, output_shape=(25, 90), order=0, anti_aliasing=False, **PLAIN),
        {"output_shape": (25, 90), "order": 0, "anti_aliasing": False},
        ALL,
    ),
    Case(
        "transform.resize",
        partial(sk.resize, output_shape=(4, 30, 9), **PLAIN),
        {"output_shape": (4, 30, 9)},
        NUMBERS,
        rtol=1e-6,
        volume=True,
    ),
    *(
        Case("transform.rescale", partial(sk.rescale, scale=scale, **PLAIN), {"scale": scale}, NUMBERS, rtol=1e-6)
        for scale in [0.3, 1.7, (0.5, 2)]
    ),
    Case("transform.rescale", partial(sk.rescale, scale=0.45), {"scale": 0.45}, ("bool",)),
    Case("transform.pyramid_reduce", partial(sk.pyramid_reduce, preserve_range=True), {}, ALL, rtol=1e-6),
    Case(
        "transform.pyramid_reduce",
        partial(sk.pyramid_reduce, downscale=3.3, sigma=2, preserve_range=True),
        {"downscale": 3.3, "sigma": 2},
        ALL,
        rtol=1e-6,
    ),
    Case(
        "transform.pyramid_reduce", partial(sk.pyramid_reduce, preserve_range=True), {}, NUMBERS, rtol=1e-6, volume=True
    ),
    *(
        Case(
            "transform.downscale_local_mean",
            partial(sk.downscale_local_mean, factors=(3, 2), cval=cval),
            {"factors": (3, 2), "cval": cval},
            ("bool", *INTEGERS) if cval == 0 else INTEGERS,
        )
        for cval in [0, 7]
    ),
    *(
        Case(
            "transform.downscale_local_mean",
            partial(sk.downscale_local_mean, factors=(factor, factor)),
            {"factors": factor},
            FLOATS,
            rtol=1e-6,
        )
        for factor in [1, 4, 5]
    ),
    Case(
        "transform.downscale_local_mean",
        partial(sk.downscale_local_mean, factors=(2, 3, 4)),
        {"factors": (2, 3, 4)},
        INTEGERS,
        volume=True,
    ),
    *(
        Case(
            "transform.rotate",
            in_float64(sk.rotate, angle=30.5, resize=resize, cval=2, **PLAIN),
            {"angle": 30.5, "resize": resize, "cval": 2},
            NUMBERS,
            rtol=1e-6,
        )
        for resize in [False, True]
    ),
    Case(
        "transform.rotate",
        lambda image: sk.rotate(image, -77.7, order=0, **PLAIN).astype(image.dtype),
        {"angle": -77.7, "order": 0},
        ALL,
    ),
    Case("transform.rotate", partial(np.rot90, axes=(0, 1)), {"angle": 90, "order": 0, "resize": True}, ALL),
    Case(
        "transform.affine",
        partial(affine_by_scipy, matrix=TURN, output_shape=(30, 70), order=1, cval=7),
        {"matrix": TURN, "output_shape": (30, 70), "cval": 7},
        NUMBERS,
        rtol=1e-6,
    ),
    Case(
        "transform.affine",
        partial(affine_by_dask_image, matrix=TURN, output_shape=(30, 70), order=1),
        {"matrix": TURN, "output_shape": (30, 70)},
        ("uint8", "uint16", "float64"),
        rtol=1e-9,
    ),
    Case("transform.affine", partial(affine_by_scipy, matrix=TURN, order=0), {"matrix": TURN, "order": 0}, ALL),
    *(
        Case(
            "transform.affine",
            partial(affine_by_scipy, matrix=TURN_3D, order=order),
            {"matrix": TURN_3D, "order": order},
            NUMBERS,
            rtol=1e-6 * order,
            volume=True,
        )
        for order in [0, 1]
    ),
    *(Case("transform.rot90", partial(np.rot90, k=k), {"k": k}, ALL) for k in (-1, 1, 2, 4)),
    *(Case("transform.flip", partial(np.flip, axis="yx".index(axis)), {"axis": axis}, ALL) for axis in "yx"),
]
