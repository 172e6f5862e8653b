"""bigimg: large images and video, processed tile by tile; the same answer, however the image is cut.

>>> import bigimg
>>> import numpy as np
>>> image = np.zeros((64, 64), "uint8")
>>> image[10:20, 10:20] = 200
>>> labels = bigimg.measure.label(bigimg.threshold.otsu(image))
>>> bigimg.measure.regionprops_table(labels, properties=["label", "area"])
   label   area
0      1  100.0
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigimg import errors as errors
    from bigimg import learn as learn
    from bigimg import testing as testing
    from bigimg.engine.faces import composed as composed
    from bigimg.engine.faces import tilewise as tilewise
    from bigimg.engine.lazy import from_store as from_store
    from bigimg.io.collection import Collection as Collection
    from bigimg.ops import color as color
    from bigimg.ops import exposure as exposure
    from bigimg.ops import filters as filters
    from bigimg.ops import measure as measure
    from bigimg.ops import morphology as morphology
    from bigimg.ops import segmentation as segmentation
    from bigimg.ops import threshold as threshold
    from bigimg.ops import track as track
    from bigimg.ops import transform as transform
    from bigimg.run.export import export as export
    from bigimg.run.inputs import ingest as ingest
    from bigimg.run.inputs import open as open  # noqa: A004 - the word users know
    from bigimg.run.inputs import verify as verify
    from bigimg.run.plan import Plan as Plan
    from bigimg.run.plan import plan as plan
    from bigimg.run.run import Run as Run
    from bigimg.run.run import run as run
    from bigimg.run.workflow import Workflow as Workflow

__version__ = "0.1.0"

# Where each public name lives. They are imported when first used: `import bigimg` and `bigimg --help` load nothing.
_HOMES = {
    "Collection": "bigimg.io.collection:Collection",
    "Plan": "bigimg.run.plan:Plan",
    "Run": "bigimg.run.run:Run",
    "Workflow": "bigimg.run.workflow:Workflow",
    "color": "bigimg.ops.color",
    "composed": "bigimg.engine.faces:composed",
    "errors": "bigimg.errors",
    "export": "bigimg.run.export:export",
    "exposure": "bigimg.ops.exposure",
    "filters": "bigimg.ops.filters",
    "from_store": "bigimg.engine.lazy:from_store",
    "ingest": "bigimg.run.inputs:ingest",
    "learn": "bigimg.learn",
    "measure": "bigimg.ops.measure",
    "morphology": "bigimg.ops.morphology",
    "open": "bigimg.run.inputs:open",
    "plan": "bigimg.run.plan:plan",
    "run": "bigimg.run.run:run",
    "segmentation": "bigimg.ops.segmentation",
    "testing": "bigimg.testing",
    "threshold": "bigimg.ops.threshold",
    "tilewise": "bigimg.engine.faces:tilewise",
    "track": "bigimg.ops.track",
    "transform": "bigimg.ops.transform",
    "verify": "bigimg.run.inputs:verify",
}

__all__ = [
    "Collection",
    "Plan",
    "Run",
    "Workflow",
    "color",
    "composed",
    "errors",
    "export",
    "exposure",
    "filters",
    "from_store",
    "ingest",
    "learn",
    "measure",
    "morphology",
    "open",
    "plan",
    "run",
    "segmentation",
    "testing",
    "threshold",
    "tilewise",
    "track",
    "transform",
    "verify",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'bigimg' has no attribute {name!r}")
    module, _, attribute = home.partition(":")
    value = import_module(module)
    globals()[name] = found = getattr(value, attribute) if attribute else value
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
