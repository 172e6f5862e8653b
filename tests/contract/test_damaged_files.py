"""Files in which some bytes are other ones: an array of the shape that is declared, or an error of ours.

What a few flipped bits make of pixels nobody can know without a checksum; but nothing may hang, end the process, take
all memory, or give fewer pixels than it says.
"""

from __future__ import annotations

import random
import warnings

import pytest

from bigimg.errors import BigimgError
from bigimg.io import open_sources

from . import test_readers

sample = test_readers.sample
"""One file of each kind."""

DAMAGES = 60
"""Of each file."""


def damaged(whole: bytes, seed: str) -> bytes:
    """Return a file with bits flipped, bytes erased or set, or its end cut off; mostly in its first 600 bytes."""
    draw = random.Random(seed)
    data = bytearray(whole)
    kind = draw.choice(["bit", "bit", "bits", "zeros", "ones", "cut"])
    last = min(len(data), 600) if draw.random() < 0.6 else len(data)
    for _ in range(8 if kind == "bits" else 1):
        at = draw.randrange(last)
        if kind in ("bit", "bits"):
            data[at] ^= 1 << draw.randrange(8)
        elif kind == "zeros":
            data[at : at + 4] = bytes(len(data[at : at + 4]))
        elif kind == "ones":
            data[at : at + 2] = b"\xff" * len(data[at : at + 2])
        else:
            del data[at:]
    return bytes(data)


@pytest.mark.timeout(120)
def test_damaged_bytes_are_an_error_or_the_shape_that_is_declared(sample, tmp_path):
    _, whole, _ = sample
    refusals = []
    for number in range(DAMAGES):
        path = tmp_path / f"{number}-{whole.name}"
        path.write_bytes(damaged(whole.read_bytes(), f"{whole.name} {number}"))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the libraries that decode
                for source in open_sources(path)[0]:
                    assert source[...].shape == source.shape
        except BigimgError as error:
            refusals.append((path.name, str(error)))
        path.unlink()
    assert refusals
    assert all(name in error for name, error in refusals)
