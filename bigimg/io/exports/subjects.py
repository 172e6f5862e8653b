"""What is exported: images of a collection with those of their labels that were asked for, and where their files go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bigimg.errors import ParameterError, UnknownNameError
from bigimg.io.collection import Collection
from bigimg.io.documents import read_attributes
from bigimg.io.exports.levels import levels_of
from bigimg.io.items import Item
from bigimg.io.names import check_id
from bigimg.io.sources import Source
from bigimg.io.stored import StoredSource
from bigimg.io.windows import GreyCounts

COLOURS = ("red", "green", "blue")
"""Names of the channels of a picture for the eye."""


@dataclass(frozen=True)
class Subject:
    """One image to export, with its labels."""

    item: Item
    source: Source
    labels: Mapping[str, Source]

    @property
    def name(self) -> str:
        """Its id in the collection."""
        return self.item.id

    @property
    def group(self) -> Path | None:
        """Of the image, where it is an OME-Zarr of its own."""
        stored = isinstance(self.source, StoredSource) and self.source.item is None
        return Path(self.source.path).parent if stored else None  # type: ignore[attr-defined]

    @property
    def is_colour(self) -> bool:
        """Whether its three channels are red, green and blue."""
        return tuple(self.source.attrs.get("channel_names", ())) == COLOURS

    def windows(self, scratch: Path) -> list[dict[str, float]]:
        """Return from where to where each channel is shown: as the image says, or by the grey values of a small level.

        ``scratch`` is for levels that are still to be made.
        """
        ome = read_attributes(self.group) if self.group is not None else {}
        channels = ome.get("ome", ome).get("omero", {}).get("channels", [])
        known = [channel.get("window", {}) for channel in channels]
        count = self.source.shape[self.source.dims.index("c")] if "c" in self.source.dims else 1
        if len(known) == count and all({"min", "max", "start", "end"} <= set(window) for window in known):
            return known
        smallest = levels_of(self.source, "image", scratch)[-1]
        return GreyCounts.of(smallest[middle(smallest)], smallest.dims).windows()


def middle(source: Source) -> tuple[slice, ...]:
    """Return the box of the plane that stands for an image: the middle of all, as the first is often dark."""
    return tuple(
        slice(size // 2, size // 2 + 1) if dim in "tz" else slice(0, size)
        for size, dim in zip(source.shape, source.dims)
    )


def choose(collection: Collection, items: Sequence[str] | None, labels: Sequence[str]) -> list[Subject]:
    """Return the images called ``items`` (ids, or patterns such as ``plate1_*``), with those of ``labels`` they have.

    Raises
    ------
    UnknownNameError
        If there is no such item, or no image that was chosen has labels of one of the names.
    """
    chosen = list(collection) if items is None else [name for each in items for name in _matching(collection, each)]
    having = {name: set(collection.labels(name)) for name in labels}
    for name, ids in having.items():
        if not ids & set(chosen):
            raise UnknownNameError.of(
                f"labels of {', '.join(chosen[:4])}:", name, sorted(_labels_of(collection, chosen))
            )
    return [
        Subject(
            collection.item(check_id(each)),
            collection.sources[each],
            {name: collection.label_source(name, each) for name in labels if each in having[name]},
        )
        for each in dict.fromkeys(chosen)
    ]


def only_labels(collection: Collection, labels: str | None, purpose: str) -> str:
    """Return the name of the labels to export: the one that was given, or the only one there is."""
    names = collection.label_names
    if labels is not None:
        return labels
    if len(names) != 1:
        has = f"it has {', '.join(names)}: name one with labels" if names else "it has none: make some with bigimg run"
        raise ParameterError(f"{purpose} are made of labels of the collection {collection.path}, and {has}")
    return names[0]


def extent(source: Source) -> dict[str, int]:
    """Return the size along each axis."""
    return dict(zip(source.dims, source.shape))


def placed(attrs: Mapping[str, Any]) -> tuple[str | None, tuple[float, ...] | None]:
    """Return the coordinate reference system of an image, and the map from pixels to it; None where not known."""
    transform = attrs.get("transform")
    return attrs.get("crs") or None, tuple(map(float, transform))[:6] if transform is not None else None


def _matching(collection: Collection, pattern: str) -> list[str]:
    found = [pattern] if pattern in collection else [name for name in collection if fnmatchcase(name, pattern)]
    if not found:
        raise UnknownNameError.of("images", pattern, collection)
    return found


def _labels_of(collection: Collection, items: Sequence[str]) -> set[str]:
    return {name for name in collection.label_names if set(collection.labels(name)) & set(items)}
