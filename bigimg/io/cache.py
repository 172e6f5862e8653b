"""Decoded pixels that a process keeps for its next tiles: neighbours with a halo read the same chunk again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from numpy.typing import NDArray


class PixelCache:
    """The arrays used last, as many as fit into ``limit`` bytes; safe to use from many threads.

    An array larger than the limit is kept until the next one arrives: it was decoded whole because its file cannot be
    read in parts, and decoding it again for every tile would take hours.

    Examples
    --------
    >>> import numpy as np
    >>> cache = PixelCache(limit=100)
    >>> cache.get("a", lambda: np.zeros(80, "u1")).flags.writeable
    False
    >>> _ = cache.get("b", lambda: np.zeros(80, "u1"))
    >>> "a" in cache, "b" in cache
    (False, True)
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._arrays: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._making: dict[Hashable, Lock] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._arrays

    def get(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return the array of ``key``, made by ``make`` where it is not kept; two threads never make the same one."""
        found = self.find(key)
        if found is not None:
            return found
        with self._lock:
            making = self._making.setdefault(key, Lock())
        with making:
            found = self.find(key)
            if found is not None:
                return found
            try:
                array = make()
                self.put(key, array)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return array

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._arrays.clear()
            self._bytes = 0

    def find(self, key: Hashable) -> NDArray[Any] | None:
        """Return the array of ``key`` where it is kept."""
        with self._lock:
            array = self._arrays.get(key)
            if array is not None:
                self._arrays.move_to_end(key)
            return array

    def put(self, key: Hashable, array: NDArray[Any]) -> None:
        """Keep ``array``, which nobody may change any more."""
        array.flags.writeable = False
        with self._lock:
            replaced = self._arrays.pop(key, None)
            self._arrays[key] = array
            self._bytes += array.nbytes - (replaced.nbytes if replaced is not None else 0)
            while self._bytes > self.limit and len(self._arrays) > 1:
                _, dropped = self._arrays.popitem(last=False)
                self._bytes -= dropped.nbytes
