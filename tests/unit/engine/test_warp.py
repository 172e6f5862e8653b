"""Images of another shape: one task a tile, plans that say what is read, and what DataArrays know."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr

from bigimg.engine.lazy import from_store, image_of
from bigimg.engine.plan import stages
from bigimg.engine.project import ProjectLayer
from bigimg.errors import ImageError, ParameterError
from bigimg.ops import filters, measure, threshold, transform
from bigimg.testing import check_op, nothing_computes, random_image

IMAGE = random_image((60, 50), "uint16")
STACK = random_image((21, 30, 20), "uint16")


class Store:
    def __init__(self, pixels):
        self.pixels, self.shape, self.dtype, self.read = pixels, pixels.shape, pixels.dtype, 0

    def __getitem__(self, box):
        self.read += self.pixels[box].nbytes
        return self.pixels[box]

    def __dask_tokenize__(self):
        return self.pixels.tobytes()


WARPS = {
    "smaller": lambda image: transform.resize(image, (19, 21)),
    "larger": lambda image: transform.rescale(image, 1.7),
    "blocks": lambda image: transform.downscale_local_mean(image, (4, 3)),
    "turned": lambda image: transform.rotate(image, 33, resize=True),
    "nearest": lambda image: transform.rotate(image, 33, order=0),
    "quarter": transform.rot90,
    "flipped": transform.flip,
    "away": lambda image: transform.affine(image, [[1, 0, 1000], [0, 1, 0]], cval=3),
}


@pytest.mark.parametrize("name", WARPS)
def test_chains_before_and_behind_are_one_task_a_tile_and_the_plan_says_what_is_read(name):
    def chain(image):
        return filters.median(WARPS[name](filters.gaussian(image, sigma=1)), size=3)

    store = Store(IMAGE)
    with nothing_computes():
        lazy = chain(from_store(store, (16, 16)))
        (stage,) = stages([lazy])
    assert len(dict(lazy.dask)) == lazy.npartitions == stage.tasks
    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), chain(IMAGE))
    assert store.read == stage.bytes_read
    assert "gaussian(sigma=1.0" in stage.does
    assert "-> median(" in stage.does
    whole = stages([chain(from_store(Store(IMAGE), (64, 64)))])[0]
    assert whole.bytes_per_task >= stage.bytes_per_task > 0


@pytest.mark.parametrize("factor", [2, 5])
def test_tiles_of_a_smaller_image_read_about_one_tile(factor):
    lazy = transform.rescale(from_store(Store(np.zeros((400, 400), "uint8")), (100, 100)), 1 / factor)
    assert lazy.chunks == ((100 // factor,) * 4,) * 2
    assert stages([lazy])[0].bytes_per_task < 2.5 * 100 * 100 * (1 + 16)


def test_tiles_of_a_larger_image_are_no_larger_than_before():
    lazy = transform.rescale(from_store(Store(np.zeros((300, 300), "uint8")), (100, 100)), 4)
    assert lazy.chunks == ((100,) * 12,) * 2


def test_many_tiles_are_planned_at_once():
    class Large:
        shape, dtype = (200_000, 200_000), np.dtype("u2")

        def __dask_tokenize__(self):
            return "large"

    lazy = transform.rotate(from_store(Large(), (512, 512)), 10)
    (stage,) = stages([lazy])
    assert stage.tiles == 152_881
    # A tile turned by 10 degrees lies within a box 1.16 times as high and wide.
    assert 1.2 * 200_000**2 < stage.bytes_read / 2 < 1.4 * 200_000**2
    assert not lazy.dask.layers[lazy.name].is_materialized()


def test_a_warp_of_a_warp():
    def twice(image):
        return transform.rot90(transform.resize(transform.flip(image), (25, 24)))

    check_op(twice, IMAGE[:20, :17], valid=np.random.default_rng(0).random((20, 17)) < 0.9)
    lazy = twice(from_store(Store(IMAGE), (16, 16)))
    assert len(dict(lazy.dask)) == lazy.npartitions


def test_values_that_are_not_known_yet_go_through_a_warp():
    def chain(image):
        return transform.flip(threshold.otsu(image))

    check_op(chain, IMAGE[:20, :17])


def test_a_mask_goes_along():
    valid = np.ones((20, 17), bool)
    valid[5, 5] = False
    masked = np.ma.MaskedArray(IMAGE[:20, :17], mask=~valid)
    assert np.argwhere(np.ma.getmaskarray(transform.flip(masked))).tolist() == [[5, 11]]
    moved = transform.affine(masked, [[1, 0, -0.5], [0, 1, 2]])
    lost = np.ma.getmaskarray(moved)
    assert lost[5, 3]
    assert lost[6, 3]
    assert lost[0].all(), "between the image and the outside"
    assert lost[:, -2:].all()
    assert lost.sum() == 2 + 17 + 2 * 19
    assert not np.ma.getmaskarray(transform.downscale_local_mean(masked, 2)).any()


def test_a_mask_of_the_plane_serves_all_planes():
    valid = np.random.default_rng(0).random((30, 20)) < 0.7
    image = xr.DataArray(STACK, dims=("z", "y", "x"), coords={"valid": (("y", "x"), valid)})
    for make in (
        lambda given: transform.resize(given, (12, 9), anti_aliasing=False),
        lambda given: transform.project(given, "z", method="mean"),
        lambda given: transform.project(given, "y"),
    ):
        whole, lazy = make(image), make(image.chunk(z=4, y=7, x=9))
        full = np.broadcast_to(np.asarray(lazy.valid), lazy.shape)
        np.testing.assert_array_equal(full, np.broadcast_to(whole.valid, whole.shape))
        np.testing.assert_array_equal(lazy.compute().values * full, whole.values * full)


def known(**coords):
    attrs = {"scale": {"y": 0.5, "x": 0.25}, "units": {"y": "micrometer", "x": "micrometer"}, "from": "here"}
    return xr.DataArray(np.zeros((4, 8)), dims=("y", "x"), name="cells", attrs=attrs, coords=coords)


@pytest.mark.parametrize(
    ("make", "scale"),
    [
        (lambda image: transform.resize(image, (2, 16)), {"y": 1.0, "x": 0.125}),
        (lambda image: transform.rescale(image, 0.5), {"y": 1.0, "x": 0.5}),
        (lambda image: transform.downscale_local_mean(image, 3), {"y": 1.5, "x": 0.75}),
        (transform.flip, {"y": 0.5, "x": 0.25}),
        (transform.rot90, {"y": 0.25, "x": 0.5}),
        (lambda image: transform.affine(image, [[2, 0, 0], [0, 0.5, 0]]), {"y": 1.0, "x": 0.125}),
    ],
)
def test_the_size_of_a_pixel_is_that_of_the_new_pixels(make, scale):
    given = known()
    result = make(given)
    assert result.attrs == {**given.attrs, "scale": scale}
    assert result.name == "cells"
    assert given.attrs["scale"] == {"y": 0.5, "x": 0.25}


def test_coordinates_are_those_of_the_new_pixels():
    given = known(y=[0.0, 1.0, 2.0, 3.0], x=list("abcdefgh"), sample=7)
    resized = transform.resize(given, (2, 8), order=0)
    np.testing.assert_allclose(resized.y, [0.5, 2.5])
    assert "x" not in resized.coords, "letters have no values between them"
    assert resized.sample == 7
    flipped = transform.flip(given)
    assert flipped.x.values.tolist() == list("hgfedcba")
    assert flipped.y.values.tolist() == given.y.values.tolist()
    np.testing.assert_allclose(transform.downscale_local_mean(given, 2).y, [0.5, 2.5])
    assert not {"y", "x"} & set(transform.rotate(given, 10).coords)
    assert not {"y", "x"} & set(transform.rot90(given).coords)


def test_a_projection_takes_the_axis_from_what_is_known():
    attrs = {"scale": {"c": 1, "y": 2, "x": 3}, "channel_names": ("red", "green"), "units": {"y": "m"}}
    given = xr.DataArray(
        np.zeros((4, 2, 5)), dims=("y", "c", "x"), attrs=attrs, coords={"c": ["r", "g"], "y": range(4)}
    )
    result = transform.project(given, "c")
    assert result.dims == ("y", "x")
    assert result.attrs == {"scale": {"y": 2, "x": 3}, "units": {"y": "m"}}
    assert set(result.coords) == {"y"}
    with pytest.raises(ParameterError, match=r"no dimension named z \(got c, y, x\)"):
        transform.project(given, "z")


@pytest.mark.parametrize(
    ("shape", "axis", "place"),
    [
        *(((2, 3, 4), axis, place) for axis, place in [("t", 0), ("c", 0), ("z", 0), ("y", 1), ("x", 2)]),
        *(((5, 2, 3, 4), axis, place) for axis, place in [("t", 0), ("c", 1), ("z", 1)]),
        *(((6, 5, 2, 3, 4), axis, place) for axis, place in [("t", 0), ("c", 1), ("z", 2)]),
    ],
)
def test_axes_without_names(shape, axis, place):
    image = random_image(shape, "uint8")
    np.testing.assert_array_equal(transform.project(image, axis), image.max(axis=place))


def test_a_long_axis_is_a_tree():
    with nothing_computes():
        lazy = transform.project(da.from_array(STACK, chunks=(1, 15, 10)), "z", method="mean")
    layer = lazy.dask.layers[lazy.name]
    assert isinstance(layer, ProjectLayer)
    tasks = dict(layer)
    assert len(tasks) == layer.count == 4 * (21 + 3 + 1)
    found = stages([lazy])
    assert sum(stage.tasks for stage in found) == len(tasks)
    assert max(len(task.dependencies) for task in tasks.values()) <= 8
    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), STACK.mean(axis=0))


def test_one_tile_along_the_axis_is_one_task_and_fuses():
    store = Store(STACK)

    def chain(image):
        return filters.gaussian(transform.project(filters.median(image, size=3), "z"), sigma=1)

    lazy = chain(from_store(store, (21, 15, 10)))
    assert len(dict(lazy.dask)) == lazy.npartitions == 4
    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), chain(STACK))
    (stage,) = stages([lazy])
    assert stage.bytes_read == store.read
    assert stage.bytes_per_task > 21 * 15 * 10 * 2
    assert image_of(lazy) is not None


def test_a_background_reads_only_the_frames_it_needs():
    store = Store(STACK)
    lazy = transform.temporal_median(from_store(store, (1, 30, 20)), frames=5)
    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), np.median(STACK[[0, 5, 10, 15, 20]], axis=0))
    assert store.read == 5 * 30 * 20 * 2 == stages([lazy])[0].bytes_read


def test_labels_of_a_projection():
    def count(image):
        return measure.label(transform.project(image, "z") > 40_000)

    lazy = count(da.from_array(STACK, chunks=(5, 11, 9)))
    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), count(STACK))


def test_layers_travel_without_their_tasks():
    lazy = transform.project(da.from_array(STACK, chunks=(5, 11, 9)), "z")
    dask.compute(lazy, scheduler="sync")
    assert "_tasks" in lazy.dask.layers[lazy.name].__getstate__()
    assert lazy.dask.layers[lazy.name].__getstate__()["_tasks"] is None


def test_what_cannot_be_asked_for():
    image = np.zeros((4, 5), "uint8")
    with pytest.raises(ParameterError, match="depends on every pixel"):
        transform.resize(image, (2, 2), order=3)
    with pytest.raises(ParameterError, match="between true and false"):
        transform.resize(image > 0, (2, 2), order=1)
    with pytest.raises(ParameterError, match="cannot be smoothed"):
        transform.resize(image > 0, (2, 2), anti_aliasing=True)
    with pytest.raises(ParameterError, match="needs 2 sizes"):
        transform.resize(image, (2, 2, 2))
    with pytest.raises(ParameterError, match="matrix must be 2 x 3 or 3 x 3 for planes"):
        transform.affine(image, np.eye(4))
    with pytest.raises(ParameterError, match="rows of"):
        transform.affine(image, [1, 2, 3])
    with pytest.raises(ParameterError, match="last row"):
        transform.affine(image, [[1, 0, 0], [0, 1, 0], [0, 1, 1]])
    with pytest.raises(ParameterError, match="can hold"):
        transform.affine(image, [[1, 0, 0], [0, 1, 0]], order=0, cval=300)
    with pytest.raises(ParameterError, match="can hold"):
        transform.rotate(image, 10, order=0, cval=0.5)
    with pytest.raises(ImageError, match="at least 3"):
        transform.project(image, "y")
    with pytest.raises(ImageError, match="64 bits"):
        transform.project(np.zeros((2, 3, 4), "int64"), "z", method="mean")
    with pytest.raises(ParameterError, match="greater than 1"):
        transform.pyramid_reduce(image, downscale=1.0)


def test_a_pixel_without_weight_does_not_matter_however_large():
    image = np.ones((4, 5))
    image[2, 2] = np.finfo(float).max
    np.testing.assert_array_equal(transform.affine(image, np.eye(3)), image)
    np.testing.assert_array_equal(transform.rotate(image, 180), image[::-1, ::-1])
    np.testing.assert_array_equal(transform.resize(image, (4, 5)), image)
