import numpy as np
import pytest
from scipy import stats
from skimage.data import astronaut, camera
from skimage.feature import graycomatrix, graycoprops

from bigimg.errors import ImageError, ParameterError, UnknownNameError
from bigimg.learn.features import (
    KINDS,
    Extent,
    Histogram,
    Moments,
    Texture,
    default_range,
    feature_reductions,
    image_features,
)
from bigimg.testing import check_reduction


def values_of(features, start):
    return np.array([value for name, value in features.items() if name.startswith(start)])


def test_names_and_number():
    features = image_features(astronaut()[::4, ::4], channel_axis=-1)
    assert len(features) == 3 * (32 + 4 + 6)
    assert {"histogram-0-00", "histogram-2-31", "moments-kurtosis-1", "texture-ASM-2"} <= features.keys()
    assert all(isinstance(value, float) for value in features.values())


def test_eight_bits_are_divided_as_the_dtype():
    image = camera()
    features = image_features(image)
    shares = np.histogram(image, 32, (0, 256))[0] / image.size
    assert np.array_equal(values_of(features, "histogram-0"), shares)
    peer = graycomatrix(
        image // 8, [1], [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4], levels=32, symmetric=True, normed=True
    )
    for name in ("contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation"):
        assert features[f"texture-{name}-0"] == pytest.approx(graycoprops(peer, name).mean(), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.uint64, np.float32, np.float64])
def test_moments_are_those_of_scipy(dtype):
    pixels = (np.random.default_rng(0).gamma(2.0, 9.0, (50, 60))).astype(dtype)
    features = image_features(pixels, ["moments"])
    flat = pixels.astype(float).ravel()
    expected = [flat.mean(), flat.std(), stats.skew(flat), stats.kurtosis(flat)]
    assert np.allclose(values_of(features, "moments"), expected, rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.uint32, np.float32, np.float64])
def test_moments_far_from_zero_do_not_cancel(dtype):
    pixels = (np.arange(16).reshape(4, 4) % 5).astype(dtype)
    offset = dtype(2**23)
    near, far = image_features(pixels, ["moments"]), image_features(pixels + offset, ["moments"])
    for name in ("std", "skewness", "kurtosis"):
        assert far[f"moments-{name}-0"] == near[f"moments-{name}-0"]


def test_moments_of_a_flat_image():
    assert list(image_features(np.full((3, 3), 0.1), ["moments"]).values()) == [0.1, 0.0, 0.0, 0.0]


def test_sixteen_bits_and_floats_are_divided_as_their_values():
    image = camera().astype(np.uint16) * 13
    own = image_features(image)
    given = image_features(image, value_range=(0, int(image.max())))
    assert image.min() == 0
    assert own == given
    assert image_features(image, value_range=(0, 65535)) != own
    scaled = image.astype(np.float32)
    shares = np.histogram(scaled, 32)[0] / image.size
    assert np.array_equal(values_of(image_features(scaled), "histogram"), shares)


def test_a_flat_floating_point_image_has_one_bin():
    features = image_features(np.full((4, 4), 0.25))
    assert values_of(features, "histogram").max() == 1.0
    assert features["texture-contrast-0"] == 0.0


def test_masked_pixels_do_not_count():
    image = camera().astype(np.float32)[:100, :100]
    spoilt = image.copy()
    spoilt[:, 70:] = np.nan
    spoilt[:, 90:] = 1e30
    mask = np.zeros(image.shape, bool)
    mask[:, 70:] = True
    assert image_features(np.ma.MaskedArray(spoilt, mask)) == image_features(image[:, :70].copy())


def test_without_a_valid_pixel_features_are_nan():
    for dtype in (np.uint8, np.float32):
        features = image_features(np.ma.MaskedArray(np.ones((3, 3), dtype), mask=True))
        assert np.isnan(list(features.values())).all()


def test_booleans():
    image = camera() > 100
    features = image_features(image)
    assert features["moments-mean-0"] == image.mean()
    assert np.count_nonzero(values_of(features, "histogram")) == 2


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.array([[1.0, np.nan]]), ImageError, "NaN or infinite"),
        (np.zeros((0, 4)), ImageError, "shape \\(0, 4\\)"),
        (np.zeros(4), ImageError, "rows and columns"),
        (np.zeros((2, 2), complex), ImageError, "got complex128"),
        (np.full((2, 2), 1e100), ImageError, "reasonable size"),
    ],
)
def test_images_without_features(image, error, message):
    with pytest.raises(error, match=message):
        image_features(image)


def test_mistakes_are_named():
    with pytest.raises(UnknownNameError, match="unknown kind of feature 'textures'; did you mean 'texture'"):
        image_features(camera(), ["textures"])
    with pytest.raises(ParameterError, match="value_range must be given for uint16"):
        feature_reductions(np.dtype("uint16"))
    with pytest.raises(ParameterError, match="lowest, highest"):
        feature_reductions(np.dtype("uint16"), value_range=(5, 1))
    assert feature_reductions(np.dtype("float32"), ["moments"]) == [Moments()]


def test_reductions_are_values():
    assert feature_reductions(np.dtype("uint8"), KINDS) == [Histogram((0, 255)), Moments(), Texture((0, 255))]
    assert [reduction.halo for reduction in feature_reductions(np.dtype("uint8"), KINDS)] == [0, 0, 1]
    assert default_range(np.dtype("int8")) == (-128, 127)
    assert default_range(np.dtype("float32")) is None
    assert Extent().finish(None) == (0.0, 0.0)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_lazily_and_in_any_order_it_is_the_same(dtype, masked):
    rng = np.random.default_rng(0)
    image = (rng.gamma(3.0, 20.0, (2, 9, 11))).astype(dtype)
    valid = rng.random(image.shape) > 0.3 if masked else None
    for reduction in [Extent(), *feature_reductions(image.dtype, value_range=(10, 90))]:
        check_reduction(reduction, image, valid=valid)
