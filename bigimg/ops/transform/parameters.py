"""Parameters that operations of geometry share."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, WithJsonSchema

from bigimg.errors import ParameterError

Rows = tuple[tuple[float, ...], ...]
"""A matrix, row by row."""


def _as_order(given: object) -> int | None:
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool) and given in {0, 1}:
        return given
    if isinstance(given, int) and not isinstance(given, bool) and given > 1:
        raise ValueError(
            f"must be 0 (the nearest pixel) or 1 (linear) (got {given}): a spline of order 2 or more depends on every "
            "pixel of the image, so it cannot be computed tile by tile; scipy.ndimage has it for images in memory"
        )
    raise ValueError(f"must be 0 (the nearest pixel), 1 (linear), or nothing (got {given!r})")


Order = Annotated[Any, BeforeValidator(_as_order), WithJsonSchema({"enum": [0, 1, None]})]
"""How values between pixels are found: 0, the nearest pixel; 1, linear; None, by the dtype."""


def chosen_order(order: int | None, dtype: np.dtype[Any], owner: str) -> int:
    """Return ``order``, or by default 0 for booleans and 1 for numbers, as scikit-image does.

    Raises
    ------
    ParameterError
        If booleans are to be interpolated.
    """
    if order is None:
        return 0 if dtype.kind == "b" else 1
    if order == 1 and dtype.kind == "b":
        raise ParameterError(
            f"{owner}: there is nothing between true and false, so order must be 0 for a mask (got 1); "
            "for soft edges convert the mask to numbers first"
        )
    return order


def _as_matrix(given: object) -> Rows:
    try:
        matrix = np.asarray(given, float)
    except (TypeError, ValueError):
        raise ValueError(f"must be rows of numbers (got {given!r})") from None
    if matrix.ndim != 2 or matrix.shape not in {(2, 3), (3, 3), (3, 4), (4, 4)}:
        shape = " x ".join(map(str, matrix.shape))
        raise ValueError(f"must have 2 or 3 rows of 3 numbers, for a volume 3 or 4 rows of 4 (got {shape or given!r})")
    if not np.isfinite(matrix).all():
        raise ValueError("must hold finite numbers")
    return tuple(tuple(row) for row in matrix.tolist())


Matrix = Annotated[
    Any,
    BeforeValidator(_as_matrix),
    WithJsonSchema(
        {
            "description": "rows of numbers: 2 x 3 or 3 x 3, for a volume 3 x 4 or 4 x 4",
            "type": "array",
            "items": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 4},
            "minItems": 2,
            "maxItems": 4,
        }
    ),
]
"""An affine map in (row, column) order."""


def matrix_and_offset(rows: Rows, ndim: int, owner: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the linear part and the offset of an affine map along ``ndim`` axes.

    Raises
    ------
    ParameterError
        If it is a map along another number of axes, or has a last row that is no affine map's.
    """
    matrix = np.array(rows)
    wanted = f"{ndim} x {ndim + 1} or {ndim + 1} x {ndim + 1}"
    if matrix.shape not in {(ndim, ndim + 1), (ndim + 1, ndim + 1)}:
        raise ParameterError(
            f"{owner}: matrix must be {wanted} for {'a volume' if ndim == 3 else 'planes'} "
            f"(got {' x '.join(map(str, matrix.shape))})"
        )
    last = [0.0] * ndim + [1.0]
    if len(matrix) > ndim and matrix[-1].tolist() != last:
        raise ParameterError(f"{owner}: the last row of matrix must be {last} (got {matrix[-1].tolist()})")
    return matrix[:ndim, :ndim], matrix[:ndim, ndim]


def checked_shape(output_shape: Any, ndim: int, owner: str) -> tuple[int, ...]:
    """Return ``output_shape``, which must have a size for each of ``ndim`` axes.

    Raises
    ------
    ParameterError
        If it has not.
    """
    if len(output_shape) != ndim:
        raise ParameterError(
            f"{owner}: output_shape needs {ndim} sizes, one for each of the last axes (got {tuple(output_shape)})"
        )
    return tuple(output_shape)
