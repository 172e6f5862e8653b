"""The second kind of work: what a whole image gives, gathered from its tiles.

A :class:`Reduction` gives one value: ``partial`` on each tile, ``merge`` of two states, ``finish`` once. ``merge``
must be
associative and commutative, and its result independent of the order; then the value cannot depend on the cutting.

A :class:`Gather` is a reduction whose value goes back into every tile, as in labelling: each tile *keeps* something for
itself and *sends* something small; what was sent is joined block by block and solved; each tile is then finished with
what it kept and its own part of what is known.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import is_deferred
from bigimg.core.tile import Tile

Index = tuple[int, ...]
"""Of a tile, in the grid of tiles."""

State = TypeVar("State")
Value = TypeVar("Value")
Kept = TypeVar("Kept")


class Reduction(ABC, Generic[State, Value]):
    """What is learnt of a whole image from its tiles; subclasses are frozen dataclasses of their parameters."""

    name: ClassVar[str]
    """One word for the dashboard."""

    @property
    def halo(self) -> int | tuple[int, ...]:
        """How many pixels beyond its tile ``partial`` must see; it gets them, and ``tile.crop`` finds its own.

        A number is for rows and columns; a tuple has one for each of the last axes, frames before the plane among them.
        """
        return 0

    @abstractmethod
    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> State:
        """Return the state of one tile."""

    @abstractmethod
    def merge(self, first: State, second: State) -> State:
        """Return the state of both."""

    @abstractmethod
    def finish(self, state: State) -> Value:
        """Return the value of the whole image."""


class Partitioned(Reduction[State, Value]):
    """A reduction whose value can also be had in partitions, none of which knows the others.

    ``take`` of a merge is the merge of what is taken, so that states may be shared out before they have met. What a
    partition cannot know alone (holes that other objects bound) states ``send``; it is solved once, and taken back.
    """

    @property
    @abstractmethod
    def partitions(self) -> int:
        """How many there are."""

    @property
    def asks_all(self) -> bool:
        """Whether states send something that is solved for all partitions together."""
        return False

    @abstractmethod
    def take(self, state: State, numbers: range) -> State:
        """Return what belongs to the partitions ``numbers``; what was sent is left out."""

    @abstractmethod
    def finish_partition(self, state: State, number: int, known: Any) -> Value:
        """Return one partition, of the merge of all that was taken for it; ``known`` is None where nothing is sent."""

    def send(self, state: State) -> Any:
        """Return what a state sends to be solved."""
        raise NotImplementedError

    def meet(self, first: Any, second: Any) -> Any:
        """Return the merge of what two have sent."""
        raise NotImplementedError

    def solve(self, sent: Any) -> Any:
        """Return what is known when all have met."""
        raise NotImplementedError

    def take_known(self, known: Any, numbers: range) -> Any:
        """Return what of the known belongs to the partitions ``numbers``."""
        raise NotImplementedError


class Gather(ABC, Generic[Kept, State, Value]):
    """A reduction whose value goes back into every tile; subclasses are frozen dataclasses of their parameters.

    What tiles send is joined block by block, and the value goes back the same way: every tile receives no more than its
    own part. As it stands here the state and the value are mappings by the index of a tile, and one task solves what
    all tiles have sent; work that overrides ``join`` and ``share`` lets blocks send less than their tiles, and keep
    something for the way back as tiles do.
    """

    name: ClassVar[str]
    """One word for the dashboard."""

    quick: ClassVar[bool] = False
    """Whether finishing is so quick that each task that wants a tile finishes it for itself.

    What a tile keeps is then all that waits in memory, not its pixels."""

    @property
    @abstractmethod
    def keeps(self) -> int:
        """Bytes that a tile keeps of each of its pixels, at most; the plan counts them. A class variable mostly."""

    @abstractmethod
    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[Kept, State]:
        """Return what the tile keeps for itself, and what it sends; ``images`` have the shape of the tile."""

    def join(self, parts: Sequence[State]) -> tuple[Any, State]:
        """Return what a block keeps for itself, and what it sends; its parts, in raster order, fill a box of tiles."""
        states: Sequence[Any] = parts
        everything: Any = {index: sent for part in states for index, sent in part.items()}
        return [tuple(part) for part in states], everything

    @abstractmethod
    def solve(self, state: State) -> Value:
        """Return what the block needs to know that is the whole image."""

    def share(self, joined: Any, value: Value) -> Sequence[Value]:
        """Return what each part of a block needs to know, of what the block kept and got."""
        return [self.part(value, tiles) for tiles in joined]

    def part(self, value: Any, tiles: Sequence[Index]) -> Any:
        """Return what some tiles need of the value; those that are not in it need nothing."""
        return {index: value[index] for index in tiles if index in value}

    @abstractmethod
    def finish(self, tile: Tile, kept: Kept, value: Value) -> Pixels:
        """Return the pixels of the tile."""

    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Return the dtype of the finished pixels."""

    def split_key(self) -> object:
        """Return what ``split`` depends on; work that differs otherwise shares the split tiles."""
        return self


def deferred_fields(work: Any) -> dict[str, Any]:
    """Return the parameters of ``work`` that are not known yet."""
    names = [item.name for item in fields(work)] if is_dataclass(work) else []
    values = {name: getattr(work, name) for name in names}
    return {name: value for name, value in values.items() if is_deferred(value)}


def with_values(work: Any, values: dict[str, Any]) -> Any:
    """Return ``work`` with ``values`` in the place of deferred parameters."""
    return replace(work, **values) if values else work
