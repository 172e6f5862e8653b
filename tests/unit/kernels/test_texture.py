import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops

from bigimg.core.tile import TileGrid, whole
from bigimg.kernels.texture import PROPERTIES, grey_levels, pair_counts, texture_properties

ANGLES = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]


def some_levels(shape=(37, 41), n_levels=32, seed=0):
    return np.random.default_rng(seed).integers(0, n_levels, shape, dtype=np.uint8)


def count_whole(levels, n_levels=32, valid=None):
    return pair_counts(levels, n_levels, whole(levels.shape).crop, valid)


def test_counts_are_those_of_scikit_image():
    levels = some_levels()
    peer = graycomatrix(levels, [1], ANGLES, levels=32)[:, :, 0, :]
    assert np.array_equal(count_whole(levels), peer.transpose(2, 0, 1))


@pytest.mark.parametrize("shape", [(37, 41), (2, 2), (1, 9), (9, 1)])
def test_properties_are_those_of_scikit_image(shape):
    levels = some_levels(shape)
    levels[0, 0] = 5
    peer = graycomatrix(levels, [1], ANGLES, levels=32, symmetric=True, normed=True)
    used = [angle for angle in range(4) if peer[:, :, 0, angle].any()]
    ours = texture_properties(count_whole(levels))
    for name in PROPERTIES:
        assert ours[name] == pytest.approx(graycoprops(peer, name)[0, used].mean(), rel=1e-12, abs=1e-15)


def test_a_flat_image_correlates_with_itself():
    ours = texture_properties(count_whole(np.full((5, 5), 3, np.uint8)))
    assert (ours["contrast"], ours["ASM"], ours["correlation"]) == (0.0, 1.0, 1.0)


def test_one_pixel_has_no_texture():
    assert all(np.isnan(value) for value in texture_properties(count_whole(np.zeros((1, 1), np.uint8))).values())


@pytest.mark.parametrize("tile", [(1, 1), (1, 41), (5, 7), (36, 40), (37, 41)])
def test_tiles_add_up(tile):
    levels = some_levels()
    valid = np.random.default_rng(1).random(levels.shape) > 0.2
    parts = [
        pair_counts(levels[tile.read], 32, tile.crop, valid[tile.read])
        for tile in TileGrid.regular(levels.shape, tile, (1, 1))
    ]
    assert np.array_equal(sum(parts), count_whole(levels, valid=valid))


def test_invalid_pixels_are_in_no_pair():
    levels = some_levels()
    valid = np.ones(levels.shape, bool)
    valid[:, 20:] = False
    assert np.array_equal(count_whole(levels, valid=valid), count_whole(levels[:, :20]))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("n_levels", [2, 10, 32, 256])
def test_levels_are_the_bins_of_numpy(dtype, n_levels):
    rng = np.random.default_rng(2)
    pixels = (rng.normal(size=5000) * 40).astype(np.int8).astype(dtype)
    low, high = float(pixels.min()), float(pixels.max()) + (np.dtype(dtype).kind != "f")
    counts = np.bincount(grey_levels(pixels, n_levels, low, high), minlength=n_levels)
    assert np.array_equal(counts, np.histogram(pixels.astype(float), n_levels, (low, high))[0])


def test_values_on_edges_fall_where_numpy_puts_them():
    edges = np.linspace(0.1, 0.7, 33)
    pixels = np.concatenate([edges, np.nextafter(edges, -1)[1:], np.nextafter(edges, 1)[:-1]])
    counts = np.bincount(grey_levels(pixels, 32, 0.1, 0.7), minlength=32)
    assert np.array_equal(counts, np.histogram(pixels, 32, (0.1, 0.7))[0])


def test_what_lies_beyond_is_the_nearest_level():
    pixels = np.array([-np.inf, -5.0, np.nan, 0.5, 5.0, np.inf])
    assert grey_levels(pixels, 4, 0, 1).tolist() == [0, 0, 0, 2, 3, 3]


def test_any_layout_and_booleans():
    image = np.arange(48, dtype=np.uint8).reshape(6, 8)
    assert np.array_equal(grey_levels(image[::2, ::-1], 48, 0, 48), image[::2, ::-1])
    assert grey_levels(np.array([[False, True]]), 32, 0, 2).tolist() == [[0, 16]]
