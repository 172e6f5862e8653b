"""What names of files say, by patterns and by the namings of microscopes."""

import pytest

from bigimg.errors import ImageError, ParameterError, UnknownNameError
from bigimg.io.naming import NAMINGS, Naming
from bigimg.io.plates import columns_of_well, row_name

GUID = "BEDC2073-A983-4B98-95E9-84466707A25D"

KNOWN = [
    (
        "imagexpress",
        f"screen/Week1_150607_G10_s2_w4{GUID}.tif",
        {"plate": "Week1_150607", "well": "G10", "field": "2", "channel": "4"},
    ),
    ("imagexpress", f"Week1_22123/G10_s1_w1{GUID}.tif", {"well": "G10", "field": "1", "channel": "1"}),
    ("imagexpress", "A01_s1_w1.TIF", {"well": "A01", "field": "1", "channel": "1"}),
    ("imagexpress", "P1_AB12_w1.tif", {"plate": "P1", "well": "AB12", "channel": "1"}),
    (
        "imagexpress",
        "plate/TimePoint_12/ZStep_3/P1_B03_s1_w2.tif",
        {"t": "12", "z": "3", "plate": "P1", "well": "B03", "field": "1", "channel": "2"},
    ),
    ("imagexpress", f"P1_B03_s1_w1_thumb{GUID}.tif", None),
    ("imagexpress", "P1_B03_s1_w1_thumb.tif", None),
    (
        "operetta",
        "Measurement 1/Images/r02c03f04p05-ch1sk6fk1fl1.tiff",
        {"plate": "Measurement 1", "row": "02", "column": "03", "field": "04", "z": "05", "channel": "1", "t": "6"},
    ),
    ("operetta", "r02c03f04p05-ch1.tiff", {"row": "02", "column": "03", "field": "04", "z": "05", "channel": "1"}),
    (
        "cellvoyager",
        "AssayPlate_Greiner_#655090_B03_T0001F002L01A01Z03C04.tif",
        {"plate": "AssayPlate_Greiner_#655090", "well": "B03", "t": "0001", "field": "002", "z": "03", "channel": "04"},
    ),
    ("cellvoyager", "DC_B03.tif", None),
    (
        "bbbc021",
        f"images/Week1_22123/G10_s1_w4{GUID}.tif",
        {"plate": "Week1_22123", "well": "G10", "field": "1", "channel": "4"},
    ),
    ("bbbc013", "images/Channel1-49-E-01.BMP", {"channel": "1", "row": "E", "column": "01"}),
    (
        "micromanager",
        "img_channel001_position002_time000000003_z004.tif",
        {"channel": "001", "field": "002", "t": "000000003", "z": "004"},
    ),
]


@pytest.mark.parametrize(("naming", "path", "said"), KNOWN, ids=[f"{case[0]}-{i}" for i, case in enumerate(KNOWN)])
def test_known_namings(naming, path, said):
    found = Naming.of(naming).read(path)
    assert found == said
    if found is not None:
        assert list(found) == [word for word in Naming.of(naming).words if word in found]


def test_every_known_naming_is_tried():
    assert {name for name, _, said in KNOWN if said} == set(NAMINGS)


@pytest.mark.parametrize(
    ("pattern", "path", "said"),
    [
        ("{plate}_{well}.tif", "a_b_B03.tif", {"plate": "a_b", "well": "B03"}),
        ("{plate}_{well}.tif", "deep/in/a_B03.TIF", {"plate": "a", "well": "B03"}),
        ("{plate}/{plate}_{well}.tif", "x/p1/p1_B03.tif", {"plate": "p1", "well": "B03"}),
        ("{plate}/{plate}_{well}.tif", "x/p1/p2_B03.tif", None),
        ("{well}_{drug}_{_}.png", "B03_taxol 3 uM_x.png", {"well": "B03", "drug": "taxol 3 uM"}),
        ("{well}_{channel:DAPI|GFP}.tif", "B03_GFP.tif", {"well": "B03", "channel": "GFP"}),
        ("{well}_{channel:DAPI|GFP}.tif", "B03_RFP.tif", None),
        (r"{well}\[{field}\].tif", "B03[7].tif", {"well": "B03", "field": "7"}),
        ("{well}[_z{z}[_t{t}]].tif", "B03.tif", {"well": "B03"}),
        ("{well}[_z{z}[_t{t}]].tif", "B03_z1_t2.tif", {"well": "B03", "z": "1", "t": "2"}),
        ("{well}.tif", "other.tif", None),
        ("{id_of_file}.tif", "a+b (1).tif", {"id_of_file": "a+b (1)"}),
    ],
)
def test_patterns(pattern, path, said):
    assert Naming.of(pattern).read(path) == said


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{well", "character 1: a brace is not closed"),
        ("a}{well}", "character 2: this brace closes none"),
        ("{well}[_z{z}", "a bracket is not closed"),
        ("{well}]", "character 7: this bracket closes none"),
        ("{my well}", "'my well' is no word"),
        ("{}", "'' is no word"),
        ("{well:(}", "no regular expression"),
        ("{well:(A)}", "has no groups"),
        ("{source}_{well}", "has for something else"),
        ("{well}_{x}", "has for something else"),
    ],
)
def test_what_is_no_pattern_is_said(pattern, message):
    with pytest.raises(ParameterError, match=message.replace("(", r"\(")):
        Naming.of(pattern)


def test_unknown_naming_suggests_one():
    with pytest.raises(UnknownNameError, match="operetta"):
        Naming.of("opereta")


def test_name_of_a_file_that_is_missing():
    naming = Naming.of("{plate}/{plate}_{well}_w{channel}_{_}.tif")
    said = naming.read("p1/p1_B03_w1_abc.tif")
    assert said is not None
    assert naming.missing("p1/p1_B03_w1_abc.tif", said, {"channel": "12"}) == "p1/p1_B03_w12_abc.tif"


def test_wells_are_written_in_one_way():
    assert columns_of_well({"row": "27", "column": "7"}, "") == {"well": "AA07", "row": "AA", "column": 7}
    assert columns_of_well({"well": "aF48", "site": "2"}, "") == {
        "well": "AF48",
        "row": "AF",
        "column": 48,
        "site": "2",
    }
    assert columns_of_well({"well": "position 7"}, "") == {"well": "position 7"}
    with pytest.raises(ImageError, match=r"a\.tif says well B03, and row C"):
        columns_of_well({"well": "B03", "row": "C"}, "a.tif")
    with pytest.raises(ImageError, match="0 is no row"):
        row_name(0)
