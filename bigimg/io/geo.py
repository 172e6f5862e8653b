"""Where on the Earth the pixels of a scene lie, as attributes of an image and as attributes of a Zarr store.

An image that knows its place has two attributes: ``crs``, such as ``"EPSG:32621"`` (or WKT where no authority has a
number for it), and ``transform``, the affine map ``a, b, c, d, e, f`` as rasterio and STAC write it:
``x = a * column + b * row + c`` and ``y = d * column + e * row + f`` of the *corner* of a pixel. Stores carry both in
the two ways there are: as CF's grid mapping ``spatial_ref`` (GDAL, xarray and rioxarray read it), and as the Zarr
conventions ``proj:`` and ``spatial:`` (https://github.com/zarr-conventions). The coordinates ``y`` and ``x`` are those
of the *centres* of pixels.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError

Affine = tuple[float, float, float, float, float, float]

GRID_MAPPING = "spatial_ref"
"""The variable that describes the coordinate reference system, as rioxarray and odc-geo call it."""

_CONVENTIONS = "https://raw.githubusercontent.com/zarr-conventions"
_SPECIFICATIONS = "https://github.com/zarr-conventions"
_VERSION = "v0.1"
CONVENTIONS = tuple(
    {
        "name": name,
        "uuid": uuid,
        "schema_url": f"{_CONVENTIONS}/{name}/refs/tags/{_VERSION}/schema.json",
        "spec_url": f"{_SPECIFICATIONS}/{name}/blob/{_VERSION}/README.md",
        "description": description,
    }
    for name, uuid, description in (
        (
            "proj",
            "f17cb550-5864-4468-aeb7-f3180cfb622f",
            "Coordinate reference system information for geospatial data",
        ),
        ("spatial", "689b58e2-cf7b-45e0-9fff-9cfc0883d6b4", "Spatial coordinate information"),
    )
)


def affine(values: Sequence[float], where: str) -> Affine:
    """Return six numbers as a transform; nine are a whole matrix, as STAC may write it.

    Raises
    ------
    ImageError
        If they map pixels to no area.
    """
    numbers = tuple(float(value) for value in values)
    if len(numbers) == 9 and numbers[6:] == (0.0, 0.0, 1.0):
        numbers = numbers[:6]
    if len(numbers) != 6 or not np.isfinite(numbers).all() or numbers[0] * numbers[4] == numbers[1] * numbers[3]:
        raise ImageError(f"{where} has no affine map of its pixels: {numbers}; give it one with gdal_translate -a_ullr")
    a, b, c, d, e, f = numbers
    return a, b, c, d, e, f


def is_upright(transform: Affine) -> bool:
    """Whether rows and columns run along the axes of the map."""
    return transform[1] == 0 and transform[3] == 0


def centres(transform: Affine, rows: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates y of the centres of rows and x of those of columns, of a map that is not turned.

    Examples
    --------
    >>> centres((30.0, 0.0, 600.0, 0.0, -30.0, 90.0), 2, 3)
    (array([75., 45.]), array([615., 645., 675.]))
    """
    a, _, c, _, e, f = transform
    y, x = f + e * (np.arange(rows) + 0.5), c + a * (np.arange(columns) + 0.5)
    return y.astype(np.float64), x.astype(np.float64)


def bounds(transform: Affine, rows: int, columns: int) -> tuple[float, float, float, float]:
    """Return the smallest x and y and the largest x and y of the corners of an image.

    Examples
    --------
    >>> bounds((30.0, 0.0, 600.0, 0.0, -30.0, 90.0), 2, 3)
    (600.0, 30.0, 690.0, 90.0)
    """
    a, b, c, d, e, f = transform
    x = [a * column + b * row + c for row in (0, rows) for column in (0, columns)]
    y = [d * column + e * row + f for row in (0, rows) for column in (0, columns)]
    return min(x), min(y), max(x), max(y)


def pixel_size(crs: str | None, transform: Affine | None) -> dict[str, dict[str, Any]]:
    """Return ``scale`` and ``units`` of pixels whose map is upright and measured in metres; else nothing.

    Degrees are no length: a pixel of a map in longitude and latitude has another size in every row.
    """
    if crs is None or transform is None or not is_upright(transform) or not is_metric(crs):
        return {}
    return {"scale": {"y": abs(transform[4]), "x": abs(transform[0])}, "units": {"y": "meter", "x": "meter"}}


def is_metric(crs: str) -> bool:
    """Whether coordinates of ``crs`` are metres on a plane; False where that is not known."""
    try:
        from pyproj import CRS  # noqa: PLC0415 - an extra
        from pyproj.exceptions import CRSError  # noqa: PLC0415
    except ImportError:
        # Universal Transverse Mercator and the Web's Mercator need no data base.
        return crs.startswith(("EPSG:326", "EPSG:327", "EPSG:3857"))
    try:
        found = CRS.from_user_input(crs)
    except CRSError:
        return False
    return bool(found.is_projected) and {axis.unit_name for axis in found.axis_info[:2]} == {"metre"}


def well_known_text(crs: str) -> str:
    """Return ``crs`` as WKT, or as it is where pyproj is not installed or does not know it."""
    try:
        from pyproj import CRS  # noqa: PLC0415 - an extra
        from pyproj.exceptions import CRSError  # noqa: PLC0415
    except ImportError:
        return crs
    try:
        return str(CRS.from_user_input(crs).to_wkt())
    except CRSError:
        return crs


def group_attributes(attrs: Mapping[str, Any], dims: Sequence[str], shape: Sequence[int]) -> dict[str, Any]:
    """Return what the conventions ``proj:`` and ``spatial:`` say of an image; empty where its place is not known."""
    transform, crs = attrs.get("transform"), attrs.get("crs")
    if transform is None:
        return {}
    rows, columns = (shape[list(dims).index(dim)] for dim in "yx")
    code = {} if crs is None else {"proj:code": crs} if _is_code(crs) else {"proj:wkt2": crs}
    return {
        "zarr_conventions": [each for each in CONVENTIONS if code or each["name"] != "proj"],
        **code,
        "spatial:dimensions": ["y", "x"],
        "spatial:transform": list(transform),
        "spatial:bbox": list(bounds(affine(transform, "the image"), rows, columns)),
        "spatial:shape": [rows, columns],
        "spatial:registration": "pixel",
    }


def array_attributes(attrs: Mapping[str, Any], dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return what CF says of the pixels of an image: their grid mapping, the value of no data, scale and offset."""
    said: dict[str, Any] = {"grid_mapping": GRID_MAPPING} if attrs.get("transform") is not None else {}
    nodata = attrs.get("nodata")
    if nodata is not None and np.ndim(nodata) == 0 and said:
        said["_FillValue"] = _stored_fill(nodata, dtype)
    pair = attrs.get("scale_offset")
    if pair is not None and np.ndim(pair) == 1:
        said |= {"scale_factor": float(pair[0]), "add_offset": float(pair[1])}
    return said


def grid_mapping(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of the variable ``spatial_ref``."""
    a, b, c, d, e, f = attrs["transform"]
    crs = attrs.get("crs")
    text = {} if crs is None else dict.fromkeys(("crs_wkt", GRID_MAPPING), well_known_text(crs))
    return {**text, "GeoTransform": " ".join(repr(float(value)) for value in (c, a, b, f, d, e))}


def coordinate_attributes(dim: str, crs: str | None) -> dict[str, Any]:
    """Return what CF says of the coordinate ``dim`` of a map."""
    if crs is not None and is_metric(crs):
        return {"axis": dim.upper(), "standard_name": f"projection_{dim}_coordinate", "units": "m"}
    return {"axis": dim.upper()}


def read_place(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``crs`` and ``transform`` that the attributes of a group say by ``proj:`` and ``spatial:``."""
    found: dict[str, Any] = {}
    crs = next((attributes[key] for key in ("proj:code", "proj:wkt2") if isinstance(attributes.get(key), str)), None)
    if crs is not None:
        found["crs"] = crs
    transform = attributes.get("spatial:transform")
    if isinstance(transform, Sequence) and len(transform) == 6:
        found["transform"] = affine(transform, "the image")
    return found


def place_of(image: Any) -> tuple[str | None, Affine | None]:
    """Return the ``crs`` and ``transform`` of an ``xarray.DataArray``, which may be a part of a scene.

    Its coordinates say where the part begins; attributes stay those of the whole when an image is cut.
    """
    attrs = getattr(image, "attrs", {})
    transform = attrs.get("transform")
    crs = attrs.get("crs")
    if transform is None:
        return crs, None
    known = affine(transform, "the image")
    if not is_upright(known) or not {"y", "x"} <= set(getattr(image, "coords", ())):
        return crs, known
    sides = []
    for dim, size in (("y", known[4]), ("x", known[0])):
        values = np.asarray(image.coords[dim].values, np.float64)
        step = (values[-1] - values[0]) / (len(values) - 1) if len(values) > 1 else size
        sides.append((float(step), float(values[0] - step / 2)))
    (e, f), (a, c) = sides
    return crs, (a, 0.0, c, 0.0, e, f)


def placed_attrs(image: Any) -> dict[str, Any]:
    """Return the attributes of an ``xarray.DataArray``, with the ``transform`` of what it is of the scene."""
    attrs = dict(image.attrs)
    _, transform = place_of(image)
    return attrs if transform is None else {**attrs, "transform": transform}


def grid_mapping_document(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``zarr.json`` of the variable ``spatial_ref``: a scalar without a chunk; its value says nothing."""
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [],
        "data_type": "int64",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": []}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": grid_mapping(attrs),
    }


def _is_code(crs: str) -> bool:
    authority, _, code = crs.partition(":")
    return bool(code) and authority.isalnum() and code.isalnum()


def _stored_fill(nodata: Any, dtype: np.dtype[Any]) -> Any:
    # As xarray writes it: JSON has no NaN.
    if dtype.kind == "f":
        return base64.standard_b64encode(struct.pack("<d", float(nodata))).decode()
    return int(nodata)
