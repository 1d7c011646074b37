from collections.abc import Iterator
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from witness import Witness

from kith.errors import TrainingError
from kith.training.checkpoints import Checkpoints
from kith.training.loading import Batch
from kith.training.logs import Log
from kith.training.loop import Schedule, fit
from kith.training.mining.collapse import CollapseWatch
from kith.training.steps import Seen, State


class Sum:
    """A network whose weight is the sum of all it saw; its loss is the last it saw."""

    def start(self) -> State:
        return State([jnp.zeros(())], [], [], [], [jnp.zeros((), jnp.int32)], [])

    def step(self, state: State, inputs: jnp.ndarray, targets: jnp.ndarray) -> tuple[State, Seen]:
        total = state.weights[0] + inputs.sum()
        seen = Seen(loss=inputs.sum(), spread=jnp.ones(()), gradient=jnp.ones(()), active=jnp.zeros(()))
        return state._replace(weights=[total], optimizer=[state.optimizer[0] + 1]), seen


def numbers(step: int) -> Iterator[Batch]:
    while True:
        yield Batch(np.array([float(step + 1)], np.float32), np.zeros(1, np.int32))
        step += 1


def run(
    folder: Path,
    load=numbers,
    score=lambda state: float(state.weights[0]),
    steps: int = 10,
    patience: int = 0,
    witness=None,
    **options,
):
    return fit(
        Sum(), load, Schedule(steps, 4, 3, patience), checkpoints=Checkpoints(folder), settings="same",
        log=Log(folder), progress=witness or Witness(), validate=score, **options,
    )  # fmt: skip


def rows(folder: Path, name: str = "steps.csv") -> list[list[str]]:
    return [line.split(",")[:2] for line in (folder / name).read_text().splitlines()[1:]]


def test_it_makes_all_steps_and_writes_each_down(tmp_path: Path) -> None:
    assert run(tmp_path).weights[0] == 55
    assert rows(tmp_path) == [[str(step), f"{step:.1f}"] for step in range(1, 11)]
    assert [int(row[0]) for row in rows(tmp_path, "validation.csv")] == [4, 8, 10]


def test_the_best_state_is_returned_not_the_last(tmp_path: Path) -> None:
    assert run(tmp_path, score=lambda state: -abs(float(state.weights[0]) - 36)).weights[0] == 36


def test_it_stops_when_it_gets_no_better(tmp_path: Path) -> None:
    assert run(tmp_path, score=lambda state: -float(state.weights[0]), steps=100, patience=2).weights[0] == 10
    assert len(rows(tmp_path)) == 12


@pytest.mark.parametrize("broken", [2, 3, 5, 9])
def test_a_run_that_was_broken_off_goes_on_as_if_it_had_not_been(tmp_path: Path, broken: int) -> None:
    def breaking(step: int) -> Iterator[Batch]:
        for batch in numbers(step):
            if batch.inputs[0] > broken:
                raise KeyboardInterrupt
            yield batch

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", breaking)
    run(tmp_path / "broken")
    run(tmp_path / "whole")
    assert rows(tmp_path / "broken") == rows(tmp_path / "whole")
    assert rows(tmp_path / "broken", "validation.csv") == rows(tmp_path / "whole", "validation.csv")


def test_a_finished_run_is_only_read(tmp_path: Path) -> None:
    run(tmp_path)

    def nothing(step: int) -> Iterator[Batch]:
        yield from ()

    assert run(tmp_path, nothing).weights[0] == 55


def test_a_loss_that_is_no_number_stops_it_and_keeps_the_checkpoint_before(tmp_path: Path) -> None:
    def poisoned(step: int) -> Iterator[Batch]:
        for batch in numbers(step):
            yield batch if batch.inputs[0] != 8 else batch._replace(inputs=batch.inputs * np.nan)

    with pytest.raises(TrainingError, match="step 8: the loss is nan"):
        run(tmp_path, poisoned)
    assert Checkpoints(tmp_path).steps()[-1] == 6
    assert len(rows(tmp_path)) == 7


def test_a_collapse_is_told_once(tmp_path: Path) -> None:
    class Flat(Sum):
        def step(self, state, inputs, targets):
            state, seen = super().step(state, inputs, targets)
            return state, seen._replace(spread=jnp.zeros(()))

    witness = Witness()
    fit(
        Flat(), numbers, Schedule(10, 4, 3), checkpoints=Checkpoints(tmp_path), settings="", log=Log(tmp_path),
        progress=witness, validate=lambda state: 0.0, watch=CollapseWatch(patience=3),
    )  # fmt: skip
    assert [line for line in witness.said if "collapse" in line] == [witness.said[0]]
    assert witness.said[0].startswith("step 3: collapse")


def test_a_disk_that_fills_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = Checkpoints.save

    def fill(self, checkpoint, score=None):
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        if checkpoint.step == 6:
            monkeypatch.setattr("os.fsync", full)
        saved(self, checkpoint, score)

    monkeypatch.setattr(Checkpoints, "save", fill)
    with pytest.raises(TrainingError, match="No space left on device"):
        run(tmp_path)
    monkeypatch.undo()
    assert Checkpoints(tmp_path).steps() == [3, 4]
    assert run(tmp_path).weights[0] == 55


def test_a_process_that_does_not_lead_writes_nothing(tmp_path: Path) -> None:
    fit(
        Sum(), numbers, Schedule(4, 4, 3), checkpoints=Checkpoints(tmp_path), settings="",
        log=Log(tmp_path, writes=False), progress=Witness(), validate=lambda state: 1.0, leads=False,
    )  # fmt: skip
    assert not list(tmp_path.iterdir())
