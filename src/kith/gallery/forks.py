"""A gallery that is open while its process forks.

SQLite's connections must not be carried into a forked child: SQLite would believe that the child holds
the locks of the parent, and closing them there could take the log away that the parent still needs.
So those at rest are closed before every fork; parent and child each open new ones when they need them.
A connection that another thread of the parent is using then is the parent's; the child never touches it.
"""

import ctypes
import os
from weakref import WeakSet

from sqlalchemy import Engine

_engines: "WeakSet[Engine]" = WeakSet()


def close_around_forks(engine: Engine) -> None:
    """Have an engine's connections closed before each fork of this process."""
    _engines.add(engine)


def _close_those_at_rest() -> None:
    for engine in list(_engines):
        engine.dispose()


def _leave_behind_those_in_use() -> None:
    for engine in list(_engines):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine.pool))  # freed, it would close them
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close_those_at_rest, after_in_child=_leave_behind_those_in_use)
