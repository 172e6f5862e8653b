"""The command line: verbs that call the package and print what comes back."""

from __future__ import annotations

import logging
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from bigimg import __version__
from bigimg.errors import BigimgError, MissingInputError, ParameterError, UnknownNameError, WorkflowError

if TYPE_CHECKING:
    from bigimg.run.catalog import Entry

USAGE_ERRORS = (WorkflowError, UnknownNameError, ParameterError)
"""What the user said cannot be done at all, so nothing was tried: exit code 2."""

SHOWN = ("id", "shape", "dtype", "dims", "source")
"""Columns of the item table that ``info`` prints."""

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C has ended."""

app = typer.Typer(
    name="bigimg",
    help="Process large collections of images tile by tile: the same answer, however the image is cut.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


OnError = Literal["fail", "skip"]
Mode = Literal["copy", "reference"]
Rule = Literal["first", "last", "newest", "median"]
Step = Literal["day"]
Format = Literal[
    "ome-zarr", "ome-zarr-plate", "ome-tiff", "cog", "png", "mp4", "parquet", "csv", "geojson", "geoparquet",
    "coco", "stac", "spatialdata",
]  # fmt: skip
OmeVersion = Literal["0.4", "0.5"]
Workflow = Annotated[str, typer.Argument(help="A name such as nuclei, or a workflow file.")]
Input = Annotated[str, typer.Argument(help="A folder of images, a glob, one image, or a collection.")]
Output = Annotated[Path, typer.Argument(help="Where the results go; must not exist.")]
Cluster = Annotated[str, typer.Option(help="Where to run: a name, or a cluster file.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes; by default the cluster's own choice.")]
Nodata = Annotated[
    float | None, typer.Option(help="Value of pixels that are none, whatever files say: 0 for a collar.")
]
Tile = Annotated[int | None, typer.Option(min=1, help="Edge of a tile in pixels; changes no result.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bigimg {__version__}")
        raise typer.Exit


VersionFlag = Annotated[
    bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
]
DebugFlag = Annotated[bool, typer.Option("--debug", help="Show where in the code an error came from.")]


@app.callback()
def root(*, version: VersionFlag = False, debug: DebugFlag = False) -> None:
    """Take the options that stand before the verb."""
    del version, debug  # the one has printed; the other is read in main, which stands outside of every verb


@app.command()
def ingest(
    source: Annotated[str, typer.Argument(help="A folder of images, a glob, one image, or an OME-Zarr plate.")],
    dest: Annotated[Path, typer.Argument(help="Where the collection goes; must not exist, but for --append.")],
    *,
    on_error: Annotated[OnError, typer.Option(help="What to do with an image that cannot be read.")] = "fail",
    pack: Annotated[bool, typer.Option("--pack", help="Put equal small images into one array.")] = False,
    mode: Annotated[Mode, typer.Option(help="Copy the pixels, or refer to the files, which stay.")] = "copy",
    append: Annotated[bool, typer.Option("--append", help="Add what is new to the collection DEST.")] = False,
    nodata: Nodata = None,
    mosaic: Annotated[
        Rule | None, typer.Option(help="Make one image of overlapping scenes: which pixel counts where several do.")
    ] = None,
    series: Annotated[Step | None, typer.Option(help="Make one image with an axis of time of scenes.")] = None,
    pattern: Annotated[
        str | None,
        typer.Option(help="How files are named: {well}_s{field}_w{channel}.tif, or a known naming such as operetta."),
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="Where to run; by default threads of this process.")] = None,
    workers: Workers = None,
) -> None:
    """Copy images into a collection: checksummed, chunked, with pyramids. The same line goes on after a kill."""
    from bigimg.run.inputs import ingest as run_ingest

    collection = run_ingest(
        source,
        dest,
        on_error=on_error,
        pack=pack,
        mode=mode,
        append=append,
        nodata=nodata,
        mosaic=mosaic,
        series=series,
        pattern=pattern,
        cluster=cluster,
        workers=workers,
    )
    skipped = collection.attrs["bigimg"]["skipped"]
    _print_skipped(skipped)
    for note in collection.attrs["bigimg"].get("notes", []):
        typer.echo(f"note: {note}")
    typer.echo(f"{_images(len(collection))} in {dest}, {len(skipped):,} skipped")


@app.command()
def info(path: Annotated[Path, typer.Argument(help="A collection, or the output of a run.")]) -> None:
    """Show what is in a collection."""
    from bigimg.run.inputs import open as run_open

    collection = run_open(path)
    typer.echo(f"{path}: {_images(len(collection))}")
    for line in collection.overview():
        typer.echo(line)
    _print_table(collection.table[[SHOWN[0], *collection.columns, *SHOWN[1:]]])
    _print_skipped(collection.attrs.get("bigimg", {}).get("skipped", []))


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(help="A collection, or the output of a run.")],
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Write again what can be made again.")] = False,
) -> None:
    """Read every chunk and compare its checksum, and every image with its row in the table; fail if any is damaged."""
    from bigimg.run.inputs import verify as run_verify

    found = run_verify(path, repair=repair)
    for damage in found.damages:
        typer.echo(f"{'repaired' if damage.repaired else 'damaged'}: {damage.item}: {damage.path}: {damage.reason}")
    left = sum(not damage.repaired for damage in found.damages)
    typer.echo(
        f"{path}: {_images(found.items)}, {found.chunks:,} chunks, {len(found.damages):,} damaged, {left:,} left"
    )
    if left:
        raise typer.Exit(1)


@app.command()
def export(
    collection: Annotated[Path, typer.Argument(help="A collection, or the output of a run.")],
    dest: Annotated[Path, typer.Argument(help="A new folder; or one file, named as the format's are.")],
    *,
    format: Annotated[Format, typer.Option(help="What to write.")],  # noqa: A002 - the word the user types
    items: Annotated[list[str] | None, typer.Option(help="An id, or a pattern; may be given again.")] = None,
    labels: Annotated[str | None, typer.Option(help="Name of the labels to export.")] = None,
    ome_version: Annotated[OmeVersion, typer.Option(help="Of OME-Zarr.")] = "0.5",
) -> None:
    """Write images, labels or tables in the format of another program."""
    from bigimg.run.export import export as run_export

    typer.echo(str(run_export(collection, dest, format=format, items=items, labels=labels, ome_version=ome_version)))


@app.command()
def ops(
    name: Annotated[str | None, typer.Argument(help="One operation, as filters.gaussian, or a room: filters.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with the schema of the parameters.")] = False,
) -> None:
    """List the operations a workflow can name, or describe one."""
    from bigimg.run.catalog import operations
    from bigimg.run.costs import cost

    known = operations()
    one = name in known
    chosen = [entry for key, entry in known.items() if name in (None, key, key.partition(".")[0])]
    if not chosen:
        raise UnknownNameError.of("operation", str(name), known)
    if as_json:
        _print_json(_described(chosen[0]) if one else [_described(entry) for entry in chosen])
    elif not one:
        _print_operations(chosen)
    else:
        entry = chosen[0]
        typer.echo(f"{entry.name}: {entry.takes} -> {entry.gives}\n{cost(entry)}\n\n{entry.doc.strip()}")


@app.command()
def plan(
    workflow: Workflow,
    input: Input,  # noqa: A002 - the word the help shows
    output: Output,
    *,
    cluster: Cluster = "local",
    workers: Workers = None,
    memory: Annotated[str | None, typer.Option(help="What a worker may use, such as 2GiB.")] = None,
    tile: Tile = None,
    nodata: Nodata = None,
) -> None:
    """Say what a run would do and need, without reading a pixel; fail if it does not fit."""
    from bigimg.run.plan import plan as make_plan

    made = make_plan(workflow, input, output, cluster=cluster, workers=workers, memory=memory, tile=tile, nodata=nodata)
    typer.echo(str(made))
    made.check()


@app.command()
def run(
    workflow: Workflow,
    input: Input,  # noqa: A002 - the word the help shows
    output: Output,
    *,
    cluster: Cluster = "local",
    workers: Workers = None,
    on_error: Annotated[OnError | None, typer.Option(help="In the place of the workflow's on_error.")] = None,
    tile: Tile = None,
    nodata: Nodata = None,
) -> None:
    """Run a workflow over images; leaves labels, tables and report.html in OUTPUT."""
    from bigimg.run.run import run as run_workflow
    from bigimg.run.show import terminal_progress

    with terminal_progress() as progress:
        done = run_workflow(
            workflow,
            input,
            output,
            cluster=cluster,
            workers=workers,
            on_error=on_error,
            tile=tile,
            nodata=nodata,
            announce=typer.echo,
            progress=progress,
        )
    typer.echo(done.summary())


@app.command()
def report(output: Annotated[Path, typer.Argument(help="The output of a run.")]) -> None:
    """Print where the report of a run is."""
    path = output / "report.html"
    if not path.is_file():
        raise MissingInputError(f"{output}: holds no report.html; it is written at the end of: bigimg run")
    typer.echo(str(path.resolve()))


@app.command()
def overlay(
    results: Annotated[Path, typer.Argument(help="The output of a run that has linked tracks.")],
    video: Annotated[Path, typer.Argument(help="The MP4 file to write; must not exist.")],
    *,
    item: Annotated[str | None, typer.Option(help="Which image; by default the first that has tracks.")] = None,
    table: Annotated[str | None, typer.Option(help="Which table of tracks; by default the last.")] = None,
) -> None:
    """Draw the tracks that a run has found on its video."""
    from bigimg.run.overlay import overlay as write

    typer.echo(str(write(results, video, item=item, table=table)))


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code.

    0 done, 1 failed, 2 asked for what cannot be (usage, workflow, unknown name, parameter), 130 interrupted.
    """
    given = sys.argv[1:] if args is None else args
    if "--debug" not in given:
        # An interrupted cluster leaves unfinished tasks behind, and asyncio would list them all.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        app(given, prog_name="bigimg")
    except BigimgError as error:
        _explain(error, "\n".join([str(error), *getattr(error, "__notes__", [])]), given)
        sys.exit(2 if isinstance(error, USAGE_ERRORS) else 1)
    except SystemExit as left:
        if left.code == INTERRUPTED:
            sys.stderr.write("interrupted\n")
        raise
    except Exception as error:  # noqa: BLE001 - a user gets a sentence; --debug gives the rest
        _explain(error, f"{type(error).__name__}: {error} (bigimg --debug shows where it came from)", given)
        sys.exit(1)
    sys.exit(0)


def _explain(error: Exception, message: str, given: list[str]) -> None:
    if "--debug" in given:
        traceback.print_exception(error)
    sys.stderr.write(f"error: {message}\n")


def _print_skipped(skipped: list[dict[str, Any]]) -> None:
    for item in skipped[:10]:
        typer.echo(f"skipped {item['name']}: {item['reason']}")
    if len(skipped) > 10:
        typer.echo(f"... and {len(skipped) - 10:,} more")


def _images(amount: int) -> str:
    return f"{amount:,} image{'' if amount == 1 else 's'}"


def _described(entry: Entry) -> dict[str, Any]:
    from bigimg.run.costs import cost

    return {
        "name": entry.name,
        "summary": entry.summary,
        "takes": entry.takes,
        "gives": entry.gives,
        "cost": asdict(cost(entry)),
        "parameters": entry.parameters.schema(),
    }


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, indent=2))


def _print_operations(entries: list[Entry]) -> None:
    from rich.console import Console
    from rich.text import Text

    from bigimg.run.costs import cost

    console = Console(highlight=False)
    for entry in entries:
        takes = "(" + ", ".join(map(str, _shown_parameters(entry))) + ")"
        console.print(
            Text(entry.name, "bold"),
            Text(takes),
            Text(f" {entry.takes} -> {entry.gives}", "dim"),
            sep="",
            soft_wrap=True,
        )
        console.print(Text(f"    {entry.summary.replace('``', '')}"), soft_wrap=True)
        console.print(Text(f"    {cost(entry)}", "dim"), soft_wrap=True)


def _shown_parameters(entry: Entry) -> list[str]:
    return [
        name if parameter.required else f"{name}={parameter.dump(parameter.default)}"
        for name, parameter in entry.parameters.items()
    ]


def _print_table(frame: Any) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*map(str, frame.columns), box=None, pad_edge=False)
    for row in frame.head(50).itertuples(index=False):
        table.add_row(*(escape(str(value)) for value in row))
    Console().print(table)
    if len(frame) > 50:
        typer.echo(f"... and {len(frame) - 50:,} more")
