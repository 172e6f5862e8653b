"""Sums in digits, against Python's integers and fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg.kernels.exact_sums import (
    NumberFormat,
    add_product,
    add_shifted,
    add_square,
    as_int64,
    as_integers,
    decode,
    digits_for,
    to_float,
)
from bigimg.kernels.sort_keys import from_keys, sort_keys

words = st.integers(0, 2**64 - 1)


@settings(deadline=None)
@given(st.lists(st.tuples(words, words), max_size=8))
def test_products_keep_all_their_bits(pairs):
    digits = np.zeros(4, dtype=np.int64)
    for a, b in pairs:
        add_product(digits, np.uint64(a), np.uint64(b))

    exact = sum(a * b for a, b in pairs)
    assert as_integers(digits[None])[0] == exact
    assert int(as_int64(digits[None])[0]) % 2**64 == exact % 2**64


@settings(deadline=None)
@given(st.lists(st.tuples(words, st.integers(0, 200), st.sampled_from([-1, 1])), max_size=8))
def test_shifted_terms_and_squares_are_exact(terms):
    digits = np.zeros(digits_for(200), dtype=np.int64)
    squares = np.zeros(digits_for(464), dtype=np.int64)
    for magnitude, position, sign in terms:
        add_shifted(digits, np.uint64(magnitude), position, sign)
        add_square(squares, np.uint64(magnitude), position)

    assert as_integers(digits[None])[0] == sum(sign * magnitude << position for magnitude, position, sign in terms)
    assert as_integers(squares[None])[0] == sum((magnitude << position) ** 2 for magnitude, position, _ in terms)


@pytest.mark.parametrize("dtype", ["uint32", "int32", "uint64", "int64", "float32", "float64"])
def test_numbers_are_decoded_to_what_they_are(dtype):
    dtype = np.dtype(dtype)
    number = NumberFormat.of(dtype)
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    values = np.array([0, 1, 3, limits.max, limits.min, limits.max // 3], dtype=dtype)
    if dtype.kind == "f":
        values = np.append(values, [limits.tiny, limits.smallest_subnormal, -0.1]).astype(dtype)

    for value, word in zip(values, values.view(f"u{dtype.itemsize}"), strict=True):
        magnitude, position, sign = decode(np.uint64(word), number.mantissa_bits, number.signed, 8 * dtype.itemsize)
        assert sign * int(magnitude) * Fraction(2) ** (position + number.unit) == Fraction(value.item())


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(-1200, 1200))
def test_rounding_does_not_depend_on_how_an_integer_is_held(value, unit):
    exact = Fraction(value) * Fraction(2) ** unit
    try:
        expected = float(exact)
    except OverflowError:
        expected = np.copysign(np.inf, value)

    assert to_float(np.array([value]), unit)[0] == expected
    assert to_float(np.array([value], dtype=object), unit)[0] == expected


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "uint64", "int64", "float32", "float64"])
def test_sort_keys_keep_order_and_value(dtype):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, 800, dtype=np.uint8).view(dtype)
    values = values[np.isfinite(values)] if np.dtype(dtype).kind == "f" else values

    keys = sort_keys(values)

    assert keys.dtype.kind == "u"
    np.testing.assert_array_equal(values[np.argsort(keys, kind="stable")], np.sort(values))
    np.testing.assert_array_equal(from_keys(keys, values.dtype), values.astype(np.float64))
