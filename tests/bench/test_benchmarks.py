"""The benchmarks run, small, and what they compare is equal. Nothing here looks at a clock."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import bigimg

HERE = Path(__file__).parent


@pytest.fixture
def chain(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    return runpy.run_path(str(HERE / "chain.py"))


def test_the_chain_equals_scikit_image_in_three_tasks_a_tile(chain):
    image = chain["photographs"](700)
    lazy = chain["ours"](image, 256)
    assert len(dict(lazy.data.dask)) <= 3 * lazy.data.npartitions
    np.testing.assert_array_equal(lazy.values, chain["by_scikit_image"](image))


def test_dask_image_differs_at_the_border_only(chain):
    image = chain["photographs"](700)
    found = chain["by_dask_image"](image, 256) > 0
    ours = chain["ours"](image, 256).values > 0
    np.testing.assert_array_equal(
        ours, chain["by_scikit_image"](image) > 0, err_msg="it is not dask-image that differs"
    )
    inside = (slice(60, -60),) * 2
    assert (found != ours)[inside].mean() < 0.001


def test_the_tables_are_printed(chain, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["chain.py", "--size", "512", "--tile", "256", "--runs", "1"])
    chain["main"]()
    assert "equal, numbers included" in capsys.readouterr().out


def test_planning_makes_as_many_tasks_as_it_counted():
    planning = runpy.run_path(str(HERE / "planning.py"))
    assert planning["planned"](8192)[2] == 25**2


def test_the_stored_chain_is_timed_beside_its_floor(capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    stored = runpy.run_path(str(HERE / "stored_chain.py"))
    monkeypatch.setattr(sys, "argv", ["stored_chain.py", "--size", "1100", "--tile", "512", "--runs", "1"])
    stored["main"]()
    assert "chain / floor:" in capsys.readouterr().out


def test_tracks_are_compared_link_by_link(monkeypatch):
    tracks = runpy.run_path(str(HERE / "tracks.py"))
    table = tracks["particles"](20, 30)
    found = bigimg.track.link(table, search_range=8.0)
    links = tracks["links"](found, "track_id")
    assert len(links) == len(table) - found["track_id"].nunique()
    assert all(later == t + 1 for t, _, later, _ in links)
    monkeypatch.setitem(sys.modules, "trackpy", None)
    with pytest.raises(SystemExit, match="pip install trackpy"):
        tracks["main"]()


def test_tables_of_objects_are_those_of_scikit_image(monkeypatch, capsys):
    regions = runpy.run_path(str(HERE / "regions.py"))
    monkeypatch.setattr(sys, "argv", ["regions.py", "--size", "300", "--runs", "1"])
    regions["main"]()
    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == len(regions["GROUPS"])
    assert all(float(row.split()[-1]) < 1e-9 for row in rows)
