import pytest

from bigimg.errors import OutputError, OutputExistsError
from bigimg.io import begin, building, publish


def test_result_has_its_name_only_when_it_is_whole(tmp_path):
    dest = tmp_path / "deep" / "results"
    with building(dest) as aside:
        (aside / "a.txt").write_text("hello")
        (aside / "0.123.partial").write_text("left by a writer that was killed")
        assert aside.parent == dest.parent
        assert aside.name.startswith("results.building-")
        assert not dest.exists()
    assert [path.name for path in dest.parent.iterdir()] == ["results"]
    assert [path.name for path in dest.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_failure_leaves_nothing(tmp_path, failure):
    with pytest.raises(failure), building(tmp_path / "results") as aside:  # noqa: PT012
        (aside / "a.txt").write_text("hello")
        raise failure
    assert not list(tmp_path.iterdir())


def test_existing_output_is_refused_and_not_touched(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "mine.txt").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("results", "dangling"):
        with pytest.raises(OutputExistsError, match=name), building(tmp_path / name):
            pytest.fail("nothing may be computed")
    assert (tmp_path / "results" / "mine.txt").read_text() == "mine"


def test_output_made_by_another_in_the_meantime_stays(tmp_path):
    dest = tmp_path / "results"
    with pytest.raises(OutputExistsError), building(dest) as aside:  # noqa: PT012
        (aside / "ours").touch()
        dest.mkdir()
        (dest / "theirs").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    assert [path.name for path in dest.iterdir()] == ["theirs"]


def test_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"), building(tmp_path / "file" / "results"):
        pytest.fail("nothing may be computed")


def test_in_two_steps(tmp_path):
    aside = begin(tmp_path / "results")
    (aside / "a").touch()
    publish(aside, tmp_path / "results")
    assert (tmp_path / "results" / "a").exists()
    with pytest.raises(OutputExistsError):
        begin(tmp_path / "results")
