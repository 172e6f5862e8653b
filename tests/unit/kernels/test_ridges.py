from __future__ import annotations

import numpy as np
import pytest

from bigimg.kernels import eigenvalues, ridges
from bigimg.kernels.gaussian_derivatives import hessian

UPPER = {2: ((0, 0), (0, 1), (1, 1)), 3: ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))}


def matrices(ndim, count=200):
    rng = np.random.default_rng(ndim)
    found = rng.normal(size=(count, ndim, ndim)) * 10.0 ** rng.integers(-6, 6, (count, 1, 1))
    found[:20] = np.eye(ndim) * rng.normal(size=(20, 1, 1))  # eigenvalues that are all the same
    found[20:40] = found[20:40, :1] * found[20:40, :1].transpose(0, 2, 1)  # one that is not 0
    found[40] = 0
    return found + found.transpose(0, 2, 1)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_eigenvalues_are_those_of_lapack(ndim, sign):
    given = matrices(ndim)
    elements = np.array([given[:, row, column] for row, column in UPPER[ndim]])
    for index, matrix in enumerate(given):
        found = eigenvalues._eigenvalues(elements, index, sign)[:ndim]
        wanted = np.linalg.eigvalsh(sign * matrix)[::-1]
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * np.abs(matrix).max())


@pytest.mark.parametrize("ndim", [2, 3])
def test_norms_are_those_of_the_eigenvalues(ndim):
    given = matrices(ndim)
    found = np.empty(len(given))
    eigenvalues.norms(found, np.array([given[:, row, column] for row, column in UPPER[ndim]]))
    np.testing.assert_allclose(found, np.sqrt((np.linalg.eigvalsh(given) ** 2).sum(axis=1)), rtol=1e-9)


def test_bright_ridges_of_an_image_are_dark_ones_of_its_negative():
    image = np.random.default_rng(0).random((20, 21))
    for black in (True, False):
        np.testing.assert_array_equal(
            ridges.sato(image, (1.0, 2.0), black, 2), ridges.sato(-image, (1.0, 2.0), not black, 2)
        )


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_the_largest_of_all_widths_remains(dtype):
    image = (np.random.default_rng(0).random((20, 21)) * 200).astype(dtype)
    each = [ridges.frangi(image, (sigma,), 0.5, 0.5, 9.0, True, 2) for sigma in (0.8, 2.0)]
    found = ridges.frangi(image, (0.8, 2.0), 0.5, 0.5, 9.0, True, 2)
    np.testing.assert_array_equal(found, np.maximum(*each))
    assert found.dtype == hessian(image, 1.0, 2).dtype


def test_flat_images_have_no_ridges():
    for ndim, image in ((2, np.full((9, 10), 7.0)), (3, np.full((5, 6, 7), 7.0))):
        assert ridges.sato(image, (1.0,), True, ndim).max() < 1e-9
        assert ridges.frangi(image, (1.0,), 0.5, 0.5, 1.0, True, ndim).max() < 1e-9


def test_lines_are_ridges_and_spots_are_not():
    line, spot = np.zeros((31, 31)), np.zeros((31, 31))
    line[15], spot[15, 15] = 1, 1
    on_line, on_spot = (ridges.frangi(image, (1.5,), 0.5, 0.5, 0.01, False, 2)[15, 15] for image in (line, spot))
    assert on_line > 0.9
    assert on_spot < 0.2
