"""How tracks move: numbers of one track do not depend on others, and diffusion is found again."""

import numpy as np
import pandas as pd
import pytest

from bigimg import track
from bigimg.errors import ParameterError


def walks(count, frames, diffusion=1.0, seconds=1.0, error=0.0, axes="yx", seed=0):
    """Return Brownian walks of known diffusion coefficient, seen with an error."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, np.sqrt(2 * diffusion * seconds), (count, frames, len(axes)))
    places = steps.cumsum(axis=1) + rng.normal(0, error, steps.shape)
    number, t = np.divmod(np.arange(count * frames), frames)
    return pd.DataFrame(
        {"track_id": number + 1, "t": t, "time": t * seconds} | dict(zip(axes, places.reshape(-1, len(axes)).T))
    )


@pytest.mark.parametrize("axes", ["yx", "zyx"])
@pytest.mark.parametrize(("diffusion", "seconds", "error"), [(1.0, 1.0, 0.0), (0.3, 0.04, 0.1), (5.0, 2.0, 1.5)])
def test_a_known_diffusion_coefficient_is_found(axes, diffusion, seconds, error):
    table = walks(300, 100, diffusion, seconds, error, axes)
    whole = track.diffusion(table, per="ensemble")
    assert whole["diffusion_coefficient"].item() == pytest.approx(diffusion, rel=0.05)
    if error:
        assert whole["localization_error"].item() == pytest.approx(error, rel=0.2)
    each = track.diffusion(table)
    assert len(each) == 300
    assert each["diffusion_coefficient"].mean() == pytest.approx(diffusion, rel=0.05)


def test_diffusion_in_frames_and_in_seconds():
    table = walks(50, 60, 1.0, 0.5)
    seconds = track.diffusion(table, per="ensemble")["diffusion_coefficient"].item()
    frames = track.diffusion(table.drop(columns="time"), per="ensemble")["diffusion_coefficient"].item()
    assert frames == pytest.approx(seconds / 2)


def test_the_ensemble_is_the_mean_of_all_displacements():
    table = walks(20, 15).drop(index=[3, 4, 77, 100])
    each = track.mean_squared_displacement(table, max_lag=5)
    whole = track.mean_squared_displacement(table, max_lag=5, per="ensemble")
    assert list(whole) == ["lag", "lag_time", "msd", "count"]
    for row in whole.itertuples():
        own = each[each["lag"] == row.lag]
        assert own["count"].sum() == row.count
        assert np.average(own["msd"], weights=own["count"]) == pytest.approx(row.msd)


def test_gaps_count_for_the_frames_they_took():
    table = pd.DataFrame({"track_id": 7, "t": [0, 2, 5], "y": 0.0, "x": [0.0, 1.0, 3.0]})
    found = track.mean_squared_displacement(table)
    assert found[["lag", "msd", "count"]].to_numpy().tolist() == [[2, 1, 1], [3, 4, 1], [5, 9, 1]]


def test_tracks_too_short_to_fit_are_missing():
    table = pd.DataFrame({"track_id": [1, 1, 2], "t": [0, 1, 0], "y": 0.0, "x": 0.0})
    found = track.diffusion(table)
    assert found["track_id"].tolist() == [1, 2]
    assert found["diffusion_coefficient"].isna().all()


def test_a_track_does_not_depend_on_the_others():
    table = walks(12, 30).sample(frac=1, random_state=0)
    for function in (track.motion, track.summary, track.mean_squared_displacement):
        whole = function(table)
        alone = function(table[table.track_id == 9])
        pd.testing.assert_frame_equal(whole[whole.track_id == 9].reset_index(drop=True), alone)


def test_motion_again_changes_nothing():
    once = track.motion(walks(3, 5))
    pd.testing.assert_frame_equal(track.motion(once), once)


def test_a_summary():
    table = pd.DataFrame({"track_id": 4, "t": [2, 3, 7], "y": [0.0, 3.0, 3.0], "x": [0.0, 4.0, 0.0]})
    row = track.summary(table).iloc[0]
    assert row[["track_id", "begin", "end", "objects", "duration"]].tolist() == [4, 2, 7, 3, 5]
    assert row[["path_length", "displacement", "speed_mean", "speed_max"]].tolist() == [9, 3, 9 / 5, 5]


def test_a_track_of_one_object_has_no_speed():
    row = track.summary(pd.DataFrame({"track_id": [1], "t": [0], "y": [0.0], "x": [0.0]})).iloc[0]
    assert row[["speed_mean", "speed_max", "straightness"]].isna().all()
    assert row["objects"] == 1


def test_tables_without_tracks_are_refused():
    for function in (track.motion, track.summary, track.mean_squared_displacement, track.diffusion):
        with pytest.raises(ParameterError, match=f"{function.name}.*link the objects first"):
            function(pd.DataFrame({"t": [0], "y": [0.0], "x": [0.0]}))
    with pytest.raises(ParameterError, match="max_lag must be greater than or equal to 2"):
        track.diffusion(walks(1, 5), max_lag=1)
