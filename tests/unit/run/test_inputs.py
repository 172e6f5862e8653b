"""Tiles of opened images: whole chunks, colours together, other axes in single planes."""

from types import SimpleNamespace

import pytest

from bigimg.run.inputs import tile_shape


def source(dims: str, shape: tuple[int, ...], chunks: tuple[int, ...]) -> SimpleNamespace:
    return SimpleNamespace(dims=tuple(dims), shape=shape, chunks=chunks)


@pytest.mark.parametrize(
    ("dims", "shape", "chunks", "edge", "expected"),
    [
        ("yx", (5000, 5000), (512, 512), 1024, (1024, 1024)),
        ("yx", (5000, 5000), (300, 512), 1024, (900, 1024)),
        ("yx", (5000, 700), (2048, 2048), 1024, (1024, 700)),
        ("yx", (100, 90), (512, 512), 1024, (100, 90)),
        ("yx", (100, 90), (1, 90), 7, (7, 7)),
        ("yx", (9, 8), (512, 512), 1, (1, 1)),
        ("cyx", (3, 900, 900), (3, 256, 256), 512, (3, 512, 512)),
        ("cyx", (9, 900, 900), (1, 256, 256), 512, (1, 512, 512)),
        ("tcyx", (500, 3, 100, 200), (96, 3, 100, 200), 1024, (52, 3, 100, 200)),
        ("tyx", (500, 100, 200), (40, 100, 200), 1024, (40, 100, 200)),
        ("tyx", (500, 1080, 1920), (40, 1080, 1920), 1024, (1, 1024, 1024)),
        ("tyx", (500, 720, 1280), (40, 720, 1280), 1024, (1, 720, 1280)),
        ("tczyx", (5, 2, 7, 64, 64), (1, 1, 1, 64, 64), 1024, (1, 2, 1, 64, 64)),
    ],
)
def test_tiles(dims, shape, chunks, edge, expected):
    assert tile_shape(source(dims, shape, chunks), edge) == expected
