"""Parameters: validated, described and written down from the signature of a function."""

from typing import Annotated, Any, Literal

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
from annotated_types import Ge, Gt, Le

from bigimg.core.footprint import Footprint, disk
from bigimg.core.parameters import Connectivity, Count, Dims, ImageInput, Odd, Parameters, Positive
from bigimg.errors import ParameterError

DISK = disk(1)


def work(
    image: Any,
    other: ImageInput | None = None,
    *,
    sigma: Positive,
    size: Odd = 3,
    part: Annotated[float, Ge(0), Le(1)] = 0.5,
    least: Count = 1,
    connectivity: Connectivity | None = None,
    footprint: Footprint = DISK,
    dims: Dims = "yx",
    words: tuple[Literal["a", "b"], ...] = ("a",),
    valid: Any = None,
) -> Any:
    """Do something."""


PARAMETERS = Parameters(work, "demo.work")


def test_the_image_and_its_mask_are_no_parameters():
    assert list(PARAMETERS) == [
        "other", "sigma", "size", "part", "least", "connectivity", "footprint", "dims", "words",
    ]  # fmt: skip
    assert [name for name, parameter in PARAMETERS.items() if parameter.required] == ["sigma"]
    assert [name for name, parameter in PARAMETERS.items() if parameter.is_image] == ["other"]


def test_values_come_in_their_declared_types():
    bound = PARAMETERS.bind((), {"sigma": 2, "size": np.int64(5), "part": np.float32(0.25), "footprint": {"disk": 2}})
    assert bound["sigma"] == 2.0
    assert type(bound["sigma"]) is float
    assert type(bound["size"]) is int
    assert bound["part"] == 0.25
    np.testing.assert_array_equal(bound["footprint"], disk(2))
    assert bound["dims"] == "yx"
    assert bound["other"] is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sigma": 0}, r"demo\.work: sigma must be greater than 0 \(got 0\)"),
        ({"sigma": -1.5}, "sigma must be greater than 0"),
        ({"sigma": "2"}, r"sigma must be a valid number \(got '2'\)"),
        ({"sigma": None}, "sigma must be a valid number"),
        ({"sigma": [1]}, "sigma must be a valid number"),
        ({"size": 4}, r"size must be odd, so that the window has a centre \(got 4\)"),
        ({"size": 3.5}, "size must be a valid integer"),
        ({"size": True}, "size must be a valid integer"),
        ({"part": 1.5}, "part must be less than or equal to 1"),
        ({"least": 0}, "least must be greater than or equal to 1"),
        ({"connectivity": 4}, "connectivity must be less than or equal to 3"),
        ({"footprint": {"disk": -1}}, "at least 0"),
        ({"dims": "xy"}, "dims must be 'yx' or 'zyx'"),
        ({"words": ("a", "c")}, r"words\[1\] must be 'a' or 'b'"),
    ],
)
def test_what_is_wrong_is_said(given, said):
    with pytest.raises(ParameterError, match=said):
        PARAMETERS.bind((), {"sigma": 1.0, **given})


def test_names_are_checked():
    with pytest.raises(ParameterError, match=r"unknown parameter of demo\.work 'sgima'; did you mean 'sigma'"):
        PARAMETERS.bind((), {"sgima": 1})
    with pytest.raises(ParameterError, match=r"demo\.work needs sigma"):
        PARAMETERS.bind((), {})
    with pytest.raises(ParameterError, match="other was given twice"):
        PARAMETERS.bind((None,), {"other": None, "sigma": 1})
    with pytest.raises(ParameterError, match="at most 9 parameters"):
        PARAMETERS.bind((1,) * 10, {})
    with pytest.raises(ParameterError, match="valid"):
        PARAMETERS.bind((), {"sigma": 1, "valid": None})


def test_a_value_that_is_not_known_yet_is_left_alone():
    later = dask.delayed(int)(3)
    assert PARAMETERS.bind((), {"sigma": later})["sigma"] is later


def test_the_schema_has_types_bounds_and_defaults():
    schema = PARAMETERS.schema()
    assert schema["required"] == ["sigma"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["sigma"] == {"type": "number", "exclusiveMinimum": 0}
    assert properties["part"]["minimum"] == 0
    assert properties["part"]["maximum"] == 1
    assert properties["footprint"]["default"] == {"disk": 1} or properties["footprint"]["default"] == {"cross": 1}
    assert properties["dims"]["enum"] == ["yx", "zyx"]
    assert properties["words"]["default"] == ["a"]


def test_every_default_of_the_catalogue_keeps_its_own_rules():
    from bigimg.run.catalog import operations

    for entry in operations().values():
        for parameter in entry.parameters.values():
            if not parameter.required and not parameter.is_image:
                written = parameter.dump(parameter.default)
                again = parameter.dump(parameter.validate(written, entry.name))
                assert written == again, f"{entry.name}.{parameter.name}"


def test_bounds_of_the_caller_are_kept():
    def own(image: Any, *, index: Annotated[int, Ge(2)], share: Annotated[float, Gt(1)] = 3.0) -> Any: ...

    with pytest.raises(ParameterError, match="index must be greater than or equal to 2"):
        Parameters(own, "own").bind((), {"index": 1})


def test_nan_is_no_number():
    def op(image: Any, *, k: float = 1.0, weights: tuple[float, ...] = ()) -> None: ...

    parameters = Parameters(op, "demo.op")
    for given in ({"k": float("nan")}, {"k": np.float32("nan")}, {"weights": (1.0, float("nan"))}):
        with pytest.raises(ParameterError, match="must be a number, not NaN"):
            parameters.bind((), given)
    with pytest.raises(ParameterError, match="k must be a value"):
        parameters.bind((), {"k": np.ma.masked})


def test_arrays_of_one_number_are_that_number():
    def op(image: Any, *, k: float = 1.0) -> None: ...

    assert Parameters(op, "demo.op").bind((), {"k": xr.DataArray(3.0)}) == {"k": 3.0}
    assert Parameters(op, "demo.op").bind((), {"k": np.array(3)}) == {"k": 3.0}
    with pytest.raises(ParameterError, match="valid number"):
        Parameters(op, "demo.op").bind((), {"k": [1, [2]]})


def test_only_numbers_may_wait_for_their_value():
    def op(image: Any, *, k: float | None = None, names: tuple[str, ...] = ()) -> None: ...

    parameters = Parameters(op, "demo.op")
    later = da.ones(4).sum()
    assert parameters.bind((), {"k": later})["k"] is later
    with pytest.raises(ParameterError, match="k must be one number"):
        parameters.bind((), {"k": da.ones(4)})
    with pytest.raises(ParameterError, match="names must be known before"):
        parameters.bind((), {"names": later})
