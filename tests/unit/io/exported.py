"""A collection to export: a stack, a colour picture, a series and a mask, with labels and a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from PIL import Image

from bigimg.core.tile import TileGrid
from bigimg.io import build_pyramid, create_labels, ingest, open_collection, write_table

RNG = np.random.default_rng(7)


def make(root: Path) -> Path:
    """Make the collection in ``root``; return its path."""
    folder = root / "in"
    folder.mkdir()
    tifffile.imwrite(
        folder / "stack.ome.tif",
        RNG.integers(0, 4000, (2, 2, 600, 1100), np.uint16),
        photometric="minisblack",
        metadata={
            "axes": "CZYX", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5,
            "PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 2, "PhysicalSizeZUnit": "µm",
            "Channel": {"Name": ["dapi", "gfp"]},
        },
    )  # fmt: skip
    Image.fromarray(RNG.integers(0, 256, (90, 71, 3), np.uint8)).save(folder / "well A1.png")
    series = RNG.integers(0, 4000, (5, 60, 81), np.uint16)
    tifffile.imwrite(folder / "series.tif", series, imagej=True, metadata={"axes": "TYX", "finterval": 0.2})
    np.save(folder / "mask.npy", RNG.random((40, 50)) > 0.5)
    path = ingest(folder, root / "cells.zarr").path
    collection = open_collection(path)
    for name in collection:
        source = collection.sources[name]
        deep = name == "series"
        shape = source.shape if deep else source.shape[-2:]
        _write_labels(path / "images" / name, "nuclei", shape, "tyx"[-len(shape) :], source.attrs, name)
    table = pd.DataFrame(
        {
            "item": ["stack", "well_A1", "well_A1"],
            "label": pd.array([1, 2**60 + 1, None], dtype="Int64"),
            "area": [0.1 + 0.2, np.nan, 1e300],
            "name": ["a,b", 'say "ä"', None],
        }
    )
    write_table(path / "tables" / "objects.parquet", table, {"kind": "objects"})
    return path


def _write_labels(group, label, shape, dims, attrs, name):
    pixels = np.zeros(shape, np.uint32)
    pixels[..., 5:30, 3:40] = 7
    pixels[..., 10:20, 10:20] = 0
    pixels[..., 12:15, 12:15] = 7
    pixels[..., 32:39, 20:] = 3 if name != "stack" else 2**31 + 5
    pixels[..., 0, 0] = 1
    if len(shape) == 3:
        pixels[2] = 0
    writer = create_labels(group, label, shape, pixels.dtype, tuple(dims), attrs, (1,) * (len(shape) - 2) + (256, 256))
    for tile in TileGrid.regular(shape, writer.chunks):
        writer.write(tile.write, pixels[tile.write])
    build_pyramid(group / "labels" / label, "labels")
