"""Thinning of masks to lines, 64 pixels to a machine word.

An iteration peels the objects twice, from two sides. Whether a pixel goes is decided by its eight neighbours, for all
pixels at once, so a peel is the same few instructions on whole words; which word holds what is told in `packed`::

    NW N NE        first peel          second peel
    W  .  E        from south, east    from north, west
    SW S SE

A pixel after k iterations depends on pixels at most 2 k away: a tile that sees so far is as exact as the whole image.

Rows whose neighbourhood rests since they were looked at are passed over: what is thin already costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from bigimg.kernels.packed import Words, pack, unpack
from bigimg.kernels.steps import Mask

_Peel = Callable[[Words, Words, Any, int], None]

_NONE = np.uint64(0)
_ONE = np.uint64(1)
_REST = np.uint64(63)
_PADDING = 1


def skeletonize(pixels: Mask, max_iterations: int) -> tuple[Mask, Mask]:
    """Thin each plane by the table of ``skimage.morphology.skeletonize``, at most ``max_iterations`` times.

    The rules are those of T. Y. Zhang and C. Y. Suen, "A fast parallel algorithm for thinning digital patterns",
    Communications of the ACM 27 (1984), except for pixels with two or three neighbours, where scikit-image's table has
    its own: it takes the corners out of lines, and takes less from their ends.

    Parameters
    ----------
    pixels
        Boolean, (..., M, N); what lies outside is background.
    max_iterations
        When to stop, at least 1.

    Returns
    -------
    skeleton, late
        Boolean, as ``pixels``: what is left, and what the last of ``max_iterations`` iterations took away. Where
        ``late`` is empty nothing more would go.

    Examples
    --------
    >>> skeleton, late = skeletonize(np.ones((3, 7), bool), 3)
    >>> skeleton.astype(int)
    array([[0, 0, 0, 0, 0, 1, 0],
           [1, 1, 1, 1, 1, 0, 0],
           [0, 0, 0, 0, 0, 0, 0]])
    """
    return _thinned(pixels, max_iterations, _zhang_suen)


def thin(pixels: Mask, max_iterations: int) -> tuple[Mask, Mask]:
    """Thin each plane as ``skimage.morphology.thin``; parameters and results are those of `skeletonize`.

    After Z. Guo and R. W. Hall, "Parallel thinning with two-subiteration algorithms", Communications of the ACM 32
    (1989), in the form of L. Lam, S.-W. Lee and C. Y. Suen, "Thinning methodologies", IEEE TPAMI 14 (1992).

    Examples
    --------
    >>> thin(np.ones((4, 6), bool), 1)[0].astype(int)
    array([[0, 0, 0, 0, 0, 0],
           [0, 1, 1, 1, 1, 0],
           [0, 1, 1, 1, 1, 0],
           [0, 0, 0, 0, 0, 0]])
    """
    return _thinned(pixels, max_iterations, _guo_hall)


def _thinned(pixels: Mask, max_iterations: int, peel: _Peel) -> tuple[Mask, Mask]:
    skeleton, late = np.empty(pixels.shape, bool), np.zeros(pixels.shape, bool)
    width = pixels.shape[-1]
    for index in np.ndindex(pixels.shape[:-2]):
        # An empty row above and below: then every row has neighbours.
        words = pack(np.pad(pixels[index], ((1, 1), (0, 0))), _PADDING)
        changed = np.zeros(len(words), np.int64)  # the peel that last changed a row; the first two look at all rows
        last = np.zeros_like(words)
        words, peels = _iterate(peel, words, changed, last, max_iterations)
        skeleton[index] = unpack(words[1:-1], _PADDING, width, _NONE)
        if peels == 2 * max_iterations:
            late[index] = unpack((last ^ words)[1:-1], _PADDING, width, _NONE)
    return skeleton, late


def _iterate(
    peel: Callable[..., None], words: Words, changed: Any, before: Words, iterations: int
) -> tuple[Words, int]:
    """Peel twice an iteration until an iteration takes nothing, or all were done; keep what the last began with."""
    spare = words.copy()
    number = 0
    for iteration in range(iterations):
        if iteration == iterations - 1:
            before[:] = words
        number += 2
        # Two peels: back and forth between two arrays ends where it began.
        peel(words, spare, changed, number - 1)
        peel(spare, words, changed, number)
        if changed.max() < number - 1:
            break
    return words, number


@njit(nogil=True, cache=True)
def _zhang_suen(words: Words, out: Words, changed: Any, number: int) -> None:
    south_east = ~_NONE if number % 2 else _NONE
    for y in range(1, words.shape[0] - 1):
        if _rests(changed, y, number):
            continue
        above, row, below, target = words[y - 1], words[y], words[y + 1], out[y]
        # The new state has no more pixels than the old one: any difference is a removal.
        taken = _NONE
        for i in range(1, row.size - 1):
            n, s = above[i], below[i]
            w, e = row[i] << _ONE | row[i - 1] >> _REST, row[i] >> _ONE | row[i + 1] << _REST
            nw, ne = n << _ONE | above[i - 1] >> _REST, n >> _ONE | above[i + 1] << _REST
            sw, se = s << _ONE | below[i - 1] >> _REST, s >> _ONE | below[i + 1] << _REST
            # How many neighbours: a binary number of four digits, for 64 pixels at once.
            a, a2 = n ^ ne ^ e, n & ne | e & (n ^ ne)
            b, b2 = se ^ s ^ sw, se & s | sw & (se ^ s)
            c, c2 = w ^ nw, w & nw
            ones, d2 = a ^ b ^ c, a & b | c & (a ^ b)
            x, x4 = a2 ^ b2, a2 & b2
            z, z4 = c2 ^ d2, c2 & d2
            twos, y4 = x ^ z, x & z
            some = x4 | y4 | z4
            fours, eights = x4 ^ y4 ^ z4, x4 & y4 | z4 & (x4 ^ y4)
            two, three = twos & ~ones & ~some, twos & ones & ~some
            four_to_six = fours & ~eights & ~(twos & ones)
            # Going round, background turns into object once: the object is in one piece around the pixel.
            once, twice = n & ~nw, _NONE
            step = ne & ~n
            once, twice = once | step, twice | once & step
            step = e & ~ne
            once, twice = once | step, twice | once & step
            step = se & ~e
            once, twice = once | step, twice | once & step
            step = s & ~se
            once, twice = once | step, twice | once & step
            step = sw & ~s
            once, twice = once | step, twice | once & step
            step = w & ~sw
            once, twice = once | step, twice | once & step
            step = nw & ~w
            once, twice = once | step, twice | once & step
            many = four_to_six & once & ~twice
            side = n & nw & ne | e & ne & se | s & se & sw | w & sw & nw
            corner = (n | s) & (e | w)
            first = (
                many & ~(e & s & (n | w))
                | fours & ~ones & ~twos & n & ne & w & sw
                | three & (side | n & (e & (ne | nw) | w & (nw | ne | sw)) | s & w & nw)
                | two & (corner | n & (nw | ne) | ne & e)
            )
            second = (
                many & ~(n & w & (e | s))
                | fours & ~ones & ~twos & ne & e & s & sw
                | three & (side | s & (e & (se | sw) | w & (sw | se)) | n & e & se)
                | two & (corner | sw & (s | w) | e & se)
            )
            gone = row[i] & (first & south_east | second & ~south_east)
            target[i] = row[i] ^ gone
            taken |= gone
        if taken:
            changed[y] = number


@njit(nogil=True, cache=True)
def _guo_hall(words: Words, out: Words, changed: Any, number: int) -> None:
    north_east = ~_NONE if number % 2 else _NONE
    for y in range(1, words.shape[0] - 1):
        if _rests(changed, y, number):
            continue
        above, row, below, target = words[y - 1], words[y], words[y + 1], out[y]
        taken = _NONE
        for i in range(1, row.size - 1):
            n, s = above[i], below[i]
            w, e = row[i] << _ONE | row[i - 1] >> _REST, row[i] >> _ONE | row[i + 1] << _REST
            nw, ne = n << _ONE | above[i - 1] >> _REST, n >> _ONE | above[i + 1] << _REST
            sw, se = s << _ONE | below[i - 1] >> _REST, s >> _ONE | below[i + 1] << _REST
            # One piece of object around the pixel, seen from the four sides.
            p, q, r, t = ~e & (ne | n), ~n & (nw | w), ~w & (sw | s), ~s & (se | e)
            single = (p ^ q ^ r ^ t) & ~(p & q | r & t)
            # Neighbours counted in pairs, in both ways to pair them: the lesser number is 2 or 3.
            p, q, r, t = ne | e, n | nw, w | sw, s | se
            at_least_2, at_least_4 = p & q | r & t | (p | q) & (r | t), p & q & r & t
            p, q, r, t = ne | n, nw | w, sw | s, se | e
            both_2, both_4 = p & q | r & t | (p | q) & (r | t), p & q & r & t
            pairs = at_least_2 & both_2 & ~(at_least_4 & both_4)
            blocked = north_east & e & (ne | n | ~se) | ~north_east & w & (sw | s | ~nw)
            gone = row[i] & single & pairs & ~blocked
            target[i] = row[i] ^ gone
            taken |= gone
        if taken:
            changed[y] = number


@njit(nogil=True, cache=True)
def _rests(changed: Any, y: int, number: int) -> bool:
    """Whether nothing around a row changed since a peel of this kind looked at it: from the last but one on."""
    return number > 2 and changed[y - 1] < number - 2 and changed[y] < number - 2 and changed[y + 1] < number - 2
