"""Every operation beside its peers: one command, one table, one thread, one run.

Run it as ``python tests/bench/operations.py``, with ``--only filters.median`` for some, and ``--markdown`` for the page
of the documentation. Each implementation is called in turn, several times, on the same image in memory; the time is
that of the processor, and the median counts. A ratio says how many times longer the peer takes; one in brackets is of a
peer whose result differs, as OpenCV's when it rounds otherwise.

scikit-image and SciPy work on the whole image, and so does bigimg here: tiles and threads come on top. dask-image is
called on one chunk, with one thread.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy is imported: the time of the processor is that of one thread

import cv2  # noqa: E402
import dask  # noqa: E402
import numpy as np  # noqa: E402

from bigimg.ops.catalog import operations  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))

PEERS = ("scikit-image", "scipy", "dask-image", "cv2")
ROOMS = ("color", "exposure", "filters", "measure", "morphology", "segmentation", "threshold", "transform")


@dataclass(frozen=True)
class Row:
    """An operation with parameters on an image, and what its peers are called with."""

    op: str
    detail: str
    image: str
    """Which of the :mod:`images`."""
    ours: Callable[[Any], Any]
    peers: Mapping[str, Callable[[Any], Any]]
    tolerance: float = 0.0
    """How far floating point results may be apart and still be called the same, of the largest value."""


def row(
    op: str,
    image: str,
    params: Mapping[str, Any] | None = None,
    *,
    tolerance: float = 0.0,
    detail: str | None = None,
    second: Mapping[str, Callable[[Any], Any]] | None = None,
    **peers: Callable[[Any], Any],
) -> Row:
    """Return the row of an operation of the catalogue.

    ``second`` makes further images of the image, and their time is nobody's: they are made once. Peers are given by
    their names with _ for -.
    """
    params = params or {}
    operation: Any = operations()[op]
    further: dict[int, dict[str, Any]] = {}

    def ours(pixels: Any) -> Any:
        if second and id(pixels) not in further:
            further[id(pixels)] = {name: make(pixels) for name, make in second.items()}
        return operation(pixels, **params, **further.get(id(pixels), {}))

    shown = ", ".join(f"{name} {value}" for name, value in params.items()) if detail is None else detail
    names = {"sk": "scikit-image", "ndi": "scipy", "dask": "dask-image", "cv2": "cv2"}
    return Row(op, shown, image, ours, {names[name]: call for name, call in peers.items()}, tolerance)


@dataclass(frozen=True)
class Result:
    """What was measured of a row."""

    row: Row
    pixels: int
    seconds: Mapping[str, float]
    differs: frozenset[str]

    def ratio(self, peer: str) -> float:
        """Return how many times longer ``peer`` takes."""
        return self.seconds[peer] / self.seconds["bigimg"]

    def cells(self) -> list[str]:
        """Return the columns of the table."""
        speed = f"{self.pixels / self.seconds['bigimg'] / 1e6:.3g}"
        shown = []
        for peer in PEERS:
            text = f"{self.ratio(peer):.3g}" if peer in self.seconds else ""
            shown.append(f"({text})" if peer in self.differs else text)
        return [self.row.op, self.row.detail, self.row.image, speed, *shown]


def rows() -> Iterator[Row]:
    """Yield the rows of every room."""
    for room in ROOMS:
        yield from import_module(f"rows_{room}").ROWS


def measure(row: Row, image: Any, budget: float) -> Result:
    """Call ours and every peer in turn, until each had about ``budget`` seconds or was called seven times."""
    calls = {"bigimg": row.ours, **row.peers}
    results = {name: call(image) for name, call in calls.items()}  # compiles, and fills caches
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(7):
        for name, call in calls.items():
            if sum(times[name]) < budget or len(times[name]) < 1:
                start = process_time()
                call(image)
                times[name].append(process_time() - start)
    same = {name for name, found in results.items() if equal(results["bigimg"], found, row.tolerance)}
    pixels = int(np.prod(image.shape[-2:] if image.ndim == 3 and image.shape[0] <= 4 else image.shape))
    return Result(row, pixels, {name: median(taken) for name, taken in times.items()}, frozenset(set(calls) - same))


def equal(ours: Any, theirs: Any, tolerance: float) -> bool:
    """Say whether two results are the same, floats within ``tolerance`` of the largest value."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        return False
    if tolerance:
        least = np.abs(ours.astype(float) - theirs).max(initial=0)
        return bool(least <= tolerance * max(1.0, float(np.abs(ours).max(initial=0))))
    return bool((ours == theirs).all())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--budget", type=float, default=1.0, help="Seconds of each implementation of each row.")
    parser.add_argument("--only", nargs="*", default=[], help="Operations or rooms, such as filters or filters.median.")
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    from images import image_of

    heads = ["operation", "parameters", "image", "Mpx/s", *PEERS]
    form = (
        "| " + " | ".join(["{}"] * len(heads)) + " |"
        if given.markdown
        else "{:34}{:26}{:10}{:>9}{:>14}{:>9}{:>12}{:>9}"
    )
    print(form.format(*heads))
    if given.markdown:
        print("|" + "---|" * len(heads))
    slower = []
    with dask.config.set(scheduler="synchronous"):
        for row in rows():
            if given.only and not any(row.op == only or row.op.startswith(f"{only}.") for only in given.only):
                continue
            found = measure(row, image_of(row.image, given.size), given.budget)
            print(form.format(*found.cells()), flush=True)
            slower += [
                f"{row.op} ({row.detail}, {row.image}): {found.ratio(peer):.2f} of {peer}"
                for peer in row.peers
                if found.ratio(peer) < 0.9 and peer not in found.differs
            ]
    print("\nslower than a peer with the same result: " + ("; ".join(slower) or "none"))


if __name__ == "__main__":
    main()
