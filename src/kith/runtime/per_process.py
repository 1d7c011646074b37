"""What has threads of its own, and is made anew in every process that needs it.

A forked child has the one thread that forked. What waits there for one of the others, be it to run
something or only to be freed, waits for ever.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

Value = TypeVar("Value")

_everything: "WeakSet[PerProcess[Any]]" = WeakSet()
_making = threading.Lock()


class PerProcess(Generic[Value]):
    """A value that each process has for itself; safe to use from many threads.

    Args:
        make: Makes it: now, and in a forked child when the child first asks for it.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._value: Value | None = make()
        _everything.add(self)

    def get(self) -> Value:
        """The value of this process."""
        value = self._value
        if value is None:
            with _making:
                value = self._value = self._make() if self._value is None else self._value
        return value

    def _leave_behind(self) -> None:
        """Forget the parent's value without freeing it."""
        if self._value is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._value))
            self._value = None


def _begin_child() -> None:
    global _making
    _making = threading.Lock()  # another thread may have held it
    for each in list(_everything):
        each._leave_behind()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_child)
