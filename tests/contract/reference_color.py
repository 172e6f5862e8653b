"""References of colours: scikit-image with the channels first, and plain formulas where it has none."""

from functools import partial

import numpy as np
from skimage import color

from .case import FLOATS, Case

UNSIGNED = ("uint8", "uint16", *FLOATS)


def skimage(function, **more):
    return partial(function, channel_axis=0, **more)


def white(image):
    return np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1.0


def unit(image):
    return image / white(image)


def gray(image):
    return color.rgb2gray(image, channel_axis=0) * white(image)


def cmyk(image):
    red, green, blue = unit(image).astype(float)
    black = 1 - np.maximum(np.maximum(red, green), blue)
    light = np.where(black < 1, 1 - black, 1)
    inks = [np.where(black < 1, (1 - part - black) / light, 0) for part in (red, green, blue)]
    return np.stack([*inks, black])


def from_cmyk(image):
    cyan, magenta, yellow, black = unit(image).astype(float)
    return np.stack([(1 - ink) * (1 - black) for ink in (cyan, magenta, yellow)])


def difference(image, scale=1.0, offset=0.0):
    first, second = (image[band].astype(float) * scale + offset for band in (2, 0))
    total = first + second
    return np.divide(first - second, total, out=np.zeros_like(total), where=total != 0)


def nuclei(image):
    """An image of any grey, upright where it is mostly bright."""
    bright = (image > white(image) / 2).sum() * 2 > image.size
    return (white(image) - image.astype(float)) if bright else image.astype(float)


def reds(image):
    hue, saturation, value = color.rgb2hsv(image, channel_axis=0)
    return ((hue >= 0.9) | (hue <= 0.2)) & (saturation >= 0.25) & (value >= 0.3) & (value <= 0.9)


def lab_image(dtype):
    """Colours that sRGB holds, black and white among them."""
    colours = np.random.default_rng(0).random((3, 31, 23))
    colours[:, 0], colours[:, 1] = 0, 1
    return color.rgb2lab(colours, channel_axis=0).astype(dtype)


CASES = [
    Case("color.rgb2gray", gray, {}, UNSIGNED, rtol=1e-6, channels=3),
    Case("color.to_gray", gray, {}, UNSIGNED, rtol=1e-6, channels=3),
    Case("color.to_gray", lambda image: image, {}, ("uint8", "float32")),
    Case("color.rgb2hsv", skimage(color.rgb2hsv), {}, ("uint8", "uint16", "float64"), channels=3),
    Case("color.rgb2hsv", skimage(color.rgb2hsv), {}, ("float32",), rtol=1e-6, channels=3),
    Case("color.hsv2rgb", skimage(color.hsv2rgb), {}, UNSIGNED, rtol=1e-6, channels=3),
    # scikit-image computes float32 in float32.
    Case("color.rgb2lab", skimage(color.rgb2lab), {}, ("uint8", "uint16", "float64"), rtol=1e-13, channels=3),
    Case("color.rgb2lab", skimage(color.rgb2lab), {}, ("float32",), rtol=1e-5, channels=3),
    Case("color.lab2rgb", skimage(color.lab2rgb), {}, ("float64",), rtol=1e-12, image=lab_image),
    Case("color.rgb2hed", skimage(color.rgb2hed), {}, UNSIGNED, rtol=1e-6, channels=3),
    Case("color.hed2rgb", skimage(color.hed2rgb), {}, UNSIGNED, rtol=1e-6, channels=3),
    Case("color.hematoxylin", lambda image: skimage(color.rgb2hed)(image)[0], {}, UNSIGNED, rtol=1e-6, channels=3),
    Case("color.rgb2cmyk", cmyk, {}, UNSIGNED, rtol=1e-6, channels=3),
    Case("color.cmyk2rgb", from_cmyk, {}, UNSIGNED, rtol=1e-6, channels=4),
    Case(
        "color.rgba2rgb",
        skimage(color.rgba2rgb, background=(0.2, 0.5, 1)),
        {"background": (0.2, 0.5, 1)},
        UNSIGNED,
        rtol=1e-6,
        channels=4,
    ),
    Case("color.nuclear_stain", nuclei, {}, ("uint8", "uint16", "float64")),
    Case("color.channel", lambda image: image[1], {"index": 1}, channels=3),
    Case("color.channels", lambda image: image[[2, 0]], {"indices": (2, 0)}, channels=3),
    Case("color.normalized_difference", difference, {"first": 2, "second": 0}, rtol=1e-6, channels=3),
    Case(
        "color.normalized_difference",
        partial(difference, scale=2.75e-5, offset=-0.2),
        {"first": 2, "second": 0, "scale": 2.75e-5, "offset": -0.2},
        ("uint8", "float64"),
        rtol=1e-9,
        channels=3,
    ),
    Case(
        "color.band_difference",
        lambda image: image[2].astype("f8") - image[0],
        {"first": 2, "second": 0},
        UNSIGNED,
        rtol=1e-6,
        channels=3,
    ),
    Case("color.ndvi", difference, {"nir": 2, "red": 0}, UNSIGNED, rtol=1e-6, channels=3),
    Case("color.ndwi", difference, {"green": 2, "nir": 0}, UNSIGNED, rtol=1e-6, channels=3),
    Case(
        "threshold.color_range",
        reds,
        {"low": (0.9, 0.25, 0.3), "high": (0.2, 1, 0.9), "space": "hsv"},
        ("uint8", "uint16", "float64"),
        channels=3,
    ),
    Case(
        "threshold.color_range",
        lambda image: ((image >= 20) & (image <= 200)).all(axis=0),
        {"low": (20, 20, 20), "high": (200, 200, 200)},
        channels=3,
    ),
]
