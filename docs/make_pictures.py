"""Draw a picture of every operation: ``python docs/make_pictures.py``, or with the names of some.

Each is a real image that comes with scikit-image, and beside it what the operation makes of it. A test compares the
pictures in the repository to the catalogue, so that none is missing and none is left over.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from bigimg import filters, measure, morphology, threshold
from bigimg.ops.catalog import operations
from bigimg.testing import example_parameters

FOLDER = Path(__file__).with_name("pictures")
GAP = 6
EDGE = 144

Pixels = NDArray[Any]


@cache
def gray() -> Pixels:
    """Return a man with a camera."""
    return data.camera()[60:348:2, 130:418:2]


@cache
def noisy() -> Pixels:
    """Return the man with a camera in noise."""
    return np.clip(gray() + np.random.default_rng(0).normal(0, 15, (EDGE, EDGE)), 0, 255).astype("uint8")


@cache
def cells() -> Pixels:
    """Return cells under the microscope, dark ground."""
    return data.coins()[40 : 40 + EDGE, 60 : 60 + EDGE]


@cache
def tissue() -> Pixels:
    """Return stained tissue, red, green and blue."""
    return np.ascontiguousarray(data.immunohistochemistry()[180 : 180 + EDGE, 60 : 60 + EDGE].transpose(2, 0, 1))


@cache
def page() -> Pixels:
    """Return a page of text, unevenly lit."""
    return data.page()[20 : 20 + EDGE, 10 : 10 + EDGE]


@cache
def mask() -> Pixels:
    """Return coins as a mask with its faults."""
    return threshold.otsu(filters.gaussian(cells(), sigma=0.7))


@cache
def rough() -> Pixels:
    """Return coins as a mask with specks and holes."""
    return cells() > 122


@cache
def objects() -> Pixels:
    """Return the coins as a mask without faults."""
    return morphology.fill_holes(morphology.remove_small_objects(mask(), min_size=50))


@cache
def horse() -> Pixels:
    """Return a horse as a mask."""
    return data.horse()[20:308:2, 50:338:2] == 0


def cmyk() -> Pixels:
    """Return the tissue in printing inks."""
    return operations()["color.rgb2cmyk"](tissue())


def rgba() -> Pixels:
    """Return the tissue, less and less opaque to the right."""
    fade = np.tile(np.linspace(255, 0, EDGE).astype("uint8"), (1, EDGE, 1))
    return np.concatenate([tissue(), fade])


def frames() -> Pixels:
    """Return frames that something crosses."""
    still = np.stack([gray()] * 5)
    for number, frame in enumerate(still):
        frame[40:80, 10 + 25 * number : 35 + 25 * number] = 255
    return still


def flat() -> Pixels:
    """Return the light of a lamp that is brightest in the middle."""
    y, x = np.indices((EDGE, EDGE)) - EDGE / 2
    return np.exp(-(y**2 + x**2) / EDGE**2 * 2)


def lit() -> Pixels:
    """Return pieces of tissue under one lamp."""
    places = [(row, column) for row in (0, 120, 240, 360) for column in (0, 120, 240, 360)]
    red = data.immunohistochemistry()[..., 2]
    return np.stack([red[row : row + EDGE, column : column + EDGE] * flat() for row, column in places]).astype("uint8")


# What an operation is shown with, where the usual image and the example of its parameters do not do: an image, and
# parameters. An image that is a parameter is called.
SHOWN: dict[str, tuple[Callable[[], Pixels], dict[str, Any]]] = {
    "color.channel": (tissue, {"index": 2}),
    "color.channels": (tissue, {"indices": (2, 1, 0)}),
    "color.cmyk2rgb": (cmyk, {}),
    "color.hed2rgb": (lambda: operations()["color.rgb2hed"](tissue()), {}),
    "color.hsv2rgb": (lambda: operations()["color.rgb2hsv"](tissue()), {}),
    "color.lab2rgb": (lambda: operations()["color.rgb2lab"](tissue()), {}),
    "color.normalized_difference": (tissue, {"first": 2, "second": 0}),
    "color.ndvi": (tissue, {"nir": 2, "red": 0}),
    "color.ndwi": (tissue, {"green": 1, "nir": 0}),
    "color.rgba2rgb": (rgba, {}),
    "exposure.absolute_difference": (lambda: frames()[2], {"other": gray}),
    "exposure.adjust_gamma": (gray, {"gamma": 0.5}),
    "exposure.flat_field": (lambda: (gray() * flat()).astype("uint8"), {"flat": flat}),
    "exposure.illumination": (lit, {"sigma": 8}),
    "exposure.rolling_ball": (page, {"radius": 20}),
    "exposure.subtract_background": (page, {"radius": 20}),
    "exposure.subtract_gaussian": (page, {"sigma": 12}),
    "filters.bilateral": (noisy, {"sigma_color": 60, "sigma_spatial": 2}),
    "filters.convolve": (gray, {"weights": [[-1, -1, 0], [-1, 0, 1], [0, 1, 1]]}),
    "filters.correlate": (gray, {"weights": [[-1, -1, 0], [-1, 0, 1], [0, 1, 1]]}),
    "filters.difference_of_gaussians": (gray, {"low_sigma": 1, "high_sigma": 5}),
    "filters.entropy": (gray, {"footprint": {"disk": 4}}),
    "filters.frangi": (lambda: data.retina()[500:788:2, 600:888:2, 1], {}),
    "filters.gabor": (gray, {"frequency": 0.2}),
    "filters.gaussian": (gray, {"sigma": 3}),
    "filters.gaussian_laplace": (gray, {"sigma": 2}),
    "filters.maximum": (gray, {"size": 9}),
    "filters.median": (gray, {"size": 9}),
    "filters.meijering": (lambda: data.retina()[500:788:2, 600:888:2, 1], {}),
    "filters.minimum": (gray, {"size": 9}),
    "filters.nl_means": (noisy, {"h": 12, "sigma": 15}),
    "filters.percentile": (gray, {"percentile": 90, "size": 9}),
    "filters.sato": (lambda: data.retina()[500:788:2, 600:888:2, 1], {}),
    "filters.standard_deviation": (gray, {"size": 7}),
    "filters.uniform": (gray, {"size": 9}),
    "filters.unsharp_mask": (gray, {"radius": 3, "amount": 2}),
    "morphology.distance_transform": (objects, {}),
    "morphology.fill_holes": (rough, {}),
    "morphology.filter_sizes": (rough, {"min_size": 20, "max_size": 1200}),
    "morphology.h_maxima": (gray, {"h": 80}),
    "morphology.h_minima": (gray, {"h": 80}),
    "morphology.hit_or_miss": (horse, {"footprint": [[0, 0, 0], [1, 1, 0], [0, 1, 0]]}),
    "morphology.largest_objects": (rough, {"number": 3}),
    "morphology.local_maxima": (lambda: filters.gaussian(cells(), sigma=3), {}),
    "morphology.local_minima": (lambda: filters.gaussian(cells(), sigma=3), {}),
    "morphology.reconstruction": (lambda: gray() - np.minimum(gray(), 60), {"mask": gray}),
    "morphology.remove_small_holes": (rough, {"max_size": 60}),
    "morphology.remove_small_objects": (rough, {"min_size": 60}),
    "morphology.skeletonize": (horse, {}),
    "morphology.thin": (horse, {}),
    "segmentation.clear_border": (lambda: measure.label(objects()), {}),
    "segmentation.expand_labels": (lambda: measure.label(morphology.erosion(objects(), {"disk": 4})), {"distance": 5}),
    "segmentation.filter_sizes": (lambda: measure.label(objects()), {"min_size": 150}),
    "segmentation.join_segmentations": (
        lambda: measure.label(objects()),
        {"other": lambda: np.indices((EDGE, EDGE)).sum(axis=0) // 72 + 1},
    ),
    "segmentation.relabel_sequential": (lambda: 5 * measure.label(objects()), {}),
    "segmentation.split_touching": (lambda: morphology.dilation(objects(), {"disk": 3}), {}),
    "segmentation.watershed": (
        lambda: filters.sobel(cells()),
        {"markers": lambda: measure.label(cells() > 170).astype("int32") + 100 * (cells() < 70)},
    ),
    "threshold.bernsen": (page, {"footprint": {"disk": 12}}),
    "threshold.between": (cells, {"low": 90, "high": 150}),
    "threshold.color_range": (tissue, {"low": (0.5, 0.1, 0), "high": (0.8, 1, 1), "space": "hsv"}),
    "threshold.fixed": (cells, {"value": 120}),
    "threshold.hysteresis": (cells, {"low": 100, "high": 160}),
    "transform.affine": (gray, {"matrix": [[0.9, 0.3, 0], [-0.2, 1.1, 10]]}),
    "transform.downscale_local_mean": (gray, {"factors": 4}),
    "transform.project": (frames, {"axis": "t", "method": "max"}),
    "transform.rescale": (gray, {"scale": 0.5}),
    "transform.resize": (gray, {"output_shape": (72, 108)}),
    "transform.rotate": (gray, {"angle": 25}),
    "transform.temporal_median": (frames, {}),
}

LOCAL = ("threshold.local_mean", "threshold.local_gaussian", "threshold.local_median", "threshold.niblack")
LOCAL += ("threshold.sauvola", "threshold.phansalkar")
SHOWN |= {name: (page, {"window_size": 25}) for name in LOCAL}
GRAY = ("erosion", "dilation", "opening", "closing", "white_tophat", "black_tophat", "gradient")
SHOWN |= {f"morphology.{name}": (gray, {"footprint": {"disk": 4}}) for name in GRAY}


def drawn() -> list[str]:
    """Return the names of the operations that give an image."""
    return [name for name, operation in operations().items() if operation.gives not in {"table", "value"}]


def picture(name: str) -> Pixels:
    """Return an operation's image and what it makes of it, side by side, (M, N, 3) uint8."""
    operation = operations()[name]
    usual = {"mask": mask, "labels": lambda: measure.label(objects())}.get(operation.takes, gray)
    if name.startswith("threshold."):
        usual = cells
    if name.startswith("color."):
        usual = tissue
    make, given = SHOWN.get(name, (usual, {}))
    params = {key: value() if callable(value) else value for key, value in given.items()}
    image = make()
    result = operation(image, **{**example_parameters(operation.parameters), **params})
    first, second = painted(image), painted(result)
    edge = max(len(first), len(second))
    sides = [np.pad(side, ((0, edge - len(side)), (0, GAP), (0, 0)), constant_values=255) for side in (first, second)]
    return np.concatenate(sides, axis=1)[:, :-GAP]


def painted(image: Pixels) -> Pixels:
    """Return an image as people look at it: masks black and white, labels in colours, numbers from dark to bright."""
    image = np.asarray(image)
    if image.dtype == bool:
        return np.repeat(image[..., None], 3, axis=-1).astype("uint8") * 255
    if image.ndim == 2 and image.dtype.kind in "iu" and image.dtype.itemsize > 2:
        colours = np.random.default_rng(3).integers(60, 256, (int(image.max()) + 1, 3))
        colours[0] = 0
        return colours[image].astype("uint8")
    planes = image if image.ndim == 3 else image[None]
    planes = planes[:3] if len(planes) in {3, 4} else planes[:1]
    low, high = np.percentile(planes, (0.5, 99.5))
    if image.dtype == np.uint8 and high > 30:
        low, high = 0, 255
    scaled = np.clip((planes.astype(float) - low) / max(high - low, 1e-12), 0, 1) * 255
    return np.repeat(scaled, 3 // len(scaled), axis=0).transpose(1, 2, 0).astype("uint8")


def main() -> None:
    """Draw the pictures that were asked for, or all."""
    FOLDER.mkdir(exist_ok=True)
    wanted = sys.argv[1:] or drawn()
    for name in wanted:
        drawing = picture(name)
        done = cv2.imwrite(str(FOLDER / f"{name}.png"), drawing[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
        assert done, f"{FOLDER} cannot be written"
    if not sys.argv[1:]:
        for left in {path.stem for path in FOLDER.glob("*.png")} - set(wanted):
            (FOLDER / f"{left}.png").unlink()


if __name__ == "__main__":
    main()
