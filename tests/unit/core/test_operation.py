"""Operations and chains as values: halos add, dtypes follow one another, and they travel to other processes."""

import pickle
import subprocess
import sys
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
import numpy as np
import pytest
from dask.base import tokenize

import bigimg
from bigimg.core.operation import Chain, Operation, Pixels, Tilewise
from bigimg.engine.faces import tilewise
from bigimg.errors import ImageError

GAUSSIAN = bigimg.filters.gaussian.bind(sigma=2.0)
OPENING = bigimg.morphology.opening.bind(bigimg.morphology.disk(3))
ABOVE = bigimg.threshold.fixed.bind(value=3.0)
GRAY = bigimg.color.rgb2gray.bind()


def test_halos_add():
    chain = Chain().then(GAUSSIAN).then(ABOVE).then(OPENING)
    assert GAUSSIAN.halo == (8, 8)
    assert ABOVE.halo == (0, 0)
    assert chain.halo == tuple(a + b for a, b in zip(GAUSSIAN.halo, OPENING.halo))
    assert Chain().halo == (0, 0)


def test_halos_of_planes_and_volumes_add_from_the_last_axis():
    volume = bigimg.filters.gaussian.bind(sigma=1.0, dims="zyx")
    assert volume.halo == (4, 4, 4)
    assert Chain((GAUSSIAN, volume)).halo == (4, 12, 12)
    assert Chain((GAUSSIAN, volume)).ndim == 3


def test_dtypes_follow_one_another():
    chain = Chain((GRAY, GAUSSIAN, ABOVE))
    assert chain.dtype(np.dtype("uint8")) == np.bool_
    assert Chain((GRAY, GAUSSIAN)).dtype(np.dtype("float32")) == np.float32
    assert Chain((GRAY, GAUSSIAN)).dtype(np.dtype("int64")) == np.float64
    assert chain.drops_channels
    assert not Chain((GAUSSIAN,)).drops_channels
    assert Chain().dtype(np.dtype("uint8")) == np.uint8


def test_a_dtype_that_is_not_taken_is_refused_before_anything_is_computed():
    hematoxylin = bigimg.color.hematoxylin.bind()
    with pytest.raises(ImageError, match=r"color\.hematoxylin takes .*integer.* \(got bool\)"):
        hematoxylin.dtype(np.dtype(bool))


def test_the_hungriest_point_decides_the_memory():
    assert Chain().scratch(np.dtype("uint16")) == 2
    one = Chain((GAUSSIAN,)).scratch(np.dtype("float32"))
    assert one == 4 + GAUSSIAN.spec.scratch + 4
    assert Chain((GAUSSIAN, ABOVE)).scratch(np.dtype("float32")) >= one


def test_a_chain_reads_well():
    assert (
        str(Chain((GAUSSIAN, OPENING)))
        == "gaussian(sigma=2.0, truncate=4.0, dims=yx) -> opening(footprint=7x7, iterations=1, dims=yx)"
    )
    assert str(Chain()) == "read"


def test_invalid_pixels_come_out_as_zeros():
    pixels = np.arange(12.0).reshape(3, 4)
    valid = pixels < 6
    assert not Chain((ABOVE,))(pixels, valid)[~valid].any()
    assert (GAUSSIAN(pixels, valid)[~valid] == 0).all()


def test_an_operation_that_knows_no_masks_refuses_them():
    @tilewise()
    def plain(image: Pixels) -> Pixels:
        """Do nothing."""
        return image

    with pytest.raises(ImageError, match="does not take images with a validity mask"):
        plain.bind()(np.zeros((2, 2)), np.ones((2, 2), bool))


def test_an_operation_of_a_module_travels_by_name():
    for operation in (GAUSSIAN, OPENING, ABOVE, GRAY):
        data = pickle.dumps(operation)
        assert len(data) < 1000
        assert b"co_code" not in data
        again = pickle.loads(data)
        assert again.spec is operation.spec
        assert str(again) == str(operation)
    chain = pickle.loads(cloudpickle.dumps(Chain((GRAY, GAUSSIAN))))
    assert chain.operations[1].spec is GAUSSIAN.spec


def test_an_operation_made_in_a_function_travels_whole():
    offset = 7

    @tilewise(halo=lambda reach: reach, dtype="float64")
    def shifted(image, *, reach: int = 2):
        """Add to the pixels."""
        return image + float(offset) + reach

    operation = shifted.bind(reach=3)
    data = cloudpickle.dumps(operation)
    code = (
        "import sys, pickle, numpy as np\n"
        "operation = pickle.loads(sys.stdin.buffer.read())\n"
        "print(operation.halo, operation.dtype(np.dtype('uint8')), operation(np.ones((1, 2), 'uint8')).tolist())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "(3, 3) float64 [[11.0, 11.0]]"


def test_an_operation_of_a_script_travels_whole(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        "import sys, cloudpickle\n"
        "from bigimg import tilewise\n"
        "FACTOR = 5\n"
        "@tilewise()\n"
        "def scaled(image, *, times: int = 2):\n"
        "    '''Multiply.'''\n"
        "    return image * (times * FACTOR)\n"
        "if __name__ == '__main__':\n"
        "    sys.stdout.buffer.write(cloudpickle.dumps(scaled.bind(times=3)))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, check=True)
    operation: Any = pickle.loads(done.stdout)
    assert operation(np.array([[1, 2]])).tolist() == [[15, 30]]
    assert str(operation) == "scaled(times=3)"


def test_the_same_work_has_the_same_token_and_other_work_another():
    again = bigimg.filters.gaussian.bind(sigma=2)
    assert tokenize(Chain((GAUSSIAN,))) == tokenize(Chain((again,)))
    assert tokenize(Chain((GAUSSIAN,))) != tokenize(Chain((bigimg.filters.gaussian.bind(sigma=2.5),)))
    assert tokenize(Chain((GAUSSIAN, ABOVE))) != tokenize(Chain((ABOVE, GAUSSIAN)))
    other = bigimg.morphology.opening.bind(bigimg.morphology.disk(2))
    assert tokenize(Chain((OPENING,))) != tokenize(Chain((other,)))


def test_operations_that_differ_by_what_they_close_over_have_other_tokens():
    def made(amount: int) -> Operation:
        def add(image: Pixels) -> Pixels:
            return image + amount

        return Operation(Tilewise(add, "demo.add", halo=lambda: 0, dtype=lambda dtype: dtype))

    assert tokenize(Chain((made(1),))) != tokenize(Chain((made(2),)))
