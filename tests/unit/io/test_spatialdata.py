"""SpatialData stores: what is in them, and that spatialdata reads them, where it has an environment of its own."""

import json
import subprocess
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
import zarr

import bigimg
from bigimg.errors import ImageError, ParameterError
from bigimg.io import ingest, open_collection, write_table

from .exported import make

PYTHON = Path(__file__).parents[3] / ".venv-spatialdata" / "bin" / "python"
"""spatialdata wants older versions of pandas and Dask than this package."""

NAMES = ["mask", "stack", "well_A1"]


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    path = make(tmp_path_factory.mktemp("export"))
    frame = pd.DataFrame(
        {
            "item": ["well_A1", "well_A1", "stack", "mask"],
            "label": [1, 7, 2**31 + 5, 3],
            "area": [1.0, np.nan, 8.5, 2.0],
            "pixels": [1, 9, 8, 2],
            "far": pd.array([2**60 + 1, None, 3, 4], dtype="Int64"),
            "round": pd.array([True, None, False, True], dtype="boolean"),
            "kind": ["a", None, "b", "a"],
        }
    )
    write_table(path / "tables" / "cells.parquet", frame)
    return path


@pytest.fixture(scope="module")
def store(collection, tmp_path_factory):
    path = tmp_path_factory.mktemp("spatialdata") / "all.zarr"
    return bigimg.export(collection, path, format="spatialdata", items=NAMES)


def test_rasters_are_the_pixels(store, collection):
    opened = open_collection(collection)
    for name, axes in (("stack", "czyx"), ("well_A1", "cyx"), ("mask", "cyx")):
        group = zarr.open_group(store / "images" / name, mode="r")
        source = opened.sources[name]
        pixels = source[tuple(slice(0, size) for size in source.shape)]
        assert group["s0"].metadata.dimension_names == tuple(axes)
        assert (group["s0"][...] == pixels.reshape(group["s0"].shape)).all()
        labels = zarr.open_array(store / "labels" / f"{name}_nuclei" / "s0", mode="r")
        assert (labels[...] == opened.labels("nuclei")[name].values).all()
    channels = zarr.open_group(store / "images/stack", mode="r").attrs["ome"]["omero"]["channels"]
    assert [channel["label"] for channel in channels] == ["dapi", "gfp"]
    assert "s1" in zarr.open_group(store / "images/stack", mode="r")


def test_pixels_are_placed_by_their_size(store):
    (multiscale,) = zarr.open_group(store / "images/stack", mode="r").attrs["ome"]["multiscales"]
    (place,) = multiscale["coordinateTransformations"]
    assert (place["type"], place["scale"]) == ("scale", [1.0, 2.0, 0.5, 0.25])
    assert place["output"]["name"] == "stack"
    assert [axis.get("unit") for axis in place["output"]["axes"]] == [None, *["micrometer"] * 3]
    assert multiscale["datasets"][1]["coordinateTransformations"] == [{"type": "scale", "scale": [1.0, 1.0, 2.0, 2.0]}]


def test_outlines_have_the_area_of_their_labels(store):
    shapes = geopandas.read_parquet(store / "shapes/well_A1_nuclei_outlines/shapes.parquet")
    labels = zarr.open_array(store / "labels/well_A1_nuclei/s0", mode="r")[...]
    assert shapes.index.tolist() == [1, 3, 7]
    assert shapes.area.tolist() == [(labels == number).sum() for number in shapes.index]


def test_a_table_of_objects_annotates_their_labels(store):
    table = zarr.open_group(store / "tables/cells", mode="r")
    assert table.attrs["region"] == ["mask_nuclei", "stack_nuclei", "well_A1_nuclei"]
    obs = table["obs"]
    assert obs["region/categories"][...][obs["region/codes"][...]].tolist() == [
        *["well_A1_nuclei"] * 2, "stack_nuclei", "mask_nuclei",
    ]  # fmt: skip
    assert obs["instance_id"][...].tolist() == [1, 7, 2**31 + 5, 3]
    assert table["var/_index"][...].tolist() == ["area", "pixels"]
    np.testing.assert_array_equal(table["X"][...], [[1, 1], [np.nan, 9], [8.5, 8], [2, 2]])
    # What floats do not hold is beside it, whole.
    assert obs["far/values"][...][[0, 2, 3]].tolist() == [2**60 + 1, 3, 4]
    assert obs["far/mask"][...].tolist() == obs["round/mask"][...].tolist() == [False, True, False, False]
    assert obs["kind/codes"][...].tolist() == [0, -1, 1, 0]


def test_a_table_of_something_else_annotates_nothing(store):
    table = zarr.open_group(store / "tables/objects", mode="r")  # an object without a number
    assert table.attrs["region"] is None
    assert list(table["uns"].group_keys()) == []


def test_a_scene_is_placed_on_the_earth(tmp_path):
    transform = rasterio.Affine(30, 0, 500_000, 0, -30, 6_000_000)
    (tmp_path / "in").mkdir()
    with rasterio.open(
        tmp_path / "in/scene.tif", "w", width=20, height=16, count=2, dtype="uint16", crs="EPSG:32633",
        transform=transform,
    ) as file:  # fmt: skip
        file.write(np.arange(640, dtype="uint16").reshape(2, 16, 20))
    scenes = ingest(tmp_path / "in", tmp_path / "scenes.zarr").path

    made = bigimg.export(scenes, tmp_path / "out", format="spatialdata")

    (multiscale,) = zarr.open_group(made / "scenes.zarr/images/scene", mode="r").attrs["ome"]["multiscales"]
    (place,) = multiscale["coordinateTransformations"]
    assert place["affine"] == [[1, 0, 0, 0], [0, -30, 0, 6_000_000], [0, 0, 30, 500_000]]
    assert place["output"]["name"] == "global"


def test_what_spatialdata_has_not_is_refused(collection, tmp_path):
    with pytest.raises(ImageError, match="'series' has 5 times, and SpatialData has no time"):
        bigimg.export(collection, tmp_path / "all.zarr", format="spatialdata")
    assert not (tmp_path / "all.zarr").exists()


def test_two_elements_of_one_name_are_refused(collection, tmp_path):
    opened = open_collection(collection)
    other = tmp_path / "other.zarr"
    pixels = np.zeros((20, 20), "uint8")
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in/cells.npy", pixels)
    ingest(tmp_path / "in", other)
    write_table(other / "tables" / "Cells.parquet", opened.read_table("cells"))
    with pytest.raises(ParameterError, match="two elements of SpatialData would be called 'Cells'"):
        bigimg.export(other, tmp_path / "out.zarr", format="spatialdata")


READ = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, spatialdata
from spatialdata.transformations import get_transformation
store = spatialdata.read_zarr(sys.argv[1])
table = store["cells"]
labels = store["well_A1_nuclei"]
joined, rows = spatialdata.join_spatialelement_table(sdata=store, spatial_element_names="well_A1_nuclei",
    table_name="cells", how="left")
print(json.dumps({
    "images": {name: list(spatialdata.models.get_axes_names(image)) for name, image in store.images.items()},
    "channels": [str(name) for name in spatialdata.models.get_channel_names(store["stack"])],
    "area": {int(i): float(g.area) for i, g in store["well_A1_nuclei_outlines"].geometry.items()},
    "counts": {int(i): int((np.asarray(labels) == i).sum()) for i in np.unique(labels) if i},
    "systems": sorted(store.coordinate_systems),
    "obs": table.obs["instance_id"].tolist(), "var": table.var_names.tolist(),
    "rows": rows.obs["instance_id"].tolist(),
    "scale": get_transformation(store["stack"], "stack").to_affine_matrix(("x",), ("x",)).tolist(),
}))
"""


@pytest.mark.skipif(not PYTHON.exists(), reason="needs spatialdata in .venv-spatialdata, which .ci/spatialdata makes")
def test_spatialdata_reads_it(store):
    read = subprocess.run([PYTHON, "-I", "-c", READ, store], capture_output=True, text=True, timeout=300, check=False)
    assert read.returncode == 0, read.stderr
    found = json.loads(read.stdout.splitlines()[-1])
    assert found["images"] == {"stack": list("czyx"), "well_A1": list("cyx"), "mask": list("cyx")}
    assert found["channels"] == ["dapi", "gfp"]
    assert found["area"] == found["counts"]
    assert found["systems"] == NAMES
    assert found["obs"] == [1, 7, 2**31 + 5, 3]
    assert found["var"] == ["area", "pixels"]
    assert found["rows"] == [1, 7]
    assert found["scale"] == [[0.25, 0], [0, 1]]
