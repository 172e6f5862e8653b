"""What is built and installed: the shipped files travel with every kind of install, under one top-level name."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from bigimg import shipped

ROOT = Path(__file__).parents[2]

FIND = """
from pathlib import Path
import bigimg
from bigimg import shipped
for kind in ("cluster", "workflows"):
    print(Path(bigimg.__file__).parent, shipped.folder(kind), *shipped.names(kind), sep="|")
    assert all(shipped.find(kind, name).is_file() for name in shipped.names(kind))
"""


def python(*args: object, **more) -> str:
    command = [sys.executable, *map(str, args)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pip(*args: object) -> None:
    # The build backend is the one that the tests have installed, so that nothing is downloaded.
    python("-m", "pip", "--disable-pip-version-check", args[0], "--no-deps", "--no-build-isolation", *args[1:])


def find_shipped(folder: Path, elsewhere: Path) -> list[list[str]]:
    """Return what a program started in ``elsewhere`` finds when bigimg is installed in ``folder``."""
    # .pth files, by which an editable install works, are read in site folders only.
    code = f"import site, sys; site.addsitedir({str(folder)!r}); sys.path.insert(0, {str(folder)!r})\n{FIND}"
    # Neither the folder of the tests nor an installed bigimg may help: third-party packages only.
    done = python("-P", "-c", code, cwd=elsewhere, env={**os.environ, "PYTHONSAFEPATH": "1"})
    return [line.split("|") for line in done.splitlines()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", ROOT, "--wheel-dir", folder)
    (built,) = folder.glob("bigimg-*.whl")
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    python("-m", "build", "--sdist", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.glob("bigimg-*.tar.gz")
    return built


def contents(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())


def data_files(kind: str) -> set[str]:
    return {path.name for path in (ROOT / kind).iterdir() if path.is_file()}


def test_the_wheel_has_one_top_level_name(wheel):
    tops = {name.partition("/")[0] for name in contents(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bigimg"}


def test_the_wheel_has_all_modules_and_all_shipped_files(wheel):
    names = set(contents(wheel))
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "bigimg").rglob("*.py")}
    assert modules <= names
    assert "bigimg/py.typed" in names
    for kind in ("cluster", "workflows"):
        assert {f"bigimg/_shipped/{kind}/{name}" for name in data_files(kind)} <= names
    extra = {Path(name).suffix for name in names if name.startswith("bigimg/")}
    assert extra <= {".py", ".typed", ".yaml", ".md", ".jinja", ".css", ".js"}, "caches and other leavings"


@pytest.mark.parametrize("through", ["wheel", "sdist", "editable"])
def test_every_install_finds_the_shipped_files(through, request, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    if through == "editable":
        pip("install", "--target", site, "--editable", ROOT)
    else:
        pip("install", "--target", site, request.getfixturevalue(through))
    for kind, (package, folder, *names) in zip(("cluster", "workflows"), find_shipped(site, elsewhere)):
        home = ROOT / "bigimg" if through == "editable" else site / "bigimg"
        assert Path(package) == home, "another install was found"
        assert Path(folder) == (ROOT / kind if through == "editable" else home / "_shipped" / kind)
        assert names == sorted(Path(name).stem for name in data_files(kind) if name.endswith(".yaml"))


def test_the_sdist_holds_the_house_and_no_more(sdist):
    with tarfile.open(sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"bigimg", "cluster", "workflows", "tests", "docs", "README.md", "LICENSE", "pyproject.toml"} <= tops
    known = {"bigimg", "cluster", "deploy", "docs", "tests", "workflows"}
    assert tops <= known | {".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}


def test_the_checkout_ships_what_a_stranger_runs_first():
    assert "nuclei" in shipped.names("workflows")
    assert "local" in shipped.names("cluster")
