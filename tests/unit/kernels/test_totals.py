"""Sums of floats of very different sizes."""

from fractions import Fraction

import numpy as np

from bigimg.kernels.totals import total


def test_the_least_floats_are_not_lost_beside_large_ones():
    values = np.array([2.0**25, 5e-324, -(2.0**25), 5e-324])
    assert total(values) == sum(Fraction(value) for value in values.tolist()) * 2**1074 == 2
