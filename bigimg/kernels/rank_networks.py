"""Which comparisons find an order statistic of a small square or cube, shared among neighbours as far as can be.

A comparison of two rows, ``min(a, b)`` and ``max(a, b)``, is one loop that vectorises, and serves all columns at once.
Windows overlap, so most of what sorts one of them sorts others too::

    o o o o o      The rows that the windows of a few outputs, one below the other, have in common (x), are sorted down
    x x x x x      each column, once for every column; then two sorted columns side by side are merged, then two such
    x x x x x      pairs, and so on until the list is as wide as the window.
    x x x x x      What only some of the windows hold (o) is sorted along each row, and merged into their lists last.
    o o o o o

Of a list that holds n of the N pixels of a window only those are kept that may still be of the rank asked for: number
i of the list will end between i and i + N - n. `bigimg.kernels.rank_sorting` carries it out.

After A. Adams, Fast median filters using separable sorting networks, ACM Transactions on Graphics 40 (2021); lists are
merged as by K. E. Batcher, Sorting networks and their applications (1968).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import NamedTuple

LOAD, BOTH, LESS, MORE, STORE = range(5)
"""What an instruction does: read a row of the image, compare two rows (and keep both, the smaller or the greater of
each pair of pixels), write a row of the output."""

_WIDTHS = {
    3: (1, 2, 3),
    5: (1, 2, 4, 5),
    7: (1, 2, 3, 4, 7),
    9: (1, 2, 4, 5, 9),
    11: (1, 2, 3, 5, 10, 11),
    13: (1, 2, 3, 6, 12, 13),
    15: (1, 2, 3, 6, 12, 15),
    17: (1, 2, 4, 8, 16, 17),
    19: (1, 2, 4, 5, 9, 18, 19),
    21: (1, 2, 3, 5, 10, 20, 21),
}
"""How lists of a column become as wide as a window, each width a sum of the one before and of another: what takes the
fewest comparisons of all ways to get there."""

SIZES = frozenset(_WIDTHS)
"""Widths of windows there are networks for."""


class Row(NamedTuple):
    """The result of an instruction, seen ``shift`` columns further right."""

    number: int
    shift: int = 0


class Ordered(NamedTuple):
    """Rows in ascending order: some of a list of ``total``, of which the ``first`` least were left out."""

    rows: tuple[Row, ...]
    first: int = 0
    total: int = 1

    def shifted(self, columns: int) -> Ordered:
        """Return the list of what lies ``columns`` further right."""
        return self._replace(rows=tuple(Row(row.number, row.shift + columns) for row in self.rows))


class Instruction(NamedTuple):
    """One step of a network."""

    kind: int
    operands: tuple[Row, ...]
    place: tuple[int, int] = (0, 0)
    """Layer and row of the image, or of the output, that is loaded or stored."""


@dataclass
class Network:
    """The instructions for windows of ``layers`` x ``size`` x ``size`` pixels, ``outputs`` of them one below the other.

    Examples
    --------
    >>> sum(step.kind != LOAD for step in Network(size=3, layers=1, rank=4, outputs=1).steps)
    25
    """

    size: int
    layers: int
    rank: int
    outputs: int
    _steps: list[Instruction] = field(default_factory=list)

    @cached_property
    def steps(self) -> list[Instruction]:
        """All instructions, operands before what they go into; some are not needed."""
        columns = [
            self._tree([Ordered((self._add(LOAD, place=(layer, row)),)) for layer in range(self.layers)])
            for row in range(self.size + self.outputs - 1)
        ]
        common = range(self.outputs - 1, self.size)
        lines = {row: self._widen(column) for row, column in enumerate(columns) if row not in common}
        self._split(self._widen(self._tree([columns[row] for row in common])), lines, range(self.outputs))
        return self._steps

    def _split(self, known: Ordered, lines: dict[int, Ordered], outputs: range) -> None:
        """Make outputs of a list of the rows that their windows have in common."""
        if len(outputs) == 1:
            self._add(STORE, *known.rows, place=(0, outputs[0]))
            return
        half = (len(outputs) + 1) // 2
        upper, lower = outputs[:half], outputs[half:]
        above = range(upper[-1], outputs[-1])
        below = range(outputs[0] + self.size, lower[0] + self.size)
        for part, more in ((upper, above), (lower, below)):
            self._split(self._merge(known, self._tree([lines[row] for row in more])), lines, part)

    def _tree(self, lists: Sequence[Ordered]) -> Ordered:
        """Return several lists as one."""
        half = (len(lists) + 1) // 2
        return lists[0] if len(lists) == 1 else self._merge(self._tree(lists[:half]), self._tree(lists[half:]))

    def _widen(self, column: Ordered) -> Ordered:
        """Return the list of as many neighbours to the right as the window has columns."""
        lists = {1: column}
        for before, width in zip(_WIDTHS[self.size], _WIDTHS[self.size][1:]):
            lists[width] = self._merge(lists[before], lists[width - before].shifted(before))
        return lists[self.size]

    def _merge(self, one: Ordered, other: Ordered) -> Ordered:
        """Return two lists as one, without what cannot be of the rank any more."""
        total, before = one.total + other.total, one.first + other.first
        first = max(before, self.rank - (self.layers * self.size**2 - total))
        last = min(before + len(one.rows) + len(other.rows), self.rank + 1)
        if last - first == 1:
            return Ordered((self._pick(one.rows, other.rows, first - before),), first, total)
        merged = self._odd_even(one.rows, other.rows)
        return Ordered(tuple(merged[first - before : last - before]), first, total)

    def _odd_even(self, one: Sequence[Row], other: Sequence[Row]) -> list[Row]:
        """Return two lists as one."""
        if not one or not other:
            return [*one, *other]
        if len(one) == len(other) == 1:
            return [self._add(LESS, one[0], other[0]), self._add(MORE, one[0], other[0])]
        even, odd = self._odd_even(one[::2], other[::2]), self._odd_even(one[1::2], other[1::2])
        merged = even[:1]
        for low, high in zip(odd, even[1:]):
            merged += [self._add(LESS, low, high), self._add(MORE, low, high)]
        return [*merged, *odd[len(even) - 1 :], *even[1 + len(odd) :]]

    def _pick(self, one: Sequence[Row], other: Sequence[Row], rank: int) -> Row:
        """Return the row of a rank in two lists: the least of all rows that so many are not greater than."""
        options = []
        for taken in range(max(0, rank + 1 - len(other)), min(len(one), rank + 1) + 1):
            ends = [rows[count - 1] for rows, count in ((one, taken), (other, rank + 1 - taken)) if count]
            options.append(reduce(lambda a, b: self._add(MORE, a, b), ends))
        return reduce(lambda a, b: self._add(LESS, a, b), options)

    def _add(self, kind: int, *operands: Row, place: tuple[int, int] = (0, 0)) -> Row:
        self._steps.append(Instruction(kind, operands, place))
        return Row(len(self._steps) - 1)
