"""How many cores this process may use."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


def available_cores() -> int:
    """The cores this process may use: in a container fewer than the machine has, by number or by time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, math.ceil(min(_quotas(), default=cores)))


def _quotas() -> Iterator[float]:
    """How many cores' time a control group of this process may use; of groups of both versions.

    See Linux's Documentation/admin-guide/cgroup-v2.rst, cpu.max, and scheduler/sched-bwc.rst.
    """
    for folder in _group_folders():
        with suppress(OSError, ValueError):
            yield _share((folder / "cpu.max").read_text().split())
        with suppress(OSError, ValueError):
            files = (folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
            yield _share([file.read_text() for file in files])


def _share(numbers: list[str]) -> float:
    """Quota over period, in cores; ValueError where there is no quota."""
    quota, period = map(int, numbers)  # in version 2, "max" is none
    if quota <= 0 or period <= 0:  # in version 1, -1 is
        raise ValueError
    return quota / period


def _group_folders() -> Iterator[Path]:
    """The folders of this process's groups and of all around these; a container sees its own as the root."""
    try:
        lines = _OWN_GROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:  # version 2
            mounts = [_GROUPS]
        elif "cpu" in controllers.split(","):
            mounts = [_GROUPS / controllers, _GROUPS / "cpu"]
        else:
            continue
        path = PurePosixPath(group.lstrip("/"))
        for mount in mounts:
            yield from (mount / part for part in (path, *path.parents))
