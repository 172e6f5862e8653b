"""Filters beside their peers."""

import cv2
import dask.array as da
import numpy as np
import scipy.ndimage as ndi
from dask_image import ndfilters
from operations import row
from skimage import filters, restoration
from skimage.filters import rank
from skimage.morphology import disk

REFLECT = cv2.BORDER_REFLECT


def blur(sigma):
    """Return OpenCV's Gaussian, as wide as ours."""
    width = 2 * int(4 * sigma + 0.5) + 1
    return lambda image: cv2.GaussianBlur(image, (width, width), sigma, borderType=REFLECT)


def lazy(function, *args, **more):
    """Return dask-image's filter on one chunk."""
    return lambda image: function(da.from_array(image, chunks=-1), *args, **more).compute()


def padded_median(image, size):
    """Return OpenCV's median, whose own border repeats the last pixel."""
    edge = size // 2
    whole = cv2.medianBlur(cv2.copyMakeBorder(image, edge, edge, edge, edge, cv2.BORDER_REFLECT), size)
    return whole[edge:-edge, edge:-edge]


def medians(kind, size, cv2_too=True):
    """Return the row of a median."""
    peers = {"ndi": lambda image: ndi.median_filter(image, size), "dask": lazy(ndfilters.median_filter, size)}
    if kind == "u8" and size > 5:
        peers["sk"] = lambda image: rank.median(image, np.ones((size, size)))
        del peers["dask"]
    if cv2_too:
        peers["cv2"] = lambda image: padded_median(image, size)
    return row("filters.median", kind, {"size": size}, **peers)


def gaussians(kind, sigma):
    """Return the row of a Gaussian."""
    return row(
        "filters.gaussian",
        kind,
        {"sigma": sigma},
        sk=lambda image: filters.gaussian(image, sigma, mode="reflect", preserve_range=True),
        ndi=lambda image: ndi.gaussian_filter(image.astype("float32" if kind == "f32" else float), sigma),
        dask=lazy(ndfilters.gaussian_filter, sigma),
        cv2=lambda image: blur(sigma)(image.astype("float32" if kind == "f32" else float)),
        tolerance=1e-6,
    )


def sobel(image):
    """Return OpenCV's gradient magnitude, weighted as scikit-image's."""
    down, along = (cv2.Sobel(image, -1, *order, borderType=REFLECT) for order in ((0, 1), (1, 0)))
    return cv2.magnitude(down, along) / np.sqrt(32)


ROWS = [
    gaussians("f32", 1),
    gaussians("f32", 2),
    gaussians("f32", 5),
    gaussians("u16", 2),
    row(
        "filters.gaussian",
        "volume16",
        {"sigma": 2, "dims": "zyx"},
        sk=lambda image: filters.gaussian(image, 2, mode="reflect", preserve_range=True),
        ndi=lambda image: ndi.gaussian_filter(image.astype(float), 2),
        tolerance=1e-9,
    ),
    row(
        "filters.uniform",
        "u8",
        {"size": 9},
        ndi=lambda image: ndi.uniform_filter(image.astype(float), 9),
        cv2=lambda image: cv2.boxFilter(image, cv2.CV_64F, (9, 9), borderType=REFLECT),
        tolerance=1e-9,
    ),
    row(
        "filters.uniform",
        "u16",
        {"size": 51},
        ndi=lambda image: ndi.uniform_filter(image.astype(float), 51),
        cv2=lambda image: cv2.boxFilter(image, cv2.CV_64F, (51, 51), borderType=REFLECT),
        tolerance=1e-9,
    ),
    row(
        "filters.uniform",
        "f32",
        {"size": 9},
        ndi=lambda image: ndi.uniform_filter(image, 9),
        cv2=lambda image: cv2.blur(image, (9, 9), borderType=REFLECT),
        tolerance=1e-6,
    ),
    row(
        "filters.uniform",
        "volume16",
        {"size": 9, "dims": "zyx"},
        ndi=lambda image: ndi.uniform_filter(image.astype(float), 9),
        tolerance=1e-9,
    ),
    medians("u8", 3),
    medians("u8", 5),
    medians("u8", 9),
    medians("u8", 31),
    medians("u16", 3),
    medians("u16", 5),
    medians("u16", 9, cv2_too=False),
    row("filters.median", "u16", {"size": 31}, detail="size 31"),
    medians("f32", 5),
    row(
        "filters.median",
        "volume8",
        {"size": 3, "dims": "zyx"},
        ndi=lambda image: ndi.median_filter(image, 3),
    ),
    row("filters.minimum", "u8", {"size": 15}, ndi=lambda image: ndi.minimum_filter(image, 15)),
    row(
        "filters.maximum",
        "u16",
        {"size": 15},
        ndi=lambda image: ndi.maximum_filter(image, 15),
        dask=lazy(ndfilters.maximum_filter, 15),
        cv2=lambda image: cv2.dilate(image, np.ones((15, 15), np.uint8)),
    ),
    row(
        "filters.percentile",
        "u8",
        {"percentile": 20, "size": 9},
        ndi=lambda image: ndi.percentile_filter(image, 20, 9),
    ),
    row("filters.standard_deviation", "u16", {"size": 15}),
    row(
        "filters.entropy",
        "u8",
        {"footprint": disk(5)},
        detail="disk 5",
        sk=lambda image: rank.entropy(image, disk(5)),
        tolerance=1e-6,
    ),
    row(
        "filters.sobel",
        "f64",
        sk=filters.sobel,
        ndi=lambda image: np.hypot(ndi.sobel(image, 0), ndi.sobel(image, 1)) / np.sqrt(32),
        cv2=sobel,
        tolerance=1e-9,
    ),
    row("filters.sobel", "u8", sk=lambda image: filters.sobel(image.astype(float)), tolerance=1e-9),
    row("filters.prewitt", "f32", sk=filters.prewitt, tolerance=1e-6),
    row("filters.laplace", "f32", sk=filters.laplace, ndi=lambda image: -ndi.laplace(image), tolerance=1e-6),
    row(
        "filters.gaussian_laplace",
        "f32",
        {"sigma": 3},
        ndi=lambda image: ndi.gaussian_laplace(image, 3),
        dask=lazy(ndfilters.gaussian_laplace, 3),
        tolerance=1e-5,
    ),
    row(
        "filters.difference_of_gaussians",
        "f32",
        {"low_sigma": 2, "high_sigma": 4},
        sk=lambda image: filters.difference_of_gaussians(image, 2, 4, mode="reflect"),
        cv2=lambda image: blur(2)(image) - blur(4)(image),
        tolerance=1e-5,
    ),
    row(
        "filters.unsharp_mask",
        "f32",
        {"radius": 3, "amount": 2},
        sk=lambda image: filters.unsharp_mask(image, 3, 2, preserve_range=True),
        tolerance=1e-5,
    ),
    row("filters.gabor", "f32", {"frequency": 0.2}, sk=lambda image: filters.gabor(image, 0.2)[0], tolerance=1e-5),
    row(
        "filters.correlate",
        "f64",
        {"weights": np.arange(49.0).reshape(7, 7).tolist()},
        detail="7 x 7",
        ndi=lambda image: ndi.correlate(image, np.arange(49.0).reshape(7, 7)),
        cv2=lambda image: cv2.filter2D(image, -1, np.arange(49.0).reshape(7, 7), borderType=REFLECT),
        tolerance=1e-9,
    ),
    row(
        "filters.sato",
        "f32",
        {"sigmas": (2,)},
        sk=lambda image: filters.sato(image, [2], mode="reflect"),
        tolerance=1e-4,
    ),
    row("filters.frangi", "f32", {"sigmas": (2,)}, sk=lambda image: filters.frangi(image, [2]), tolerance=1e-3),
    row(
        "filters.bilateral",
        "f64 small",
        {"sigma_color": 0.1, "sigma_spatial": 2},
        sk=lambda image: restoration.denoise_bilateral(image, sigma_color=0.1, sigma_spatial=2, mode="symmetric"),
        tolerance=1e-6,
    ),
    row(
        "filters.nl_means",
        "f64 small",
        {"h": 0.1, "patch_size": 5, "patch_distance": 6},
        sk=lambda image: restoration.denoise_nl_means(image, 5, 6, 0.1, fast_mode=False),
        tolerance=1e-6,
    ),
]
