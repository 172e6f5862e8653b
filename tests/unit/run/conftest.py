"""A small catalogue, so that workflows are tested without the operations."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Gt

from bigimg.core.footprint import Footprint, disk
from bigimg.core.parameters import Connectivity, Count, ImageInput, Parameters, Positive
from bigimg.run.catalog import Kind


@dataclass(frozen=True)
class FakeEntry:
    name: str
    function: Any
    takes: Kind
    gives: Kind | Literal["same"]
    kind: str = "tilewise"

    @property
    def parameters(self) -> Parameters:
        return Parameters(self.function, self.name)

    @property
    def summary(self) -> str:
        return (self.function.__doc__ or "").partition("\n")[0]

    @property
    def doc(self) -> str:
        return self.function.__doc__ or ""


def gaussian(image: Any, *, sigma: Positive, truncate: Positive = 4.0) -> Any:
    """Smooth the image."""


DISK = disk(1)


def opening(image: Any, footprint: Footprint = DISK) -> Any:
    """Open the image."""


def otsu(image: Any) -> Any:
    """Otsu's threshold."""


def fixed(image: Any, *, value: float) -> Any:
    """A known threshold."""


def remove_small_objects(mask: Any, *, min_size: Count, connectivity: Connectivity | None = None) -> Any:
    """Remove small objects."""


def label(mask: Any, *, connectivity: Connectivity | None = None) -> Any:
    """Number the objects."""


def regionprops_table(
    labels: Any, intensity_image: ImageInput = None, *, properties: tuple[str, ...] = ("label", "area")
) -> Any:
    """Measure the objects."""


def cluster(table: Any, *, n_clusters: Annotated[int, Gt(1)], random_state: int = 0, note: str = "") -> Any:
    """Group rows."""


CATALOG = {
    entry.name: entry
    for entry in (
        FakeEntry("filters.gaussian", gaussian, "image", "image"),
        FakeEntry("morphology.opening", opening, "image", "same"),
        FakeEntry("threshold.otsu", otsu, "image", "mask", "composed"),
        FakeEntry("threshold.fixed", fixed, "image", "mask"),
        FakeEntry("morphology.remove_small_objects", remove_small_objects, "mask", "mask", "composed"),
        FakeEntry("measure.label", label, "mask", "labels", "composed"),
        FakeEntry("measure.regionprops_table", regionprops_table, "labels", "table", "reduction"),
        FakeEntry("learn.cluster", cluster, "table", "table", "composed"),
    )
}


@pytest.fixture
def catalog() -> dict[str, FakeEntry]:
    return CATALOG
