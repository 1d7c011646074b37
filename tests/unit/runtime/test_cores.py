"""How many cores there are for us, in made-up containers."""

import os
from pathlib import Path

import pytest

from kith.runtime import cores
from kith.runtime.cores import available_cores

SIXTEEN = set(range(16))


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of sixteen cores, without groups."""
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: SIXTEEN, raising=False)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_groups_all_cores_of_the_process(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert available_cores() == 16
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5})
    assert available_cores() == 2


@pytest.mark.parametrize(
    ("quota", "found"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("max 100000", 16),
        ("", 16),
        ("x y", 16),
    ],
)
def test_a_quota_of_version_2(quota: str, found: int, system: Path) -> None:
    write(system / "own", "0::/\n")
    write(system / "cgroup/cpu.max", quota)
    assert available_cores() == found


def test_the_quota_of_a_group_around_ours(system: Path) -> None:
    write(system / "own", "0::/system.slice/kith.service\n")
    write(system / "cgroup/system.slice/cpu.max", "300000 100000")
    write(system / "cgroup/system.slice/kith.service/cpu.max", "max 100000")
    assert available_cores() == 3
    write(system / "cgroup/system.slice/kith.service/cpu.max", "400000 100000")
    assert available_cores() == 3


@pytest.mark.parametrize(("quota", "found"), [("400000", 4), ("-1", 16)])
@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct", "cpu/docker/12ab"])
def test_a_quota_of_version_1(folder: str, quota: str, found: int, system: Path) -> None:
    write(system / "own", "12:memory:/docker/12ab\n4:cpu,cpuacct:/docker/12ab\n")
    write(system / "cgroup" / folder / "cpu.cfs_quota_us", quota)
    write(system / "cgroup" / folder / "cpu.cfs_period_us", "100000")
    assert available_cores() == found


def test_a_quota_of_more_than_there_is(system: Path) -> None:
    write(system / "own", "0::/\n")
    write(system / "cgroup/cpu.max", "6400000 100000")
    assert available_cores() == 16
