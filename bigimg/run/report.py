"""The report of a run: one HTML file with everything in it, which opens anywhere and asks the network for nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, StrictUndefined
from numpy.typing import NDArray

from bigimg.errors import OutputError
from bigimg.run.report_charts import HistogramChart, number, ticks
from bigimg.run.report_pictures import (
    Picture,
    class_colour,
    class_picture,
    data_uri,
    picture_pair,
    thumbnail,
    thumbnail_labels,
)

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 500
"""Rows of a list that are written out; a report of 10^5 images must still open."""

NOT_MEASURED = ("item", "label", "bbox", "centroid", "cluster", "class")
"""How columns begin that say which object a row is and where, not what was measured of it."""


@dataclass(frozen=True)
class Skipped:
    """An item that is not in the results."""

    item: str
    reason: str


@dataclass(frozen=True)
class LegendEntry:
    """One class of a class map."""

    colour: tuple[int, int, int]
    name: str
    note: str = ""
    """How large it is."""


@dataclass(frozen=True)
class ImageCard:
    """One image in pictures."""

    name: str
    picture: Picture
    overlay: Picture | None = None
    objects: int | None = None
    note: str = ""
    """A few words, such as the shape."""
    legend: tuple[LegendEntry, ...] = ()
    """What the colours of a class map are; none where the overlay has outlines of objects."""

    @classmethod
    def of_classes(
        cls, name: str, picture: Picture, classes: NDArray[Any], notes: Mapping[int, str], note: str = ""
    ) -> ImageCard:
        """Return the card of a picture and the class of each of its pixels; ``notes`` says how large classes are."""
        numbers = sorted({*notes, *(int(number) for number in np.unique(classes))} - {0})
        legend = tuple(LegendEntry(class_colour(each), f"class {each}", notes.get(each, "")) for each in numbers)
        small = thumbnail(picture, 400), class_picture(thumbnail_labels(classes, 400))
        return cls(name, *small, None, note, legend)

    @classmethod
    def of(
        cls, name: str, picture: Picture, labels: NDArray[Any] | None, objects: int | None = None, note: str = ""
    ) -> ImageCard:
        """Return the card of a picture of any size and the labels of its pixels."""
        if labels is None:
            return cls(name, thumbnail(picture, 400), None, objects, note)
        return cls(name, *picture_pair(picture, labels), objects, note)


@dataclass(frozen=True)
class OtherImage:
    """An image that is done and not pictured."""

    name: str
    objects: int | None = None


@dataclass(frozen=True, eq=False)
class Histogram:
    """The values of an image, and the threshold that was found in them."""

    title: str
    counts: NDArray[np.integer[Any]]
    edges: NDArray[np.floating[Any]]
    """One more than ``counts``."""

    threshold: float | None = None


@dataclass(frozen=True)
class ColumnSummary:
    """One measured property over all objects."""

    name: str
    mean: float
    median: float
    least: float
    most: float


@dataclass(frozen=True)
class TableSummary:
    """A table in a few numbers."""

    name: str
    rows: int
    columns: tuple[ColumnSummary, ...]

    @classmethod
    def of(cls, name: str, table: pd.DataFrame) -> TableSummary:
        """Return the summary of the measured columns of ``table``."""
        columns = []
        for column in table.columns:
            values = table[column]
            measured = values.dtype.kind in "iuf" and not str(column).startswith(NOT_MEASURED)
            values = values[np.isfinite(values)] if measured else values
            if measured and len(values):
                numbers = (values.mean(), values.median(), values.min(), values.max())
                columns.append(ColumnSummary(str(column), *(float(value) for value in numbers)))
        return cls(name, len(table), tuple(columns))


@dataclass(frozen=True)
class Crop:
    """A small picture of an object or an image."""

    picture: Picture
    caption: str
    score: float | None = None
    """As the column ``anomaly_score`` has it: the higher, the odder."""


@dataclass(frozen=True)
class Cluster:
    """A group and examples of it."""

    name: str
    size: int
    crops: tuple[Crop, ...]


@dataclass(frozen=True)
class Stage:
    """One pass over the tiles."""

    name: str
    seconds: float
    tasks: int | None = None


@dataclass(frozen=True)
class InputDigest:
    """A file that went in."""

    item: str
    source: str
    digest: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportData:
    """Everything the report shows; a part that is empty is left out."""

    workflow: str
    workflow_text: str
    input: str
    output: str
    started: datetime
    seconds: float
    done: int
    """How many images are in the results."""

    objects: int | None = None
    description: str = ""
    workflow_sha256: str = ""
    machine: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    images: tuple[ImageCard, ...] = ()
    others: tuple[OtherImage, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    tables: tuple[TableSummary, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    anomalies: tuple[Crop, ...] = ()
    anomalies_of: Literal["objects", "images"] = "objects"
    stages: tuple[Stage, ...] = ()
    inputs: tuple[InputDigest, ...] = ()
    labels: tuple[str, ...] = ()
    """Names of the label images in the output."""

    clips: tuple[str, ...] = ()
    """Videos beside the report, with what was followed drawn on them: their paths from it."""

    notes: tuple[str, ...] = ()
    """Sentences shown below the verdict."""

    @property
    def verdict(self) -> str:
        """The run in one line."""
        said = [_count(self.done, "image")]
        if self.objects is not None:
            said.append(_count(self.objects, "object"))
        said.append(f"{len(self.skipped):,} skipped")
        return ", ".join(said)

    @property
    def code(self) -> str:
        """Python that opens the results."""
        lines = [
            "import bigimg",
            "",
            f"results = bigimg.open({str(self.output)!r})",
            "results.table  # one row an image",
        ]
        for name in self.labels:
            variable = _variable(name)
            lines += ["", f"{variable} = results.labels({name!r})  # lazy: nothing is read yet"]
            lines += [f"first = next(iter({variable}))", f"{variable}[first].compute()  # the labels of one image"]
        for table in self.tables:
            lines += ["", f"{_variable(table.name)}_table = results.read_table({table.name!r})  # a pandas table"]
        return "\n".join(lines)


def write_report(path: str | Path, data: ReportData) -> Path:
    """Write the report and return where it is; the old one stays until the new one is whole.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    text = render(data)
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OutputError(f"{path}: the report cannot be written: {error.strerror or error}") from error
    return path


def render(data: ReportData) -> str:
    """Return the report as HTML."""
    return _template().render(
        data=data,
        charts=[HistogramChart.of(h.counts, h.edges, h.threshold) for h in data.histograms],
        slowest=max((stage.seconds for stage in data.stages), default=0.0) or 1.0,
        max_rows=MAX_ROWS,
    )


@cache
def _template() -> Any:
    # Every value is escaped, unless the template says otherwise, which it does nowhere.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(picture=data_uri, number=number, duration=duration, ticks=ticks, quoted=quote)
    return environment.from_string(files("bigimg.run").joinpath("report.html.jinja").read_text(encoding="utf-8"))


def duration(seconds: float) -> str:
    """Return a time as people say it.

    Examples
    --------
    >>> duration(0.42), duration(75), duration(7325)
    ('0.42 s', '1 min 15 s', '2 h 2 min')
    """
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


def _count(amount: int, noun: str) -> str:
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"


def _variable(name: str) -> str:
    cleaned = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name)
    return cleaned if cleaned.isidentifier() else f"_{cleaned}"
