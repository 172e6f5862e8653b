"""References of morphology: scikit-image with ``mode="ignore"``, which leaves out what is beyond the border, and SciPy.

The footprints are round, long, larger than the image, lopsided, even, scattered and without a centre.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.ndimage as ndi
from skimage import morphology as skmorphology

from bigimg.core.footprint import as_footprint

from .case import INTEGERS, Case

DTYPES = ("bool", *INTEGERS, "int8", "uint32", "float32", "float64")
FEW = ("bool", "uint8", "int16", "float32")
LOPSIDED = [[0, 0, 1, 1], [1, 0, 1, 1], [0, 0, 0, 1]]
FLAT: list[Any] = [
    {"disk": 1},
    {"disk": 6},
    {"square": 2},
    {"rectangle": [3, 8]},
    {"octagon": [3, 2]},
    {"star": 2},
    {"cross": 30},
    LOPSIDED,
]
SOLID: list[Any] = [{"ball": 2}, {"cube": 3}, {"rectangle": [2, 4, 5]}, {"octahedron": 3}, [LOPSIDED, LOPSIDED[::-1]]]
ONCE = ("erosion", "dilation", "opening", "closing", "white_tophat", "black_tophat")


def one(name: str, footprint: Any) -> Callable[[Any], Any]:
    function = getattr(skmorphology, name)
    return lambda image: function(image, as_footprint(footprint), mode="ignore")


def repeated(name: str, footprint: Any, iterations: int) -> Callable[[Any], Any]:
    """Return an operation done several times, as SciPy does it: of an opening all erosions come first."""
    mask = as_footprint(footprint)
    # The second half of an opening looks at the mirrored neighbours; scikit-image pads even axes at their start.
    mirrored = np.flip(np.pad(mask, [(1 - size % 2, 0) for size in mask.shape]))
    erode, dilate = skmorphology.erosion, skmorphology.dilation
    halves = {"erosion": [erode], "dilation": [dilate], "opening": [erode, dilate], "closing": [dilate, erode]}[name]

    def reference(image: Any) -> Any:
        for half, function in enumerate(halves):
            for _ in range(iterations):
                image = function(image, mirrored if half else mask, mode="ignore")
        return image

    return reference


def gradient(footprint: Any) -> Callable[[Any], Any]:
    mask = as_footprint(footprint)

    def reference(image: Any) -> Any:
        high, low = (step(image, mask, mode="ignore") for step in (skmorphology.dilation, skmorphology.erosion))
        if image.dtype == bool:
            return high & ~low
        # Integers of at most 32 bits: float64 holds every difference; a pixel without neighbours has none.
        return high - low if image.dtype.kind == "f" else np.maximum(high.astype(float) - low.astype(float), 0)

    return reference


def hit_or_miss(footprint: Any, miss: Any = None) -> Callable[[Any], Any]:
    hit = as_footprint(footprint)
    none = ~hit if miss is None else as_footprint(miss)
    # SciPy's centre is behind the middle of an even axis, and scikit-image's before it.
    origins = [[size % 2 - 1 for size in mask.shape] for mask in (hit, none)]
    return lambda mask: ndi.binary_hit_or_miss(mask, hit, none, origin1=origins[0], origin2=origins[1])


def blobs(dtype: Any) -> Any:
    """Return blobs about 20 pixels thick that touch the border, with holes and notches."""
    random = np.random.default_rng(3)
    smooth = ndi.gaussian_filter(random.random((150, 190)), 5)
    return ((smooth > 0.5) & (random.random(smooth.shape) < 0.995)).astype(dtype)


CASES = [
    *(Case(f"morphology.{n}", one(n, f), {"footprint": f}, DTYPES) for n in ONCE for f in ({"disk": 3}, {"square": 5})),
    *(Case(f"morphology.{n}", one(n, f), {"footprint": f}, FEW) for n in ONCE for f in FLAT),
    *(Case(f"morphology.{n}", one(n, f), {"footprint": f}, FEW, volume=True) for n in ONCE for f in SOLID),
    *(
        Case(f"morphology.{name}", repeated(name, f, times), {"footprint": f, "iterations": times}, FEW)
        for name in ("erosion", "dilation", "opening", "closing")
        for f, times in (({"disk": 1}, 4), ({"square": 3}, 3), ({"rectangle": [2, 4]}, 3), (LOPSIDED, 2))
    ),
    *(
        Case(f"morphology.{name}", repeated(name, f, 2), {"footprint": f, "iterations": 2}, FEW, volume=True)
        for name in ("erosion", "closing")
        for f in SOLID[:3]
    ),
    *(Case("morphology.gradient", gradient(f), {"footprint": f}, DTYPES) for f in FLAT),
    *(Case("morphology.gradient", gradient(f), {"footprint": f}, FEW, volume=True) for f in SOLID),
    *(
        Case("morphology.hit_or_miss", hit_or_miss(f, miss), {"footprint": f, "miss": miss}, ("bool",))
        for f, miss in (
            ([[0, 0, 0], [0, 1, 1], [0, 1, 1]], None),
            ({"disk": 1}, None),
            ({"square": 2}, None),
            (LOPSIDED, None),
            ({"square": 2}, [[1, 0, 0, 0, 0, 0]]),
            ([[0, 1], [1, 1]], [[1, 0], [0, 0], [0, 0]]),
        )
    ),
    *(
        Case("morphology.hit_or_miss", hit_or_miss(f), {"footprint": f, "miss": None}, ("bool",), volume=True)
        for f in ({"ball": 1}, {"rectangle": [1, 2, 2]}, [[[1, 0], [0, 1]]])
    ),
    *(
        Case("morphology.skeletonize", skmorphology.skeletonize, {"max_iterations": 40}, ("bool",), image=image)
        for image in (None, blobs)
    ),
    *(
        Case("morphology.thin", skmorphology.thin, {"max_iterations": 40}, ("bool",), image=image)
        for image in (None, blobs)
    ),
    *(
        Case(
            "morphology.thin",
            partial(skmorphology.thin, max_num_iter=times),
            {"max_num_iter": times},
            ("bool",),
            image=blobs,
        )
        for times in (1, 2, 5)
    ),
]
