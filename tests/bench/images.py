"""Large images made of real photographs, for the benchmarks."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray
from skimage import color, data, measure, transform


def photographs(size: int) -> NDArray[np.uint16]:
    """Return a ``size`` x ``size`` uint16 mosaic of scikit-image's photographs, enlarged, with noise."""
    rng = np.random.default_rng(0)
    photos = (data.camera(), data.coins(), data.cell(), color.rgb2gray(data.hubble_deep_field()))
    small = [transform.resize(photo / photo.max(), (512, 512), order=1) for photo in photos]
    block = ndi.zoom(np.block([small[:2], small[2:]]), 2, order=1)
    mirrored = np.block([[block, block[:, ::-1]], [block[::-1], block[::-1, ::-1]]])
    repeats = -(-size // mirrored.shape[0])
    whole = np.tile(mirrored, (repeats, repeats))[:size, :size].astype(np.float32)
    for start in range(0, size, 1024):
        rows = whole[start : start + 1024]
        rows += rng.normal(0, 0.02, rows.shape).astype(np.float32)
    return (whole.clip(0, 1) * 65535).astype(np.uint16)


def image_of(kind: str, size: int) -> NDArray[Any]:
    """Return the image that a row of ``operations.py`` names.

    ``u8``, ``u16``, ``f32`` and ``f64`` are the photographs, floats in 0..1; ``mask`` are their bright parts; ``rgb8``,
    ``rgb16`` and ``rgb32`` have three channels; ``volume8``, ``volume16``, ``volume32`` and ``volume mask`` are
    cubes of smoothed noise, of a sixteenth of the edge. ``labels`` are those of the mask, ``lab64`` the colours in
    L*a*b*; `` small`` is a quarter of the edge, `` smooth`` has no noise.
    """
    return _made(kind, size)


@cache
def _made(kind: str, size: int) -> NDArray[Any]:
    if kind.startswith("volume"):
        edge = max(32, size // 16)
        rng = np.random.default_rng(0)
        smooth = ndi.gaussian_filter(rng.random((edge, edge, edge)), 2)
        unit = (smooth - smooth.min()) / np.ptp(smooth)
        return _as_kind(unit, kind.removeprefix("volume").strip())
    if kind.endswith(" small"):
        return _made(kind.removesuffix(" small"), size // 4)
    if kind.endswith(" smooth"):
        return ndi.gaussian_filter(_made(kind.removesuffix(" smooth"), size), 3)
    if kind == "labels":
        return np.asarray(measure.label(_made("mask", size)))
    if kind == "lab64":
        return np.asarray(color.rgb2lab(_made("rgb64", size), channel_axis=0))
    unit = photographs(size) / 65535
    if kind.startswith("rgb"):
        colours = np.stack([unit, np.roll(unit, 100, axis=0), np.roll(unit, 100, axis=1) * 0.5])
        return _as_kind(colours, kind.removeprefix("rgb"))
    return _as_kind(unit, kind.removeprefix("u").removeprefix("f"))


def _as_kind(unit: NDArray[Any], kind: str) -> NDArray[Any]:
    if kind == "mask":
        return np.asarray(ndi.gaussian_filter(unit, 2) > 0.45)
    if kind in {"32", "64"}:
        return unit.astype(f"float{kind}")
    return np.round(unit * (2 ** int(kind) - 1)).astype(f"uint{kind}")
