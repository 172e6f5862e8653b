"""Colours: conversions to grey values, of stains, of spaces."""

from bigimg.ops.color.gray import channel, rgb2gray, to_gray
from bigimg.ops.color.stains import hematoxylin, nuclear_stain

__all__ = [
    "channel",
    "hematoxylin",
    "nuclear_stain",
    "rgb2gray",
    "to_gray",
]
