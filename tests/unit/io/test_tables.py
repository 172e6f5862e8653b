import numpy as np
import pandas as pd
import pytest

from bigimg.errors import MissingInputError, OutputError, ReadError
from bigimg.io import read_table, table_metadata, write_table

FRAME = pd.DataFrame(
    {"item": ["a", "b"], "label": np.array([1, 2**63], "u8"), "area": [1.5, np.nan], "edge": [True, False]}
)


def test_round_trip(tmp_path):
    path = tmp_path / "tables" / "objects.parquet"
    write_table(path, FRAME, {"step": "measure", "params": {"min_size": 3}})
    pd.testing.assert_frame_equal(read_table(path), FRAME)
    metadata = table_metadata(path)
    assert metadata["step"] == "measure"
    assert metadata["version"]
    write_table(path, FRAME.head(1))
    assert len(read_table(path)) == 1
    assert [each.name for each in path.parent.iterdir()] == ["objects.parquet"]


def test_parts_are_read_in_the_order_of_their_names(tmp_path):
    for part in (2, 0, 1):
        write_table(tmp_path / "objects" / f"{part:05}.parquet", pd.DataFrame({"label": [part]}))
    assert read_table(tmp_path / "objects")["label"].tolist() == [0, 1, 2]


def test_empty_table_keeps_its_columns(tmp_path):
    write_table(tmp_path / "a.parquet", FRAME.head(0))
    read = read_table(tmp_path / "a.parquet")
    assert list(read.columns) == list(FRAME.columns)
    assert read["label"].dtype == np.uint64


def test_damage_and_absence(tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(MissingInputError, match="no table"):
        read_table(path)
    write_table(path, pd.DataFrame({"x": np.random.default_rng(0).random(5000)}))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReadError, match="damaged"):
        read_table(path)
    path.write_bytes(whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
    with pytest.raises(ReadError, match="damaged"):
        read_table(path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_table(tmp_path / "file" / "a.parquet", FRAME)
