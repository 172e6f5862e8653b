"""What must hold for any image, any cutting and any names."""

from collections import Counter
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg.core.tile import TileGrid, regular_chunks
from bigimg.errors import AlignmentError
from bigimg.io import StoredSource, create_array
from bigimg.io.names import check_id, item_ids
from bigimg.io.pyramid import halve, level_shapes

QUIET = settings(deadline=None, max_examples=40)
DTYPES = st.sampled_from(["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])


@QUIET
@given(data=st.data(), dtype=DTYPES)
def test_tiles_of_whole_chunks_make_the_image_in_any_order(data, dtype):
    shape = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    chunk = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    times = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    shards = data.draw(st.sampled_from([None, tuple(2 * side for side in chunk)]))
    pixels = data.draw(hnp.arrays(dtype, shape))
    with TemporaryDirectory() as folder:
        writer = create_array(Path(folder) / "a", shape, np.dtype(dtype), ("y", "x"), chunk, shards)
        grid = TileGrid.regular(shape, tuple(side * count for side, count in zip(writer.chunks, times)))
        writer.check_aligned(grid.chunks)
        for tile in data.draw(st.permutations(list(grid))):
            writer.write(tile.write, pixels[tile.write])
        source = StoredSource("a", f"{folder}/a", shape, pixels.dtype, ("y", "x"), chunk, {})
        np.testing.assert_array_equal(source[...], pixels)
        low = data.draw(st.tuples(*(st.integers(0, size - 1) for size in shape)))
        box = tuple(slice(start, data.draw(st.integers(start, size))) for start, size in zip(low, shape))
        np.testing.assert_array_equal(source[box], pixels[box])


@QUIET
@given(size=st.integers(1, 60), chunk=st.integers(1, 20), cuts=st.sets(st.integers(1, 59), max_size=4))
def test_a_cutting_is_refused_exactly_where_it_cuts_a_chunk(size, chunk, cuts):
    ends = sorted(cut for cut in cuts if cut < size)
    chunks = tuple(int(length) for length in np.diff([0, *ends, size]))
    with TemporaryDirectory() as folder:
        writer = create_array(Path(folder) / "a", (size, 3), np.dtype("u1"), ("y", "x"), (chunk, 3))
        aligned = all(end % min(chunk, size) == 0 for end in ends)
        try:
            writer.check_aligned((chunks, (3,)))
        except AlignmentError:
            assert not aligned
        else:
            assert aligned
            for tile in TileGrid((chunks, (3,)), (0, 0)):
                writer.write(tile.write, np.zeros(tile.shape, "u1"))


def _blocks(pixels):
    rows, columns = (range(0, size, 2) for size in pixels.shape)
    return [[pixels[i : i + 2, j : j + 2].ravel().tolist() for j in columns] for i in rows]


@QUIET
@given(
    pixels=st.sampled_from(["u1", "i1", "u2", "i4", "u8", "i8"]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2, max_side=7))
    )
)
def test_mean_of_integers_is_the_exact_mean_rounded_half_to_even(pixels):
    expected = [[round(Fraction(sum(block), len(block))) for block in row] for row in _blocks(pixels)]
    halved = halve(pixels, "image")
    assert halved.dtype == pixels.dtype
    assert halved.tolist() == expected


@QUIET
@given(pixels=hnp.arrays("u4", hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 4)))
def test_mode_is_a_label_most_pixels_have(pixels):
    def mode(block):
        counts = Counter(block)
        most = [label for label, count in counts.items() if count == max(counts.values())]
        return min((label for label in most if label), default=0)

    assert halve(pixels, "labels").tolist() == [[mode(block) for block in row] for row in _blocks(pixels)]


@QUIET
@given(data=st.data())
def test_a_level_does_not_depend_on_how_the_one_before_is_cut(data):
    pixels = data.draw(hnp.arrays("u2", hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30)))
    whole = halve(pixels, "image")
    step = data.draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    assert whole.shape == tuple((size + 1) // 2 for size in pixels.shape)
    for tile in TileGrid(regular_chunks(whole.shape, step), (0, 0)):
        box = tuple(slice(2 * side.start, 2 * side.stop) for side in tile.write)
        np.testing.assert_array_equal(halve(pixels[box], "image"), whole[tile.write])


@QUIET
@given(shape=st.tuples(st.integers(1, 5), st.integers(1, 10**6), st.integers(1, 10**6)))
def test_levels_end_when_a_plane_fits_a_screen(shape):
    shapes = level_shapes(shape, ("c", "y", "x"))
    assert shapes[0] == shape
    assert max(shapes[-1][1:]) <= 512
    assert all(max(level[1:]) > 512 for level in shapes[:-1])
    assert {level[0] for level in shapes} == {shape[0]}


@QUIET
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=30).map(lambda text: text + ".png"),
        unique=True,
        max_size=20,
    )
)
def test_ids_are_safe_and_different(paths):
    ids = item_ids(paths)
    assert len({name.casefold() for name in ids}) == len(paths)
    assert all(check_id(name) == name for name in ids)
