"""What the Climate and Forecast conventions say of a dataset: its axes, what is missing, times, its place on the Earth.

https://cfconventions.org; of HDF5 datasets as NetCDF 4 stores them, whose axes are named by dimension scales.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError
from bigimg.io import geo

_NAMES = {
    "x": ("x", "lon", "longitude", "easting", "xc", "ncol", "cols", "columns", "projection_x_coordinate"),
    "y": ("y", "lat", "latitude", "northing", "yc", "nrow", "rows", "projection_y_coordinate"),
    "t": ("t", "time", "date"),
    "z": ("z", "lev", "level", "depth", "height", "plev", "altitude", "pressure"),
    "c": ("c", "band", "bands", "channel", "channels", "wavelength", "spectral"),
}
_LETTERS = {name: letter for letter, names in _NAMES.items() for name in names}
_DIMENSION_ONLY = b"This is a netCDF dimension but not a netCDF variable"
_NON_COORDINATE = "_nc4_non_coord_"
_DEFAULT_FILL = {
    "int8": -127, "uint8": 255, "int16": -32767, "uint16": 65535, "int32": -2147483647, "uint32": 4294967295,
    "int64": -9223372036854775806, "uint64": 18446744073709551614,
}  # fmt: skip
"""NetCDF's own values for what is missing, by dtype."""
_CALENDARS = (None, "standard", "gregorian", "proleptic_gregorian")
_METRES = {"m": 1.0, "metre": 1.0, "meter": 1.0, "metres": 1.0, "meters": 1.0, "km": 1000.0}
_DEGREES = ("degrees_north", "degree_north", "degrees_east", "degree_east", "degrees", "degree")
_EVEN = 1e-3
"""Of a step: coordinates that differ more from even ones are not those of a grid."""


@dataclass(frozen=True)
class Missing:
    """Which stored values are none."""

    stored: np.dtype[Any]
    dtype: np.dtype[Any]
    """Of the pixels: NetCDF 3 had no unsigned integers, and an attribute says which are."""
    fill: Any = None
    """The value that all of them become; None where nothing is missing."""
    others: tuple[Any, ...] = ()
    low: Any = None
    high: Any = None

    @classmethod
    def of(cls, said: Mapping[str, Any], stored: np.dtype[Any]) -> Missing:
        """Return what the attributes of a variable say."""
        dtype = np.dtype(stored).newbyteorder("=")
        if dtype.kind == "i" and str(said.get("_Unsigned", "")).lower() == "true":
            dtype = np.dtype(f"u{dtype.itemsize}")
        is_signed = np.dtype(stored).kind == "i"
        given = [value for key in ("_FillValue", "missing_value") for value in _values(said.get(key), dtype, is_signed)]
        bounds = _values(said.get("valid_range"), dtype, is_signed)
        low = (_values(said.get("valid_min"), dtype, is_signed) or bounds[:1] or [None])[0]
        high = (_values(said.get("valid_max"), dtype, is_signed) or bounds[1:2] or [None])[0]
        if not given and low is None and high is None:
            return cls(stored, dtype)
        default = float("nan") if dtype.kind == "f" else _DEFAULT_FILL.get(dtype.name, 0)
        fill = given[0] if given else np.asarray(default, dtype)[()]
        return cls(stored, dtype, fill, tuple(given[1:]), low, high)

    def attributes(self) -> dict[str, Any]:
        """Return ``nodata``, where something is missing."""
        return {} if self.fill is None else {"nodata": self.fill.item() if hasattr(self.fill, "item") else self.fill}

    def marked(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return pixels in the byte order of the machine, all that are missing with the one value."""
        native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        found = native.view(self.dtype) if native.dtype != self.dtype else native
        if self.fill is None or (not self.others and self.low is None and self.high is None):
            return found
        none = np.zeros(found.shape, bool)
        with np.errstate(invalid="ignore"):
            for value in self.others:
                none |= found == value
            if self.low is not None:
                none |= found < self.low
            if self.high is not None:
                none |= found > self.high
        found[none] = self.fill
        return found


def attributes(stored: Any) -> dict[str, Any]:
    """Return the attributes of a dataset that are text or numbers."""
    found: dict[str, Any] = {}
    for key in stored.attrs:
        try:
            value = stored.attrs[key]
        except (OSError, TypeError, ValueError):
            continue  # of a type that h5py does not know
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, np.ndarray) and value.dtype.kind == "S":
            value = value.astype(str)
        found[str(key)] = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
    return found


def dim_names(stored: Any) -> list[str | None]:
    """Return the names of the axes of a dataset, None where an axis has none."""
    names: list[str | None] = []
    for axis in stored.dims:
        scale = axis[0].name.rpartition("/")[2].removeprefix(_NON_COORDINATE) if len(axis) else axis.label
        names.append(scale or None)
    return names


def letters(stored: Any) -> list[str]:
    """Return which of ``t, c, z, y, x`` each axis is by its name or its coordinate; empty where neither says so."""
    found = []
    for axis, name in zip(stored.dims, dim_names(stored)):
        said = attributes(axis[0]) if len(axis) else {}
        known = str(said.get("axis", "")).lower()
        if known not in ("t", "z", "y", "x"):
            known = _LETTERS.get(str(said.get("standard_name", "")).lower(), _LETTERS.get(str(name).lower(), ""))
        found.append(known)
    # Two axes of one kind, such as a time and a date: the first is it.
    return [letter if letter not in found[:place] else "" for place, letter in enumerate(found)]


def beside(file: Any, datasets: Mapping[str, Any]) -> set[str]:
    """Return the paths of datasets that say something of others: coordinates, their bounds, grid mappings."""
    found = set()
    for path, stored in datasets.items():
        group = path.rpartition("/")[0]
        said = attributes(stored)
        words = [str(said.get(key, "")) for key in ("coordinates", "bounds", "climatology", "grid_mapping")]
        for name in " ".join(words).replace(":", " ").split():
            target = _lookup(file, group, name)
            if target is not None:
                found.add(target.name)
    return found


def image_attributes(file: Any, stored: Any, axes: Sequence[str], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of the image of a dataset: scale and offset of values, times, place on the Earth."""
    found: dict[str, Any] = {}
    pair = [_number(said.get(key), default) for key, default in (("scale_factor", 1.0), ("add_offset", 0.0))]
    if pair != [1.0, 0.0]:
        found["scale_offset"] = tuple(pair)
    coordinates = {letter: _coordinate(stored, axes.index(letter)) for letter in axes}
    found |= _times(file, stored, coordinates.get("t"), said)
    found |= _place(file, stored, coordinates["y"], coordinates["x"], said)
    bands = coordinates.get("c")
    if bands is not None and bands.ndim == 1 and bands.size == stored.shape[axes.index("c")]:
        found["channel_names"] = tuple(_name(value) for value in bands[...])
    return found


def _coordinate(stored: Any, axis: int) -> Any:
    """Return the coordinate variable of an axis; None where its scale is but a dimension."""
    scales = stored.dims[axis]
    if not len(scales):
        return None
    scale = scales[0]
    name = scale.attrs.get("NAME", b"")
    name = name if isinstance(name, bytes) else str(name).encode()
    return None if name.startswith(_DIMENSION_ONLY) or scale.ndim != 1 else scale


def _times(file: Any, stored: Any, coordinate: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    if coordinate is None:
        names = str(said.get("coordinates", "")).split()
        scalar = next((each for name in names if (each := _lookup(file, stored.parent.name, name)) is not None
                       and each.ndim == 0 and " since " in str(attributes(each).get("units", ""))), None)  # fmt: skip
        moments = None if scalar is None else _moments(scalar)
        return {} if not moments else {"acquisition": {"time": moments[0]}}
    known = attributes(coordinate)
    if " since " not in str(known.get("units", "")):
        return {}
    calendar = known.get("calendar")
    if calendar not in _CALENDARS:
        # Days that no clock has; what they are called is all that can be kept.
        return {"calendar": str(calendar)}
    moments = _moments(coordinate)
    return {} if not moments else {"times": tuple(moments), "acquisition": {"time": moments[0]}}


def _moments(coordinate: Any) -> list[str] | None:
    """Return the times of a coordinate in ISO 8601, as xarray decodes them; None outside of the years that it can."""
    import xarray as xr  # noqa: PLC0415 - takes a while

    said = {key: value for key, value in attributes(coordinate).items() if key in ("units", "calendar")}
    values = np.atleast_1d(coordinate[...])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of dates before 1678, which are left out below
        try:
            decoded = xr.decode_cf(xr.Dataset({"moment": ("t", values, said)}))["moment"].values
        except (ImportError, ValueError, OverflowError):
            return None
    if decoded.dtype.kind != "M" or np.isnat(decoded).any():
        return None
    years = decoded.astype("datetime64[Y]").astype(int) + 1970
    if years.min() <= 1677 or years.max() >= 2262:
        return None
    return [str(each).removesuffix(".000000000") for each in decoded.astype("datetime64[ns]")]


def _place(file: Any, stored: Any, y: Any, x: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    named = str(said.get("grid_mapping", "")).partition(":")[0].split()
    # Where a variable does not name its grid mapping, programs look for one of these names.
    found_by_name = (_lookup(file, stored.parent.name, name) for name in (named or ("spatial_ref", "crs")))
    mapping = next((each for each in found_by_name if each is not None), None)
    about = {} if mapping is None else attributes(mapping)
    crs = _crs(about)
    found: dict[str, Any] = {"crs": crs} if crs else {}
    transform = _geo_transform(about) or _even(y, x)
    if transform is not None:
        found["transform"] = transform
    return {**found, **geo.pixel_size(crs, transform)}


def _crs(about: Mapping[str, Any]) -> str | None:
    text = next((str(about[key]) for key in ("crs_wkt", "spatial_ref") if about.get(key)), None)
    try:
        from pyproj import CRS  # noqa: PLC0415 - an extra
        from pyproj.exceptions import CRSError  # noqa: PLC0415
    except ImportError:
        return text
    try:
        if text is None and "grid_mapping_name" not in about:
            return None
        known = CRS.from_user_input(text) if text is not None else CRS.from_cf(dict(about))
    except (CRSError, KeyError, ValueError):
        return text
    authority = known.to_authority(min_confidence=100)
    return ":".join(authority) if authority else str(text or known.to_wkt())


def _geo_transform(about: Mapping[str, Any]) -> geo.Affine | None:
    numbers = str(about.get("GeoTransform", "")).split()
    try:
        c, a, b, f, d, e = (float(number) for number in numbers)
        return geo.affine((a, b, c, d, e, f), "GeoTransform")
    except (ValueError, ImageError):
        return None


def _even(y: Any, x: Any) -> geo.Affine | None:
    """Return the affine map of the coordinates of the centres of pixels, where they are even."""
    down, along = _steps(y), _steps(x)
    if down is None or along is None:
        return None
    return along[0], 0.0, along[1], 0.0, down[0], down[1]


def _steps(coordinate: Any) -> tuple[float, float] | None:
    """Return the step of a coordinate, and where its first pixel begins; None where its steps are not even."""
    if coordinate is None or coordinate.shape[0] < 2 or coordinate.dtype.kind not in "iuf":
        return None
    units = str(attributes(coordinate).get("units", "m"))
    factor = 1.0 if units in _DEGREES else _METRES.get(units)
    if factor is None:
        return None
    values = np.asarray(coordinate[...], np.float64) * factor
    step = (values[-1] - values[0]) / (len(values) - 1)
    if not np.isfinite(step) or step == 0 or np.abs(np.diff(values) - step).max() > _EVEN * abs(step):
        return None
    return float(step), float(values[0] - step / 2)


def _lookup(file: Any, group: str, name: str) -> Any:
    """Return a dataset by its name, in a group or in those around it."""
    while True:
        path = f"{group.rstrip('/')}/{name}"
        found = file.get(path) or file.get(f"{group.rstrip('/')}/{_NON_COORDINATE}{name}")
        if found is not None and hasattr(found, "dtype"):
            return found
        if not group.strip("/"):
            return None
        group = group.rstrip("/").rpartition("/")[0]


def _values(given: Any, dtype: np.dtype[Any], is_signed: bool) -> list[Any]:
    """Return the numbers of an attribute as the pixels have them; those that no pixel can have are left out.

    Those of unsigned pixels that are stored with a sign may have one too.
    """
    if given is None or isinstance(given, str):
        return []
    found = []
    for number in np.atleast_1d(np.asarray(given)):
        if number.dtype.kind not in "biuf":
            continue
        if dtype.kind not in "iu":
            found.append(number.astype(dtype))
            continue
        if not (np.isfinite(number) and float(number).is_integer()):
            continue
        info = np.iinfo(dtype)
        whole = int(number) + (1 << 8 * dtype.itemsize if is_signed and dtype.kind == "u" and number < 0 else 0)
        if info.min <= whole <= info.max:
            found.append(np.asarray(whole, dtype)[()])
    return found


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, (int, float, np.generic)) else default


def _name(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)
