"""The figures of a run: two CSV files and, where it is installed, TensorBoard's.

steps.csv        step, loss, spread, gradient, active, images_per_second, waiting
validation.csv   step, score
"""

import csv
import os
from collections.abc import Mapping
from pathlib import Path

from kith.errors import TrainingError
from kith.files import write_atomically

_STEPS = (
    "step", "loss", "spread", "gradient", "active", "images_per_second", "waiting",
)  # fmt: skip
_VALIDATION = ("step", "score")


class Log:
    """Writes a line a step.

    Args:
        folder: Made if it is not there.
        writes: Whether this process writes; of several, one does.
    """

    def __init__(self, folder: Path, *, writes: bool = True) -> None:
        self._folder, self._writes = folder, writes
        self.validations: list[tuple[int, float]] = []
        self._board = _board(folder) if writes else None

    def rewind(self, step: int) -> None:
        """Forget what was written after a step: a run that was killed makes those steps again."""
        for name, head in (("steps.csv", _STEPS), ("validation.csv", _VALIDATION)):
            rows = [row for row in self._rows(name, len(head)) if int(row[0]) <= step]
            if name == "validation.csv":
                self.validations = [(int(row[0]), float(row[1])) for row in rows]
            if self._writes:
                lines = [",".join(row) for row in ([*head], *rows)]
                try:
                    write_atomically(self._folder / name, ("\n".join(lines) + "\n").encode())
                except OSError as error:
                    raise _unwritable(error) from None

    def step(self, step: int, figures: Mapping[str, float]) -> None:
        """Write the figures of a step."""
        self._append("steps.csv", (step, *(figures[name] for name in _STEPS[1:])))
        if self._board:
            for name, value in figures.items():
                self._board.add_scalar(f"train/{name}", value, step)

    def validation(self, step: int, score: float) -> None:
        """Write the score of a validation."""
        self.validations.append((step, score))
        self._append("validation.csv", (step, score))
        if self._board:
            self._board.add_scalar("validation/score", score, step)

    def _append(self, name: str, row: tuple[float, ...]) -> None:
        if not self._writes:
            return
        try:
            with (self._folder / name).open("a", encoding="utf-8") as file:
                file.write(",".join(map(repr, row)) + "\n")
        except OSError as error:
            raise _unwritable(error) from None

    def _rows(self, name: str, width: int) -> list[list[str]]:
        """The whole rows of a file; the last may have been cut off."""
        path = self._folder / name
        if not path.is_file():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return [row for row in list(csv.reader(file))[1:] if len(row) == width and row[-1]]


def _unwritable(error: OSError) -> TrainingError:
    return TrainingError(f"cannot write {error.filename}: {error.strerror or os.strerror(error.errno or 0)}")


def _board(folder: Path):  # type: ignore[no-untyped-def]  # of a package that may be absent
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"))
