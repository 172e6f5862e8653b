"""The networks of `bigimg.kernels.rank_networks` at work: an interpreter whose every instruction is a vector loop."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.planes import read_only
from bigimg.kernels.rank_keys import Keys
from bigimg.kernels.rank_networks import BOTH, LESS, LOAD, MORE, STORE, Instruction, Network

Program = NDArray[np.int64]
"""One row for each instruction: kind; columns beyond those of the strip; slot and shift of both operands, or layer and
row of the image; slots of the results."""

_STRIP_BYTES = 2048
"""Columns worked on at once: as few as keep many rows in the cache, and make the loops long enough."""

_OUTPUTS = 4
"""Rows made at once. With more of them less is left to share."""


def sort_windows(keys: Keys, size: int, layers: int, rank: int) -> Keys:
    """Return the key of a rank in each window of ``layers`` x ``size`` x ``size`` that fits.

    Parameters
    ----------
    keys
        (L, M, N) unsigned integers.
    size
        One of `bigimg.kernels.rank_networks.SIZES`.

    Examples
    --------
    >>> sort_windows(np.arange(12, dtype=np.uint8).reshape(1, 3, 4), 3, 1, 4)
    array([[[5, 6]]], dtype=uint8)
    """
    depth, height, width = keys.shape
    # Rows of all layers stand one after the other, and are worked on as one: those of a volume are short.
    rows = np.ascontiguousarray(keys.transpose(1, 0, 2)).reshape(height, depth * width)
    out = np.empty((height - size + 1, (depth - layers + 1) * width), keys.dtype)
    outputs = min(_OUTPUTS, size - 1, len(out))
    program, slots = _program(size, layers, rank, outputs)
    strip = _STRIP_BYTES // keys.itemsize
    _run(out[:, : out.shape[1] - size + 1], read_only(rows), program, slots, outputs, size, width, strip)
    return out.reshape(len(out), -1, width).transpose(1, 0, 2)[..., : width - size + 1]


@lru_cache(maxsize=64)  # to make a program takes as long as to run it on a small tile
def _program(size: int, layers: int, rank: int, outputs: int) -> tuple[Program, int]:
    """Return the instructions that are needed, and how many slots of memory they take."""
    steps = Network(size, layers, rank, outputs).steps
    beyond, last = _needed(steps)
    program: list[tuple[int, ...]] = []
    free: list[int] = []
    slot, slots = [0] * len(steps), 0
    for number, step in enumerate(steps):
        fused = step.kind == MORE and number - 1 in beyond and steps[number - 1] == step._replace(kind=LESS)
        if number not in beyond or fused:
            continue
        pair = step.kind == LESS and number + 1 in beyond and steps[number + 1] == step._replace(kind=MORE)
        results = [number, number + 1] if pair else [number]
        for result in results if step.kind != STORE else ():
            if not free:
                free.append(slots)
                slots += 1
            slot[result] = free.pop()
        sources = [value for row in step.operands for value in (slot[row.number], row.shift)]
        if step.kind in {LOAD, STORE}:
            sources = [*sources, 0, 0][:2] + list(step.place)
        columns = max(beyond[result] for result in results)
        program.append((BOTH if pair else step.kind, columns, *sources, slot[results[0]], slot[results[-1]]))
        # Results never take the slots of the operands: the loops would not vectorise.
        free += [slot[n] for n in {row.number for row in step.operands} if last[n] <= results[-1]]
    return read_only(np.array(program, np.int64)), slots


def _needed(steps: list[Instruction]) -> tuple[dict[int, int], dict[int, int]]:
    """Return of each needed result how many columns beyond the strip it must have, and which step uses it last."""
    beyond: dict[int, int] = {}
    last: dict[int, int] = {}
    for number in range(len(steps) - 1, -1, -1):
        if steps[number].kind == STORE:
            beyond[number] = 0
        for row in steps[number].operands if number in beyond else ():
            beyond[row.number] = max(beyond.get(row.number, 0), beyond[number] + row.shift)
            last.setdefault(row.number, number)
    return beyond, last


@njit(nogil=True, cache=True)
def _run(out: Keys, keys: Keys, program: Program, slots: int, outputs: int, size: int, layer: int, strip: int) -> None:
    height, width = out.shape
    memory = np.empty((slots, strip + size), keys.dtype)
    for left in range(0, width, strip):
        count = min(strip, width - left)
        for block in range(0, height, outputs):
            top = min(block, height - outputs)  # the last block may make some rows again
            for step in range(program.shape[0]):
                kind, beyond, a, shift, b, far, low, high = program[step]
                span = count + beyond
                if kind == LOAD:
                    first = left + b * layer
                    _copy(memory[low, :span], keys[top + far, first : first + span])
                elif kind == STORE:
                    _copy(out[top + far, left : left + count], memory[a, shift : shift + count])
                elif kind == BOTH:
                    one, other = memory[a, shift : shift + span], memory[b, far : far + span]
                    _compare(memory[low, :span], memory[high, :span], one, other)
                elif kind == LESS:
                    _less(memory[low, :span], memory[a, shift : shift + span], memory[b, far : far + span])
                else:
                    _more(memory[low, :span], memory[a, shift : shift + span], memory[b, far : far + span])


@njit(nogil=True, cache=True)
def _copy(out: Keys, row: Keys) -> None:
    for x in range(out.size):
        out[x] = row[x]


@njit(nogil=True, cache=True)
def _compare(low: Keys, high: Keys, one: Keys, other: Keys) -> None:
    for x in range(low.size):
        a, b = one[x], other[x]
        low[x] = min(a, b)
        high[x] = max(a, b)


@njit(nogil=True, cache=True)
def _less(low: Keys, one: Keys, other: Keys) -> None:
    for x in range(low.size):
        low[x] = min(one[x], other[x])


@njit(nogil=True, cache=True)
def _more(high: Keys, one: Keys, other: Keys) -> None:
    for x in range(high.size):
        high[x] = max(one[x], other[x])
