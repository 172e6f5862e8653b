"""The tree of a gather: a few tasks a tile, and every tile gets its own part alone."""

from dataclasses import dataclass
from typing import Any, ClassVar

import dask.array as da
import numpy as np
import pytest

from bigimg.core.reduction import Gather
from bigimg.engine.gather import gather_arrays, gather_whole
from bigimg.engine.layer import TaskLayer
from bigimg.engine.plan import stages
from bigimg.engine.tree import FAN_IN, block_tasks, blocks_of
from bigimg.ops import measure


@dataclass(frozen=True)
class Share(Gather[Any, Any, Any]):
    """Divide each tile by the sum of all; the value is a mapping by tile."""

    name: ClassVar[str] = "share"
    keeps: ClassVar[int] = 8

    def dtype(self):
        return np.dtype(float)

    def split(self, tile, *images, valid=None):
        return images[0], {tile.index: images[0].sum()}

    def solve(self, state):
        return dict.fromkeys(state, sum(state.values()))

    def finish(self, tile, kept, value):
        assert list(value) == [tile.index]
        return kept / value[tile.index]


def _own_layers(got):
    return [layer for layer in got.dask.layers.values() if isinstance(layer, TaskLayer)]


@pytest.mark.parametrize("chunks", [(1, 1), (3, 4), (20, 1), (1, 17), (20, 17)])
def test_a_tile_gets_its_own_part_alone(chunks):
    image = np.arange(340.0).reshape(20, 17) + 1
    expected = image / image.sum()
    got = gather_arrays(Share(), [da.from_array(image, chunks=chunks)], 2, [None])
    assert sum(stage.tasks for stage in stages([got])) == sum(map(len, _own_layers(got)))
    np.testing.assert_array_equal(got.compute(scheduler="sync"), expected)
    np.testing.assert_array_equal(gather_whole(Share(), [image], 2, [None]), expected)


def test_planes_are_gathered_each_by_itself():
    image = np.random.default_rng(0).random((3, 8, 9))
    got = gather_arrays(Share(), [da.from_array(image, chunks=(2, 3, 3))], 2, [None])
    assert sum(stage.tasks for stage in stages([got])) == sum(map(len, _own_layers(got)))
    np.testing.assert_allclose(got.compute(scheduler="sync"), image / image.sum(axis=(1, 2), keepdims=True))


@pytest.mark.parametrize("grid", [(1, 1), (1, 2), (3, 3), (1, 70), (64, 64), (5, 1, 9), (4, 4, 4)])
def test_blocks_hold_every_tile_once(grid):
    levels = list(blocks_of(grid))
    parts = set(np.ndindex(grid))
    for blocks in levels:
        assert sorted(part for members in blocks.values() for part in members) == sorted(parts)
        assert all(1 <= len(members) <= FAN_IN for members in blocks.values())
        parts = set(blocks)
    assert len(parts) == 1
    assert block_tasks(grid) == sum(map(len, levels))


def test_tasks_a_tile_are_few_from_16_to_4096_tiles():
    for side in (4, 16, 64):
        labels = measure.label(da.zeros((side, side), dtype=bool, chunks=1))
        own = [key for key in dict(labels.dask) if str(key[0]).startswith("objects")]
        assert len(own) / side**2 < 2.35


def test_no_task_of_labels_takes_more_than_a_block():
    labels = measure.label(da.zeros((64, 64), dtype=bool, chunks=1))
    assert max(len(task.dependencies) for task in labels.dask.layers[labels.name].values()) <= FAN_IN
