"""The calibration of each model: measured by its user, when it was imported, or by us.

MODELS/ID/own-calibration.json   by `kith calibrate`; goes before the others
ID.json, beside this file        of the models that work at once, and of published ones that were at hand
MODELS/ID/calibration.json       kept when the model was trained or imported

Of an imported model nothing is measured but what a face looks like that nobody could recognize. Its
thresholds are what was published of its family; or there are none, and only what is equal matches.
"""

import json
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

from kith.catalogue.families import PublishedThreshold
from kith.catalogue.installed import MODELS_VARIABLE, models_folder
from kith.catalogue.pair import embedder_of
from kith.decisions.calibration import VERIFICATION_FMR, Calibration
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


_ROUND_RATES = (0.5, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def unmeasured(threshold: PublishedThreshold | None) -> Calibration:
    """The calibration of a model that nobody measured, by what was published of its family, if anything.

    Between rates the threshold is scaled as if strangers' cosines lay around 0 as those of random directions
    do. No probability follows from it.
    """
    if threshold is None:
        return UNMEASURED
    spread = threshold.score / _deviations(threshold.rate)
    thresholds = tuple(spread * _deviations(rate) for rate in _ROUND_RATES)
    return replace(
        UNMEASURED,
        measured_on=f"no people yet: {threshold.score:g} is recommended by {threshold.source}",
        comparisons=GroupTails({EVERYONE: Tail(_ROUND_RATES, thresholds, carried=VERIFICATION_FMR)}),
    )


def _deviations(rate: float) -> float:
    """How far from the mean this share of a normal distribution begins, in standard deviations."""
    return NormalDist().inv_cdf(1 - rate)


def find_calibration(model_id: str) -> Calibration:
    """The calibration that holds for a model; `UNMEASURED` if there is none.

    Raises:
        WeightsError: Its file is damaged, or cannot be read.
    """
    folder = models_folder() / model_id
    for path in (folder / OWN, _shipped(model_id), folder / IMPORTED):
        if _is_there(path):
            return read_calibration(path)
    path = models_folder() / embedder_of(model_id) / IMPORTED
    if embedder_of(model_id) != model_id and _is_there(path):
        calibration = read_calibration(path)
        return calibration if calibration.people == 0 else UNMEASURED  # else of another detector's faces
    return UNMEASURED


def shipped_calibration(model_id: str) -> Calibration | None:
    """The calibration that comes with Kith; None if there is none."""
    path = _shipped(model_id)
    return read_calibration(path) if path.is_file() else None


def _shipped(model_id: str) -> Path:
    return Path(__file__).with_name(f"{model_id}.json")


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from None


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
