"""The calibration of each model: measured by its user, when it was imported, or by us.

MODELS/ID/own-calibration.json   by `kith calibrate`; goes before the others
MODELS/ID/calibration.json       when the model was imported
ID.json, beside this file        of the models that work at once
"""

import json
from pathlib import Path

from kith.catalogue.installed import MODELS_VARIABLE, models_folder
from kith.decisions.calibration import Calibration
from kith.decisions.groups import EVERYONE, GroupTails
from kith.decisions.tail import Tail
from kith.errors import Remedy, UnsupportedFile, WeightsError
from kith.files import write_atomically

OWN = "own-calibration.json"
IMPORTED = "calibration.json"

UNMEASURED = Calibration(
    measured_on="nothing yet",
    people=0,
    mated=0,
    non_mated=0,
    comparisons=GroupTails({EVERYONE: Tail((1.0, 0.5), (1.0, 1.0))}),
    searches={},
    scores=(-1.0, 1.0),
    log_odds=(0.0, 0.0),
)
"""Of a model about which nothing is known: only what is equal matches."""


def find_calibration(model_id: str) -> Calibration:
    """The calibration that holds for a model; `UNMEASURED` if there is none.

    Raises:
        WeightsError: Its file is damaged, or cannot be read.
    """
    folder = models_folder() / model_id
    for path in (folder / OWN, folder / IMPORTED, Path(__file__).with_name(f"{model_id}.json")):
        try:
            is_there = path.is_file()
        except OSError as error:
            raise WeightsError(f"cannot read {path}: {error.strerror or error}") from None
        if is_there:
            return read_calibration(path)
    return UNMEASURED


def read_calibration(path: Path) -> Calibration:
    """Read a calibration's file.

    Raises:
        UnsupportedFile: It is damaged.
    """
    try:
        return Calibration.from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UnsupportedFile(
            f"{path}: damaged; delete it, or measure again", remedy=Remedy.CALIBRATE
        ) from None


def keep_calibration(model_id: str, calibration: Calibration, name: str = OWN) -> Path:
    """Write a model's calibration; what was there before is replaced whole or not at all.

    Raises:
        WeightsError: It cannot be written.
    """
    path = models_folder() / model_id / name
    try:
        write_atomically(path, calibration.to_json().encode())
    except OSError as error:
        raise WeightsError(
            f"cannot write {path}: {error.strerror or error}; set {MODELS_VARIABLE} to a folder with room"
        ) from None
    return path


def forget_calibration(model_id: str) -> bool:
    """Delete the calibration of `kith calibrate`, if there is one, and say whether there was.

    Raises:
        WeightsError: It cannot be deleted.
    """
    path = models_folder() / model_id / OWN
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise WeightsError(f"cannot delete {path}: {error.strerror or error}") from None
    return True
