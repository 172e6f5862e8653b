"""Every error bigimg raises, in one tree; each is also the builtin a caller would expect.

::

    BigimgError
     ├── ParameterError (ValueError)         a parameter of a wrong type or out of bounds
     ├── UnknownNameError (KeyError)         an operation, workflow, property or profile nobody knows
     ├── WorkflowError (ValueError)          a workflow or profile file that says something impossible: file:line:column
     ├── ImageError (ValueError)             pixels that an operation cannot take: dtype, shape, NaN without a mask
     ├── ReadError (OSError)                 a file that is not the image it claims to be
     │    └── CorruptChunkError              a stored chunk whose bytes are not the bytes that were written
     ├── MissingInputError (FileNotFoundError)
     ├── OutputExistsError (FileExistsError)
     ├── OutputError (OSError)               the output cannot be written
     ├── AlignmentError (ValueError)         a write that would not cover whole chunks
     ├── PlanError (MemoryError)             a plan that does not fit the budget
     ├── MissingExtraError (ImportError)     an optional dependency that is not installed
     └── RunError (RuntimeError)             a run that failed; names the item and the stage

A message says what was wrong, what was got, what was expected, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class BigimgError(Exception):
    """Base of every error raised on purpose by bigimg."""


class ParameterError(BigimgError, ValueError):
    """A parameter has a wrong type or lies outside its bounds."""


class UnknownNameError(BigimgError, KeyError):
    """A name that is not in the list it should come from."""

    def __str__(self) -> str:
        # A KeyError shows its message quoted.
        return str(self.args[0]) if self.args else ""

    @classmethod
    def of(cls, kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
        """Say which ``name`` of ``kind`` is unknown, and which known one is nearest."""
        return cls(f"unknown {kind} {name!r}; {suggestion(name, known)}")


class WorkflowError(BigimgError, ValueError):
    """A workflow or cluster file that cannot be carried out."""


class ImageError(BigimgError, ValueError):
    """Pixels that an operation cannot take."""


class ReadError(BigimgError, OSError):
    """A file or store that cannot be read as what it claims to be."""


class CorruptChunkError(ReadError):
    """A stored chunk whose bytes are not those that were written."""


class MissingInputError(BigimgError, FileNotFoundError):
    """An input path that holds nothing to process."""


class OutputExistsError(BigimgError, FileExistsError):
    """An output that is there already."""


class OutputError(BigimgError, OSError):
    """An output that cannot be written."""


class AlignmentError(BigimgError, ValueError):
    """A write that would not cover whole chunks, and so could lose pixels."""


class PlanError(BigimgError, MemoryError):
    """A plan that does not fit into the memory it was given."""


class MissingExtraError(BigimgError, ImportError):
    """A feature whose optional dependency is not installed."""


class RunError(BigimgError, RuntimeError):
    """A run that failed."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean ...?`` for the nearest of ``known``, or the whole list where none is near.

    Examples
    --------
    >>> suggestion("gausian", ["gaussian", "median"])
    "did you mean 'gaussian'?"
    >>> suggestion("zzz", ["gaussian", "median"])
    'known: gaussian, median'
    """
    known = sorted(known)
    last = name.rpartition(".")[2]
    near = get_close_matches(name, known, n=1) or [full for full in known if full.rpartition(".")[2] == last]
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
