"""Saying that kernels are being compiled: the first call on a machine takes seconds, and silence looks like a fault."""

from __future__ import annotations

import logging
from typing import Any

from numba.core import event

_log = logging.getLogger("bigimg")


class _Announcer(event.Listener):
    """Says once a process that a kernel of this package is being compiled; a kernel read from the cache is silent."""

    said = False

    def on_start(self, event: Any) -> None:
        """Say it, the first time."""
        function = event.data["dispatcher"].py_func
        if not self.said and function.__module__.startswith(__package__):
            self.said = True
            _log.warning("compiling kernels for this machine; that happens once, and takes some seconds")

    def on_end(self, event: Any) -> None:
        """Say nothing."""


def announce() -> None:
    """Say from now on that kernels are being compiled."""
    event.register("numba:compile", _Announcer())
