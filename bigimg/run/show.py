"""Showing a run in a terminal: one bar a stage where somebody looks, nothing but lines where a file does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bigimg.run.progress import Show

if TYPE_CHECKING:
    from rich.progress import TaskID


@contextmanager
def terminal_progress() -> Iterator[Show | None]:
    """Give what shows the progress of a run on the terminal; None where the error stream is no terminal."""
    from rich.console import Console  # noqa: PLC0415 - only a run needs it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        rows: dict[str, TaskID] = {}

        def show(done: Mapping[str, tuple[int, int]]) -> None:
            for stage, (count, total) in done.items():
                if stage not in rows:
                    rows[stage] = bars.add_task(stage, total=total)
                bars.update(rows[stage], completed=count)

        yield show
