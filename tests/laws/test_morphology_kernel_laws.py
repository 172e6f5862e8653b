"""Laws of the morphology kernels, for any image, footprint, mask and tile."""

from typing import NamedTuple

import numpy as np
import skimage.morphology
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bigimg.core.footprint import reach
from bigimg.kernels import details, morphology, skeleton

SCIKIT_IMAGE = {
    morphology.erode: skimage.morphology.erosion,
    morphology.dilate: skimage.morphology.dilation,
    morphology.opening: skimage.morphology.opening,
    morphology.closing: skimage.morphology.closing,
    details.white_tophat: skimage.morphology.white_tophat,
    details.black_tophat: skimage.morphology.black_tophat,
}
STEPS = {morphology.erode: 1, morphology.dilate: 1}
# scikit-image itself is wrong for 64-bit integers at the border of the image: they are in the unit tests
DTYPES = ["bool", "uint8", "uint16", "int16", "int32", "uint32", "float32", "float64"]
operations = st.sampled_from(list(SCIKIT_IMAGE))
quick = settings(deadline=None, max_examples=60)


class Case(NamedTuple):
    pixels: np.ndarray
    footprint: np.ndarray
    valid: np.ndarray


@st.composite
def cases(draw, dtypes=DTYPES):
    ndim = draw(st.sampled_from([2, 2, 2, 3]))
    largest, widest = (30, 20) if ndim == 2 else (9, 6)
    shape = tuple(draw(st.integers(1, limit)) for limit in [largest] * (ndim - 1) + [8 * largest])
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    # few different values, so that ties are common; zeros of both signs among the floats
    pixels = random.integers(0, 2 if dtype.kind == "b" else 9, shape).astype(dtype)
    if dtype.kind == "f":
        pixels *= random.choice([-1, 1], shape).astype(dtype)
    size = tuple(draw(st.integers(1, widest)) for _ in range(ndim))
    footprint = random.random(size) < draw(st.sampled_from([0.1, 0.5, 0.95, 1.0]))
    footprint.flat[draw(st.integers(0, footprint.size - 1))] = True
    return Case(pixels, footprint, random.random(shape) < draw(st.sampled_from([0.3, 0.9, 1.0])))


@given(cases(), operations)
@quick
def test_equal_to_scikit_image(case, operation):
    expected = SCIKIT_IMAGE[operation](case.pixels, case.footprint, mode="ignore")
    result = operation(case.pixels, case.footprint, case.pixels.ndim)
    assert result.dtype == case.pixels.dtype
    np.testing.assert_array_equal(result, expected)


@given(cases(), operations, st.booleans(), st.data())
@settings(deadline=None, max_examples=150)
def test_a_tile_with_its_halo_has_the_same_bits(case, operation, masked, data):
    pixels, footprint = case.pixels, case.footprint
    valid = case.valid if masked else None
    whole = operation(pixels, footprint, pixels.ndim, valid)
    write, read, crop = [], [], []
    for size, reached in zip(pixels.shape, reach(footprint)):
        start = data.draw(st.integers(0, size - 1))
        stop = data.draw(st.integers(start + 1, size))
        halo = STEPS.get(operation, 2) * reached
        first = max(start - halo, 0)
        write.append(slice(start, stop))
        read.append(slice(first, min(stop + halo, size)))
        crop.append(slice(start - first, stop - first))
    box = tuple(read)
    tile = operation(pixels[box], footprint, pixels.ndim, None if valid is None else valid[box])[tuple(crop)]
    inside = np.ones(tile.shape, bool) if valid is None else valid[tuple(write)]
    assert tile[inside].tobytes() == whole[tuple(write)][inside].tobytes()


@given(cases(), operations, st.integers(0, 2**32 - 1))
@quick
def test_what_is_behind_the_mask_never_shows(case, operation, seed):
    other = np.random.default_rng(seed).integers(0, 2, case.pixels.shape).astype(case.pixels.dtype)
    changed = np.where(case.valid, case.pixels, other)
    result = operation(case.pixels, case.footprint, case.pixels.ndim, case.valid)
    assert (operation(changed, case.footprint, case.pixels.ndim, case.valid)[case.valid] == result[case.valid]).all()


@given(cases())
@quick
def test_a_mask_is_an_image_border(case):
    ndim = case.pixels.ndim
    middle = case.pixels.shape[-1] // 2 + 1
    valid = np.zeros(case.pixels.shape, bool)
    valid[..., :middle] = True
    for operation in SCIKIT_IMAGE:
        cut = operation(np.ascontiguousarray(case.pixels[..., :middle]), case.footprint, ndim)
        np.testing.assert_array_equal(operation(case.pixels, case.footprint, ndim, valid)[..., :middle], cut)


@given(cases(["bool", "uint8", "int32", "float32"]))
@quick
def test_opening_lowers_closing_raises_and_twice_is_once(case):
    ndim, valid = case.pixels.ndim, case.valid
    opened = morphology.opening(case.pixels, case.footprint, ndim, valid)
    closed = morphology.closing(case.pixels, case.footprint, ndim, valid)
    assert (opened[valid] <= case.pixels[valid]).all()
    assert (closed[valid] >= case.pixels[valid]).all()
    assert (morphology.opening(opened, case.footprint, ndim, valid)[valid] == opened[valid]).all()
    assert (morphology.closing(closed, case.footprint, ndim, valid)[valid] == closed[valid]).all()


@given(cases(["bool", "uint16"]))
@quick
def test_erosion_is_the_dilation_of_the_complement(case):
    ndim = case.pixels.ndim
    dual = ~morphology.dilate(~case.pixels, case.footprint, ndim, case.valid)
    eroded = morphology.erode(case.pixels, case.footprint, ndim, case.valid)
    assert (dual[case.valid] == eroded[case.valid]).all()


@given(hnp.arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.booleans()))
@quick
def test_a_lone_pixel_becomes_the_mirrored_footprint(footprint):
    footprint[0, 0] = True
    mask = np.zeros((15, 15), bool)
    mask[7, 7] = True
    rows, columns = np.nonzero(morphology.dilate(mask, footprint, 2))
    origin = (np.array(footprint.shape) - 1) // 2
    expected = 7 - (np.argwhere(footprint) - origin)
    assert {*zip(rows.tolist(), columns.tolist())} == {tuple(pixel) for pixel in expected.tolist()}


@given(cases(["int8", "int16", "uint8", "float32", "bool"]))
@quick
def test_a_gradient_is_never_negative_and_0_where_all_is_equal(case):
    ndim = case.pixels.ndim
    result = details.gradient(case.pixels, case.footprint, ndim, case.valid)
    assert result.dtype == details.gradient_dtype(case.pixels.dtype)
    assert (result[case.valid] >= 0).all()
    assert not details.gradient(np.ones_like(case.pixels), case.footprint, ndim, case.valid)[case.valid].any()


@given(cases(), st.sampled_from([morphology.erode, morphology.dilate, morphology.opening, morphology.closing]))
@quick
def test_iterations_are_one_after_the_other(case, operation):
    pixels, footprint, ndim, valid = case.pixels, case.footprint, case.pixels.ndim, case.valid
    odd = np.pad(footprint, [(1 - size % 2, 0) for size in footprint.shape])
    halves = {
        morphology.opening: [(morphology.erode, odd), (morphology.dilate, np.flip(odd))],
        morphology.closing: [(morphology.dilate, odd), (morphology.erode, np.flip(odd))],
    }.get(operation, [(operation, odd)])
    for mask in (None, valid):
        one_by_one = pixels
        for half, mirrored in halves:
            for _ in range(3):
                one_by_one = half(one_by_one, mirrored, ndim, mask)
        at_once = operation(pixels, footprint, ndim, mask, iterations=3)
        inside = valid if mask is not None else np.ones_like(valid)
        np.testing.assert_array_equal(at_once[inside], one_by_one[inside])


@given(cases(["bool"]), st.integers(0, 2**32 - 1))
@quick
def test_a_pattern_is_found_wherever_it_was_put(case, seed):
    pixels, footprint = case.pixels, case.footprint
    miss = (np.random.default_rng(seed).random(footprint.shape) < 0.5) & ~footprint
    found = details.hit_or_miss(pixels, footprint, miss if miss.any() else None, pixels.ndim)
    offsets = [np.argwhere(mask) - (np.array(mask.shape) - 1) // 2 for mask in (footprint, miss)]
    for place in np.argwhere(found)[:20]:
        for offset in offsets[0] + place:
            assert (offset >= 0).all()
            assert pixels[tuple(offset)]
        for offset in offsets[1] + place:
            outside = (offset < 0).any() or (offset >= pixels.shape).any()
            assert outside or not pixels[tuple(offset)]


@given(st.integers(0, 2**32 - 1), st.sampled_from([skeleton.skeletonize, skeleton.thin]), st.integers(1, 5), st.data())
@quick
def test_a_tile_that_sees_two_pixels_an_iteration_thins_as_the_whole(seed, kernel, iterations, data):
    random = np.random.default_rng(seed)
    pixels = np.kron(random.random((6, 20)) < 0.6, np.ones((5, 7))).astype(bool) & (random.random((30, 140)) < 0.98)
    whole, late = kernel(pixels, iterations)
    spans = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in pixels.shape]
    first = [max(start - 2 * iterations, 0) for start, _ in spans]
    box = tuple(slice(low, stop + 2 * iterations) for low, (_, stop) in zip(first, spans))
    crop = tuple(slice(start - low, stop - low) for low, (start, stop) in zip(first, spans))
    write = tuple(slice(*span) for span in spans)
    tile, tile_late = kernel(pixels[box], iterations)
    np.testing.assert_array_equal(tile[crop], whole[write])
    np.testing.assert_array_equal(tile_late[crop], late[write])


@given(st.integers(0, 2**32 - 1), st.sampled_from([skeleton.skeletonize, skeleton.thin]))
@quick
def test_a_skeleton_is_part_of_its_object_and_its_own_skeleton(seed, kernel):
    random = np.random.default_rng(seed)
    pixels = np.kron(random.random((6, 20)) < 0.6, np.ones((5, 7))).astype(bool)
    result, late = kernel(pixels, 200)
    assert not late.any()
    assert not (result & ~pixels).any()
    np.testing.assert_array_equal(kernel(result, 1)[0], result)
