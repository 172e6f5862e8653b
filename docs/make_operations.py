"""Write docs/operations.md from the catalogue of operations: ``python docs/make_operations.py``.

The page is in the repository, so that it can be read without installing anything; a test compares it to the catalogue.
"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from bigimg.run.catalog import Entry, operations
from bigimg.run.costs import cost

PAGE = Path(__file__).with_name("operations.md")
PICTURES = Path(__file__).with_name("pictures")

HEAD = """\
# Operations

Every operation that a workflow can name, made from the code by `docs/make_operations.py`. `bigimg ops NAME` prints the
page of one: what it takes and gives, what it is equal to, and where the method comes from.

A *mask* is a boolean image, *labels* are an image of object numbers, a *table* has a row an object or an image; *same*
is what went in. A parameter without a default must be given. In Python the rooms are those of `bigimg`:
`filters.gaussian` is `bigimg.filters.gaussian(image, sigma=2)`; those of `learn` are steps of workflows, and
`bigimg.learn` has the estimators.

After the arrow stands what an operation costs. *pixel*: each pixel by itself. *window*: its neighbourhood, and a tile
reads a halo of so many pixels more. *whole image*: a statistic of the whole image comes first. *across tiles*: what a
pixel is connected to, however far away. *geometry*: another place in the image. *stack*: all frames or planes. A chain
of operations of the kinds pixel, window and geometry is one task a tile.
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for room, entries in groupby(operations().values(), key=lambda entry: entry.name.partition(".")[0]):
        parts.append(f"## {room}\n")
        parts += [section(entry) for entry in entries]
    return "\n".join(parts)


def section(entry: Entry) -> str:
    """Return what the page says of one operation."""
    lines = [f"### {entry.name}", "", _plain(entry.summary), "", f"{entry.takes} → {entry.gives} · {cost(entry)}", ""]
    if PICTURES.joinpath(f"{entry.name}.png").exists():
        lines += [f"![{entry.name}: an image, and what becomes of it](pictures/{entry.name}.png)", ""]
    if entry.parameters:
        lines += ["| parameter | value | default |", "|---|---|---|"]
        for name, parameter in entry.parameters.items():
            default = "" if parameter.required else f"`{json.dumps(parameter.dump(parameter.default))}`"
            value = "the name of a step, or `input`" if parameter.is_image else describe(parameter.schema())
            lines.append(f"| `{name}` | {value} | {default} |")
        lines.append("")
    return "\n".join(lines)


def describe(schema: dict[str, Any]) -> str:
    """Return a JSON schema in words."""
    if "description" in schema:
        return str(schema["description"])
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(describe(each) for each in schema["anyOf"])
    kind = schema.get("type")
    if kind == "array":
        if "prefixItems" in schema:
            return "[" + ", ".join(describe(each) for each in schema["prefixItems"]) + "]"
        return f"list of {describe(schema['items'])}" if schema.get("items") else "list"
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true` or `false`"}
    word = "nothing" if kind == "null" else words.get(str(kind), "any")
    bounds = {"exclusiveMinimum": "above", "minimum": "at least", "maximum": "at most", "exclusiveMaximum": "below"}
    said = [f"{text} {schema[key]:g}" for key, text in bounds.items() if key in schema]
    said += [f"a multiple of {schema['multipleOf']}"] if "multipleOf" in schema else []
    return word + (f", {', '.join(said)}" if said else "")


def _plain(text: str) -> str:
    return text.replace("``", "`").replace("; see :func:", "; see ").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
