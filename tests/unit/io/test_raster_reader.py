import struct
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from PIL import Image

from bigimg.errors import ImageError, ReadError
from bigimg.io import open_sources
from bigimg.io.readers import raster

COLOUR = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
SKIMAGE = Path(skimage.__file__).parent / "data"


def _read(path):
    ((source,), _) = open_sources(path)
    return source, source[...]


def test_sixteen_bit_colour_keeps_its_bits(tmp_path):
    deep = np.random.default_rng(1).integers(0, 65536, (20, 30, 4), np.uint16)
    for channels, names in ((3, ("red", "green", "blue")), (4, ("red", "green", "blue", "alpha"))):
        stored = deep[..., :channels]
        cv2.imwrite(
            str(tmp_path / "deep.png"), cv2.cvtColor(stored, {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}[channels])
        )
        source, pixels = _read(tmp_path / "deep.png")
        assert source.attrs["channel_names"] == names
        np.testing.assert_array_equal(pixels, np.moveaxis(stored, -1, 0))


def test_palettes_become_colours(tmp_path):
    picture = Image.fromarray(COLOUR).quantize(16)
    picture.save(tmp_path / "palette.png")
    source, pixels = _read(tmp_path / "palette.png")
    assert source.dims == ("c", "y", "x")
    np.testing.assert_array_equal(pixels, np.moveaxis(np.asarray(picture.convert("RGB")), -1, 0))
    picture.save(tmp_path / "clear.png", transparency=3)
    source, pixels = _read(tmp_path / "clear.png")
    assert source.attrs["channel_names"] == ("red", "green", "blue", "alpha")
    assert set(np.unique(pixels[3])) == {0, 255}


@pytest.mark.parametrize(
    ("mode", "shape", "dtype"),
    [("1", (20, 30), "?"), ("L", (20, 30), "u1"), ("LA", (2, 20, 30), "u1"), ("RGBA", (4, 20, 30), "u1")],
)
def test_modes(tmp_path, mode, shape, dtype):
    picture = Image.fromarray(COLOUR).convert(mode)
    picture.save(tmp_path / "a.png")
    source, pixels = _read(tmp_path / "a.png")
    assert (source.shape, source.dtype) == (shape, np.dtype(dtype))
    expected = np.asarray(picture)
    np.testing.assert_array_equal(pixels, np.moveaxis(expected, -1, 0) if expected.ndim == 3 else expected)


def test_cmyk_becomes_rgb(tmp_path):
    Image.fromarray(COLOUR).convert("CMYK").save(tmp_path / "a.jpg")
    assert _read(tmp_path / "a.jpg")[0].attrs["channel_names"] == ("red", "green", "blue")


def test_orientation_is_reported_and_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLOUR).save(tmp_path / "a.jpg", exif=exif)
    source, _ = _read(tmp_path / "a.jpg")
    assert source.shape == (3, 20, 30)
    assert source.attrs["acquisition"] == {"exif_orientation": 6}


def test_animation_is_refused(tmp_path):
    frames = [Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match=r"a\.png is an animation of 2 frames"):
        open_sources(tmp_path)


def test_bomb_is_refused(tmp_path, monkeypatch):
    Image.fromarray(COLOUR).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ReadError, match=r"bomb\.png.*may be an attack"):
        open_sources(tmp_path)


def test_flipped_bits_in_a_png_do_not_read_as_other_pixels(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(COLOUR).save(path)
    whole = path.read_bytes()
    expected = np.moveaxis(COLOUR, -1, 0)
    for at in range(40, len(whole) - 20, 97):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with suppress(ReadError, ImageError):
            np.testing.assert_array_equal(_read(path)[1], expected)


def test_decoded_image_is_kept_for_the_next_box(tmp_path, monkeypatch):
    from bigimg.io.readers import raster

    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    ((source,), _) = open_sources(tmp_path)
    decoded = []
    decode = raster._decode
    monkeypatch.setattr(raster, "_decode", lambda path: decoded.append(path) or decode(path))
    first = source[0, :5]
    first[:] = 0
    np.testing.assert_array_equal(source[0, :5], COLOUR[:5, :, 0])
    source[1, 5:]
    assert len(decoded) == 1


@pytest.mark.parametrize("name", ["coins.png", "astronaut.png", "retina.jpg", "horse.png", "page.png"])
def test_images_of_scikit_image_read_as_it_reads_them(name):
    from skimage import io

    _, pixels = _read(SKIMAGE / name)
    expected = io.imread(SKIMAGE / name)
    np.testing.assert_array_equal(pixels, np.moveaxis(expected, -1, 0) if expected.ndim == 3 else expected)


def test_a_jpeg_too_small_for_what_it_declares_is_refused(tmp_path):
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "a.jpg")
    data = bytearray((tmp_path / "a.jpg").read_bytes())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 9000, 9000)
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ReadError, match=r"a\.jpg is damaged: it declares 9000 x 9000 pixels"):
        raster.headers(tmp_path / "a.jpg")


@pytest.mark.parametrize("options", [{}, {"quality": 1}, {"optimize": True}, {"progressive": True}])
def test_the_smallest_jpeg_of_one_value_is_read(tmp_path, options):
    Image.fromarray(np.full((3000, 4000, 3), 128, np.uint8)).save(tmp_path / "a.jpg", **options)
    (header,) = raster.headers(tmp_path / "a.jpg")
    assert header.shape == (3, 3000, 4000)
