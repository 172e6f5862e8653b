"""YAML with positions, for files that strangers may send: plain names and values only.

Aliases, anchors, tags, duplicate keys and second documents are refused while the file is read, before anything can be
expanded from them; so are files that are too large, too deep or too long. Every error names ``file:line:column``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from bigimg.errors import WorkflowError

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 50_000
"""More than any footprint written out in numbers needs; what remains is read in seconds."""


_BARE = re.compile(r"[A-Za-z]([A-Za-z0-9_.,;()/ -]*[A-Za-z0-9_.;()/])?")


@dataclass(frozen=True)
class Position:
    """A place in a file; line and column count from 1."""

    source: str
    line: int
    column: int

    def error(self, message: str) -> WorkflowError:
        """Return an error that points here."""
        return WorkflowError(f"{self}: {message}")

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Node:
    """A value of the file and where it stands."""

    value: Any
    """A string, number, boolean or None; a tuple of nodes for a sequence; a mapping of names to nodes."""

    position: Position

    keys: Mapping[str, Position] = field(default_factory=dict)
    """Where each key of a mapping stands."""

    def mapping(self, what: str) -> Mapping[str, Node]:
        """Return the value as a mapping, or say that ``what`` should be one."""
        if isinstance(self.value, Mapping):
            return self.value
        raise self.position.error(f"{what} must be a mapping of names to values (got {self.described})")

    def sequence(self, what: str) -> tuple[Node, ...]:
        """Return the value as a sequence, or say that ``what`` should be one."""
        if isinstance(self.value, tuple):
            return self.value
        raise self.position.error(f"{what} must be a list (got {self.described})")

    def text(self, what: str) -> str:
        """Return the value as text, or say that ``what`` should be text."""
        if isinstance(self.value, str):
            return self.value
        raise self.position.error(f"{what} must be text (got {self.described})")

    def plain(self) -> Any:
        """Return the value without positions; sequences as tuples."""
        if isinstance(self.value, Mapping):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, tuple):
            return tuple(node.plain() for node in self.value)
        return self.value

    @property
    def described(self) -> str:
        """The value in a few words, for messages."""
        if isinstance(self.value, Mapping):
            return "a mapping"
        if isinstance(self.value, tuple):
            return "a list"
        return "nothing" if self.value is None else repr(self.value)


def load(path: Path) -> Node:
    """Read the file at ``path``.

    Raises
    ------
    WorkflowError
        If the file cannot be read, or is refused by :func:`parse`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise WorkflowError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(data) <= MAX_BYTES:
            line = data.count(b"\n", 0, error.start) + 1
            column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
            raise Position(str(path), line, column).error("is not UTF-8 text") from None
        text = data.decode("latin-1")  # only so that parse can say that it is too large
    return parse(text, str(path))


def parse(text: str, source: str = "<string>") -> Node:
    """Return the one document in ``text``; ``source`` names it in errors.

    Raises
    ------
    WorkflowError
        If it is not YAML, or uses more of YAML than names and values, or is too large.

    Examples
    --------
    >>> parse("sigma: 1.5").plain()
    {'sigma': 1.5}
    >>> parse("a: &x [1]", "demo.yaml")
    Traceback (most recent call last):
    bigimg.errors.WorkflowError: demo.yaml:1:4: anchors and aliases (&x) are not allowed; write the value out
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Position(source, 1, 1).error(f"the file is larger than {MAX_BYTES >> 20} MiB")
    yaml = YAML(typ="safe", pure=True)
    try:
        return _Reader(yaml, text, source).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        said = " ".join(str(part) for part in (error.context, error.problem) if part)
        raise Position(source, line, column).error(f"is not YAML: {said}") from None
    except ReaderError as error:
        before = text[: error.position]
        column = len(before) - before.rfind("\n")
        where = Position(source, before.count("\n") + 1, column)
        raise where.error(f"is not YAML: the character {chr(error.character)!r} is not allowed") from None
    except YAMLError as error:
        raise Position(source, 1, 1).error(f"is not YAML: {error}") from None


def dump(data: Mapping[str, Any]) -> str:
    """Return plain ``data`` as YAML that :func:`parse` reads back; what stands inside a step is on one line.

    Examples
    --------
    >>> print(dump({"steps": [{"op": "morphology.opening", "footprint": {"disk": 3}}]}), end="")
    steps:
    - op: morphology.opening
      footprint: {disk: 3}
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 100
    stream = StringIO()
    yaml.dump(_styled(data, 0), stream)
    return stream.getvalue()


def _styled(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        styled: Any = CommentedMap((_quoted(name), _styled(item, depth + 1)) for name, item in value.items())
    elif isinstance(value, tuple | list):
        styled = CommentedSeq(_styled(item, depth + 1) for item in value)
    else:
        return _quoted(value, commas=depth < 2)
    rows = depth == 1 and isinstance(value, tuple | list) and any(isinstance(item, Mapping) for item in value)
    if not (depth == 0 or rows or (depth == 2 and isinstance(value, Mapping))):
        styled.fa.set_flow_style()
    return styled


def _quoted(value: Any, *, commas: bool = False) -> Any:
    # The library leaves some text bare that it does not read back, such as ?0 between brackets.
    if not isinstance(value, str) or (_BARE.fullmatch(value) and (commas or "," not in value)):
        return value
    return DoubleQuotedScalarString(value)


class _Reader:
    """Builds nodes from the parser's events, and refuses what must not be there as soon as it comes."""

    def __init__(self, yaml: YAML, text: str, source: str) -> None:
        self._yaml = yaml
        self._source = source
        self._events = self._checked(yaml.parse(text))

    def _at(self, event: Event) -> Position:
        return Position(self._source, event.start_mark.line + 1, event.start_mark.column + 1)

    def _checked(self, events: Iterator[Event]) -> Iterator[Event]:
        depth = nodes = documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._at(event).error("a second document begins here; one file holds one")
                if event.version not in {None, (1, 2)} or event.tags:
                    raise self._at(event).error("%YAML and %TAG directives are not allowed")
            if not isinstance(event, NodeEvent):
                depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
                yield event
                continue
            nodes += 1
            depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
            self._refuse(event, depth, nodes)
            yield event

    def _refuse(self, event: NodeEvent, depth: int, nodes: int) -> None:
        if isinstance(event, AliasEvent) or event.anchor is not None:
            sign = "*" if isinstance(event, AliasEvent) else "&"
            raise self._at(event).error(
                f"anchors and aliases ({sign}{event.anchor}) are not allowed; write the value out"
            )
        tag = getattr(event, "ctag", None)
        if tag is not None:
            raise self._at(event).error(f"tags ({tag}) are not allowed; only plain values are read")
        if depth > MAX_DEPTH:
            raise self._at(event).error(f"nested deeper than {MAX_DEPTH} levels")
        if nodes > MAX_NODES:
            raise self._at(event).error(f"the file holds more than {MAX_NODES} values")

    def document(self) -> Node:
        next(self._events)  # the start of the stream
        first = next(self._events)
        if isinstance(first, StreamEndEvent):
            raise Position(self._source, 1, 1).error("the file is empty")
        node = self._node(next(self._events))
        for _ in self._events:  # runs to the end of the stream, so that what follows is checked too
            pass
        return node

    def _node(self, event: Event) -> Node:
        if isinstance(event, MappingStartEvent):
            return self._mapping(event)
        if isinstance(event, SequenceStartEvent):
            items = []
            while not isinstance(item := next(self._events), SequenceEndEvent):
                items.append(self._node(item))
            return Node(tuple(items), self._at(event))
        assert isinstance(event, ScalarEvent)
        return Node(self._scalar(event), self._at(event))

    def _mapping(self, event: MappingStartEvent) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Position] = {}
        while not isinstance(item := next(self._events), MappingEndEvent):
            key = self._node(item)
            if not isinstance(key.value, str):
                raise key.position.error(f"a name must be text (got {key.described})")
            if key.value in values:
                raise key.position.error(f"{key.value!r} stands twice; it is first on line {keys[key.value].line}")
            keys[key.value] = key.position
            values[key.value] = self._node(next(self._events))
        return Node(values, self._at(event), keys)

    def _scalar(self, event: ScalarEvent) -> Any:
        if not event.implicit[0]:
            return event.value
        kind = str(self._yaml.resolver.resolve(ScalarNode, event.value, (True, False))).rpartition(":")[2]
        construct = self._yaml.constructor
        node = ScalarNode(f"tag:yaml.org,2002:{kind}", event.value)
        try:
            if kind == "float":
                number = construct.construct_yaml_float(node)
                if math.isnan(number):
                    raise self._at(event).error("not a number (.nan) is not a value")
                return number
            if kind == "int":
                return construct.construct_yaml_int(node)
        except ValueError as error:
            if isinstance(error, WorkflowError):
                raise
            raise self._at(event).error(f"{event.value[:40]!r} is not a number that can be used") from None
        if kind == "bool":
            return event.value.lower() == "true"
        return None if kind == "null" else event.value
