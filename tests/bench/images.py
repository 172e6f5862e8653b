"""Large images made of real photographs, for the benchmarks."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray
from skimage import color, data, transform


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
