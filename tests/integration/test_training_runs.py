"""A run that is killed goes on as if it had not been; a run of many devices or processes is a run of one."""

import csv
import signal
import socket
from collections.abc import Callable
from functools import cache
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forked_training import start

EPOCHS, STEPS = 5, 20  # 16 people, 4 in a batch
FIGURES = ("step", "loss", "spread", "gradient", "active")  # the others are times


def begin(folder: Path, **settings: Any) -> ForkServerProcess:
    return start(folder, **{"loss": "triplet", "epochs": EPOCHS, "die_at": 0, "chunk": 0} | settings)


def end(process: ForkServerProcess) -> int | None:
    process.join(timeout=300)
    return process.exitcode


def run(folder: Path, *, expect: int = 0, **settings: Any) -> list[tuple[str, ...]]:
    assert end(begin(folder, **settings)) == expect
    return figures(folder)


def figures(folder: Path) -> list[tuple[str, ...]]:
    with (folder / "steps.csv").open() as file:
        return [tuple(row[name] for name in FIGURES) for row in csv.DictReader(file)]


def assert_close(found: list[tuple[str, ...]], expected: list[tuple[str, ...]]) -> None:
    np.testing.assert_allclose(np.array(found, float), np.array(expected, float), rtol=1e-4, atol=1e-6)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Path]:
    """Runs on one device that nothing disturbs, each made once."""

    @cache
    def made(loss: str, chunk: int) -> Path:
        folder = tmp_path_factory.mktemp("whole")
        assert len(run(folder, loss=loss, chunk=chunk)) == STEPS
        return folder

    return made


@pytest.mark.parametrize(("loss", "chunk"), [("triplet", 0), ("center", 8)])
def test_a_killed_run_goes_on_with_the_same_figures(whole, tmp_path: Path, loss: str, chunk: int) -> None:
    """Killed in mid-epoch between two checkpoints, and again later: not a digit differs."""
    undisturbed = whole(loss, chunk)
    expected = figures(undisturbed)
    killed = tmp_path / "killed"
    part = run(killed, loss=loss, chunk=chunk, die_at=5, expect=-signal.SIGKILL)
    assert part == expected[:5]
    assert len(run(killed, loss=loss, chunk=chunk, die_at=14, expect=-signal.SIGKILL)) == 14
    assert run(killed, loss=loss, chunk=chunk) == expected
    validations = [(folder / "validation.csv").read_text() for folder in (killed, undisturbed)]
    assert validations[0] == validations[1]


@pytest.mark.parametrize("loss", ["triplet", "arcface"])
def test_eight_devices_train_as_one(whole, tmp_path: Path, loss: str) -> None:
    assert_close(run(tmp_path / "eight", loss=loss, devices=8), figures(whole(loss, 0)))


def test_two_processes_train_as_one_even_if_both_are_killed(whole, tmp_path: Path) -> None:
    together = tmp_path / "two"
    run_two(together, expect=-signal.SIGKILL, die_at=5)
    assert len(figures(together)) == 5
    run_two(together, expect=0)
    assert_close(figures(together), figures(whole("triplet", 0)))


def run_two(folder: Path, *, expect: int, **settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    processes = [
        begin(folder, coordinator=coordinator, processes=2, index=index, **settings) for index in range(2)
    ]
    assert [end(process) for process in processes] == [expect, expect]
