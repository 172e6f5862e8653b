"""Every operation equals its reference on real images that nothing was written for: other scenes, sizes and dtypes.

A case of the table of references gets one piece of a real image, chosen by its name: nuclei, blood cells, a satellite
scene, a time series of cells, frames of a video. The images lie beside the checkout, in ``../shared/data``.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zlib import crc32

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from scipy.ndimage import distance_transform_cdt
from skimage import measure

from .case import Case
from .test_references import CASES, OPERATIONS

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
Pixels = np.ndarray[Any, Any]

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="needs the real images in ../shared/data beside the checkout")


@cache
def nuclei(number: int) -> Pixels:
    """Return colours of a microscopy image, (C, M, N), uint8."""
    files = sorted((DATA / "nuclei" / "images").glob("*.png"))
    return np.moveaxis(np.atleast_3d(iio.imread(files[number % len(files)])), -1, 0)[:3]


@cache
def nuclei_labels(number: int) -> Pixels:
    """Return the numbers of nuclei, (M, N), uint16."""
    files = sorted((DATA / "nuclei" / "labels").glob("*.png"))
    return np.asarray(iio.imread(files[number % len(files)]))


@cache
def blood(number: int) -> Pixels:
    """Return colours of a smear, (C, M, N), uint8."""
    files = sorted((DATA / "bloodcells" / "images").glob("*.jpg"))
    return np.moveaxis(iio.imread(files[number % len(files)]), -1, 0)


@cache
def scene(_: int) -> Pixels:
    """Return bands of a satellite scene, (C, M, N), uint16; nothing is outside of its collar."""
    (file,) = (DATA / "landsat").glob("LC08_L1TP_224078*.TIF")
    return np.moveaxis(tifffile.imread(file), -1, 0)


@cache
def tile(_: int) -> Pixels:
    """Return four bands, (C, M, N), uint8."""
    return np.moveaxis(tifffile.imread(DATA / "landsat" / "rgbn_suba.tif"), -1, 0)


@cache
def cells(_: int) -> Pixels:
    """Return frames of fluorescent cells, (T, M, N), uint16."""
    return np.asarray(tifffile.imread(DATA / "cells_timelapse" / "Fluo_Hela_02_img.tif"))


@cache
def frames(_: int) -> Pixels:
    """Return grey frames of a street, (T, M, N), uint8."""
    import av

    with av.open(str(DATA / "video" / "vtest.avi")) as clip:
        shown = (frame.to_ndarray(format="gray") for frame, _ in zip(clip.decode(video=0), range(20)))
        return np.stack(list(shown))


SMALLEST = 6
"""An object of a plane has at least as many pixels, one of a volume the square of it."""

VIDEO = (frames,) if find_spec("av") else ()
COLOURS = {3: (nuclei, blood, scene), 4: (tile,)}
STACKS = (cells, *VIDEO)
PLANES = (nuclei, blood, scene, cells, *VIDEO)


def piece(source: Pixels, shape: tuple[int, ...], rng: np.random.Generator) -> Pixels:
    """Return a piece of ``shape`` from somewhere in an image, which is mirrored where it is too small."""
    if len(shape) < source.ndim:
        source = source[tuple(rng.integers(size) for size in source.shape[: source.ndim - len(shape)])]
    source = np.pad(source, [(0, max(0, size - have)) for size, have in zip(shape, source.shape)], "symmetric")
    starts = [int(rng.integers(have - size + 1)) for size, have in zip(shape, source.shape)]
    return source[tuple(slice(start, start + size) for start, size in zip(starts, shape))]


def as_dtype(pixels: Pixels, dtypes: tuple[str, ...]) -> Pixels:
    """Return ``pixels`` in their own dtype if it is one of ``dtypes``, else spread over the first of these."""
    if pixels.dtype.name in dtypes:
        return pixels
    dtype = np.dtype(dtypes[0])
    if dtype.kind == "b":
        return np.asarray(pixels > pixels.mean())
    spread = (pixels.astype(float) - float(pixels.min())) / max(1, float(np.ptp(pixels)))
    return (spread if dtype.kind == "f" else spread * min(np.iinfo(dtype).max, 2**20)).astype(dtype)


def real_image(case: Case, number: int) -> Pixels:
    """Return a piece of a real image that suits a case."""
    rng = np.random.default_rng(number)
    takes = OPERATIONS[case.op].takes
    if case.image is not None:
        shape = case.image(np.dtype(case.dtypes[0])).shape  # further images of the case have it
    else:
        sides = (rng.integers(3, 6),) * case.volume + (
            rng.integers(17, 45) if case.volume else rng.integers(41, 90),
        ) * 2
        shape = tuple(int(side) * 2 + 1 if at >= len(sides) - 2 else int(side) for at, side in enumerate(sides))
        shape = (case.channels,) * bool(case.channels) + shape
    if case.op == "morphology.reconstruction":
        return seeds(case, piece(STACKS[number % len(STACKS)](number), shape, rng))
    if takes == "labels" and len(shape) == 2:
        return as_numbers(piece(nuclei_labels(number), shape, rng), case.dtypes)
    sources = COLOURS[case.channels] if case.channels else STACKS if len(shape) == 3 else PLANES
    pixels = piece(sources[number % len(sources)](number), shape, rng)
    if takes == "labels":
        return as_numbers(measure.label(pixels > np.percentile(pixels, 80)), case.dtypes)
    return np.asarray(pixels > pixels.mean()) if takes == "mask" else as_dtype(pixels, case.dtypes)


def seeds(case: Case, pixels: Pixels) -> Pixels:
    """Return a real image where it is within what the mask of the case allows."""
    mask = case.params["mask"]
    grey = pixels.astype(float) / pixels.max() * (float(mask.max()) - float(mask.min())) + float(mask.min())
    bound = np.minimum if case.params["method"] == "dilation" else np.maximum
    return np.asarray(bound(grey.astype(mask.dtype), mask))


def as_numbers(labels: Pixels, dtypes: tuple[str, ...]) -> Pixels:
    """Return labels of objects that are not tiny in one of ``dtypes``; those that it does not hold as background."""
    dtype = np.dtype("uint16" if "uint16" in dtypes else dtypes[0])
    if dtype.kind == "b":
        return labels > 0
    # scikit-image has no convex hull of a few pixels in a row, nor in a volume of an object in one plane.
    kept = np.bincount(labels.ravel()) >= SMALLEST ** (labels.ndim - 1)
    if labels.ndim == 3:
        for region in measure.regionprops(labels):
            kept[region.label] &= np.linalg.matrix_rank(region.coords - region.coords[0]) == labels.ndim
    return np.where(kept[labels] & (labels <= np.iinfo(dtype).max), labels, 0).astype(dtype)


def suits(case: Case, image: Pixels) -> bool:
    """Return whether there is something to compare.

    That is: objects, for a threshold the two peaks that it asks for, and in a plane to thin nothing thicker than the
    iterations that are allowed for it, which is refused.
    """
    if OPERATIONS[case.op].takes == "labels":
        return len(np.unique(image)) > 2 or image.dtype == bool
    if case.op in ("morphology.thin", "morphology.skeletonize") and not case.volume:
        return bool(distance_transform_cdt(image).max() < case.params.get("max_iterations", np.inf) - 2)
    if case.op.startswith(("threshold.minimum", "threshold.peak_fraction")):
        try:
            case.reference(image)
        except (RuntimeError, ValueError):
            return False
    return True


def separation(image: Pixels, values: Pixels) -> Fraction:
    """Return how well ``values`` divide integers into classes, exactly: what Otsu's criterion wants largest."""
    classes = (image[np.digitize(image, values, right=True) == number] for number in range(len(values) + 1))
    return sum((Fraction(int(pixels.sum()) ** 2, pixels.size) for pixels in classes if pixels.size), Fraction(0))


NUMBERS = [number for number, case in enumerate(CASES) if OPERATIONS[case.op].takes != "table"]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"{number}-{CASES[number]}")
def test_equals_the_reference_on_a_real_image(number):
    case = CASES[number]
    chosen = crc32(str(case).encode())  # whatever cases are added, this one keeps its image
    tries = (real_image(case, chosen + again) for again in range(50))
    image = next(image for image in tries if suits(case, image))
    more = {"dims": "zyx"} if case.volume else {}
    found, wanted = OPERATIONS[case.op](image, **case.params, **more), case.reference(image)
    if case.op == "threshold.multi_otsu_values" and image.dtype.kind == "u":
        # Where no pixel has the values between, several are equally good, and scikit-image's float32 chooses one.
        assert separation(image, found) >= separation(image, wanted)
    else:
        case.compare(found, wanted)
