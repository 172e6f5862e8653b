"""What blocks of tiles send of their objects."""

import numpy as np
import pytest

from bigimg.core.tile import TileGrid
from bigimg.engine.tree import blocks_of
from bigimg.kernels.neighbours import steps_of
from bigimg.ops.object_filters import BySize, Largest
from bigimg.ops.objects import Objects


def levels(mask, tile, filters=()):
    """Yield the largest number of open objects, pixels on faces, lines and closed objects a block sends."""
    work = Objects(2, steps_of(2, 2), "labels", wide=False, filters=filters)
    grid = TileGrid.regular(mask.shape, (tile, tile))
    sent = {each.index: work.split(each, mask[each.write])[1] for each in grid}
    for blocks in blocks_of(grid.numblocks):
        sent = {block: work.join([sent[part] for part in parts])[1] for block, parts in blocks.items()}
        yield [
            (
                block.open.sizes.size,
                sum(line.size for line in block.faces.values()),
                block.counts.size,
                0 if block.closed is None else block.closed.sizes.size,
            )
            for block in sent.values()
        ]


@pytest.mark.parametrize("filters", [(), (BySize(3),)])
def test_what_is_sent_grows_with_the_border_of_a_block(filters):
    mask = np.random.default_rng(0).random((128, 128)) < 0.3
    *_, before, last = levels(mask, 4, filters)
    sides = [lines for _, _, lines, _ in before]
    assert all(pixels <= 6 * side for side, (_, pixels, _, _) in zip(sides, before))
    assert all(count <= pixels for count, pixels, _, _ in before)
    assert last == [(0, 0, 128, 0)]


def test_the_largest_are_chosen_from_lists_no_longer_than_their_number():
    mask = np.random.default_rng(0).random((64, 64)) < 0.3
    for level in levels(mask, 8, (BySize(2), Largest(5))):
        assert all(closed <= 5 for *_, closed in level)
