"""References of grey reconstruction and of regional extrema."""

from functools import partial
from itertools import product

import numpy as np
import scipy.ndimage as ndi
from skimage import morphology

from bigimg.testing import random_image

from .case import FLOATS, INTEGERS, NUMBERS, Case

OVERFLOWS = "numpy.ptp of int16 wraps around, and scikit-image 0.26 then finds no maxima: as int64 it finds them"


def reconstructed(image, mask, connectivity, method="dilation"):
    footprint = ndi.generate_binary_structure(image.ndim, connectivity)
    return morphology.reconstruction(image, mask, method, footprint).astype(image.dtype)


def of_height(image, h, connectivity=None, *, minima=False):
    # int64 holds the range of every integer dtype that is tried here; scikit-image takes a fraction of floats only.
    wide = image.astype("int64" if h == int(h) else "float64") if image.dtype.kind in "iu" else image
    footprint = ndi.generate_binary_structure(image.ndim, connectivity or image.ndim)
    return (morphology.h_minima if minima else morphology.h_maxima)(wide, h, footprint).astype(bool)


def whole_numbers(dtype, shape=(61, 47)):
    """Return an image of plateaus."""
    return np.random.default_rng(5).integers(0, 9, shape).astype(dtype)


def reconstructions(volume):
    """Yield cases of a seed of few pixels, which flows far; a mask has one dtype, and so each dtype its own cases."""
    shape = (7, 23, 19) if volume else (61, 47)
    seeds = np.random.default_rng(2).random(shape) < 0.02
    for dtype, connectivity in product(NUMBERS, range(1, 4 if volume else 3)):
        mask = random_image(shape, dtype, seed=8)
        for method, start in (("dilation", mask.min()), ("erosion", mask.max())):
            yield Case(
                "morphology.reconstruction",
                partial(reconstructed, mask=mask, connectivity=connectivity, method=method),
                {"mask": mask, "connectivity": connectivity, "method": method},
                (dtype,),
                volume=volume,
                image=partial(seed_image, np.where(seeds, mask, start)),
            )


def seed_image(seed, dtype):
    return seed.astype(dtype)


CASES = [
    *reconstructions(volume=False),
    *reconstructions(volume=True),
    Case("morphology.local_maxima", morphology.local_maxima, {}, NUMBERS),
    Case("morphology.local_minima", morphology.local_minima, {}, NUMBERS),
    Case("morphology.local_maxima", morphology.local_maxima, {}, NUMBERS, volume=True),
    Case("morphology.local_minima", morphology.local_minima, {}, NUMBERS, volume=True),
    Case(
        "morphology.local_maxima",
        partial(morphology.local_maxima, connectivity=1),
        {"connectivity": 1},
        NUMBERS,
        image=whole_numbers,
    ),
    Case(
        "morphology.local_minima",
        partial(morphology.local_minima, connectivity=1),
        {"connectivity": 1},
        NUMBERS,
        image=whole_numbers,
    ),
    *(
        Case(
            f"morphology.h_{name}",
            partial(of_height, h=h, connectivity=connectivity, minima=name == "minima"),
            {"h": h, "connectivity": connectivity},
            dtypes,
            volume=volume,
            wrong=OVERFLOWS if dtypes == INTEGERS else "",
        )
        for name in ("maxima", "minima")
        for h, dtypes in ((20.0, INTEGERS), (7.5, INTEGERS), (0.1, FLOATS), (1e9, NUMBERS))
        for connectivity, volume in ((None, False), (1, False), (2, True))
    ),
]
