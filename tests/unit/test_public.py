"""The public surface: names, signatures that callers rely on, and what importing it costs."""

import inspect
import json
import subprocess
import sys
from importlib import import_module
from inspect import Parameter

import pytest

import bigimg

# The surface that is promised, as a caller would write it. More keyword parameters with defaults may come; none of
# these may go, move or change its default.
PROMISED = {
    "open": "(path)",
    "ingest": "(source, dest, *, on_error='fail', pack=False, mode='copy', append=False)",
    "verify": "(path, *, repair=False)",
    "plan": "(workflow, input, output)",
    "run": "(workflow, input, output, *, cluster='local', workers=None)",
    "filters.gaussian": "(image, *, sigma)",
    "filters.median": "(image, *, size=None)",
    "threshold.fixed": "(image, *, value)",
    "threshold.otsu": "(image)",
    "threshold.li": "(image)",
    "threshold.triangle": "(image)",
    "threshold.local_mean": "(image, *, window_size, offset=0)",
    "threshold.sauvola": "(image, *, window_size=15, k=0.2, r=None)",
    "morphology.erosion": "(image, footprint)",
    "morphology.dilation": "(image, footprint)",
    "morphology.opening": "(image, footprint)",
    "morphology.closing": "(image, footprint)",
    "morphology.white_tophat": "(image, footprint)",
    "morphology.black_tophat": "(image, footprint)",
    "morphology.disk": "(radius)",
    "morphology.cross": "(radius)",
    "morphology.square": "(width)",
    "morphology.remove_small_objects": "(mask, *, min_size, connectivity=None)",
    "morphology.clear_border": "(mask)",
    "measure.label": "(mask, *, connectivity=None)",
    "measure.regionprops_table": "(labels, intensity_image=None, *, properties=None)",
    "learn.MiniBatchKMeans": "(n_clusters=8, *, random_state=0)",
    "learn.Mahalanobis": "()",
}

HEAVY = {
    "cv2",
    "dask",
    "distributed",
    "numba",
    "numcodecs",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scipy",
    "skimage",
    "sklearn",
    "tifffile",
    "xarray",
    "zarr",
}
"""Each of these takes longer to import than a person wants to wait for a line of help."""

ROOMS = ["color", "exposure", "filters", "learn", "measure", "morphology", "testing", "threshold"]


def promised(path: str) -> list[Parameter]:
    namespace: dict[str, object] = {}
    exec(f"def promised{PROMISED[path]}: ...", namespace)
    return list(inspect.signature(namespace["promised"]).parameters.values())  # type: ignore[arg-type]


def found(path: str):
    value = bigimg
    for part in path.split("."):
        value = getattr(value, part)
    return value


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that a new process has loaded after ``code``."""
    ask = f"{code}\nimport sys, json\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_all_is_sorted_complete_and_importable():
    assert bigimg.__all__ == sorted(set(bigimg.__all__))
    assert all(getattr(bigimg, name) is not None for name in bigimg.__all__)
    assert set(bigimg.__all__) == set(bigimg._HOMES), "every public name has a home, and every home a public name"
    assert set(bigimg.__all__) <= set(dir(bigimg))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'gausian'"):
        bigimg.gausian  # noqa: B018 - looking is the test


@pytest.mark.parametrize("room", ROOMS)
def test_the_rooms_say_what_is_in_them(room):
    module = import_module(bigimg._HOMES[room])
    assert list(module.__all__) == sorted(set(module.__all__))
    here = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__ and callable(value)
    }
    operations = {name for name in here if hasattr(getattr(module, name), "gives")}
    assert operations <= set(module.__all__), "an operation that exists is public"
    assert all(getattr(module, name).__doc__ for name in module.__all__)


@pytest.mark.parametrize("path", PROMISED)
def test_the_promised_signatures(path):
    given = list(inspect.signature(found(path)).parameters.values())
    wanted = promised(path)
    assert [p.name for p in given[: len(wanted)]] == [p.name for p in wanted]
    for mine, theirs in zip(given, wanted):
        assert mine.kind == theirs.kind, f"{path}: {mine.name}"
        assert mine.default == theirs.default, f"{path}: {mine.name}"
    for more in given[len(wanted) :]:
        assert more.kind == Parameter.KEYWORD_ONLY, f"{path}: {more.name} must be given by name"
        assert more.default is not Parameter.empty, f"{path}: {more.name} needs a default"


def test_run_is_a_verb_and_a_room():
    code = "import bigimg.run.plan, bigimg; assert callable(bigimg.run); from bigimg.run.run import run; assert run"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_by("import bigimg") & HEAVY


def test_files_and_stores_load_no_compiler_and_no_opencv():
    assert not loaded_by("import bigimg.io") & {"numba", "llvmlite", "cv2", "dask", "distributed"}


@pytest.mark.parametrize("args", [["--help"], ["run", "--help"], ["--version"]])
def test_asking_for_help_loads_nothing_heavy(args):
    code = (
        f"from bigimg.cli import main\ntry:\n    main({args!r})\nexcept SystemExit as left:\n    assert not left.code"
    )
    # The command line's own library takes pydantic to describe the options of a verb.
    assert not loaded_by(code) & (HEAVY - {"pydantic"})


def test_every_error_is_a_builtin_too():
    errors = [value for value in vars(bigimg.errors).values() if isinstance(value, type)]
    kinds = [kind for kind in errors if issubclass(kind, bigimg.errors.BigimgError)]
    assert len(kinds) > 10
    for kind in kinds:
        if kind is bigimg.errors.BigimgError:
            continue
        assert any(base.__module__ == "builtins" and base is not Exception for base in kind.__mro__[1:-3]), kind
        assert kind.__name__ in (bigimg.errors.__doc__ or ""), f"{kind.__name__} is not in the tree of errors"
