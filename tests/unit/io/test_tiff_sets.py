"""Images of several TIFF files: one OME-TIFF, whichever of its files says so."""

import uuid
from pathlib import Path

import numpy as np
import pytest
import tifffile

from bigimg.errors import BigimgError, ReadError
from bigimg.io import ingest, open_collection, open_sources
from bigimg.io.readers import tiff
from bigimg.testing import check_reader

RNG = np.random.default_rng(0)
STACK = RNG.integers(0, 65536, (3, 2, 40, 50), np.uint16)  # t, c, y, x
NAMES = ("a_t0.ome.tif", "a_t1.ome.tif", "a_t2.ome.tif")
SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def _one(path):
    ((source,), _) = open_sources(path)
    return source


def _uuid(number):
    return f"urn:uuid:{uuid.UUID(int=number)}"


def _head(own):
    return f'<?xml version="1.0"?><OME xmlns="{SCHEMA}" UUID="{own}">'


def _full(own, names=NAMES, first=0, channels=2):
    data = "".join(
        f'<TiffData FirstT="{t}" FirstC="{c}" FirstZ="0" IFD="{c}" PlaneCount="1">'
        f'<UUID FileName="{name}">{_uuid(first + t)}</UUID></TiffData>'
        for t, name in enumerate(names)
        for c in range(channels)
    )
    return (
        f'{_head(own)}<Image ID="Image:0" Name="set"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" '
        f'SizeX="50" SizeY="40" SizeZ="1" SizeC="{channels}" SizeT="{len(names)}" PhysicalSizeX="0.5" '
        'PhysicalSizeXUnit="µm"><Channel ID="Channel:0:0" Name="DAPI" SamplesPerPixel="1"/>'
        f'<Channel ID="Channel:0:1" Name="GFP" SamplesPerPixel="1"/>{data}'
        '<Plane TheT="0" TheC="0" TheZ="0" PositionX="1.5" PositionXUnit="mm"/></Pixels></Image></OME>'
    )


def _only(own, metadata, its):
    return f'{_head(own)}<BinaryOnly MetadataFile="{metadata}" UUID="{its}"/></OME>'


def _write(path, pixels, xml, **options):
    about = {"ome": False} if xml is None else {"description": xml.encode()}
    tifffile.imwrite(path, pixels, metadata=None, photometric="minisblack", **about, **options)


def _write_set(folder, kind="full", names=NAMES, first=0, **options):
    for number, name in enumerate(names):
        own = _uuid(first + number)
        xml: str | None = _full(own, names, first)
        if kind == "companion":
            xml = _only(own, "a.companion.ome", _uuid(99))
        elif kind == "last" and number < 2:
            xml = _only(own, names[2], _uuid(2))
        elif kind == "silent" and number < 2:
            xml = None
        _write(folder / Path(name.replace("\\", "/")).name, STACK[number], xml, **options)
    if kind == "companion":
        (folder / "a.companion.ome").write_text(_full(_uuid(99), names), encoding="utf-8")


@pytest.mark.parametrize("kind", ["full", "last", "companion"])
@pytest.mark.parametrize("options", [{}, {"tile": (16, 32), "compression": "zlib"}], ids=["plain", "tiled"])
def test_files_of_a_set_are_one_image(tmp_path, kind, options):
    _write_set(tmp_path, kind, **options)
    source = _one(tmp_path)
    assert source.name == "a_t0"
    assert source.dims == ("t", "c", "y", "x")
    assert source.attrs["scale"] == {"x": 0.5}
    assert source.attrs["channel_names"] == ("DAPI", "GFP")
    assert source.attrs["acquisition"]["position"] == {"x": 1500.0}
    np.testing.assert_array_equal(source[...], STACK)
    np.testing.assert_array_equal(source[1:, 1, 3:9, 7:40], STACK[1:, 1, 3:9, 7:40])
    for name in NAMES:  # any file stands for the set
        again = _one(tmp_path / name)
        np.testing.assert_array_equal(again[...], STACK)
        assert again.fingerprint() == source.fingerprint()
    check_reader(tiff, tmp_path / NAMES[1], STACK)


def test_tifffile_reads_the_same_set(tmp_path):
    _write_set(tmp_path)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / NAMES[0]), STACK)


def test_files_that_do_not_know_of_their_set_are_not_brought_twice(tmp_path):
    # The one that names the others comes last; they are TIFFs without metadata.
    _write_set(tmp_path, "silent")
    source = _one(tmp_path)
    assert source.name == "a_t2"
    np.testing.assert_array_equal(source[...], STACK)


@pytest.mark.parametrize("order", ["<>", "><"])
def test_images_of_a_set_may_be_in_a_file_each(tmp_path, order):
    image = (
        '<Image ID="Image:{0}"><Pixels ID="Pixels:{0}" DimensionOrder="XYCZT" Type="uint16" SizeX="50" SizeY="40" '
        'SizeZ="1" SizeC="2" SizeT="1"><Channel ID="Channel:{0}:0" SamplesPerPixel="1"/>'
        '<TiffData IFD="0" PlaneCount="2"><UUID FileName="{1}">{2}</UUID></TiffData></Pixels></Image>'
    )
    images = "".join(image.format(number, NAMES[number], _uuid(number)) for number in range(2))
    for number in range(2):
        _write(
            tmp_path / NAMES[number], STACK[number], f"{_head(_uuid(number))}{images}</OME>", byteorder=order[number]
        )
    sources, _ = open_sources(tmp_path)
    assert [source.name for source in sources] == ["a_t0.0", "a_t0.1"]
    for source, pixels in zip(sources, STACK):
        np.testing.assert_array_equal(source[...], pixels)


@pytest.mark.parametrize("mode", ["copy", "reference"])
def test_a_set_becomes_one_item_and_may_stay_where_it_is(tmp_path, mode):
    (tmp_path / "images").mkdir()
    _write_set(tmp_path / "images", tile=(16, 16))
    assert ingest(tmp_path / "images", tmp_path / "made.zarr", mode=mode).items == 1
    np.testing.assert_array_equal(open_collection(tmp_path / "made.zarr")["a_t0"].values, STACK)
    assert ingest(tmp_path / "images", tmp_path / "made.zarr", mode=mode, append=True).added == 0
    if mode == "reference":
        tifffile.imwrite(tmp_path / "images" / "a_t1.ome.tif", STACK[0])
        with pytest.raises(ReadError):
            open_collection(tmp_path / "made.zarr")["a_t0"].values  # noqa: B018 - reading is what fails


def test_a_file_of_the_set_that_changes_or_goes_is_noticed(tmp_path):
    _write_set(tmp_path)
    source = _one(tmp_path)
    before = source.fingerprint()
    member = tmp_path / NAMES[2]
    member.write_bytes(member.read_bytes() + b"\0")
    with pytest.raises(ReadError, match="has changed"):
        source[...]
    assert _one(tmp_path).fingerprint() != before
    member.unlink()
    for ask in (lambda: source[...], lambda: open_sources(tmp_path), lambda: open_sources(tmp_path / NAMES[1])):
        with pytest.raises(BigimgError, match=r"a_t2\.ome\.tif of it is missing"):
            ask()
    with pytest.raises(BigimgError, match=r"a_t2\.ome\.tif of it is missing"):
        open_sources(tmp_path, on_error="skip")


@pytest.mark.parametrize("kind", ["full", "last", "companion", "silent"])
@pytest.mark.parametrize("share", [0.99, 0.5, 0.01, 0.0])
def test_a_file_cut_short_is_named(tmp_path, kind, share):
    _write_set(tmp_path, kind)
    data = (tmp_path / NAMES[1]).read_bytes()
    (tmp_path / NAMES[1]).write_bytes(data[: int(len(data) * share)])
    for asked in (tmp_path, tmp_path / NAMES[2]):
        with pytest.raises(BigimgError, match=r"a_t1\.ome\.tif"):
            open_sources(asked)


def test_metadata_that_are_missing_or_damaged_are_named(tmp_path):
    _write_set(tmp_path, "companion")
    companion = tmp_path / "a.companion.ome"
    companion.write_text(companion.read_text(encoding="utf-8")[:300], encoding="utf-8")
    with pytest.raises(ReadError, match=r"a\.companion\.ome"):
        open_sources(tmp_path)
    companion.unlink()
    with pytest.raises(ReadError, match=r"a\.companion\.ome of it is missing"):
        open_sources(tmp_path)


def test_a_file_of_another_set_is_refused(tmp_path):
    _write_set(tmp_path)
    _write(tmp_path / NAMES[1], STACK[1], _full(_uuid(7), ["a_t1.ome.tif"], 7))
    with pytest.raises(ReadError, match=r"a_t1\.ome\.tif is not of the set"):
        open_sources(tmp_path)


@pytest.mark.parametrize("kind", ["full", "silent", "companion"])
def test_a_file_in_two_sets_is_named(tmp_path, kind):
    names = ("b_t0.ome.tif", "b_t1.ome.tif", "a_t0.ome.tif")
    _write_set(tmp_path, kind)
    for number, name in enumerate(names[:2]):
        own, third = _uuid(10 + number), _uuid(0)
        xml = _full(own, names, 10).replace(_uuid(12), third)
        _write(tmp_path / name, STACK[number], xml)
    with pytest.raises(ReadError, match=r"a_t0\.ome\.tif is in two sets"):
        open_sources(tmp_path)


def test_files_with_one_uuid_are_refused(tmp_path):
    # By UUID alone planes of the second would be read from the first.
    for number, name in enumerate(NAMES):
        _write(tmp_path / name, STACK[number], _full(_uuid(0)).replace(_uuid(1), _uuid(0)).replace(_uuid(2), _uuid(0)))
    with pytest.raises(ReadError, match="one UUID"):
        open_sources(tmp_path)


def test_a_file_stored_otherwise_is_refused(tmp_path):
    _write_set(tmp_path)
    _write(tmp_path / NAMES[1], STACK[1].astype("f4"), _full(_uuid(1)))
    with pytest.raises(ReadError, match=r"a_t1\.ome\.tif, is stored otherwise"):
        open_sources(tmp_path)


def test_a_plane_that_no_file_has_is_named(tmp_path):
    _write_set(tmp_path)
    _write(tmp_path / NAMES[1], STACK[1, :1], _full(_uuid(1)))
    with pytest.raises(ReadError, match="plane 3 is missing"):
        open_sources(tmp_path)


def test_a_file_of_a_set_under_another_name_is_refused(tmp_path):
    _write_set(tmp_path)
    (tmp_path / NAMES[0]).rename(tmp_path / "copy.tif")
    with pytest.raises(ReadError, match=r"copy\.tif is of a set of 3 .* does not name it"):
        open_sources(tmp_path / "copy.tif")


@pytest.mark.parametrize("name", ["../b.ome.tif", "/etc/hostname", "..\\b.ome.tif"])
def test_a_set_stays_in_its_folder(tmp_path, name):
    (tmp_path / "images").mkdir()
    _write_set(tmp_path / "images", names=("a.ome.tif", name, "c.ome.tif"))
    (tmp_path / "b.ome.tif").write_bytes((tmp_path / "images" / "c.ome.tif").read_bytes())
    with pytest.raises(ReadError, match="outside of its folder"):
        open_sources(tmp_path / "images" / "a.ome.tif")


def test_a_link_of_a_set_stays_in_its_folder(tmp_path):
    (tmp_path / "images").mkdir()
    _write_set(tmp_path / "images")
    member = tmp_path / "images" / NAMES[1]
    member.rename(tmp_path / "secret.tif")
    member.symlink_to(tmp_path / "secret.tif")
    with pytest.raises(ReadError, match="outside of its folder"):
        open_sources(tmp_path / "images" / NAMES[0])
