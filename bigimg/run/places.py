"""Which results lie over the image they are of, pixel on pixel: only those can be its labels, or be measured in it.

Resizing keeps the place of an image, so its size says whether a result lies over it. Turning and flipping do not.
"""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from bigimg.errors import WorkflowError
from bigimg.run.steps import INPUT, Step

MOVING = ("transform.affine", "transform.flip", "transform.rot90", "transform.rotate")
"""Operations whose result lies elsewhere than what went in, also where it has the same shape."""

Moves = tuple[str, ...]
"""The moving steps that a result has gone through, in their order."""


def moves_of(step: Step, before: Mapping[str, Moves]) -> Moves:
    """Return the moves of what ``step`` gives, from those of the steps before."""
    moved = before[step.source]
    return (*moved, f"{step.op}({dict(step.params)})") if step.op in MOVING else moved


def check_together(step: Step, others: Mapping[str, str], before: Mapping[str, Moves]) -> None:
    """Refuse a step that puts images together of which one was moved.

    Parameters
    ----------
    step
        Of a workflow.
    others
        Its parameters that are images, and the steps they come from.
    before
        The moves of every step before.

    Raises
    ------
    WorkflowError
        Names both images.
    """
    for name, source in others.items():
        if before[source] != before[step.source]:
            raise WorkflowError(
                f"{step.op} takes {step.source!r} and, as {name}, {source!r} together, but one of them was moved by "
                f"{' and '.join(_names(before[source]) + _names(before[step.source]))}: their pixels do not lie over "
                "one another; move both alike, or none"
            )


def check_labels(labels: xr.DataArray, image: xr.DataArray, moved: Moves) -> None:
    """Refuse labels that cannot be stored as those of the image, because they do not lie over it.

    Raises
    ------
    WorkflowError
        Says what was moved, or both shapes.
    """
    keep = f"leave them out with keep: false (their tables stay), or find the objects in {INPUT!r} as it is"
    if moved:
        raise WorkflowError(
            f"labels are stored over the image they are of, and these were moved by {' and '.join(_names(moved))}; "
            f"{keep}"
        )
    sizes = {str(dim): size for dim, size in labels.sizes.items()}
    given = {str(dim): size for dim, size in image.sizes.items()}
    if any(given.get(dim) != size for dim, size in sizes.items()) or not {"y", "x"} & given.keys() <= sizes.keys():
        raise WorkflowError(
            f"labels are stored over the image they are of, and these have another shape ({_shape(sizes)} of an image "
            f"of {_shape(given)}); bring them back to its shape with transform.resize and order: 0, or {keep}"
        )


def _names(moved: Moves) -> list[str]:
    return [each.partition("(")[0] for each in moved]


def _shape(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{dim} {size}" for dim, size in sizes.items())
