"""Relations between label images: their edges, and what is refused."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_array_equal
from skimage.measure import label
from skimage.metrics import adapted_rand_error
from skimage.segmentation import clear_border

from bigimg import measure, segmentation
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.matching import sum_of_squares
from bigimg.ops.measure.overlaps import CountPairs, _counts
from bigimg.testing import check_op, check_reduction

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 9, (13, 11)) * 10**15
OTHERS = RNG.integers(0, 4, (13, 11)).astype("uint8")

RELATIONS = {
    "contingency_table": "reference",
    "overlap_table": "reference",
    "matching_scores": "reference",
    "rand_scores": "reference",
    "relate_objects": "parents",
    "count_children": "parents",
}


def relation(name):
    operation = getattr(measure, name)
    return lambda labels, other: operation(labels, **{RELATIONS[name]: other})


@pytest.mark.parametrize("name", RELATIONS)
def test_any_cut_of_both_images_gives_the_same_table(name):
    check_op(lambda image: relation(name)(image, OTHERS), LABELS)


def test_states_merge_in_any_order():
    check_reduction(CountPairs(_counts), LABELS, OTHERS)


@pytest.mark.parametrize("name", RELATIONS)
def test_without_objects_the_columns_and_dtypes_are_the_same(name):
    full, empty = relation(name)(LABELS, OTHERS), relation(name)(np.zeros_like(LABELS), np.zeros_like(OTHERS))
    assert list(empty.columns) == list(full.columns)
    if name != "rand_scores":
        assert (empty.dtypes == full.dtypes).all()


@pytest.mark.parametrize("name", RELATIONS)
def test_pixels_invalid_in_either_image_do_not_count(name):
    ours, theirs = RNG.random((2, 13, 11)) < 0.8
    both = ours & theirs
    masked = relation(name)(np.ma.MaskedArray(LABELS, ~ours), np.ma.MaskedArray(OTHERS, ~theirs))
    flat = relation(name)(LABELS[both][None], OTHERS[both][None])
    assert masked.equals(flat)
    lazy = [
        xr.DataArray(da.from_array(pixels, chunks=4), dims=("y", "x"), coords={"valid": (("y", "x"), valid)})
        for pixels, valid in ((LABELS, ours), (OTHERS, theirs))
    ]
    assert relation(name)(*lazy).compute(scheduler="sync").equals(masked)


@pytest.mark.parametrize("name", RELATIONS)
def test_what_is_no_pair_of_label_images_is_refused(name):
    run = relation(name)
    for bad in (LABELS > 0, LABELS.astype(float)):
        with pytest.raises(ImageError, match="must be integers"):
            run(LABELS, bad)
        with pytest.raises(ImageError, match="must be integers"):
            run(bad, OTHERS)
    with pytest.raises(ImageError, match="shape of the labels"):
        run(LABELS, OTHERS[:-1])
    with pytest.raises(ImageError, match="got -1"):
        run(np.where(LABELS > 0, LABELS, -1), OTHERS)
    with pytest.raises(ImageError, match="2\\*\\*63"):
        run(np.full((2, 2), 2**63, "uint64"), np.ones((2, 2), int))


def test_labels_beyond_int64_under_a_mask_are_nobodys():
    labels = np.ma.MaskedArray(np.array([[2**64 - 1, 5]], "uint64"), [[True, False]])
    assert measure.contingency_table(labels, reference=np.array([[1, 1]])).to_numpy().tolist() == [[5, 1, 1]]


def test_perfect_and_hopeless_matches():
    labels = np.repeat(np.arange(5), 4).reshape(2, 10)
    perfect = measure.matching_scores(labels, reference=labels * 7)
    for name in ("precision", "recall", "f1", "average_precision", "mean_iou", "panoptic_quality"):
        assert (perfect[name] == 1).all()
    hopeless = measure.matching_scores(labels, reference=np.zeros_like(labels))
    assert (hopeless["false_positives"] == 4).all()
    assert (hopeless[["precision", "recall", "f1", "mean_iou"]] == 0).to_numpy().all()


def test_two_halves_of_one_object_match_once():
    scores = measure.matching_scores(np.array([[1, 1, 2, 2]]), reference=np.array([[9, 9, 9, 9]]), thresholds=[0.5])
    assert scores[["true_positives", "false_positives", "false_negatives"]].to_numpy().tolist() == [[1, 1, 0]]


def test_as_many_objects_match_as_can_be():
    # The best pair alone would leave two objects without a partner.
    labels = np.array([[1] * 10 + [1] * 9 + [2] * 9])
    reference = np.array([[5] * 10 + [6] * 9 + [5] * 9])
    assert measure.matching_scores(labels, reference=reference, thresholds=[0.3])["true_positives"].item() == 2


@pytest.mark.parametrize("threshold", [0, 1.1, -1])
def test_thresholds_are_of_an_overlap(threshold):
    with pytest.raises(ParameterError, match="thresholds"):
        measure.matching_scores(LABELS, reference=OTHERS, thresholds=[threshold])


def test_squares_beyond_64_bits_are_exact():
    counts = np.array([2**40, 2**33, 5])
    assert sum_of_squares(counts) == 2**80 + 2**66 + 25


def test_the_adapted_precision_of_one_segment_for_all_is_low():
    """The reason for leaving scikit-image's order."""
    reference = np.arange(1, 17).reshape(4, 4) // 2
    scores = measure.rand_scores(np.ones((4, 4), int), reference=reference)
    assert scores["adapted_rand_precision"].item() < 0.1
    assert scores["adapted_rand_recall"].item() == 1
    assert adapted_rand_error(reference, np.ones((4, 4), int), ignore_labels=())[1] == 1


def test_a_tie_goes_to_the_smallest_parent():
    labels = np.array([[1, 1, 1, 1, 2, 0]])
    parents = np.array([[8, 8, 3, 3, 0, 4]])
    assert measure.relate_objects(labels, parents=parents)["parent"].tolist() == [3, 0]
    assert measure.count_children(labels, parents=parents)["children"].tolist() == [1, 0, 0]


def test_new_numbers_that_do_not_fit_are_refused():
    labels = np.arange(200, dtype="uint8").reshape(10, 20)
    assert segmentation.relabel_sequential(labels, offset=57).max() == 255
    assert segmentation.relabel_sequential(labels[labels > 56].reshape(1, -1), offset=112).max() == 254
    with pytest.raises(ImageError, match="wider dtype"):
        segmentation.relabel_sequential(labels, offset=58)


def test_tasks_of_numbering_are_constant_a_tile():
    tasks = []
    for size in (16, 64):
        numbered = segmentation.relabel_sequential(da.zeros((size, size), chunks=2, dtype=int))
        tasks.append(len(dict(numbered.dask)) / (size / 2) ** 2)
    assert tasks[1] < tasks[0] + 0.5


@pytest.mark.parametrize("tile", [(1, 1), (3, 5), (7, 2)])
def test_huge_labels_are_numbered_across_tiles(tile):
    lazy = segmentation.relabel_sequential(da.from_array(LABELS, chunks=tile))
    assert_array_equal(lazy.compute(scheduler="sync"), np.unique(LABELS, return_inverse=True)[1].reshape(LABELS.shape))


def test_outer_boundaries_with_another_background():
    labels = np.array([[5, 5, 1, 1, 0, 5]])
    assert segmentation.find_boundaries(labels, mode="outer", background=5).tolist() == [[0, 1, 0, 1, 1, 1]]


def test_connected_labels_at_the_border_go_as_in_scikit_image():
    labels = label(np.random.default_rng(2).random((60, 50)) < 0.4, connectivity=1)
    assert_array_equal(segmentation.clear_border(labels), clear_border(labels))


@pytest.mark.parametrize("tile", [(1, 1), (3, 5), (7, 2), None])
def test_labels_beside_invalid_pixels_are_at_the_border(tile):
    labels = np.zeros((9, 12), "uint16")
    labels[2:4, 2:4], labels[2:4, 7:9], labels[6:8, 2:4], labels[6:8, 7:9] = 5, 6, 7, 8
    valid = np.ones(labels.shape, bool)
    valid[4, 4] = False  # across a corner from 5 and beside no other
    valid[7, 7] = False  # within 8
    image = xr.DataArray(labels, dims=("y", "x"), coords={"valid": (("y", "x"), valid)})

    cleared = segmentation.clear_border(image if tile is None else image.chunk(dict(zip("yx", tile))))

    assert np.unique(cleared).tolist() == [0, 6, 7]
    sizes = segmentation.filter_sizes(image if tile is None else image.chunk(dict(zip("yx", tile))), min_size=4)
    assert np.unique(sizes).tolist() == [0, 5, 6, 7]


def test_planes_of_a_stack_are_cleared_one_by_one():
    labels = np.zeros((2, 5, 5), int)
    labels[0, 1:3, 1:3] = labels[1, 0, 0] = 4
    assert segmentation.clear_border(labels)[0].any()
    assert not segmentation.clear_border(labels)[1].any()
    assert not segmentation.clear_border(labels, dims="zyx").any()
    assert segmentation.filter_sizes(labels, min_size=2)[1].any() == np.False_
    assert segmentation.filter_sizes(labels, min_size=5, dims="zyx")[1, 0, 0] == 4


def test_limits_of_size_that_nothing_meets_are_refused():
    with pytest.raises(
        ParameterError, match=r"segmentation.filter_sizes: max_size must be at least min_size \(got 2 < 3\)"
    ):
        segmentation.filter_sizes(LABELS, min_size=3, max_size=2)
    with pytest.raises(ImageError, match="must be integers"):
        segmentation.clear_border(LABELS / 2)
