"""What a TIFF file says of its image: sizes of pixels with their units, names of channels, when it was taken."""

from __future__ import annotations

from math import isfinite, nan
from typing import Any
from xml.etree import ElementTree as ET

from bigimg.io.readers.tiff_layout import Series

_MICROMETER = ("µm", "μm", "um", "micron", "microns", "\\u00B5m")

UNITS = {
    **dict.fromkeys(_MICROMETER, "micrometer"),
    "Å": "angstrom",
    "nm": "nanometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "inch": "inch",
    "ms": "millisecond",
    "s": "second",
    "sec": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
}
"""Symbols of units and OME-Zarr's names for them; others (``pixel``, ``reference frame``) are no units of length."""

_IN_MICROMETERS = {"nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3, "centimeter": 1e4, "meter": 1e6}


def metadata_of(series: Series, dims: tuple[str, ...], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return what is known of the image: ``scale``, ``units``, ``channel_names``, ``nodata``, ``acquisition``."""
    attrs: dict[str, Any] = {}
    if series.raw["ome"]:
        attrs = _from_ome(series.raw["ome"], series.part)
    elif series.raw["imagej"] is not None:
        attrs = _from_imagej(series.raw["imagej"], series.raw["resolution"])
    elif series.raw["micrometers"] is not None:
        attrs = {
            "scale": dict(zip("yx", series.raw["micrometers"])),
            "units": dict.fromkeys("yx", "micrometer"),
        }
    channels = shape[dims.index("c")] if "c" in dims else 0
    if series.raw["colours"]:
        attrs["channel_names"] = series.raw["colours"]
    if len(attrs.get("channel_names", ())) != channels:
        attrs.pop("channel_names", None)
    if series.raw["date"] and "time" not in attrs.get("acquisition", {}):
        attrs.setdefault("acquisition", {})["time"] = str(series.raw["date"])
    if series.raw["nodata"] is not None:
        attrs["nodata"] = series.raw["nodata"]
    for key in ("scale", "units"):
        attrs[key] = {axis: value for axis, value in attrs.get(key, {}).items() if axis in dims}
    return {key: value for key, value in attrs.items() if value}


def _from_ome(xml: str, part: int) -> dict[str, Any]:
    try:
        images = [image for image in ET.fromstring(xml) if _tag(image) == "Image"]  # noqa: S314 - expat bounds entities
    except ET.ParseError:
        return {}
    if part >= len(images):
        return {}
    image = images[part]
    pixels = next((child for child in image if _tag(child) == "Pixels"), None)
    if pixels is None:
        return {}
    sizes = {axis: (f"PhysicalSize{axis.upper()}", f"PhysicalSize{axis.upper()}Unit", "µm") for axis in "zyx"}
    sizes["t"] = ("TimeIncrement", "TimeIncrementUnit", "s")
    scale: dict[str, float] = {}
    units: dict[str, str] = {}
    for axis, (size, unit, usual) in sizes.items():
        _set_scale(scale, units, axis, pixels.get(size), pixels.get(unit, usual))
    names = [child.get("Name") or child.get("ID") or "" for child in pixels if _tag(child) == "Channel"]
    date = next((child.text for child in image if _tag(child) == "AcquisitionDate"), None)
    acquisition: dict[str, Any] = {"time": date, "name": image.get("Name"), "position": _position(pixels)}
    return {
        "scale": scale,
        "units": units,
        "channel_names": tuple(names),
        "acquisition": {key: value for key, value in acquisition.items() if value},
    }


def _position(pixels: ET.Element) -> dict[str, float]:
    """Return where the stage stood for the first plane, in micrometers; what is in other units is not told."""
    plane = next((child for child in pixels if _tag(child) == "Plane"), None)
    if plane is None:
        return {}
    found: dict[str, float] = {}
    for axis in ("Z", "Y", "X"):
        unit = UNITS.get(plane.get(f"Position{axis}Unit", "reference frame"), "")
        try:
            value = float(plane.get(f"Position{axis}", "nan")) * _IN_MICROMETERS.get(unit, nan)
        except ValueError:
            continue
        if isfinite(value):
            found[axis.lower()] = value
    return found


def _from_imagej(metadata: dict[str, Any], resolution: tuple[float, ...] | None) -> dict[str, Any]:
    unit = metadata.get("unit", "")
    scale: dict[str, float] = {}
    units: dict[str, str] = {}
    if resolution is not None and unit in UNITS:
        for axis, per_unit in zip("xy", resolution):
            _set_scale(scale, units, axis, 1 / per_unit if per_unit else None, unit)
        _set_scale(scale, units, "z", metadata.get("spacing"), unit)
    _set_scale(scale, units, "t", metadata.get("finterval"), metadata.get("tunit", "s"))
    return {"scale": scale, "units": units}


def _set_scale(scale: dict[str, float], units: dict[str, str], axis: str, size: Any, unit: str) -> None:
    try:
        length = float(size)
    except (TypeError, ValueError):
        return
    if length > 0 and unit in UNITS:
        scale[axis], units[axis] = length, UNITS[unit]


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
