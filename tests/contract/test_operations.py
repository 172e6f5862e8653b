"""Every operation, by existing: the same answer however the image is cut, lazily, masked, and documented."""

from __future__ import annotations

import inspect
import pickle
from functools import partial
from itertools import pairwise

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi
import xarray as xr
from skimage import measure as skmeasure

from bigimg.core.operation import Pixels
from bigimg.engine.faces import tilewise
from bigimg.errors import ImageError, ParameterError
from bigimg.ops.catalog import operations
from bigimg.testing import check_op, example_parameters, random_image

ALL = operations()
OPERATIONS = {name: operation for name, operation in ALL.items() if operation.takes != "table"}
DTYPES = ["bool", "uint8", "uint16", "int16", "int32", "float32", "float64"]
NOT_NEGATIVE = ("exposure.adjust_",)
"""Operations that refuse negative grey values."""
VOLUME_PARAMETERS = {
    "output_shape": (3, 12, 5),
    "matrix": [[0.9, 0.1, 0, 0.3], [0, 0, 1, 1], [0, 1.1, 0, -0.5]],
    "weights": [[[0, 1, 2, 0]], [[1, -1, 0, 3]]],
}
"""Parameters that have a value for each axis."""
CHANNELS = {name: 3 for name in OPERATIONS if name.startswith("color.")} | {
    "color.cmyk2rgb": 4,
    "color.rgba2rgb": 4,
    "color.nuclear_stain": 0,
    "color.to_gray": 0,
    "threshold.color_range": 3,
    "transform.project": 3,
    "transform.temporal_median": 3,
    "exposure.illumination": 3,
    "track.overlaps": 3,
}
"""How many channels, or frames, an operation takes beside the plane."""
DIMS = dict.fromkeys(("exposure.illumination", "track.overlaps", "transform.temporal_median"), ("t", "y", "x"))
"""What the axes of an image are called where the axis before the plane is not that of channels."""

TWO_PEAKS = ("threshold.minimum",)
"""Operations that refuse images whose histogram has not two peaks."""


def example_image(operation, dtype, shape=(20, 17), seed=0):
    """Return an image of the kind the operation takes."""
    if operation.takes == "mask":
        return random_image(shape, "bool", seed)
    if operation.takes == "labels":
        lead = (CHANNELS[operation.name],) if operation.name in CHANNELS else ()
        return skmeasure.label(random_image((*lead, *shape), "bool", seed)).astype("uint32")
    if operation.name.startswith(TWO_PEAKS):
        return random_image(shape, "bool", seed).astype(dtype)
    count = CHANNELS.get(operation.name, 0)
    image = random_image((count, *shape) if count else shape, dtype, seed)
    return np.maximum(image, 0) if operation.name.startswith(NOT_NEGATIVE) else image


def bound(operation, **more):
    params = {**example_parameters(operation.parameters), **more}
    further = [name for name in params if operation.parameters[name].is_image and name not in more]
    return partial(_with_itself, operation, further, params) if further else partial(operation, **params)


def _with_itself(operation, further, params, image):
    """Give an operation that takes further images the same one again, and as markers the numbers of some pixels."""
    return operation(image, **{**params, **{key: _markers(image) if key == "markers" else image for key in further}})


def _markers(image):
    if not hasattr(image, "shape"):
        return image
    shape = tuple(image.sizes[dim] for dim in "zyx" if dim in image.dims) if hasattr(image, "dims") else image.shape
    numbers = np.arange(np.prod(shape), dtype="int32").reshape(shape)
    return np.where(numbers % 7 == 0, numbers + 1, 0)


def takes(operation, dtype):
    kinds = operation.spec.accepts if operation.kind == "tilewise" else "biuf"
    if operation.takes in {"mask", "labels"}:
        return dtype == "bool"
    return np.dtype(dtype).kind in kinds


CASES = [(name, dtype) for name, operation in OPERATIONS.items() for dtype in DTYPES if takes(operation, dtype)]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_cutting_never_shows(name, dtype):
    operation = OPERATIONS[name]
    check_op(bound(operation), example_image(operation, dtype), dims=DIMS.get(name))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (8, 1), (3, 3)])
def test_images_smaller_than_a_window(name, shape):
    operation = OPERATIONS[name]
    check_op(bound(operation), example_image(operation, "uint8", shape), dims=DIMS.get(name))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("value", [0, 1])
def test_constant_images(name, value):
    operation = OPERATIONS[name]
    image = example_image(operation, "uint8", (9, 8))
    check_op(bound(operation), np.full_like(image, value), dims=DIMS.get(name))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("hidden", ["pixel", "collar", "scattered", "all", "none"])
def test_invalid_pixels_take_no_part(name, hidden):
    operation = OPERATIONS[name]
    image = example_image(operation, "uint8")
    valid = np.ones(image.shape[-2:], bool)
    if hidden == "pixel":
        valid[7, 8] = False
    elif hidden == "collar":
        valid[:, :5] = valid[15:] = False
    elif hidden == "scattered":
        valid = np.random.default_rng(1).random(valid.shape) < 0.7
    elif hidden == "all":
        valid[:] = False
    check_op(bound(operation), image, valid=np.broadcast_to(valid, image.shape), dims=DIMS.get(name))


@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if "dims" in op.parameters])
def test_volumes(name):
    operation = OPERATIONS[name]
    image = example_image(operation, "uint8", (4, 9, 7))
    if operation.takes == "labels":
        image = skmeasure.label(random_image((4, 9, 7), "bool"))
    if operation.takes == "mask":
        image = random_image((4, 9, 7), "bool")
    # a size fits both planes and volumes
    more = {"footprint": {"ball": 1}} if {"size", "footprint"} & set(operation.parameters) == {"footprint"} else {}
    more |= {key: value for key, value in VOLUME_PARAMETERS.items() if key in operation.parameters}
    check_op(bound(operation, dims="zyx", **more), image, dims=("z", "y", "x"))


@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if op.gives not in {"table", "value"}])
def test_what_goes_in_comes_out(name):
    operation = OPERATIONS[name]
    image = example_image(operation, "uint8")
    run = bound(operation)
    dims = DIMS.get(name, ("c", "y", "x")[-image.ndim :])
    labelled = xr.DataArray(image, dims=dims, name="cells", attrs={"unit": "micrometer"}, coords={"y": np.arange(20.0)})
    assert isinstance(run(image), np.ndarray)
    assert isinstance(run(np.ma.MaskedArray(image)), np.ma.MaskedArray)
    assert isinstance(run(da.from_array(image)), da.Array)
    for given in (labelled, labelled.chunk(y=7)):
        result = run(given)
        assert isinstance(result, xr.DataArray)
        kept = {key: value for key, value in result.attrs.items() if key != "channel_names"}
        assert (result.name, kept, result.dims[-2:]) == ("cells", {"unit": "micrometer"}, ("y", "x"))
        assert (result.chunks is None) == (given.chunks is None)
        if not name.startswith("transform."):
            np.testing.assert_array_equal(result.y, given.y)
        np.testing.assert_array_equal(result.values, run(image))
    turned = labelled.transpose(*reversed(dims))
    np.testing.assert_array_equal(run(turned).transpose(..., "y", "x").values, run(image))


@pytest.mark.parametrize("name", ALL)
def test_the_page_of_documentation(name):
    operation = ALL[name]
    assert operation.summary.endswith("."), "one line that says what it does"
    for section in ("Parameters\n---", "Returns\n---", "Examples\n---"):
        assert section in operation.doc, f"the page of {name} lacks {section.split()[0]}"
    described = operation.doc.split("Returns\n---")[0]
    for parameter in operation.parameters:
        assert parameter in described, f"{name} does not describe {parameter}"
    schema = operation.parameters.schema()
    assert set(schema["properties"]) == set(operation.parameters)
    assert "valid" not in inspect.signature(operation).parameters
    assert pickle.loads(pickle.dumps(operation)) is operation


@pytest.mark.parametrize("name", ALL)
def test_parameters_survive_a_workflow_file(name):
    parameters = ALL[name].parameters
    for key, value in parameters.bind((), example_parameters(parameters)).items():
        if not parameters[key].is_image and not parameters[key].is_table:
            again = parameters[key].validate(parameters[key].dump(value), name)
            np.testing.assert_array_equal(again, value)


@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if op.takes == "image"])
def test_bad_images_are_refused(name):
    run = bound(OPERATIONS[name])
    for bad in (np.zeros((3, 4), complex), np.zeros((3, 4), object), np.zeros((0, 4)), np.zeros(4), [[1, 2]], "image"):
        with pytest.raises(ImageError):
            run(bad)
    if not takes(OPERATIONS[name], "float32"):
        return
    count = CHANNELS.get(name, 0) or (3 if name.startswith("color.") else 0)
    shape = (count, 6, 7) if count else (6, 7)
    holed = np.zeros(shape, "float32")
    holed[..., 2, 3] = np.nan
    with pytest.raises(ImageError, match="NaN"):
        run(holed)
    lazy = run(da.from_array(holed, chunks=4))
    with pytest.raises(ImageError, match="NaN"):
        lazy.compute(scheduler="sync")


@pytest.mark.parametrize("name", OPERATIONS)
def test_errors_begin_with_the_name_of_the_operation(name):
    run = bound(OPERATIONS[name])
    arrays = [np.zeros((3, 4), complex), np.zeros((3, 4), object), np.zeros((0, 4)), np.zeros(4), np.zeros((3, 3, 0))]
    arrays += [array.astype(kind) for array in arrays[2:] for kind in ("bool", "uint16")]
    lazy = [da.from_array(array) for array in arrays if array.dtype != object]
    labelled = [xr.DataArray(array, dims=("c", "y", "x")[-array.ndim :]) for array in arrays]
    for bad in (*arrays, *lazy, *labelled, [[1, 2]], "image", None):
        with pytest.raises((ImageError, ParameterError), match=rf"^{name}[: ]") as caught:
            run(bad)
        assert str(caught.value).count(name) == 1


@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if op.kind == "tilewise"])
def test_byte_order_changes_nothing(name):
    operation = OPERATIONS[name]
    image = example_image(operation, "uint16")
    swapped = image.astype(image.dtype.newbyteorder("S"))
    run = bound(operation)
    np.testing.assert_array_equal(run(swapped), run(image))
    np.testing.assert_array_equal(run(da.from_array(swapped, chunks=6)).compute(), run(image))


def test_unknown_parameters_are_named():
    with pytest.raises(ParameterError, match="did you mean 'sigma'"):
        OPERATIONS["filters.gaussian"](np.zeros((3, 3)), sigmma=2)
    with pytest.raises(ParameterError, match="must be greater than 0"):
        OPERATIONS["filters.gaussian"](np.zeros((3, 3)), sigma=-2)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("filters.gaussian", {"sigma": 2.0, "truncate": 1e308}),
        ("filters.gaussian", {"sigma": 2.0, "truncate": float("inf")}),
        ("filters.gabor", {"frequency": 1e-320}),
        ("filters.gabor", {"frequency": 0.1, "theta": float("inf")}),
    ],
)
def test_windows_that_no_tile_could_hold_are_refused(name, params):
    for image in (np.zeros((3, 3)), da.zeros((3, 3))):
        with pytest.raises(ParameterError, match=f"{name}.*window.*choose"):
            OPERATIONS[name](image, **params)


def test_the_public_names():
    assert list(ALL) == sorted(ALL)
    assert len(ALL) > 25
    assert all(first < second for first, second in pairwise(ALL))


@pytest.mark.parametrize("size", [3, 5, 9])
def test_a_halo_one_pixel_too_small_is_caught(size):
    @tilewise(halo=size // 2)
    def right(image: Pixels) -> Pixels:
        return ndi.maximum_filter(image, size)

    @tilewise(halo=size // 2 - 1)
    def wrong(image: Pixels) -> Pixels:
        return ndi.maximum_filter(image, size)

    image = random_image((20, 17), "uint8")
    check_op(right, image)
    with pytest.raises(AssertionError, match="cut into"):
        check_op(wrong, image)


def test_without_an_image_random_ones_are_tried():
    check_op(partial(OPERATIONS["filters.median"], size=3))

    @tilewise(halo=0)
    def wrong(image: Pixels) -> Pixels:
        return ndi.maximum_filter(image, 3)

    with pytest.raises(AssertionError, match="cut into"):
        check_op(wrong)

    @tilewise(accepts="")
    def takes_nothing(image: Pixels) -> Pixels:
        return image

    with pytest.raises(AssertionError, match="every random image was refused"):
        check_op(takes_nothing)


def test_parameters_of_halo_and_dtype_are_called_by_name():
    @tilewise(halo=lambda radius, scale=1: radius * scale, dtype=lambda given, kind: kind)
    def brightest(image: Pixels, *, radius: int = 1, scale: int = 2, kind: str = "float32") -> Pixels:
        return ndi.maximum_filter(image, 2 * radius * scale + 1).astype(kind)

    assert brightest.bind(radius=3).halo == (6, 6)
    assert brightest(da.zeros((9, 9), dtype="uint8")).dtype == np.float32
    check_op(brightest, random_image((20, 17), "uint8"))


def test_an_operation_that_computes_too_early_is_caught():
    def eager(image):
        return image if isinstance(image, np.ndarray) else image.compute()

    with pytest.raises(AssertionError, match="before it was asked for"):
        check_op(eager, random_image((8, 8)))
