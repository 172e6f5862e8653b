"""OME-Zarr metadata (version 0.5 written, 0.4 and 0.5 read): https://ngff.openmicroscopy.org/0.5.

Axes are named ``t, c, z, y, x``; scales and units are physical where known, else 1. A level that halves rows and
columns has twice the scale and is moved by half a pixel, so that all levels lie over one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bigimg.errors import ImageError, ReadError

VERSION = "0.5"

_TYPES = {"t": "time", "c": "channel"}
_COLOURS = {"red": "FF0000", "green": "00FF00", "blue": "0000FF"}
_CYCLE = ("00FF00", "FF00FF", "00FFFF", "FFFF00", "FF0000", "0000FF", "FFFFFF")


@dataclass(frozen=True)
class Multiscale:
    """What the metadata of an image say."""

    dims: tuple[str, ...]
    paths: tuple[str, ...]
    """Of the levels, the largest first."""
    attrs: dict[str, Any]
    """``scale``, ``units``, ``channel_names``."""


def image_metadata(
    name: str,
    dims: Sequence[str],
    attrs: Mapping[str, Any],
    levels: int,
    windows: Sequence[Mapping[str, float]] | None,
) -> dict[str, Any]:
    """Return the ``ome`` attributes of an image, with the windows of display of its channels, where they are known."""
    metadata: dict[str, Any] = {"version": VERSION, "multiscales": [_multiscale(name, dims, attrs, levels, "mean")]}
    if windows is not None:
        metadata["omero"] = {"channels": _channels(attrs, windows), "rdefs": {"model": "color"}}
    return metadata


def label_metadata(name: str, dims: Sequence[str], attrs: Mapping[str, Any], levels: int, image: str) -> dict[str, Any]:
    """Return the ``ome`` attributes of a label image; ``image`` is the relative path to the image it belongs to."""
    return {
        "version": VERSION,
        "multiscales": [_multiscale(name, dims, attrs, levels, "mode")],
        "image-label": {"version": VERSION, "source": {"image": image}},
    }


def read_multiscale(attributes: Mapping[str, Any], where: str) -> Multiscale:
    """Return what the attributes of a group, of version 0.4 or 0.5, say of its image.

    Raises
    ------
    ReadError
        If they are not those of an image.
    """
    ome = attributes.get("ome", attributes)
    try:
        multiscale = ome["multiscales"][0]
        axes = [axis if isinstance(axis, Mapping) else {"name": axis} for axis in multiscale["axes"]]
        dims = tuple(str(axis["name"]) for axis in axes)
        datasets = multiscale["datasets"]
        paths = tuple(str(dataset["path"]) for dataset in datasets)
        transforms = datasets[0].get("coordinateTransformations", [])
        sizes = next((t["scale"] for t in transforms if t.get("type") == "scale"), [1.0] * len(dims))
        channels = [channel.get("label", "") for channel in ome.get("omero", {}).get("channels", [])]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ReadError(f"{where} is not an OME-Zarr image of version 0.4 or 0.5: {error!r} in its metadata") from error
    if tuple(name for name in "tczyx" if name in dims) != dims or not {"y", "x"} <= set(dims) or not paths:
        raise ImageError(f"{where} has axes {dims}; images here have those of t, c, z, y, x that exist, in this order")
    units = {name: axis["unit"] for name, axis in zip(dims, axes) if axis.get("unit")}
    attrs: dict[str, Any] = {
        "scale": {name: float(size) for name, size in zip(dims, sizes) if name in units},
        "units": units,
    }
    if channels and any(channels):
        attrs["channel_names"] = tuple(channels)
    return Multiscale(dims, paths, {key: value for key, value in attrs.items() if value})


def _multiscale(name: str, dims: Sequence[str], attrs: Mapping[str, Any], levels: int, pooling: str) -> dict[str, Any]:
    units, scale = attrs.get("units", {}), attrs.get("scale", {})
    axes = [
        {"name": dim, "type": _TYPES.get(dim, "space"), **({"unit": units[dim]} if dim in units else {})}
        for dim in dims
    ]
    base = [float(scale.get(dim, 1.0)) for dim in dims]
    return {
        "name": name,
        "axes": axes,
        "datasets": [
            {"path": str(level), "coordinateTransformations": _transforms(dims, base, level)} for level in range(levels)
        ],
        "type": pooling,
        "metadata": {"method": f"2 x 2 {pooling} of the level before", "by": "bigimg"},
    }


def _transforms(dims: Sequence[str], base: Sequence[float], level: int) -> list[dict[str, Any]]:
    factors = [2**level if dim in "yx" else 1 for dim in dims]
    scale = {"type": "scale", "scale": [size * factor for size, factor in zip(base, factors)]}
    if level == 0:
        return [scale]
    return [
        scale,
        {"type": "translation", "translation": [size * (factor - 1) / 2 for size, factor in zip(base, factors)]},
    ]


def _channels(attrs: Mapping[str, Any], windows: Sequence[Mapping[str, float]]) -> list[dict[str, Any]]:
    count = len(windows)
    names = attrs.get("channel_names") or tuple(f"channel {i}" if count > 1 else "grey" for i in range(count))
    return [
        {"label": str(name), "color": _colour(str(name), i, count), "active": True, "window": dict(window)}
        for i, (name, window) in enumerate(zip(names, windows))
    ]


def _colour(name: str, index: int, count: int) -> str:
    return _COLOURS.get(name) or ("FFFFFF" if count == 1 else _CYCLE[index % len(_CYCLE)])
