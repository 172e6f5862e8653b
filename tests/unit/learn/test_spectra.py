"""Classes of spectra: what k-means gives of all pixels, however the image is cut, and of those that count only."""

from functools import partial

import numpy as np
import pytest
import xarray as xr

from bigimg.errors import ImageError
from bigimg.learn import MiniBatchKMeans, StandardScaler
from bigimg.learn.catalog import spectral_classes
from bigimg.learn.spectra import SampleSpectra
from bigimg.testing import check_op, random_image

RNG = np.random.default_rng(3)


def scene(shape=(40, 60), channels=4, kinds=5, spread=40.0) -> np.ndarray:
    """A scene of some kinds of ground: their spectra, and noise."""
    spectra = np.random.default_rng(4).uniform(200, 4000, (kinds, channels))
    ground = np.repeat(
        np.repeat(np.random.default_rng(5).integers(0, kinds, (shape[0] // 4, shape[1] // 4)), 4, 0), 4, 1
    )
    pixels = spectra[ground] + np.random.default_rng(6).normal(0, spread, (*shape, channels))
    return np.moveaxis(np.clip(pixels, 1, 65535).astype("u2"), -1, 0)


@pytest.mark.parametrize(("dtype", "sample_size"), [("uint16", 256), ("float32", 32768)])
def test_cutting_never_shows(dtype, sample_size):
    image = random_image((5, 33, 29), dtype)
    check_op(partial(spectral_classes, n_classes=4, sample_size=sample_size), image)


def test_it_is_k_means_of_all_pixels_where_the_sample_is_all():
    image = scene()
    rows = StandardScaler().fit_transform(image.reshape(4, -1).T.astype(float))
    found = spectral_classes(image, n_classes=5)
    # The rows are the same in another order, and the starts depend on it: well-separated kinds are found from any.
    wanted = MiniBatchKMeans(5).fit_predict(rows).reshape(image.shape[-2:])
    pairs = {(int(one), int(other)) for one, other in zip(found.ravel(), wanted.ravel())}
    assert len(pairs) == 5


def test_it_is_as_good_as_that_of_scikit_learn():
    from sklearn.cluster import KMeans

    image = scene(spread=900.0)
    rows = StandardScaler().fit_transform(image.reshape(4, -1).T.astype(float))
    found = spectral_classes(image, n_classes=6).ravel()
    ours = sum(((rows[found == each] - rows[found == each].mean(0)) ** 2).sum() for each in np.unique(found))
    assert ours <= 1.01 * KMeans(6, n_init=3, random_state=0).fit(rows).inertia_


def test_first_class_is_the_largest_and_none_is_0():
    found = spectral_classes(scene(), n_classes=5)
    counts = np.bincount(found.ravel())
    assert counts[0] == 0
    assert counts[1:].tolist() == sorted(counts[1:], reverse=True)
    assert found.dtype == np.uint8


def test_pixels_that_do_not_count_take_no_part():
    image = scene()
    valid = np.ones(image.shape[-2:], bool)
    valid[:, :20] = False
    other = np.where(valid, image, 60000).astype("u2")
    results = [
        spectral_classes(xr.DataArray(each, dims=("c", "y", "x"), coords={"valid": (("y", "x"), valid)}), n_classes=5)
        for each in (image, other)
    ]
    np.testing.assert_array_equal(*[result.values for result in results])
    assert not results[0].values[:, :20].any()
    assert results[0].values[:, 20:].all()
    chunked = xr.DataArray(other, dims=("c", "y", "x")).chunk({"c": 1, "y": 13, "x": 17})
    lazy = spectral_classes(chunked.assign_coords(valid=(("y", "x"), valid)), n_classes=5)
    np.testing.assert_array_equal(lazy.values, results[0].values)


def test_pixel_without_one_of_its_channels_has_no_class():
    image = scene()
    valid = np.ones(image.shape, bool)
    valid[2, 3, 4] = False
    found = spectral_classes(xr.DataArray(image, dims=("c", "y", "x"), coords={"valid": (("c", "y", "x"), valid)}))
    assert found.values[3, 4] == 0
    assert (found.values == 0).sum() == 1


def test_few_distinct_spectra_are_as_many_classes():
    image = np.zeros((3, 9, 9), "u1")
    assert np.unique(spectral_classes(image, n_classes=4)).tolist() == [1]
    image[:, 4:] = 9
    assert np.unique(spectral_classes(image, n_classes=4)).tolist() == [1, 2]
    masked = xr.DataArray(image, dims=("c", "y", "x"), coords={"valid": (("y", "x"), np.zeros((9, 9), bool))})
    assert not spectral_classes(masked).values.any()


def test_moments_of_a_series_share_their_classes():
    image = np.stack([scene(), scene()[:, ::-1]])
    found = spectral_classes(xr.DataArray(image, dims=("t", "c", "y", "x")), n_classes=5)
    assert found.dims == ("t", "y", "x")
    np.testing.assert_array_equal(found.values[0], found.values[1, ::-1])
    np.testing.assert_array_equal(found.values, spectral_classes(image, n_classes=5))
    lazy = xr.DataArray(image, dims=("t", "c", "y", "x")).chunk({"t": 1, "c": 2, "y": 11})
    np.testing.assert_array_equal(spectral_classes(lazy, n_classes=5).values, found.values)


def test_sample_is_of_the_size_that_was_asked_for():
    from bigimg.engine.kinds import reduce

    image = scene()
    sample = reduce(SampleSpectra(300, 0), image[0], image)
    assert sample.values.shape == (300, 4)
    assert len(np.unique(sample.keys)) == 300


def test_image_without_channels_is_refused():
    with pytest.raises(ImageError, match="channels"):
        spectral_classes(np.zeros((9, 9)))
