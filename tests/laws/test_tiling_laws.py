"""Laws of tiles: they cut an image without loss, and a whole chain of operations cannot tell how it was cut."""

from functools import cache
from pathlib import Path

import dask.array as da
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, example, given, settings
from skimage import color, data, filters, io, measure, morphology, segmentation

import bigimg
import bigimg.engine.kinds
from bigimg.core.tile import Chunks, TileGrid, regular_chunks
from bigimg.run.thumbnail import Sample, Shrink, shrink_factor
from bigimg.testing import check_reduction, random_image

NUCLEI = Path(__file__).parents[2] / ".." / "shared" / "data" / "nuclei" / "images"

PROPERTIES = (
    "label", "area", "bbox", "centroid", "axis_major_length", "axis_minor_length", "eccentricity", "orientation",
    "intensity_mean", "intensity_std", "intensity_min", "intensity_max", "intensity_median",
)  # fmt: skip


def sizes(length: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Any way to cut ``length`` pixels in tiles."""
    cuts = st.sets(st.integers(1, max(1, length - 1)), max_size=6)
    return cuts.map(lambda found: tuple(np.diff([0, *sorted(x for x in found if x < length), length]).tolist()))


@st.composite
def grids(draw: st.DrawFn) -> TileGrid:
    shape = draw(st.lists(st.integers(1, 40), min_size=1, max_size=3))
    chunks = tuple(draw(sizes(length)) for length in shape)
    halo = tuple(draw(st.integers(0, 50)) for _ in shape)
    return TileGrid(chunks, halo)


@settings(deadline=None, max_examples=60)
@given(grids())
def test_tiles_cover_each_pixel_once_and_read_their_halo_and_no_more(grid):
    written = np.zeros(grid.shape, int)
    largest = 0
    for tile in grid:
        written[tile.write] += 1
        for w, r, halo, size in zip(tile.write, tile.read, grid.halo, grid.shape):
            assert (r.start, r.stop) == (max(0, w.start - halo), min(size, w.stop + halo))
        image = np.arange(written.size).reshape(grid.shape)
        np.testing.assert_array_equal(image[tile.read][tile.crop], image[tile.write])
        assert tile.shape == image[tile.write].shape
        assert tile.read_shape == image[tile.read].shape
        assert tile.origin == tuple(side.start for side in tile.write)
        assert grid[tile.index] == tile
        for axis in range(len(grid.shape)):
            first, last = tile.at_border(axis)
            assert first == (tile.index[axis] == 0)
            assert last == (tile.index[axis] == grid.numblocks[axis] - 1)
        largest = max(largest, int(np.prod(tile.read_shape)))
    assert (written == 1).all()
    assert largest <= grid.largest_read()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 60)), min_size=1, max_size=3))
def test_regular_tiles_are_of_one_size_but_the_last(axes):
    shape, tile = [a for a, _ in axes], [b for _, b in axes]
    for length, step, found in zip(shape, tile, regular_chunks(shape, tile)):
        assert sum(found) == length
        assert set(found[:-1]) <= {step}
        assert 1 <= found[-1] <= step


@cache
def pixels(name: str) -> np.ndarray:
    if name == "coins":
        return data.coins()[:170, :200]
    if name == "tissue":
        return np.moveaxis(data.immunohistochemistry()[200:310, 100:230], -1, 0).copy()
    found = sorted(NUCLEI.glob("*.png"))
    if not found:
        pytest.skip("no folder of nuclei beside the checkout")
    image = io.imread(found[1])
    return image[:140, :160] if image.ndim == 2 else np.moveaxis(image[:140, :160, :3], -1, 0).copy()


def lazy(image: np.ndarray, chunks: Chunks) -> xr.DataArray:
    whole = tuple((size,) for size in image.shape[: image.ndim - 2])
    return xr.DataArray(da.from_array(image, chunks=whole + chunks), dims=("c", "y", "x")[-image.ndim :])


def chain(image):
    stain = bigimg.color.nuclear_stain(image)
    mask = bigimg.threshold.otsu(bigimg.filters.gaussian(stain, sigma=1.0))
    mask = bigimg.morphology.opening(mask, bigimg.morphology.disk(2))
    mask = bigimg.morphology.remove_small_objects(mask, min_size=12)
    labels = bigimg.measure.label(bigimg.morphology.clear_border(mask))
    return labels, bigimg.measure.regionprops_table(labels, stain, properties=PROPERTIES)


@cache
def whole(name: str) -> tuple[np.ndarray, pd.DataFrame]:
    labels, table = chain(pixels(name))
    assert len(table) > 3, "there is something to measure"
    return labels, table


NAMES = ("coins", "tissue", "nuclei")


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.data())
def test_the_whole_chain_of_nuclei_is_the_same_to_the_byte_however_it_is_cut(name, rows):
    image = pixels(name)
    chunks = tuple(rows.draw(sizes(size)) for size in image.shape[-2:])
    labels, table = chain(lazy(image, chunks))
    expected, expected_table = whole(name)
    got = labels.data.compute(scheduler="sync")
    assert (got.dtype, got.tobytes()) == (expected.dtype, expected.tobytes())
    got_table = table.compute(scheduler="sync")
    pd.testing.assert_frame_equal(got_table, expected_table, check_exact=True)
    assert all(got_table[c].to_numpy().tobytes() == expected_table[c].to_numpy().tobytes() for c in got_table)


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_chain_of_nuclei_is_that_of_scikit_image(name):
    image = pixels(name)
    labels, table = whole(name)
    stain = bigimg.color.nuclear_stain(image)
    if name == "tissue":
        expected = color.rgb2hed(np.moveaxis(image, 0, -1))[..., 0]
        np.testing.assert_allclose(stain, expected, atol=1e-6)
    smooth = bigimg.filters.gaussian(stain, sigma=1.0)
    np.testing.assert_allclose(smooth, filters.gaussian(stain.astype(float), 1.0, mode="reflect"), rtol=1e-5, atol=1e-5)
    mask = smooth > filters.threshold_otsu(smooth)
    mask = morphology.opening(mask, morphology.disk(2))
    mask = morphology.remove_small_objects(mask, max_size=11)
    numbered = measure.label(segmentation.clear_border(mask))
    np.testing.assert_array_equal(labels, numbered)
    named = [name for name in PROPERTIES if name != "intensity_median"]
    reference = pd.DataFrame(measure.regionprops_table(numbered, stain.astype(float), properties=named))
    for column in reference:
        np.testing.assert_allclose(table[column], reference[column], rtol=1e-6, atol=1e-6, err_msg=column)


@settings(deadline=None, max_examples=25)
@given(
    rows=st.integers(1, 30), columns=st.integers(1, 30), factor=st.integers(1, 40), lead=st.sampled_from([(), (3,)]),
    dtype=st.sampled_from(["uint8", "float32", "bool"]),
)  # fmt: skip
@example(rows=1, columns=1, factor=7, lead=(), dtype="uint8")
def test_small_pictures_are_those_of_the_whole_image(rows, columns, factor, lead, dtype):
    image = random_image((*lead, rows, columns), dtype)
    means = np.zeros((*lead, -(-rows // factor), -(-columns // factor)))
    for y in range(means.shape[-2]):
        for x in range(means.shape[-1]):
            cell = image[..., y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
            means[..., y, x] = cell.mean(axis=(-2, -1), dtype=float)
    for chunks in (((rows,), (columns,)), tuple(regular_chunks((rows, columns), (7, 3)))):
        array = lazy(image, chunks)
        shrunk = bigimg.engine.kinds.reduce(Shrink(factor, (rows, columns)), array).compute(scheduler="sync")
        np.testing.assert_allclose(shrunk, means, rtol=1e-12, atol=1e-12)
        sample = bigimg.engine.kinds.reduce(Sample(factor, (rows, columns)), array).compute(scheduler="sync")
        np.testing.assert_array_equal(sample, image[..., ::factor, ::factor])
        assert sample.dtype == image.dtype


@pytest.mark.parametrize("factor", [1, 2, 3, 5, 8, 100])
def test_small_pictures_cannot_tell_how_the_image_was_cut(factor):
    image = random_image((24, 31), "uint8")
    check_reduction(Sample(factor, (24, 31)), image, reference=image[::factor, ::factor])
    check_reduction(Shrink(factor, (24, 31)), image)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 2000))
def test_small_pictures_are_as_small_as_asked(rows, columns, largest):
    factor = shrink_factor((rows, columns), largest)
    assert -(-max(rows, columns) // factor) <= largest
    assert factor == 1 or -(-max(rows, columns) // (factor - 1)) > largest
