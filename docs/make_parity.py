"""Write docs/parity.md from the rows below and the table of references: ``python docs/make_parity.py``.

A row is a feature that people look for, with the operations that have it, what these are equal to, what is missing or
limited, and the laws that hold them. Which file of references proves an operation is found, not written: every
operation must be in one. A test compares the page to this file, and asks for a row of every operation.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

from bigimg.run.catalog import operations

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_name("parity.md")
REFERENCES = ROOT / "tests" / "contract"
LAWS = ROOT / "tests" / "laws"

ROOMS = (
    "color",
    "exposure",
    "filters",
    "measure",
    "morphology",
    "segmentation",
    "threshold",
    "track",
    "transform",
)
"""The rooms whose operations all stand in a row."""

HEAD = """\
# Features, and what proves them

What people look for in a library of image processing, what has it here, and what that is equal to. Made by
`docs/make_parity.py`.

*Equal* is equal on the whole image, in memory, and so for every tiling: an operation cannot tell how an image is cut.
*To the bit* is without any tolerance; where rounding may differ, the case in the file of references says by how much.
scikit-image is version 0.26, SciPy 1.17. *Also zyx*: volumes are compared too.

The files under *proof* hold the cases that are compared with the reference, named as the operation is:
`pytest tests/contract/test_references.py -k filters.median` runs those of one. *(corrected)* is said where the
reference itself is wrong or does not do all of it: such a case compares with a plain twin, and its `wrong` says what is
wrong. Laws are properties that must hold for random images, tilings and masks. Besides,
[test_operations.py](../tests/contract/test_operations.py) cuts every operation there is into random tiles, lazily and
in workflows, and changes what lies under the mask.
"""


@dataclass(frozen=True)
class Row:
    """A feature."""

    feature: str
    operations: tuple[str, ...]
    """Full names; none where the feature is not there."""
    equal: str
    """What the operations are equal to."""
    limits: str = ""
    """What is missing or limited."""
    proofs: tuple[str, ...] = ()
    """Files of laws or tests, from the root of the repository, beside the references."""


def of(room: str, *names: str) -> tuple[str, ...]:
    """Return full names of operations."""
    return tuple(f"{room}.{name}" for name in names)


def found_by(*methods: str) -> tuple[str, ...]:
    """Return the names of what finds a threshold and of what applies it."""
    return tuple(chain.from_iterable(of("threshold", f"{name}_value", name) for name in methods))


EXPOSURE_LAWS = ("tests/laws/test_exposure_laws.py",)
TRANSFORM_LAWS = ("tests/laws/test_transform_laws.py",)
FILTER_LAWS = ("tests/laws/test_filter_kernel_laws.py",)
CONVOLUTION_LAWS = ("tests/laws/test_convolution_laws.py",)
RANK_LAWS = ("tests/laws/test_rank_laws.py",)
MORPHOLOGY_LAWS = ("tests/laws/test_morphology_kernel_laws.py",)
OBJECT_LAWS = ("tests/laws/test_object_laws.py",)
DISTANCE_LAWS = ("tests/laws/test_distance_laws.py",)
FLOW_LAWS = ("tests/laws/test_reconstruction_laws.py",)
WATERSHED_LAWS = ("tests/laws/test_watershed_laws.py",)
CHANNEL_TESTS = ("tests/unit/engine/test_channels.py",)
THRESHOLD_TESTS = ("tests/unit/kernels/test_thresholds.py",)
LOCAL_TESTS = ("tests/unit/kernels/test_local.py",)
JOIN_TESTS = ("tests/unit/engine/test_joined.py",)

OBJECT_MEASURES = ("tests/laws/test_object_measure_laws.py",)

NO_SPLINES = "order 0 or 1; splines of order > 1 are refused: they depend on every pixel of the image"

SECTIONS: dict[str, tuple[Row, ...]] = {
    "Images, colour, preparation": (
        Row(
            "gray",
            of("color", "rgb2gray", "to_gray"),
            "`skimage.color.rgb2gray`, up to rounding, times the white of the dtype: grey values keep their range",
            "",
            CHANNEL_TESTS,
        ),
        Row("RGBA", of("color", "rgba2rgb"), "`skimage.color.rgba2rgb`, up to rounding", "", CHANNEL_TESTS),
        Row(
            "CMYK",
            of("color", "rgb2cmyk", "cmyk2rgb"),
            "the plain formula, up to rounding; scikit-image has none",
            "no colour profiles: as simple printers do",
            CHANNEL_TESTS,
        ),
        Row(
            "HSV",
            of("color", "rgb2hsv", "hsv2rgb"),
            "`skimage.color`; to HSV to the bit, but of float32",
            "",
            CHANNEL_TESTS,
        ),
        Row(
            "Lab",
            of("color", "rgb2lab", "lab2rgb"),
            "`skimage.color`, up to rounding",
            "illuminant D65 and observer of 2 degrees only",
            CHANNEL_TESTS,
        ),
        Row(
            "HED, stains",
            of("color", "rgb2hed", "hed2rgb", "hematoxylin"),
            "`skimage.color`, up to rounding",
            "the stains of Ruifrok and Johnston; none that are estimated from the image",
            CHANNEL_TESTS,
        ),
        Row(
            "nuclei bright, whatever the microscopy",
            of("color", "nuclear_stain"),
            "a plain twin; a rule of this package, no standard one",
            "the kind of image is guessed from its pixels",
        ),
        Row(
            "channels and bands by name",
            of("color", "channel", "channels"),
            "NumPy's indexing",
            "names need an `xarray.DataArray`; arrays go by numbers",
            CHANNEL_TESTS,
        ),
        Row(
            "band maths: NDVI, NDWI, any index of two bands",
            of("color", "normalized_difference", "ndvi", "ndwi", "band_difference"),
            "the plain formula, up to rounding",
            "`(a - b) / (a + b)` only; other formulas are arithmetic on channels in Python, and no step of a workflow",
            CHANNEL_TESTS,
        ),
        Row(
            "rescale intensity",
            of("exposure", "rescale_intensity"),
            "`skimage.exposure.rescale_intensity`, to the bit; the default of `out_range` is 0..1 here",
            "",
            EXPOSURE_LAWS,
        ),
        Row(
            "normalise: mean and deviation, percentiles, extrema",
            of("exposure", "normalize", "standardize", "percentile_values", "mean_value", "std_value"),
            "`numpy.percentile`, `mean` and `std` of the whole image; sums are exact and rounded once",
            "one range for the whole of an image, not for each plane or for a collection",
            EXPOSURE_LAWS,
        ),
        Row(
            "gamma, logarithm, sigmoid, inverse",
            of("exposure", "adjust_gamma", "adjust_log", "adjust_sigmoid", "invert"),
            "`skimage.exposure` and `skimage.util.invert`; what leaves an integer dtype becomes its end",
            "",
            EXPOSURE_LAWS,
        ),
        Row(
            "histogram equalisation",
            of("exposure", "equalize_hist"),
            "`skimage.exposure.equalize_hist`, to the bit",
            "integers may span 2**24 grey values",
            EXPOSURE_LAWS,
        ),
        Row(
            "CLAHE",
            of("exposure", "equalize_adapthist"),
            "`skimage.exposure.equalize_adapthist`, to the bit; regions belong to the image, not to tiles",
            "colours are not converted; the histograms of all regions must fit 512 MiB",
            EXPOSURE_LAWS,
        ),
        Row(
            "background: rolling ball",
            of("exposure", "rolling_ball", "subtract_background"),
            "`skimage.restoration.rolling_ball`, to the bit",
            "a tile reads the radius beyond its own; no ellipsoids",
            EXPOSURE_LAWS,
        ),
        Row(
            "background: large sigma",
            of("exposure", "subtract_gaussian"),
            "the image less `scipy.ndimage.gaussian_filter`, up to rounding",
            "sigma up to 1000 pixels; a tile reads 4 of them beyond its own",
        ),
        Row(
            "difference from a background",
            of("exposure", "absolute_difference"),
            "`numpy.abs` of the exact difference, in the dtype of the image, to the bit",
            "",
            JOIN_TESTS,
        ),
        Row(
            "flat field of a given image",
            of("exposure", "flat_field"),
            "the plain formula, up to rounding",
            "",
            JOIN_TESTS,
        ),
        Row(
            "flat field estimated from a collection",
            of("exposure", "illumination"),
            "the mean or median of the images, smoothed: NumPy and SciPy",
            "images of one shape, stacked along t",
        ),
        Row(
            "resize, rescale, pyramid",
            of("transform", "resize", "rescale", "pyramid_reduce", "downscale_local_mean"),
            "`skimage.transform` with `preserve_range=True, clip=False`, up to rounding; means of blocks of integers "
            "to the bit",
            f"{NO_SPLINES}; one mode of border each",
            TRANSFORM_LAWS,
        ),
        Row(
            "rotate, flip, affine",
            of("transform", "rotate", "rot90", "flip", "affine"),
            "`skimage.transform.rotate`, `numpy.rot90`, `numpy.flip`, `scipy.ndimage.affine_transform` and "
            '`dask_image.ndinterp.affine_transform` with `mode="grid-constant"`, up to rounding',
            f"{NO_SPLINES}; rotate and rot90 turn planes only",
            TRANSFORM_LAWS,
        ),
        Row(
            "random augmentation",
            (),
            "",
            "**not there** as an operation: the maps of the row above take values that are given",
        ),
        Row(
            "projections along any axis",
            of("transform", "project"),
            "`numpy.max`, `min`, `mean`, `std`, `median`; of integers sums are exact",
            "`median` needs all planes of a tile in one task",
            TRANSFORM_LAWS,
        ),
        Row(
            "temporal median background",
            of("transform", "temporal_median"),
            "`numpy.median` of evenly spaced frames, to the bit",
            "one background for all frames, none that runs along",
            TRANSFORM_LAWS,
        ),
    ),
    "Filters": (
        Row(
            "gaussian",
            of("filters", "gaussian"),
            "`scipy.ndimage.gaussian_filter`, up to rounding",
            "pixels beyond the border are reflected; other modes are not offered, here and below",
            FILTER_LAWS,
        ),
        Row(
            "median, minimum, maximum, percentile",
            of("filters", "median", "minimum", "maximum", "percentile"),
            "`scipy.ndimage`'s filters of these names, to the bit",
            "of `skimage.filters.rank` only what this page names",
            RANK_LAWS,
        ),
        Row(
            "mean",
            of("filters", "uniform"),
            "`scipy.ndimage.uniform_filter`, up to rounding",
            "squares and cubes only",
            FILTER_LAWS,
        ),
        Row(
            "local standard deviation",
            of("filters", "standard_deviation"),
            "`numpy.std` of every window, up to rounding; of integers sums are exact",
            "squares and cubes only; integers of at most 32 bits",
            RANK_LAWS,
        ),
        Row(
            "entropy",
            of("filters", "entropy"),
            "`skimage.filters.rank.entropy`, within 1e-9",
            "floating point images are refused",
            RANK_LAWS,
        ),
        Row(
            "sobel, prewitt, laplace",
            of("filters", "sobel", "prewitt", "laplace"),
            "`skimage.filters`; sobel and laplace of integers to the bit",
            "no scharr, roberts or farid; laplace with its smallest kernel only",
            CONVOLUTION_LAWS,
        ),
        Row(
            "LoG, DoG, unsharp mask",
            of("filters", "gaussian_laplace", "difference_of_gaussians", "unsharp_mask"),
            "`scipy.ndimage.gaussian_laplace`, `skimage.filters`, up to rounding",
            "results are not clipped",
            CONVOLUTION_LAWS,
        ),
        Row(
            "gabor",
            of("filters", "gabor"),
            "`skimage.filters.gabor`, up to rounding",
            "planes only, as there; one frequency and direction a step",
            CONVOLUTION_LAWS,
        ),
        Row(
            "convolve, correlate with given weights",
            of("filters", "convolve", "correlate"),
            "`scipy.ndimage.convolve`, `correlate`; of integers to the bit",
            "no Fourier transforms: weights of more than about 11 x 11 that are no sum of few separable ones are slow",
            CONVOLUTION_LAWS,
        ),
        Row(
            "ridges",
            of("filters", "frangi", "sato", "meijering"),
            "`skimage.filters`, up to rounding; what refers to the whole image comes from a reduction",
            "no `hessian`",
            CONVOLUTION_LAWS,
        ),
        Row(
            "bilateral",
            of("filters", "bilateral"),
            "what `skimage.restoration.denoise_bilateral` is meant to give: its own loop with the right table of "
            "distances, up to rounding",
            "grey values only; colours are channels by themselves",
            CONVOLUTION_LAWS,
        ),
        Row(
            "non-local means",
            of("filters", "nl_means"),
            "`skimage.restoration.denoise_nl_means(fast_mode=False)`, up to rounding",
            "patches are looked for in a window of `2 * patch_distance + 1`, as there, not in the whole image; grey "
            "values only",
            CONVOLUTION_LAWS,
        ),
    ),
    "Thresholds": (
        Row(
            "fixed value, range",
            of("threshold", "fixed", "between"),
            "the comparison, to the bit",
        ),
        Row(
            "Otsu, triangle, Yen, isodata",
            found_by("otsu", "triangle", "yen", "isodata"),
            "`skimage.filters`, to the bit; floats are counted in 256 bins, as there",
            "one threshold an image; none for a collection, here and below",
            THRESHOLD_TESTS,
        ),
        Row(
            "a threshold for each peak",
            of("threshold", "peak_fraction", "peak_fraction_value"),
            "a twin of scikit-image's reconstruction and watershed on the whole image, to the bit",
            "a rule of this package: half maxima, as of lines of a spectrum",
            (*WATERSHED_LAWS, "tests/laws/test_splitting_laws.py"),
        ),
        Row(
            "multi-Otsu",
            of("threshold", "multi_otsu_values", "multi_otsu"),
            "`skimage.filters.threshold_multiotsu`; where its float32 sums miss the best values, these are found here",
            "",
            THRESHOLD_TESTS,
        ),
        Row(
            "Li",
            found_by("li"),
            "`skimage.filters.threshold_li`, to the bit for integers",
            "floats are counted in 65,536 bins, and agree within 1e-3",
            THRESHOLD_TESTS,
        ),
        Row(
            "minimum",
            found_by("minimum"),
            "`skimage.filters.threshold_minimum`, to the bit",
            "an image whose histogram never has two peaks is an error, as there",
            THRESHOLD_TESTS,
        ),
        Row("mean", found_by("mean"), "the exact mean, rounded once; `skimage.filters.threshold_mean` is near it"),
        Row(
            "robust background",
            found_by("robust_background"),
            "CellProfiler's formula, to the bit for integers",
            "floats are counted in 65,536 bins",
            THRESHOLD_TESTS,
        ),
        Row(
            "local mean, Gaussian, median",
            of("threshold", "local_mean", "local_gaussian", "local_median"),
            "`skimage.filters.threshold_local`, to the bit but where rounding decides there",
            "the border is reflected; other modes are not offered",
            (*LOCAL_TESTS, *FILTER_LAWS),
        ),
        Row(
            "Niblack, Sauvola",
            of("threshold", "niblack", "sauvola"),
            "`skimage.filters.threshold_niblack`, `threshold_sauvola`, to the bit but where rounding decides there",
            "squares and cubes only",
            (*LOCAL_TESTS, *FILTER_LAWS),
        ),
        Row(
            "Bernsen",
            of("threshold", "bernsen"),
            "the middle of `skimage.morphology.erosion` and `dilation`, to the bit; scikit-image has no such function",
        ),
        Row(
            "Phansalkar",
            of("threshold", "phansalkar"),
            "ImageJ's rule with scikit-image's mean and deviation",
            "squares and cubes, where ImageJ takes disks; the image is not stretched first",
        ),
        Row(
            "hysteresis",
            of("threshold", "hysteresis"),
            "`skimage.filters.apply_hysteresis_threshold`, to the bit, however far it leads through tiles",
            "neighbours across edges (faces), as there",
            OBJECT_LAWS,
        ),
        Row(
            "colour range in RGB, HSV, Lab",
            of("threshold", "color_range"),
            "the comparison of each channel, after `skimage.color`",
        ),
    ),
    "Morphology": (
        Row(
            "erosion, dilation, opening, closing, iterated",
            of("morphology", "erosion", "dilation", "opening", "closing"),
            '`skimage.morphology` with `mode="ignore"`, to the bit; iterations as in SciPy\'s binary functions',
            "footprints are flat: no grey weights",
            MORPHOLOGY_LAWS,
        ),
        Row(
            "top-hats, gradient",
            of("morphology", "white_tophat", "black_tophat", "gradient"),
            '`skimage.morphology` with `mode="ignore"`, to the bit; the gradient does not overflow',
            "",
            MORPHOLOGY_LAWS,
        ),
        Row(
            "hit-or-miss",
            of("morphology", "hit_or_miss"),
            "`scipy.ndimage.binary_hit_or_miss`, to the bit",
            "of masks only, not of grey values",
            MORPHOLOGY_LAWS,
        ),
        Row(
            "footprints",
            of("morphology", "erosion"),
            "`skimage.morphology`: square, rectangle, disk, diamond, octagon, star, ball, cube, octahedron; cross; "
            "any array",
            "only the radius of a disk or ball may be a length",
            MORPHOLOGY_LAWS,
        ),
        Row(
            "small objects, ranges of sizes, the largest, at the border",
            of("morphology", "remove_small_objects", "filter_sizes", "largest_objects", "clear_border"),
            "`skimage.morphology.remove_small_objects`, `skimage.segmentation.clear_border`, sizes of "
            "`skimage.measure.label`; to the bit, objects judged whole",
            "`clear_border` has no buffer",
            OBJECT_LAWS,
        ),
        Row(
            "holes",
            of("morphology", "fill_holes", "remove_small_holes"),
            "`scipy.ndimage.binary_fill_holes`, `skimage.morphology.remove_small_holes`, to the bit",
            "",
            OBJECT_LAWS,
        ),
        Row(
            "distance transform",
            of("morphology", "distance_transform"),
            "`scipy.ndimage.distance_transform_edt`, to the bit where squares of `sampling` are exact, else within "
            "1e-15",
            "distances only: no indices of the nearest pixel, no chessboard or taxicab metric",
            DISTANCE_LAWS,
        ),
        Row(
            "skeletons",
            of("morphology", "skeletonize", "thin"),
            '`skimage.morphology.skeletonize(method="zhang")`, `thin`, to the bit',
            "exact within `max_iterations` (32 by default), else refused: an object thicker than that is an error; "
            "planes only: the thinning of volumes is **not there**",
            MORPHOLOGY_LAWS,
        ),
        Row(
            "watershed from markers",
            of("segmentation", "watershed"),
            "`skimage.segmentation.watershed` of each object of the mask, label for label",
            "an object of the mask is flooded in one task, and one larger than `max_object_pixels` (2**27) is refused; "
            "without a mask that is the whole plane; no compactness, no lines between basins, markers must be given",
            WATERSHED_LAWS,
        ),
        Row(
            "reconstruction",
            of("morphology", "reconstruction"),
            "`skimage.morphology.reconstruction`, to the bit",
            "the footprint is a connectivity",
            FLOW_LAWS,
        ),
        Row(
            "regional extrema, h-maxima, h-minima",
            of("morphology", "h_maxima", "h_minima", "local_maxima", "local_minima"),
            "`skimage.morphology`, to the bit",
            "infinity is refused by the h-extrema",
            FLOW_LAWS,
        ),
        Row(
            "expand labels",
            of("segmentation", "expand_labels"),
            "`skimage.segmentation.expand_labels`, ties included where `spacing` is 1",
            "a tile reads the distance beyond its own",
            DISTANCE_LAWS,
        ),
    ),
    "Objects": (
        Row(
            "labels",
            of("measure", "label"),
            "`skimage.measure.label`, numbers included, to the bit; `scipy.ndimage.label` for structures",
            "a structure reaches one pixel along each axis",
            OBJECT_LAWS,
        ),
        Row(
            "split objects that touch",
            of("segmentation", "split_touching"),
            "a twin of SciPy and scikit-image on the whole image",
            "an object is split in one task, wherever tiles cut it: see `segmentation.watershed`",
        ),
        Row(
            "boundaries, new numbers, joined segmentations",
            of("segmentation", "find_boundaries", "relabel_sequential", "join_segmentations"),
            "`skimage.segmentation`, to the bit",
            "no subpixel boundaries, no marked images",
        ),
        Row(
            "labels by their size, labels at the border",
            of("segmentation", "filter_sizes", "clear_border"),
            "`skimage.morphology.remove_small_objects` and `skimage.segmentation.clear_border` of labels, to the bit",
            "",
            ("tests/unit/ops/test_relations.py",),
        ),
        Row(
            "table of objects",
            of("measure", "regionprops_table"),
            "`skimage.measure.regionprops_table`: integers to the bit, others up to rounding; stacks plane by plane",
            "coordinates and pictures of objects are no columns: `bigimg.measure.crop_objects` cuts them out; in "
            "partitions with `bigimg.measure.write_partitions`, from Python only",
            ("tests/laws/test_region_kernel_laws.py", "tests/unit/ops/test_region_partitions.py"),
        ),
        Row(
            "edge intensities, radii, Feret diameters of centres, form factor",
            of("measure", "edge_intensities", "object_shape"),
            "CellProfiler's MeasureObjectIntensity (edges) and MeasureObjectSizeShape, up to rounding; see "
            "[the map of names](cellprofiler.md)",
            "volumes have radii only",
            OBJECT_MEASURES,
        ),
        Row(
            "texture of objects",
            of("measure", "haralick"),
            "`mahotas.features.haralick(ignore_zeros=True)` of each object, up to rounding; also zyx",
            "a fixed range of grey values; at most 256 levels",
            OBJECT_MEASURES,
        ),
        Row(
            "radial distribution",
            of("measure", "radial_distribution"),
            "CellProfiler's MeasureObjectIntensityDistribution, up to rounding",
            "planes only; objects are their own centres; no Zernike moments",
            OBJECT_MEASURES,
        ),
        Row(
            "neighbours",
            of("measure", "object_neighbors"),
            "CellProfiler's MeasureObjectNeighbors, up to rounding; also zyx",
            "among one set of objects",
            OBJECT_MEASURES,
        ),
        Row(
            "overlap, matching, Rand",
            of("measure", "contingency_table", "overlap_table", "matching_scores", "rand_scores"),
            "`skimage.metrics` and scikit-learn, counts to the bit, scores up to rounding",
            "",
            ("tests/laws/test_outline_laws.py",),
        ),
        Row(
            "children in parents",
            of("measure", "relate_objects", "count_children"),
            "CellProfiler's RelateObjects",
            "one parent a child",
        ),
        Row(
            "polygons",
            of("measure", "polygons", "polygon_areas"),
            "exact along the edges of pixels, as `rasterio.features.shapes` with connectivity 4",
            "planes only; no simplification; joined in one task",
            ("tests/laws/test_outline_laws.py",),
        ),
        Row(
            "areas of the classes of a class map",
            of("measure", "class_areas"),
            "`numpy.unique` with counts, times the area of a pixel",
            "the area of the map, as above",
        ),
        Row(
            "tracks: by distance or overlap, gaps, velocity, splits, merges",
            of("track", "link", "overlaps", "motion", "summary"),
            "the cheapest assignment of successive frames: trackpy's links where those are the cheapest",
            "velocity is that of the last two positions; at most two children and two parents; no model of looks",
            ("tests/laws/test_track_laws.py",),
        ),
        Row(
            "mean squared displacement, diffusion",
            of("track", "mean_squared_displacement", "diffusion"),
            "`trackpy.imsd`; the ensemble weighs each pair of frames alike, trackpy's each track",
            "",
            ("tests/laws/test_track_laws.py",),
        ),
    ),
    "Plates": (
        Row(
            "files of a screen by their names: plate, well, field, channel, z, t; known namings of microscopes",
            (),
            "NumPy's stacking of the files as tifffile reads them, to the bit",
            "one file a plane, or a stack of the axes that names do not have; metadata beside images are not read",
            ("tests/unit/io/test_naming.py", "tests/unit/io/test_stacks.py"),
        ),
        Row(
            "OME-Zarr plates, 0.4 and 0.5: read, ingested, exported",
            (),
            "read back by zarr, `ome-zarr-py` and `ome-zarr-models`; one that `ome-zarr-py` wrote",
            "each field is an image; fields of a well are not stitched",
            ("tests/unit/io/test_plates.py",),
        ),
    ),
    "Exports": (
        Row(
            "OME-Zarr 0.5 and 0.4, OME-TIFF pyramids, COG with overviews",
            (),
            "read back by `ome-zarr-py`, `ome-zarr-models`, tifffile and rasterio, level by level",
            "written by one process; OME-TIFF is not cut into several files",
            ("tests/unit/io/test_export.py", "tests/unit/io/test_export_objects.py"),
        ),
        Row(
            "tables (Parquet, CSV), outlines (GeoParquet, GeoJSON), COCO, STAC, MP4",
            (),
            "read back by pandas and geopandas; run lengths as pycocotools unpacks them; frames by PyAV",
            "COCO of planes only",
            ("tests/unit/io/test_export_objects.py", "tests/unit/io/test_vectors.py"),
        ),
        Row(
            "SpatialData 0.2: images, labels, outlines, tables as AnnData",
            (),
            "read back by spatialdata 0.7, which joins the tables to their labels",
            "no time; a table annotates labels where the export has those of one name; written, not read",
            ("tests/unit/io/test_spatialdata.py",),
        ),
    ),
    "Scenes": (
        Row(
            "mosaics of overlapping scenes by valid pixels: first, last, newest, median",
            (),
            "`rasterio.merge` (first, last), to the bit and for every box; NumPy's sorting (median)",
            "one grid: nothing is resampled or brought to another projection; no blending, no balance of light",
            ("tests/unit/io/test_mosaic.py",),
        ),
        Row(
            "land cover without examples: k-means of spectra",
            (),
            "`learn.spectral_classes`: within 1 % of the inertia of `sklearn.cluster.KMeans` on standardised spectra, "
            "and the same to the bit however the image is cut",
            "classes have numbers, no names; k-means sees a sample of the pixels; no classifier that is taught",
            ("tests/unit/learn/test_spectra.py", "tests/unit/run/test_land_cover.py"),
        ),
        Row(
            "STAC items, collections and catalogues from JSON files, their assets stacked as channels",
            (),
            "the assets as rasterio reads them, to the bit; `proj:`, bands, `nodata` and scale compared with the files",
            "files in the folder of the item only: no network; TIFF and JPEG 2000 assets",
            ("tests/unit/io/test_stac_reader.py", "tests/contract/test_readers.py"),
        ),
        Row(
            "NetCDF 4 and HDF5 variables, by chunks",
            (),
            '`xarray.open_dataset(engine="h5netcdf")`: values after scale and offset, what is missing, times',
            "not the classic format; no pixels in other files; standard calendars only; no place of curved grids",
            ("tests/unit/io/test_hdf5_reader.py", "tests/contract/test_readers.py"),
        ),
        Row(
            "time series of scenes by day, with their times",
            (),
            "NumPy's stacking; the times are read back by xarray",
            "days of universal time; one value for missing pixels, no mask for each moment",
            ("tests/unit/io/test_series.py",),
        ),
    ),
}


def references() -> dict[str, list[tuple[Path, Any]]]:
    """Return the files and the cases of each operation in the table of references."""
    # A package by another name: there may be other people's packages named tests.
    package = ModuleType("references_of_operations")
    package.__path__ = [str(REFERENCES)]
    sys.modules[package.__name__] = package
    found: dict[str, list[tuple[Path, Any]]] = {}
    for file in sorted(REFERENCES.glob("reference_*.py")):
        for case in import_module(f"{package.__name__}.{file.stem}").CASES:
            found.setdefault(case.op, []).append((file, case))
    return found


def page() -> str:
    """Return the whole page.

    Raises
    ------
    ValueError
        If a row names an operation or a file that does not exist, or one without a reference.
    """
    known, cases = operations(), references()
    parts = [HEAD]
    for title, rows in SECTIONS.items():
        parts += [
            f"## {title}\n",
            "| feature | operations | equal to | missing or limited | proof |",
            "|---|---|---|---|---|",
        ]
        for row in rows:
            for name in row.operations:
                if name not in known:
                    raise ValueError(f"{row.feature}: there is no operation {name}")
                if name not in cases:
                    raise ValueError(f"{row.feature}: no reference_*.py has a case for {name}")
            links = ", ".join(f"[{name}](operations.md#{anchor(name)})" for name in row.operations)
            proof = proofs(row, cases)
            parts.append(f"| {row.feature} | {links} | {row.equal} | {row.limits} | {proof} |")
        parts.append("")
    return "\n".join(parts)


def anchor(name: str) -> str:
    """Return the anchor of an operation on the page of operations."""
    return name.replace(".", "").lower()


def proofs(row: Row, cases: dict[str, list[tuple[Path, Any]]]) -> str:
    """Return links to the references of a row's operations, and to its laws."""
    own = [(file, case) for name in row.operations for file, case in cases[name]]
    links = []
    for file in dict.fromkeys(file for file, _ in own):
        of_file = [case for other, case in own if other == file]
        wrong = {case.op for case in of_file if case.wrong}
        ops = dict.fromkeys(case.op for case in of_file)
        names = ", ".join(f"`{name}`" + " *(corrected)*" * (name in wrong) for name in ops)
        volume = ", also zyx" if any(case.volume for case in of_file) else ""
        links.append(f"{_link(file)}: {names}{volume}")
    for proof in row.proofs:
        if not (ROOT / proof).is_file():
            raise ValueError(f"{row.feature}: there is no file {proof}")
        links.append(_link(ROOT / proof))
    return "; ".join(links)


def _link(file: Path) -> str:
    return f"[{file.name}](../{file.relative_to(ROOT).as_posix()})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
