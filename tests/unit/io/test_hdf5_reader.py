"""The reader of NetCDF and HDF5: what xarray says of a file, box by box, and what is not read."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

import bigimg
from bigimg.errors import BigimgError, ImageError, MissingExtraError, ReadError
from bigimg.io.readers import find_reader, hdf5
from bigimg.io.scan import open_sources
from bigimg.io.validity import validity

RNG = np.random.default_rng(9)
TIMES = np.array(["2020-05-18T13:27:04", "2020-05-20", "2021-01-01"], "datetime64[ns]")


def _dataset(values=None, names=("time", "y", "x"), **attrs) -> xr.Dataset:
    values = RNG.integers(-300, 300, (3, 40, 50)).astype("i2") if values is None else values
    coordinates = {
        "time": TIMES,
        "y": ("y", 5_000_000.0 - 30 * np.arange(40), {"units": "m", "standard_name": "projection_y_coordinate"}),
        "x": ("x", 600_000.0 + 30 * np.arange(50), {"units": "m", "standard_name": "projection_x_coordinate"}),
    }
    return xr.Dataset(
        {"heat": (names, values, attrs)}, {name: coordinates[name] for name in names if name in coordinates}
    )


def _write(path: Path, dataset: xr.Dataset, **encoding) -> Path:
    dataset.to_netcdf(path, engine="h5netcdf", encoding={"heat": encoding} if encoding else None)
    return path


def _only(path: Path):
    ((source,), skipped) = open_sources(path)
    assert not skipped
    return source


def _decoded(source, pixels=None):
    """Return physical values with NaN, as xarray has them."""
    pixels = source[...] if pixels is None else pixels
    scale, offset = source.attrs.get("scale_offset", (1.0, 0.0))
    valid = validity(source)
    values = pixels * scale + offset
    return values if valid is None else np.where(valid[...], values, np.nan)


def test_packed_values_are_those_of_xarray(tmp_path):
    values = np.round(RNG.normal(280, 20, (3, 40, 50)), 1)
    values[:, 3:9, 7:20] = np.nan
    path = _write(
        tmp_path / "heat.nc", _dataset(values, long_name="temperature", units="K"),
        dtype="int16", scale_factor=0.1, add_offset=270.0, _FillValue=-32768, chunksizes=(1, 16, 20), zlib=True,
    )  # fmt: skip
    source = _only(path)
    assert find_reader(path) is hdf5
    assert (source.dims, source.shape, source.dtype, source.chunks) == (
        tuple("tyx"),
        (3, 40, 50),
        np.int16,
        (1, 16, 20),
    )
    assert source.attrs["nodata"] == -32768
    assert source.attrs["scale_offset"] == (0.1, 270.0)
    assert source.attrs["variable"] == {"name": "/heat", "long_name": "temperature", "units": "K"}
    with xr.open_dataset(path, engine="h5netcdf") as wanted:
        np.testing.assert_allclose(_decoded(source), wanted["heat"].values, rtol=1e-7)


def test_times_and_place_come_with_it(tmp_path):
    path = _write(tmp_path / "heat.nc", _dataset(RNG.random((3, 40, 50))))
    source = _only(path)
    assert source.attrs["times"] == ("2020-05-18T13:27:04", "2020-05-20T00:00:00", "2021-01-01T00:00:00")
    assert source.attrs["transform"] == (30.0, 0.0, 599_985.0, 0.0, -30.0, 5_000_015.0)
    image = bigimg.ingest(path, tmp_path / "heat.zarr")["heat"]
    with xr.open_dataset(path, engine="h5netcdf") as wanted:
        np.testing.assert_array_equal(image.time.values, wanted.time.values)
        np.testing.assert_array_equal(image.x.values, wanted.x.values)
        np.testing.assert_array_equal(image.y.values, wanted.y.values)
        np.testing.assert_array_equal(image.values, wanted["heat"].values)


def test_grid_mapping_is_the_coordinate_reference_system(tmp_path):
    pyproj = pytest.importorskip("pyproj", reason="an extra")
    for number, about in enumerate(
        [pyproj.CRS("EPSG:32633").to_cf(), {"spatial_ref": pyproj.CRS("EPSG:32633").to_wkt()}]
    ):
        named = {"grid_mapping": "spatial_ref"} if number == 0 else {}  # some programs go by its name alone
        dataset = _dataset(**named).assign(spatial_ref=((), 0, about))
        source = _only(_write(tmp_path / f"{number}.nc", dataset))
        assert source.attrs["crs"] == "EPSG:32633"
        assert source.attrs["scale"] == {"y": 30.0, "x": 30.0}
        assert source.attrs["units"] == {"y": "meter", "x": "meter"}


@pytest.mark.parametrize(
    ("attrs", "nodata", "missing"),
    [
        ({"missing_value": np.int16(7)}, 7, lambda v: v == 7),
        ({"missing_value": np.array([7, 9], "i2")}, 7, lambda v: (v == 7) | (v == 9)),
        ({"valid_range": np.array([-100, 100], "i2")}, -32767, lambda v: abs(v) > 100),
        ({"valid_min": np.int16(-5), "missing_value": np.int16(-299)}, -299, lambda v: v < -5),
        ({"valid_max": np.int16(5)}, -32767, lambda v: v > 5),
        ({"missing_value": 1e20}, None, lambda v: v < -9999),
        ({}, None, lambda v: v < -9999),
    ],
)
def test_every_way_to_say_missing(tmp_path, attrs, nodata, missing):
    dataset = _dataset(**attrs)
    source = _only(_write(tmp_path / "heat.nc", dataset))
    raw = dataset["heat"].values
    assert source.attrs.get("nodata") == nodata
    valid = np.ones(raw.shape, bool) if nodata is None else validity(source)[...]
    np.testing.assert_array_equal(valid, ~missing(raw))
    np.testing.assert_array_equal(source[...][valid], raw[valid])


def test_floats_have_nan(tmp_path):
    values = RNG.random((3, 40, 50)).astype("f4")
    values[0, :5] = np.nan
    source = _only(_write(tmp_path / "heat.nc", _dataset(values)))
    assert np.isnan(source.attrs["nodata"])
    np.testing.assert_array_equal(validity(source)[...], np.isfinite(values))


def test_unsigned_pixels_of_signed_storage(tmp_path):
    values = RNG.integers(0, 256, (3, 40, 50)).astype("u1")
    dataset = _dataset(values.view("i1"), _Unsigned="true", missing_value=np.int8(-1))
    source = _only(_write(tmp_path / "heat.nc", dataset))
    assert source.dtype == np.uint8
    assert source.attrs["nodata"] == 255
    np.testing.assert_array_equal(source[...], values)


def test_axes_come_into_order(tmp_path):
    values = RNG.integers(0, 99, (40, 3, 50, 4)).astype("u2")
    dataset = _dataset(values, ("y", "time", "x", "band")).assign_coords(band=["blue", "green", "red", "nir"])
    source = _only(_write(tmp_path / "heat.nc", dataset))
    assert source.dims == ("t", "c", "y", "x")
    assert source.attrs["channel_names"] == ("blue", "green", "red", "nir")
    np.testing.assert_array_equal(source[...], values.transpose(1, 3, 0, 2))
    np.testing.assert_array_equal(source[1:2, 2, 5:9, ::3], values.transpose(1, 3, 0, 2)[1:2, 2, 5:9, ::3])


def test_every_variable_is_an_image_but_what_says_something_of_others(tmp_path):
    dataset = _dataset().assign(
        rain=(("time", "y", "x"), np.ones((3, 40, 50), "f4")),
        mean=(("y",), np.ones(40)),
        lat=(("y", "x"), np.ones((40, 50))),
        station=(("time", "place"), np.ones((3, 7))),
        about=((), 7),
        name=(("y", "x"), np.full((40, 50), "grass")),
    )
    dataset["rain"].attrs["coordinates"] = "lat"
    dataset["y"].attrs["bounds"] = "y_bounds"
    dataset = dataset.assign(y_bounds=(("y", "sides"), np.ones((40, 2))))
    sources, _ = open_sources(_write(tmp_path / "all.nc", dataset))
    assert [source.attrs["variable"]["name"] for source in sources] == ["/heat", "/rain"]
    assert [source.name for source in sources] == ["all.0", "all.1"]


@pytest.mark.parametrize(
    ("units", "calendar", "times"),
    [
        ("days since 2000-01-01", "standard", ("2000-01-01T00:00:00", "2000-01-02T12:00:00", "2000-03-01T00:00:00")),
        ("hours since 1999-12-31 12:00", None, ("1999-12-31T12:00:00", "1999-12-31T13:30:00", "2000-01-03T00:00:00")),
        ("days since 2000-01-01", "noleap", None),
        ("days since 0001-01-01", "standard", None),
        ("kelvin", None, None),
    ],
)
def test_calendars(tmp_path, units, calendar, times):
    path = tmp_path / "heat.nc"
    with h5py.File(path, "w") as file:
        stored = file.create_dataset("heat", data=np.ones((3, 9, 8), "u1"))
        file["time"] = [0, 1.5, 60]
        file["time"].make_scale("time")
        file["time"].attrs["units"] = units
        if calendar:
            file["time"].attrs["calendar"] = calendar
        stored.dims[0].attach_scale(file["time"])
    source = _only(path)
    assert source.attrs.get("times") == times
    assert source.attrs.get("calendar") == (calendar if calendar == "noleap" else None)
    assert source.dims == ("t", "y", "x")


def test_coordinates_that_are_no_grid_give_no_place(tmp_path):
    dataset = _dataset()
    dataset = dataset.assign_coords(x=("x", np.arange(50.0) ** 2, {"units": "m"}))
    assert "transform" not in _only(_write(tmp_path / "heat.nc", dataset)).attrs
    dataset = dataset.assign_coords(x=("x", np.arange(50.0) / 1000, {"units": "rad"}))
    assert "transform" not in _only(_write(tmp_path / "rad.nc", dataset)).attrs
    dataset = dataset.assign_coords(
        x=("x", np.arange(50) / 4, {"units": "degrees_east"}),
        y=("y", np.arange(40, dtype="f4") / 3, {"units": "degrees_north"}),
    )
    source = _only(_write(tmp_path / "degrees.nc", dataset))
    assert source.attrs["transform"] == pytest.approx((0.25, 0, -0.125, 0, 1 / 3, -1 / 6), rel=1e-6)
    assert "scale" not in source.attrs


def test_datasets_of_hdf5_by_path(tmp_path):
    path = tmp_path / "cells.h5"
    pixels = {
        "raw/plane": RNG.integers(0, 99, (40, 50)).astype(">u2"),
        "raw/film": RNG.random((5, 40, 50)).astype("f4"),
        "colour": RNG.integers(0, 256, (40, 50, 3)).astype("u1"),
        "deep/er/mask": RNG.random((40, 50)) < 0.5,
    }
    with h5py.File(path, "w") as file:
        for name, values in pixels.items():
            file.create_dataset(name, data=values)
        file["weights"] = np.arange(9.0)
        file["raw/again"] = file["raw/plane"]
        file["loop"] = file["/"]
    sources = {source.attrs["variable"]["name"].lstrip("/"): source for source in open_sources(path)[0]}
    assert len(sources) == len(pixels)
    assert "".join(sources["raw/film"].dims) == "tyx"
    assert sources["colour"].attrs["channel_names"] == ("red", "green", "blue")
    np.testing.assert_array_equal(sources["colour"][...], np.moveaxis(pixels["colour"], -1, 0))
    plane = next(source for name, source in sources.items() if name in {"raw/plane", "raw/again"})
    np.testing.assert_array_equal(plane[...], pixels["raw/plane"])
    assert plane.dtype.isnative
    np.testing.assert_array_equal(sources["deep/er/mask"][3:9, 5:7], pixels["deep/er/mask"][3:9, 5:7])


def test_box_decodes_its_chunks_only(tmp_path):
    path = tmp_path / "big.h5"
    with h5py.File(path, "w") as file:
        stored = file.create_dataset("plane", shape=(1024, 1024), dtype="u2", chunks=(256, 256), compression="gzip")
        stored[...] = RNG.integers(0, 60000, (1024, 1024))
        place, size = next(
            (each.byte_offset, each.size)
            for each in map(stored.id.get_chunk_info, range(16))
            if each.chunk_offset == (768, 768)
        )
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\0" * size)
    source = _only(path)
    assert source.chunks == (256, 256)
    assert source[:700, :700].any()
    with pytest.raises(ReadError, match="big"):
        source[700:800, 700:800]


def test_pixels_in_other_files_are_not_read(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["plane"] = np.ones((9, 8))
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["plane"] = h5py.ExternalLink("secret.h5", "/plane")
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((9, 8), "f8")
        layout[...] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "plane", (9, 8))
        file.create_virtual_dataset("plane", layout)
    (tmp_path / "raw").write_bytes(b"\0" * 72)
    with h5py.File(tmp_path / "external.h5", "w") as file:
        file.create_dataset("plane", (9, 8), "u1", external=[(str(tmp_path / "raw"), 0, 72)])
    with pytest.raises(ReadError, match=r"link\.h5: /plane is a link to another file"):
        open_sources(tmp_path / "link.h5")
    for name in ("virtual", "external"):
        with pytest.raises(ImageError, match=rf"{name}\.h5: the dataset /plane has its pixels in other files"):
            open_sources(tmp_path / f"{name}.h5")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: file.create_dataset("row", data=np.ones(9)), r"has no image.*it has /row"),
        (lambda file: None, r"has no image.*it has nothing"),
        (lambda file: file.create_dataset("waves", data=np.ones((9, 9), complex)), r"has no image"),
        (lambda file: file.create_dataset("many", data=np.ones((1,) * 6 + (9, 9))), r"/many has 8 axes without names"),
        (lambda file: file.create_dataset("none", (0, 9), "u1"), r"no pixels"),
    ],
)
def test_what_is_no_image_is_said(tmp_path, make, said):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file)
    with pytest.raises(BigimgError, match=said):
        open_sources(tmp_path / "a.h5")


def test_axes_that_no_image_has(tmp_path):
    values = np.ones((2, 3, 2, 2, 4, 5), "u1")
    dataset = xr.Dataset({"heat": (("run", "time", "level", "member", "lat", "lon"), values)})
    with pytest.raises(ImageError, match=r"\(run, time, level, member, lat, lon\) of the variable /heat"):
        open_sources(_write(tmp_path / "heat.nc", dataset))
    source = _only(_write(tmp_path / "run.nc", dataset.isel(member=0)))
    assert source.dims == ("t", "c", "z", "y", "x")


def test_older_netcdf_is_named(tmp_path):
    _dataset(names=("z", "y", "x")).to_netcdf(tmp_path / "old.nc", engine="scipy", format="NETCDF3_64BIT")
    with pytest.raises(ReadError, match=r"old\.nc is a NetCDF file of the classic format.*nccopy"):
        open_sources(tmp_path / "old.nc")


def test_without_h5py_it_says_what_to_install(tmp_path, monkeypatch):
    import sys

    path = _write(tmp_path / "heat.nc", _dataset())
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r'pip install "bigimg\[netcdf\]"'):
        open_sources(path)
