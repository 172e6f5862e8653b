"""Ingest: files become a collection, read in blocks of whole chunks, so that a big image need not fit into memory.

It is built aside, and a journal says what is done. An ingest that was killed is gone on with by the same call; what a
collection has already is not read again when it is added to.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, cast, get_args

from bigimg.errors import BigimgError, MissingInputError, OutputError, ParameterError, ReadError
from bigimg.io.collection import open_collection
from bigimg.io.copying import ImageCopy
from bigimg.io.documents import create_group, read_attributes
from bigimg.io.items import Item, finish, item_at, read_items
from bigimg.io.jobs import Stages, carry_out
from bigimg.io.journal import Journal, read_journal
from bigimg.io.mosaic import Rule
from bigimg.io.names import item_ids, marked
from bigimg.io.naming import Naming
from bigimg.io.notes import notes_of
from bigimg.io.packing import Pack, WriteChunk, choose_packs
from bigimg.io.publish import MARK, begin, check_absent, publish, sweep
from bigimg.io.references import reference_to
from bigimg.io.scan import OnError, Skipped, is_zarr, open_sources
from bigimg.io.series import Ingestible, Step, join_scenes
from bigimg.io.sources import FileSource
from bigimg.io.stacks import open_stacks
from bigimg.io.validity import with_nodata
from bigimg.io.writer import CHUNK

JOURNAL = "ingest.journal"
"""Which files a collection was made of, as they were then."""

Mode = Literal["copy", "reference"]
"""Whether pixels are copied into the collection, or stay where they are and are read there."""


@dataclass(frozen=True)
class Ingested:
    """What an ingest has made."""

    path: Path
    items: int
    """In the collection."""
    skipped: tuple[Skipped, ...]
    added: int = 0
    """Of the items, those that this ingest has brought."""
    notes: tuple[str, ...] = ()
    """What looks wrong, and nothing could be decided about."""


@dataclass(frozen=True)
class _How:
    """The choices that decide which bytes are written."""

    chunk: int
    shard: int | None
    pack: bool
    mode: Mode
    nodata: float | None = None
    mosaic: Rule | None = None
    series: Step | None = None
    pattern: str | None = None

    def key(self, source: Ingestible) -> list[Any]:
        """Return what makes a file that is copied so the same as another one."""
        return [
            *source.identity(), list(source.shape), source.dtype.name,
            self.chunk, self.shard, self.mode, *([] if self.nodata is None else [self.nodata]),
        ]  # fmt: skip


@dataclass
class _Done:
    """What a journal says."""

    items: dict[str, tuple[list[Any], Item]] = field(default_factory=dict)
    """By id: the key of the file, and the row."""
    begun: dict[str, list[Any]] = field(default_factory=dict)
    parts: dict[tuple[str, str], dict[int, list[Item]]] = field(default_factory=dict)
    """By pack and digest of its members: the rows of each chunk."""

    @classmethod
    def read(cls, path: Path) -> _Done:
        found = cls()
        for record in read_journal(path):
            if "begin" in record:
                found.begun[record["begin"]] = record["key"]
            elif "done" in record:
                found.items[record["done"]] = record["key"], Item.from_json(record["item"])
            elif "pack" in record:
                rows = [Item.from_json(item) for item in record["items"]]
                found.parts.setdefault((record["pack"], record["members"]), {})[record["part"]] = rows
        return found


def ingest(
    source: str | Path,
    dest: str | Path,
    *,
    on_error: OnError = "fail",
    pack: bool = False,
    mode: Mode = "copy",
    append: bool = False,
    nodata: float | None = None,
    mosaic: Rule | None = None,
    series: Step | None = None,
    pattern: str | None = None,
    chunk: int = CHUNK,
    shard: int | None = None,
    pool: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Ingested:
    """Make a collection of the images in a folder, of a pattern, or of one file; or add to one.

    It is built aside and gets its name when it is complete. An ingest that failed or was killed leaves no ``dest``; the
    same call goes on where it was, and ends with the same bytes.

    Parameters
    ----------
    source
        As :func:`bigimg.io.scan.open_sources` takes it; or a collection, an OME-Zarr image or an OME-Zarr plate.
    dest
        Path of the collection; must not exist, but for ``append``.
    on_error
        ``"fail"``: the first bad image ends the ingest. ``"skip"``: it is left out, and listed in the collection.
    pack
        Put small images of equal shape, dtype and axes together into one array: thousands of files become a few.
    mode
        ``"copy"`` the pixels, in checksummed chunks with pyramids, or keep a ``"reference"`` to each file, which stays
        where it is; its digest guards against change.
    append
        Add to the collection ``dest`` what is not in it. Files that it was made of are not read again.
    nodata
        The value of pixels that are none, in the place of what files say: such as 0, for the collar of a scene.
    mosaic
        Make one image of all scenes, by this rule where several have a pixel; see :mod:`bigimg.io.mosaic`.
    series
        Make one image with an axis of time of all scenes, one moment a ``"day"``; see :mod:`bigimg.io.series`.
    pattern
        How files are named: those that differ only in channel, depth and time become one image, and what else names
        say becomes columns of the table of items. A pattern or the name of one; see :mod:`bigimg.io.naming`.
    chunk
        Rows and columns of a chunk.
    shard
        Rows and columns of a shard, a file of several chunks; a multiple of ``chunk``. Without it each chunk is a file.
    pool
        Who does the work; threads of this process by default. Tasks can be pickled.
    progress
        Called with the number of images done and of all images.

    Raises
    ------
    MissingInputError, ReadError, ImageError
        If there is nothing to read, or it cannot be read; names the file.
    OutputExistsError, OutputError
        If ``dest`` exists or cannot be written; before a pixel is read.
    """
    if chunk < 16 or (shard is not None and (shard < chunk or shard % chunk)):
        raise ParameterError(
            f"chunk must be at least 16, and shard a multiple of it (got chunk {chunk}, shard {shard})"
        )
    if mode not in ("copy", "reference"):
        raise ParameterError(f"mode must be 'copy' or 'reference' (got {mode!r})")
    _check_joining(mosaic, series, mode=mode, append=append)
    naming = _naming(pattern, source, mode, joined=mosaic is not None or series is not None)
    dest = Path(dest).expanduser()
    # Not Path.resolve: of a link to itself that is an error of another kind.
    if os.path.realpath(Path(source).expanduser()) == os.path.realpath(dest):
        raise OutputError(f"the collection cannot be made where its images are: {dest}; choose another name")
    before = _collection(dest, source) if append else []
    if not append:
        check_absent(dest)
    how = _How(chunk, shard, pack, mode, nodata, mosaic, series, pattern)
    opened, skipped, more_notes = _opened(source, naming, on_error)
    sources: Sequence[Ingestible] = [with_nodata(each, nodata) for each in opened]
    notes = (*notes_of(sources), *more_notes)
    if mosaic is not None or series is not None:
        (name,) = item_ids([dest.name.removesuffix(".zarr")])
        joined, more = join_scenes(_files(sources, source), name, mosaic, series, on_error)
        sources, skipped = [joined], [*skipped, *more]
    root = dest if append else _building(dest, source, how)
    done = _Done.read(root / JOURNAL)
    try:
        with Journal(root / JOURNAL) as journal:
            work = _Work(root, dest, how, on_error, journal, done, before)
            work.carry_out(sources, pool, progress)
        skipped += work.skipped
        _check_any(work.items, source, skipped)
        marks = {**_marks(root), "source": str(source), **({"notes": list(notes)} if notes else {})}
        _sweep(root, work.items)
        finish(root, work.items, skipped, marks)
    except BaseException as error:
        if not append:
            _keep_or_remove(root, error)
        raise
    if not append:
        publish(root, dest)
    return Ingested(dest, len(work.items), tuple(skipped), len(work.items) - len(before), notes)


def _opened(
    source: str | Path, naming: Naming | None, on_error: OnError
) -> tuple[Sequence[Ingestible], list[Skipped], list[str]]:
    """Return the images that ``source`` names, what was left out, and what is to be said of it."""
    path = Path(source).expanduser()
    if naming is not None:
        return open_stacks(source, naming, on_error)
    if not is_zarr(path):
        return *open_sources(source, on_error), []
    store = open_collection(path)
    left = [*(f"labels {name}" for name in store.label_names), *(f"table {name}" for name in store.table_names)]
    notes = [f"only images are copied; {source} has more, which was left out: {', '.join(left)}"] if left else []
    return [cast("Ingestible", each) for each in store.sources.values()], [], notes


def _files(sources: Sequence[Ingestible], source: str | Path) -> list[FileSource]:
    files = [each for each in sources if isinstance(each, FileSource)]
    if len(files) < len(sources):
        raise ParameterError(f"{source} is a store, and scenes that become one image are files; leave out that option")
    return files


def _naming(pattern: str | None, source: str | Path, mode: Mode, *, joined: bool) -> Naming | None:
    """Return how files are named, if that is given, having checked that they can be put together by it."""
    if pattern is None:
        return None
    if mode != "copy":
        raise ParameterError("files that become one image are copied; leave out mode 'reference' (--mode reference)")
    if joined:
        raise ParameterError("a pattern puts planes together, mosaic and series put scenes together: give one of both")
    if is_zarr(Path(source).expanduser()):
        raise ParameterError(f"{source} is a store, and a pattern is of names of files; leave out the pattern")
    return Naming.of(pattern)


def _check_joining(mosaic: Rule | None, series: Step | None, *, mode: Mode, append: bool) -> None:
    if mosaic not in (None, *get_args(Rule)):
        raise ParameterError(f"mosaic must be one of {', '.join(get_args(Rule))} (got {mosaic!r})")
    if series not in (None, *get_args(Step)):
        raise ParameterError(f"series must be one of {', '.join(get_args(Step))} (got {series!r})")
    if (mosaic is None and series is None) or (mode == "copy" and not append):
        return
    raise ParameterError(
        "scenes that become one image are copied, into a collection of their own; leave out "
        + ("append (--append)" if append else "mode 'reference' (--mode reference)")
    )


def _check_any(items: Sequence[Item], source: str | Path, skipped: Sequence[Skipped]) -> None:
    if not items:
        raise MissingInputError(f"no image in {source} can be read; the first: {skipped[0].reason}")


@dataclass
class _Work:
    """One ingest on its way."""

    root: Path
    dest: Path
    how: _How
    on_error: OnError
    journal: Journal
    done: _Done
    before: list[Item]
    """The rows of the collection that is added to."""
    items: list[Item] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def carry_out(
        self, sources: Sequence[Ingestible], pool: Executor | None, progress: Callable[[int, int], None] | None
    ) -> None:
        """Do all that is not done, and put ``items`` into the order of ``sources``."""
        create_group(self.root / "images", {})
        sources = self._new(sources)
        rows: dict[str, Item] = {}
        # A packed array has no place for the masks of its images.
        plain, masked = ([each for each in sources if bool(each.attrs.get("mask")) == is_so] for is_so in (False, True))
        packs, single = choose_packs(plain, self.how.chunk) if self.how.pack else ([], list(plain))
        single += masked
        jobs: list[Stages] = []
        names: list[list[Ingestible]] = []
        for source in single:
            known = self.done.items.get(source.name)
            if known is not None and known[0] == self.how.key(source):
                rows[source.name] = known[1]
            else:
                jobs.append(self._stages(source))
                names.append([source])
        for number, group in enumerate(packs, start=len(list((self.root / "packed").glob("*/"))) if self.before else 0):
            for task, stages in self._pack(f"packed/{number}", group, rows):
                jobs.append(stages)
                names.append(list(task.sources))
        count = len(self.before) + len(sources)
        workers = nullcontext(pool) if pool is not None else ThreadPoolExecutor(min(4, os.cpu_count() or 1))
        with workers as executor:
            for number, result in carry_out(jobs, executor):
                self._take(names[number], result, rows)
                if progress is not None:
                    progress(len(self.before) + len(rows) + len(self.skipped), count)
        self.items = [*self.before, *(rows[source.name] for source in sources if source.name in rows)]

    def _new(self, sources: Sequence[Ingestible]) -> list[Ingestible]:
        """Return the sources that the collection does not have, under names that it does not have."""
        known = {(item.source, _part_of(item)): item for item in self.before}
        taken = {item.id.casefold() for item in self.before}
        found = []
        for source in sources:
            item = known.get((source.path, source.part))
            if item is None:
                name = source.name if source.name.casefold() not in taken else marked(source.name, source.path)
                found.append(replace(source, name=name))
            elif not self._is_unchanged(source, item):
                error = ReadError(
                    f"{source.path} is not the file that item {item.id!r} of {self.dest} was made of: it has changed "
                    "since; give it another name, or ingest all of it again"
                )
                if self.on_error == "fail":
                    raise error
                self.skipped.append(Skipped.of(item.id, source.path, error))
        return found

    def _is_unchanged(self, source: Ingestible, item: Item) -> bool:
        key, _ = self.done.items.get(item.id, (None, None))
        # The digest of the content decides; where neither size nor time has changed it need not be asked.
        return (key is not None and key[:4] == self.how.key(source)[:4]) or source.fingerprint() == item.digest

    def _stages(self, source: Ingestible) -> Stages:
        key = self.how.key(source)
        if self.how.mode == "reference":
            rows: list[Any] = []
            yield [_Refer(self.root, self.dest, source)], rows
            self._record(source, key, rows[0])
            yield [], rows
            return
        begun = self.done.begun.get(source.name) == key
        copy = ImageCopy(self.root, source, self.how.chunk, self.how.shard, begun and _is_begun(self.root, source))
        if not copy.again:
            shutil.rmtree(copy.group, ignore_errors=True)
            copy.begin()
            self.journal.add({"begin": source.name, "key": key})
        last: list[Any] = []
        for tasks, results in copy.stages():
            last = results
            yield tasks, results
        self._record(source, key, last[0])
        yield [], last

    def _record(self, source: Ingestible, key: list[Any], item: Item) -> None:
        self.journal.add({"done": source.name, "key": key, "item": vars(item)})

    def _pack(
        self, path: str, group: Sequence[Ingestible], rows: dict[str, Item]
    ) -> Iterator[tuple[WriteChunk, Stages]]:
        """Yield the chunks of a pack that are to be written; of the others put the rows into ``rows``."""
        members = sha256(repr([self.how.key(source) for source in group]).encode()).hexdigest()
        known = self.done.parts.get((path, members), {})
        pack = Pack(self.root, path, tuple(group))
        if not known:
            shutil.rmtree(self.root / path, ignore_errors=True)
            pack.create()
        for task in pack.tasks(self.on_error):
            if task.part.start in known:
                rows |= {item.id: item for item in known[task.part.start]}
            else:
                yield task, self._chunk_stages(task, {"pack": path, "members": members, "part": task.part.start})

    def _chunk_stages(self, task: WriteChunk, mark: dict[str, Any]) -> Stages:
        outcome: list[Any] = []
        yield [task], outcome
        if all(isinstance(each, Item) for each in outcome[0]):
            self.journal.add({**mark, "items": [vars(each) for each in outcome[0]]})
        yield [], outcome[0]

    def _take(self, sources: list[Ingestible], result: list[Any] | Exception, rows: dict[str, Item]) -> None:
        if isinstance(result, Exception):
            if self.on_error == "fail" or not isinstance(result, BigimgError):
                raise result
            self.skipped += [Skipped.of(source.name, source.path, result) for source in sources]
            return
        rows |= {each.id: each for each in result if isinstance(each, Item)}
        self.skipped += [each for each in result if isinstance(each, Skipped)]


@dataclass(frozen=True)
class _Refer:
    """Make the row of an image that stays where it is; its file is read once, for the digest."""

    root: Path
    dest: Path
    source: Ingestible

    def __call__(self) -> Item:
        """Make it."""
        return reference_to(self.source, self.source.name, self.root, self.dest)


def _is_begun(root: Path, source: Ingestible) -> bool:
    return (root / "images" / source.name / "0" / "zarr.json").is_file()


def _building(dest: Path, source: str | Path, how: _How) -> Path:
    """Return the folder that ``dest`` is built in: the one an earlier ingest of the same has left, or a new one."""
    check_absent(dest)
    joining: tuple[str | None, ...] = () if how.mosaic is None and how.series is None else (how.mosaic, how.series)
    joining += () if how.pattern is None else (how.pattern,)
    key = repr(
        (str(Path(source).expanduser().resolve()), how.chunk, how.shard, how.pack, how.mode, how.nodata, *joining)
    )
    aside = dest.with_name(f"{dest.name}{MARK}{sha256(key.encode()).hexdigest()[:8]}")
    return aside if (aside / JOURNAL).is_file() else begin(dest, aside)


def _collection(dest: Path, source: str | Path) -> list[Item]:
    """Return the rows of the collection ``dest``, which ``source`` is to be added to."""
    if is_zarr(Path(source).expanduser()):
        raise ParameterError(f"{source} is a store, whose images go into a collection of their own; leave out append")
    if not dest.exists():
        raise MissingInputError(f"there is no collection {dest} to add to; ingest without append makes it")
    if "version" not in read_attributes(dest).get("bigimg", {}):
        raise ReadError(f"{dest} is not a collection, nothing can be added to it")
    table = read_items(dest)
    return [item_at(table, row) for row in range(table.num_rows)]


def _marks(root: Path) -> dict[str, Any]:
    known = read_attributes(root).get("bigimg", {})
    return {key: value for key, value in known.items() if key not in ("version", "items", "skipped")}


def _part_of(item: Item) -> int:
    digits = item.digest.rpartition("#")[2] if "#" in item.digest else "0"
    return int(digits)


def _sweep(root: Path, items: Sequence[Item]) -> None:
    """Remove images that are none: of files that were left out, or are gone since they were begun."""
    known = {item.path for item in items}
    for folder in (root / "images").iterdir():
        if folder.is_dir() and f"images/{folder.name}" not in known:
            shutil.rmtree(folder)
    sweep(root)


def _keep_or_remove(root: Path, error: BaseException) -> None:
    """Keep what an ingest that failed has copied, and say so; remove it where that is nothing."""
    done = _Done.read(root / JOURNAL)
    kept = len(done.items) + sum(len(rows) for parts in done.parts.values() for rows in parts.values())
    if isinstance(error, Exception) and not kept:
        shutil.rmtree(root, ignore_errors=True)
        return
    error.add_note(f"{kept:,} images are copied; the same ingest goes on from there ({root})")
