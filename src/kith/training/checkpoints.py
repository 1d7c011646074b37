"""All that a run needs to go on: written whole or not at all, the best kept beside the last."""

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kith.errors import TrainingError
from kith.files import write_atomically

_NAME = re.compile(r"step-(\d+)\.npz")
_BEST = "best.json"
_SETTINGS = "settings"  # an entry of the file, beside the arrays


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The state of a run between two steps.

    The order of the data and the random numbers of the augmentation follow from the step, so nothing
    of them need be kept.

    Attributes:
        step: How many steps are done.
        arrays: Every variable of network, loss, optimizer and moving average, by name.
        settings: What the run was started with; another run's checkpoint is refused.
    """

    step: int
    arrays: dict[str, np.ndarray]
    settings: str


class Checkpoints:
    """The checkpoints of a run's folder.

    Args:
        folder: Made when the first is written.
        keep: How many of the last stay; the best stays besides.
    """

    def __init__(self, folder: Path, *, keep: int = 2) -> None:
        self._folder, self._keep = folder, keep

    def save(self, checkpoint: Checkpoint, score: float | None = None) -> None:
        """Write a checkpoint; with the highest score so far it becomes the best.

        Raises:
            TrainingError: The folder cannot be written or the disk is full; those before are untouched.
        """
        try:
            write_atomically(self._path(checkpoint.step), _pack(checkpoint))
            best = self.best()
            if score is not None and (best is None or score > best[1]):
                content = json.dumps({"step": checkpoint.step, "score": score})
                write_atomically(self._folder / _BEST, content.encode())
            self._forget_old()
        except OSError as error:
            raise TrainingError(
                f"cannot write {error.filename or self._folder}: {error.strerror or error}; "
                "the checkpoints before it are whole: make room and run it again to go on"
            ) from None

    def steps(self) -> list[int]:
        """The steps of which there is a checkpoint, in order."""
        found = (_NAME.fullmatch(path.name) for path in self._folder.glob("step-*.npz"))
        return sorted(int(match[1]) for match in found if match)

    def best(self) -> tuple[int, float] | None:
        """The step of the best checkpoint and its score, if any was scored."""
        try:
            content = json.loads((self._folder / _BEST).read_bytes())
            return int(content["step"]), float(content["score"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise TrainingError(f"{self._folder / _BEST}: damaged; delete it") from None

    def load(self, step: int, settings: str) -> Checkpoint:
        """Read a checkpoint.

        Raises:
            TrainingError: It is damaged, or of a run with other settings.
        """
        path = self._path(step)
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            raise TrainingError(f"{path}: damaged; delete it and go on from the one before") from None
        found = str(arrays.pop(_SETTINGS, ""))
        if found != settings:
            raise TrainingError(
                f"{path.parent} is of a run with other settings or photos: {_difference(found, settings)}; "
                "choose another folder for this run"
            )
        return Checkpoint(step, arrays, settings)

    def _path(self, step: int) -> Path:
        return self._folder / f"step-{step:08d}.npz"

    def _forget_old(self) -> None:
        best = self.best()
        for step in self.steps()[: -self._keep]:
            if best is None or step != best[0]:
                self._path(step).unlink(missing_ok=True)


def _pack(checkpoint: Checkpoint) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {**checkpoint.arrays, _SETTINGS: np.array(checkpoint.settings)}
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _difference(found: str, wanted: str) -> str:
    """The first line that two texts differ in."""
    for before, now in zip(found.splitlines(), wanted.splitlines(), strict=False):
        if before != now:
            return f"{before.strip()} then, {now.strip()} now"
    return "they are not the same"
