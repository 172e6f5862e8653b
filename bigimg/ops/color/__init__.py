"""Colours: conversions between spaces and to grey values, stains, channels and bands."""

from bigimg.ops.color.bands import band_difference, channel, channels, ndvi, ndwi, normalized_difference
from bigimg.ops.color.gray import rgb2gray, to_gray
from bigimg.ops.color.spaces import cmyk2rgb, hed2rgb, hsv2rgb, lab2rgb, rgb2cmyk, rgb2hed, rgb2hsv, rgb2lab, rgba2rgb
from bigimg.ops.color.stains import hematoxylin, nuclear_stain

__all__ = [
    "band_difference",
    "channel",
    "channels",
    "cmyk2rgb",
    "hed2rgb",
    "hematoxylin",
    "hsv2rgb",
    "lab2rgb",
    "ndvi",
    "ndwi",
    "normalized_difference",
    "nuclear_stain",
    "rgb2cmyk",
    "rgb2gray",
    "rgb2hed",
    "rgb2hsv",
    "rgb2lab",
    "rgba2rgb",
    "to_gray",
]
