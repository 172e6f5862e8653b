"""The engine: chains are one task a tile, tasks are few and named, plans count them without making them."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any, ClassVar

import dask
import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi
import xarray as xr
from dask.utils import key_split

from bigimg.core.operation import Pixels
from bigimg.core.reduction import Reduction
from bigimg.engine.faces import tilewise
from bigimg.engine.kinds import opened, reduce
from bigimg.engine.lazy import from_store, image_of
from bigimg.engine.plan import stages
from bigimg.engine.store import store_array
from bigimg.engine.tree import FAN_IN
from bigimg.errors import ImageError, ParameterError
from bigimg.testing import check_reduction, nothing_computes, random_image


@tilewise(halo=lambda size: size // 2)
def brightest(image: Pixels, *, size: int) -> Pixels:
    """Find the brightest pixel of a window."""
    return ndi.maximum_filter(image, (1,) * (image.ndim - 2) + (size, size))


@tilewise(dtype="bool")
def above(image: Pixels, *, value: float) -> Pixels:
    """Compare with a value."""
    return image > value


@dataclass(frozen=True)
class Total(Reduction[int, int]):
    """The sum of all pixels above a floor, which may be lazy."""

    floor: Any = 0
    name: ClassVar[str] = "total"

    def partial(self, tile, *images, valid=None):
        pixels = images[0] if valid is None else np.where(valid, images[0], 0)
        return int(np.where(pixels > self.floor, pixels, 0).sum(dtype=np.int64))

    def merge(self, first, second):
        return first + second

    def finish(self, state):
        return state


@dataclass
class Store:
    """A stored image that counts what is read of it."""

    pixels: np.ndarray
    boxes: list

    @property
    def shape(self):
        return self.pixels.shape

    @property
    def dtype(self):
        return self.pixels.dtype

    def __getitem__(self, box):
        self.boxes.append(box)
        return self.pixels[box]

    def __dask_tokenize__(self):
        return self.pixels.tobytes()


@pytest.fixture
def image():
    return random_image((60, 50), "uint8")


def test_a_chain_is_one_task_a_tile_and_reads_it_once(image):
    store = Store(image, [])
    lazy = from_store(store, (16, 16))
    chain = above(brightest(brightest(lazy, size=5), size=3), value=200)
    assert len(chain.dask) == chain.npartitions == 16
    assert not store.boxes
    expected = brightest(brightest(image, size=5), size=3) > 200
    np.testing.assert_array_equal(chain.compute(scheduler="sync"), expected)
    assert len(store.boxes) == 16
    assert (slice(0, 19), slice(0, 19)) in store.boxes, "a tile of 16 and a halo of 2 + 1"


def test_lazy_results_are_ordinary_arrays(image):
    lazy = xr.DataArray(from_store(Store(image, []), (16, 16)), dims=("y", "x"))
    result = brightest(lazy, size=5)
    expected = brightest(image, size=5)
    window = result.isel(y=slice(3, 20), x=slice(0, 10))
    assert len(dask.optimize(window)[0].__dask_graph__()) < 8
    np.testing.assert_array_equal(window.values, expected[3:20, :10])
    assert float(result.astype("f8").mean()) == expected.mean()
    kept = result.persist()
    np.testing.assert_array_equal(above(brightest(kept, size=3), value=90).values, brightest(expected, size=3) > 90)
    assert result.data.name == brightest(lazy, size=5).data.name, "the same work has the same name"
    assert brightest(lazy, size=3).data.name != result.data.name


def test_a_dask_array_is_overlapped_once(image):
    made = da.from_array(image, chunks=16) + 0
    chain = above(brightest(brightest(made, size=5), size=3), value=200)
    own = [key for key in chain.dask if str(key[0]).startswith(("brightest", "halo"))]
    assert len(own) == 2 * 16, "one frame and one task a chunk"
    np.testing.assert_array_equal(chain.compute(scheduler="sync"), brightest(brightest(image, size=5), size=3) > 200)


def test_names_read_well_on_the_dashboard(image):
    lazy = from_store(Store(image, []), (16, 16))
    assert key_split(lazy.name) == "read"
    assert key_split(brightest(above(lazy, value=3.0), size=3).name) == "above+brightest"
    total = reduce(Total(), lazy)
    assert {key_split(key) for key in total.dask} == {"total", "total.merge", "total.value"}


def test_reductions_merge_in_a_tree_and_may_wait_for_one_another(image):
    lazy = from_store(Store(image, []), (7, 7))
    total = reduce(Total(), lazy)
    merging = [task for key, task in dict(total.dask).items() if "merge" in str(key) or "value" in str(key)]
    assert max(len(task.dependencies) for task in merging) <= FAN_IN
    assert total.compute() == image.sum()
    floor = reduce(Total(), above(lazy, value=250.0))
    check_reduction(Total(100), image, reference=int(image[image > 100].sum()))
    count = int((image > 250).sum())
    assert reduce(Total(floor), lazy).compute() == image[image > count].sum(dtype=int)
    assert above(lazy, value=total).compute().sum() == 0


def test_lazy_parameters_come_from_any_lazy_number(image):
    lazy = xr.DataArray(da.from_array(image, chunks=16), dims=("y", "x"))
    with nothing_computes():
        result = above(lazy, value=lazy.mean())
    np.testing.assert_array_equal(result.values, image > image.mean())
    with pytest.raises(ParameterError, match="one number"):
        above(lazy, value=lazy).compute()


def test_masks_travel_with_the_image(image):
    valid = np.ones(image.shape, bool)
    valid[:, 40:] = False
    lazy = xr.DataArray(from_store(Store(image, []), (16, 16)), dims=("y", "x"), coords={"valid": (("y", "x"), valid)})
    assert reduce(Total(), lazy).compute() == image[:, :40].sum()
    stored = lazy.assign_coords(valid=(("y", "x"), from_store(Store(valid, []), (16, 16))))
    assert reduce(Total(), stored).compute() == image[:, :40].sum()
    with pytest.raises(ImageError, match="validity mask"):
        brightest(lazy, size=3).compute()
    with pytest.raises(ImageError, match="coordinate 'valid'"):
        above(lazy.expand_dims(t=2).assign_coords(valid=("t", [True, False])), value=1)


def test_plans_count_without_making_a_task(image):
    class Large:
        shape = (200_000, 200_000)
        dtype = np.dtype("u2")

        def __dask_tokenize__(self):
            return "large"

    chain = brightest(from_store(Large(), (512, 512)), size=9)
    total = reduce(Total(), chain)
    chained, summed = stages([chain, total])
    assert (chained.tiles, chained.tasks, summed.tiles) == (152_881, 152_881, 152_881)
    assert summed.tasks > 152_881 * 9 / 8
    assert 2 * 200_000**2 < chained.bytes_read < 2 * 200_000**2 * 1.05
    assert not any(layer.is_materialized() for layer in total.dask.layers.values())
    small = brightest(from_store(Store(image, []), (16, 16)), size=9)
    (stage,) = stages([small])
    read = sum(np.prod([s.stop - s.start for s in tile.read]) for tile in image_of(small).grid())
    assert stage.bytes_read == read


def test_tiles_are_stored_each_once(image):
    out = np.zeros_like(image)
    lazy = brightest(from_store(Store(image, []), (16, 16)), size=5)

    def write(box, pixels):
        out[box] += pixels

    assert store_array(lazy, write).compute(scheduler="sync") == image.size
    np.testing.assert_array_equal(out, brightest(image, size=5))


def test_layers_travel_without_their_tasks(image):
    lazy = brightest(da.from_array(image, chunks=16), size=5)
    dict(lazy.dask)
    again = pickle.loads(pickle.dumps(lazy.dask.layers[lazy.name]))
    assert not again.is_materialized()
    assert set(again) == set(lazy.dask.layers[lazy.name])


def test_images_of_other_shapes_are_refused(image):
    with pytest.raises(ImageError, match="one shape"):
        reduce(Total(), image, image[1:])
    with pytest.raises(ImageError, match="one shape"):
        reduce(Total(), da.from_array(image), da.from_array(image[1:]))
    with pytest.raises(ImageError, match="named z"):
        opened(xr.DataArray(image[None], dims=("t", "y", "x")), 3)


def test_images_that_no_kernel_knows_are_refused_or_made_plain():
    image = random_image((6, 7), "float64")
    for bad, message in (
        (image.astype(np.longdouble), "at most 64 bits"),
        (da.from_array(image)[da.from_array(image[:, 0]) > 0], "compute_chunk_sizes"),
    ):
        with pytest.raises(ImageError, match=message):
            opened(bad)
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix(image)
    assert type(opened(matrix).pixels) is np.ndarray
