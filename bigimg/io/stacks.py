"""Files that differ only in channel, depth or time, by their names, as one image: read plane by plane, never whole.

::

      P1_B03_s2_w1.tif  --+
      P1_B03_s2_w2.tif  --+--> image P1_B03_2 (c, y, x), and in the table of images:
                               plate P1, well B03, row B, column 3, field 2

What their names say is looked at together: a channel, depth or time that any image has, all have, and the file of one
that has it not is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise, product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import box_shape
from bigimg.errors import BigimgError, ImageError, MissingInputError, ParameterError
from bigimg.io.names import item_ids
from bigimg.io.naming import STACKED, Naming
from bigimg.io.plates import columns_of_well
from bigimg.io.readers import SUFFIXES
from bigimg.io.scan import OnError, Skipped, natural, open_one, scan_from
from bigimg.io.sources import DIMS, FileSource, as_box

_THREADS = 4

Place = tuple[Any, ...]
"""Of a file in its image: what its name says of each of ``STACKED``, as a number where it is one; None if nothing."""


@dataclass(frozen=True)
class StackSource:
    """One image of several files of one shape and type of pixels."""

    name: str
    """Item id."""
    folder: str
    """That names of files are relative to."""
    files: tuple[str, ...]
    """The last of ``stacked`` changes first."""
    sizes: tuple[int, ...]
    """Of the files in bytes, when they were opened."""
    times: tuple[int, ...]
    """When they were changed last, then."""
    stacked: tuple[tuple[str, int], ...]
    """The axes along which files are put together, and how many along each."""
    reader: str
    """Name of the reader of all files."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    dims: tuple[str, ...]
    chunks: tuple[int, ...]
    attrs: Mapping[str, Any] = field(hash=False)
    part: ClassVar[int] = 0

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def path(self) -> str:
        """The first of its files."""
        return str(Path(self.folder, self.files[0]))

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Read a box of pixels; only the files in it are read.

        Raises
        ------
        ReadError, MissingInputError
            If a file is damaged, gone, or has changed since it was opened; names it.
        """
        box, rest = as_box(index, self.shape)
        along = dict(zip(self.dims, box))
        pixels = np.empty(box_shape(box), self.dtype)
        inner = tuple(along[dim] for dim in self._member_dims)
        ranges = [range(along[dim].start, along[dim].stop) for dim, _ in self.stacked]
        counts = tuple(count for _, count in self.stacked)
        for places in product(*ranges):
            into = dict(zip((dim for dim, _ in self.stacked), places))
            number = int(np.ravel_multi_index(places, counts)) if counts else 0
            at = tuple(into[dim] - along[dim].start if dim in into else slice(None) for dim in self.dims)
            pixels[at] = self._member(number)[inner]
        return pixels[rest]

    def fingerprint(self) -> str:
        """Return a digest of the content of all files, in their order."""
        said = [self._member(number).fingerprint() for number in range(len(self.files))]
        return f"sha256:{sha256(repr((self.stacked, said)).encode()).hexdigest()}"

    def identity(self) -> list[Any]:
        """Return what makes other files others, without reading them."""
        said = sha256(repr((self.stacked, self.files)).encode()).hexdigest()
        return ["stack", self.path, said, sha256(repr((self.sizes, self.times)).encode()).hexdigest()]

    def __dask_tokenize__(self) -> object:
        return "bigimg-stack", self.identity()

    @property
    def _member_dims(self) -> tuple[str, ...]:
        return tuple(dim for dim in self.dims if dim not in dict(self.stacked))

    def _member(self, number: int) -> FileSource:
        sides = {dim: (size, chunk) for dim, size, chunk in zip(self.dims, self.shape, self.chunks)}
        return FileSource(
            self.name, str(Path(self.folder, self.files[number])), self.reader, 0, self.sizes[number],
            self.times[number], tuple(sides[dim][0] for dim in self._member_dims), self.dtype, self._member_dims,
            tuple(sides[dim][1] for dim in self._member_dims), {},
        )  # fmt: skip


@dataclass
class _Group:
    """The files of one image."""

    said: Mapping[str, str]
    """What the name of the first says."""
    columns: dict[str, Any]
    files: dict[Place, tuple[str, dict[str, str]]] = field(default_factory=dict)
    """By place: the file, and what its name says."""
    twice: tuple[str, str] | None = None
    """Two files of one place."""
    name: str = ""


def open_stacks(
    source: str | Path, naming: Naming, on_error: OnError = "fail"
) -> tuple[list[StackSource], list[Skipped], list[str]]:
    """Open the images of a folder whose files are named by ``naming``; headers are read, pixels are not.

    Returns
    -------
    sources
        One for each image, in the order of its name; with ``columns`` in ``attrs``: what the names of its files say.
    skipped
        Images that were left out under ``on_error="skip"``.
    notes
        How many images do not have such a name, and so are none of these.

    Raises
    ------
    MissingInputError
        If no file has such a name, or an image lacks a file that others have; names it.
    ImageError, ReadError
        If two files are one plane of an image, or are of several shapes, types or sizes of pixels; names both. Or if
        one cannot be read. Under ``"skip"`` such an image is left out.
    """
    if on_error not in ("fail", "skip"):
        raise ParameterError(f"on_error must be 'fail' or 'skip' (got {on_error!r})")
    root, paths = scan_from(source)
    relative = [path.relative_to(root).as_posix() for path in paths]
    groups, other, skipped = _groups(relative, naming, root, on_error)
    if not groups and not skipped:
        raise MissingInputError(
            f"no file in {source} is named as {naming.given!r} says; the first of {len(relative):,} is {relative[0]}. "
            "The pattern is compared with the end of the path: name what changes by words in braces"
        )
    axes = _axes(groups, naming, root)
    sources: list[StackSource] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for group, made in zip(groups, pool.map(lambda each: _open(each, axes, naming, root), groups)):
            if isinstance(made, StackSource):
                sources.append(made)
                continue
            if on_error == "fail":
                raise made
            first = next(iter(group.files.values()))[0]
            skipped.append(Skipped.of(group.name, root / first, made))
    if not sources:
        raise MissingInputError(f"no image in {source}; the first of {len(skipped)} left out: {skipped[0].reason}")
    return sources, skipped, _notes(other, naming)


def stack_of(folder: str, pattern: str, path: str) -> StackSource | None:
    """Return the image of the files in ``folder`` whose first is ``path``, as far as it is there."""
    return _all_stacks(folder, pattern).get(path)


@lru_cache(maxsize=1)
def _all_stacks(folder: str, pattern: str) -> Mapping[str, StackSource]:
    return {source.path: source for source in open_stacks(folder, Naming.of(pattern), "skip")[0]}


def _groups(
    relative: Sequence[str], naming: Naming, root: Path, on_error: OnError
) -> tuple[list[_Group], list[str], list[Skipped]]:
    """Return the images, in the order of their names, the files that are named otherwise, and what cannot be."""
    groups: dict[tuple[Any, ...], _Group] = {}
    other: list[str] = []
    skipped: list[Skipped] = []
    for name in relative:
        said = naming.read(name)
        if said is None:
            other.append(name)
            continue
        try:
            columns = columns_of_well(
                {word: text for word, text in said.items() if word not in STACKED}, str(root / name)
            )
        except ImageError as error:
            if on_error == "fail":
                raise
            skipped.append(Skipped.of(name, root / name, error))
            continue
        group = groups.setdefault(tuple(columns.items()), _Group(said, columns))
        place = tuple(_number(word, said.get(word)) for word in STACKED)
        if place in group.files:
            group.twice = group.twice or (group.files[place][0], name)
        group.files.setdefault(place, (name, said))
    found = list(groups.values())
    plain = ["_".join(_named(group)) or "image" for group in found]
    for group, name in zip(found, item_ids(plain)):
        group.name = name
    return sorted(found, key=lambda group: natural(group.name)), other, skipped


def _named(group: _Group) -> list[str]:
    """Return what stands in the id of an image: the well for its row and column."""
    left_out = ("row", "column") if "well" in group.columns else ()
    return [str(value) for word, value in group.columns.items() if word not in left_out]


def _number(word: str, text: str | None) -> Any:
    return int(text) if text is not None and word != "channel" and text.isdecimal() else text


def _axes(groups: Sequence[_Group], naming: Naming, root: Path) -> dict[str, dict[Any, str]]:
    """Return for each of ``STACKED`` its places in their order, with the text that names have for each.

    Raises
    ------
    MissingInputError
        If a number between others has no file in any image.
    """
    axes: dict[str, dict[Any, str]] = {}
    for number, word in enumerate(STACKED):
        texts: dict[Any, str] = {}
        for group in groups:
            for place, (_, said) in group.files.items():
                if place[number] is not None:
                    texts.setdefault(place[number], said[word])
        axes[word] = dict(sorted(texts.items(), key=lambda item: natural(str(item[0]))))
        if word != "channel":
            _check_steps(word, axes[word], groups[0], naming, root)
    return axes


def _check_steps(word: str, texts: Mapping[Any, str], group: _Group, naming: Naming, root: Path) -> None:
    """Refuse numbers with a gap: planes after it would be shifted. Three or more may be the same number apart."""
    numbers = [number for number in texts if isinstance(number, int)]
    steps = [after - before for before, after in pairwise(numbers)]
    if len(numbers) < len(texts) or not steps:
        return
    step = min(steps) if len(steps) > 1 else 1
    if all(each == step for each in steps):
        return
    before = next(number for number, each in zip(numbers, steps) if each != step)
    name, said = next(iter(group.files.values()))
    lacking = naming.missing(name, said, {word: str(before + step).zfill(len(texts[before]))})
    raise MissingInputError(
        f"no file has {word} {before + step}, and there are {before} and {numbers[numbers.index(before) + 1]}: "
        f"{root / lacking} would be one; copy what is missing from where it came, or number files without gaps"
    )


def _open(
    group: _Group, axes: Mapping[str, Mapping[Any, str]], naming: Naming, root: Path
) -> StackSource | BigimgError:
    try:
        return _stack(group, axes, naming, root)
    except BigimgError as error:
        return error


def _stack(group: _Group, axes: Mapping[str, Mapping[Any, str]], naming: Naming, root: Path) -> StackSource:
    if group.twice is not None:
        raise ImageError(
            f"image {group.name!r} has two files of one place: {root / group.twice[0]} and {root / group.twice[1]}; "
            "give the pattern a word for what is different in their names, or remove one"
        )
    places = list(product(*(tuple(texts) or (None,) for texts in axes.values())))
    _check_complete(group, places, axes, naming, root)
    names = tuple(group.files[place][0] for place in places)
    stacked = tuple((STACKED[word], len(texts)) for word, texts in axes.items() if len(texts) > 1)
    members = [_member(root, name) for name in names]
    first = members[0]
    for other in members[1:]:
        _check_alike(group.name, first, other)
    clash = [dim for dim, _ in stacked if dim in first.dims]
    if clash:
        word = next(word for word, dim in STACKED.items() if dim == clash[0])
        raise ImageError(
            f"image {group.name!r}: {first.path} has an axis {clash[0]!r} of its own ({', '.join(first.dims)}), and "
            f"the pattern has {{{word}}}; call that word otherwise to make each file an image"
        )
    sides = dict(zip(first.dims, zip(first.shape, first.chunks))) | {dim: (count, 1) for dim, count in stacked}
    dims = tuple(dim for dim in DIMS if dim in sides)
    channels = list(axes["channel"].values())
    attrs = {**first.attrs, "columns": dict(group.columns), "naming": {"folder": str(root), "pattern": naming.given}}
    if len(channels) > 1:
        attrs["channel_names"] = tuple(channels)
    elif channels:
        attrs["columns"]["channel"] = channels[0]
    return StackSource(
        group.name, str(root), names, tuple(each.size for each in members), tuple(each.mtime_ns for each in members),
        stacked, first.reader, tuple(sides[dim][0] for dim in dims), first.dtype, dims,
        tuple(sides[dim][1] for dim in dims), attrs,
    )  # fmt: skip


def _check_complete(
    group: _Group, places: Sequence[Place], axes: Mapping[str, Mapping[Any, str]], naming: Naming, root: Path
) -> None:
    lacking = [place for place in places if place not in group.files]
    if not lacking:
        return
    nearest, (name, said) = next(iter(group.files.items()))
    silent = next((word for word, value in zip(STACKED, nearest) if value is None and axes[word]), None)
    if silent is not None:
        raise ImageError(
            f"image {group.name!r}: the name of {root / name} has no {silent}, which others have; rename it"
        )
    texts = {word: axes[word][value] for word, value in zip(STACKED, lacking[0]) if value is not None}
    more = f", and {len(lacking) - 1:,} more" if len(lacking) > 1 else ""
    place = ", ".join(f"{word} {text}" for word, text in texts.items() if len(axes[word]) > 1)
    raise MissingInputError(
        f"image {group.name!r} lacks {root / naming.missing(name, said, texts)} ({place}){more}, which other images "
        "have; copy it again from where it came, or leave the image out with on_error='skip'"
    )


def _member(root: Path, name: str) -> FileSource:
    found = open_one(root, root / name)
    if len(found) != 1 or found[0].files > 1:
        what = f"{len(found)} images" if len(found) != 1 else f"an image of {found[0].files} files"
        raise ImageError(f"{root / name} is {what}; a pattern puts together files of one image each: ingest without it")
    if found[0].attrs.get("mask"):
        raise ImageError(f"{root / name} has a mask of missing pixels, which a stack of files has no place for")
    return found[0]


def _check_alike(name: str, first: FileSource, other: FileSource) -> None:
    for what, ours, theirs in (
        ("axes", first.dims, other.dims),
        ("shape", first.shape, other.shape),
        ("type of pixels", first.dtype.name, other.dtype.name),
        ("kind of file", first.reader, other.reader),
        ("size of pixels", *(_sizes(each) for each in (first, other))),
    ):
        if ours != theirs:
            raise ImageError(
                f"image {name!r}: {first.path} and {other.path} are planes of one image, and have not the same {what}: "
                f"{ours} and {theirs}; one was written otherwise, or is of another image: name it otherwise"
            )


def _sizes(source: FileSource) -> dict[str, Any]:
    units = source.attrs.get("units", {})
    # Along the axis of files it may be a position.
    return {dim: (size, units.get(dim)) for dim, size in source.attrs.get("scale", {}).items() if dim in "yx"}


def _notes(other: Sequence[str], naming: Naming) -> list[str]:
    images = [name for name in other if name.lower().endswith(SUFFIXES)]
    if not images:
        return []
    shown = ", ".join(images[:3]) + (" ..." if len(images) > 3 else "")
    amount = "1 image is" if len(images) == 1 else f"{len(images):,} images are"
    return [f"{amount} not named as {naming.given!r} says, and left out: {shown}"]
