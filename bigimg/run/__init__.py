"""Workflows, plans, runs, reports, and where they run. The only room that sees the scheduler.

``bigimg.run`` is this room and also a verb: ``bigimg.run("nuclei", "my_images/", "results/")``.
"""

import sys
from types import ModuleType
from typing import Any


class _CallableRoom(ModuleType):
    """A package that can be called: importing any part of it puts it where the function of its name was."""

    @property
    def __call__(self) -> Any:
        from bigimg.run.run import run  # noqa: PLC0415 - slow to import, and only a run needs it

        return run

    @property
    def __signature__(self) -> Any:
        from inspect import signature  # noqa: PLC0415

        return signature(self.__call__)


sys.modules[__name__].__class__ = _CallableRoom
