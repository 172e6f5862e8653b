"""Small scenes for tests: written by rasterio, with a collar, a mask, a place."""

from pathlib import Path

import numpy as np

PLACE = (30.0, 0.0, 717345.0, 0.0, -30.0, -2776995.0)


def write_scene(path: Path, pixels, transform=PLACE, crs="EPSG:32621", mask=None, names=(), **options) -> Path:
    import rasterio

    bands = pixels.reshape(-1, *pixels.shape[-2:])
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path, "w", driver="GTiff", count=len(bands), height=bands.shape[1], width=bands.shape[2],
            dtype=bands.dtype, crs=crs, transform=rasterio.Affine(*transform), **options,
        ) as scene,
    ):  # fmt: skip
        scene.write(bands)
        if mask is not None:
            scene.write_mask(mask)
        for band, name in enumerate(names, 1):
            scene.set_band_description(band, name)
    return path


def turned(rows: int, columns: int) -> np.ndarray:
    """Which pixels of a rectangle a scene covers that lies turned in it."""
    y, x = np.mgrid[:rows, :columns]
    return (y > 0.2 * x) & (y < rows - 1 - 0.1 * x)
