"""Every operation on numbers that float arithmetic leaves: infinity is refused, and finite numbers give finite ones."""

from __future__ import annotations

import re

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from bigimg.errors import ImageError
from bigimg.testing import check_op, random_chunks, random_image

from .test_operations import CHANNELS, DIMS, NOT_NEGATIVE, OPERATIONS, bound, takes

SHAPE = (13, 11)
DTYPES = ("uint8", "int16", "int64", "uint64", "float32", "float64")
OF_IMAGES = [name for name, operation in OPERATIONS.items() if operation.takes == "image"]
OF_FLOATS = [name for name in OF_IMAGES if takes(OPERATIONS[name], "float64")]
LARGEST = float(np.finfo(float).max)
NO_VALUE = ("threshold.peak_fraction_value",)
"""Operations whose value is infinite where no pixel lies above it."""
CUTS = [((12, 1), (5, 5, 1)), random_chunks(SHAPE, 3)]


def lead(name):
    count = CHANNELS.get(name, 0) or (3 if name.startswith("color.") else 0)
    return (count,) if count else ()


def harmless(name, dtype="float64"):
    """Return an image that the operation takes."""
    return random_image((*lead(name), *SHAPE), "bool").astype(dtype)


def extremes(dtype):
    """Return the ends of a dtype, and what lies closest to them and to 0."""
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        info = np.iinfo(dtype)
        return np.array([info.max, info.min, info.max - 1, 0, 1, info.max // 2], dtype)
    info = np.finfo(dtype)
    large = np.array([info.max, info.max / 2, info.max * (1 - 2 * float(info.eps))])
    small = np.array([info.tiny, info.smallest_subnormal, 1, 0.3])
    return np.concatenate([large, -large, small, -small, [0]]).astype(dtype)


def extreme_image(name, dtype, kind):
    """Return an image of the ends of its dtype."""
    values, shape = extremes(dtype), (*lead(name), *SHAPE)
    if kind == "mixed":
        image = np.random.default_rng(5).choice(values, shape)
    elif kind == "halves":
        image = np.where(random_image(shape, "bool"), values.max(), values.min())
    else:
        image = np.full(shape, values.max() if kind == "largest" else values.min())
    return np.maximum(image, 0) if name.startswith(NOT_NEGATIVE) else image


def faces(image, name):
    """Yield an image as every kind of array, and whether it is lazy."""
    yield image, False
    yield labelled(image, name), False
    yield da.from_array(image, chunks=(*image.shape[:-2], 5, 4)), True
    yield labelled(image, name).chunk(y=5, x=4), True


def computed(result):
    return result.compute(scheduler="sync") if hasattr(result, "compute") else result


@pytest.mark.parametrize("name", OF_FLOATS)
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_refused(name, value):
    run = bound(OPERATIONS[name])
    image = harmless(name)
    image[..., 3:11, 2:9] = value
    what = "NaN" if np.isnan(value) else "infinity"
    where = re.escape(str((*(0 for _ in lead(name)), 3, 2)))
    wrong = int((~np.isfinite(image)).sum())
    for given, lazy in faces(image, name):
        said = rf"holds {what} in \d+ pixels of a tile, the first at " if lazy else rf"{name}: image holds {what} in "
        with pytest.raises(
            ImageError, match=said + ("" if lazy else rf"{wrong} pixels, the first at {where}.*mask them")
        ):
            computed(run(given))


@pytest.mark.parametrize("name", OF_FLOATS)
def test_what_is_not_finite_may_lie_under_a_mask(name):
    run = bound(OPERATIONS[name])
    image, valid = harmless(name), np.ones((*lead(name), *SHAPE), bool)
    valid[..., 9, 5] = False
    mended = run(np.ma.MaskedArray(np.where(valid, image, 0), mask=~valid))
    for value in (np.inf, -np.inf, np.nan):
        found = run(np.ma.masked_invalid(np.where(valid, image, value)))
        np.testing.assert_array_equal(np.ma.filled(found, 0), np.ma.filled(mended, 0))


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for dtype in DTYPES for name in OF_IMAGES if takes(OPERATIONS[name], dtype)]
)
def test_finite_numbers_give_finite_numbers(name, dtype):
    run = bound(OPERATIONS[name])
    cuts = [(*((size,) for size in lead(name)), *cut) for cut in CUTS]
    for kind in ("mixed", "halves", "largest", "least"):
        image = extreme_image(name, dtype, kind)
        try:
            result = run(image)
        except ImageError:
            with pytest.raises(ImageError, match=f"^{name}[: ]"):
                run(image)
            for cut in cuts:
                with pytest.raises(ImageError):
                    computed(run(labelled(da.from_array(image, cut), name)))
            continue
        if name not in NO_VALUE:
            assert np.isfinite(numbers(result)).all(), f"{kind} numbers"
        check_op(run, image, chunkings=cuts, dims=DIMS.get(name))


def labelled(image, name):
    return xr.DataArray(image, dims=DIMS.get(name, ("c", "y", "x"))[-image.ndim :])


def numbers(result):
    """Return the pixels or the value of a result as an array."""
    if hasattr(result, "__dict__") and not isinstance(result, np.ndarray):
        result = list(vars(result).values())
    return np.asarray(result)


GREY = [name for name in OF_IMAGES if getattr(getattr(OPERATIONS[name], "spec", None), "grey_values", None) is not None]


@pytest.mark.parametrize("name", GREY)
def test_the_largest_numbers_are_as_good_as_smaller_ones(name):
    run, rng = bound(OPERATIONS[name]), np.random.default_rng(2)
    small = rng.random((*lead(name), *SHAPE)) * 2 - 1
    most = 2.0**1023
    found, wanted = run(small * most), run(small * 2.0**300)
    if found.dtype != bool:
        wanted = np.clip(wanted * 2.0**-300, -LARGEST / most, LARGEST / most) * most
    np.testing.assert_array_equal(found, wanted)
