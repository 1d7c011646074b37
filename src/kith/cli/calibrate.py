"""`kith calibrate`: measure, on your own people, what a model's scores mean."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.catalogue.calibrations import find_calibration, forget_calibration, keep_calibration
from kith.catalogue.pair import find_pair
from kith.cli.console import print_json, print_line, print_table, warn
from kith.cli.evaluate.acquiring import acquire_photos, read_labelled
from kith.cli.evaluate.app import Groups, Keep
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, DetectorId, DeviceName, Json, ModelId, PrecisionName
from kith.decisions.calibration import VERIFICATION_FMR, Calibration
from kith.decisions.scoring import rule_for
from kith.errors import EvaluationError
from kith.files import write_atomically
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.workflows.calibrating import FEW_PEOPLE, fit_calibration
from kith.workflows.evaluating import labels_of_photos
from kith.workflows.first_calibration import embed_unrecognizable

_GALLERIES = (10, 100, 1000)
_FPIRS = (0.01, 0.001)


def calibrate(
    people: Annotated[
        Path | None,
        typer.Argument(help="A folder of photos, with one folder per person.", readable=False),
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Go back to the calibration the model came with.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure, but keep nothing.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write the calibration to this file instead of the model's.")
    ] = None,
    model: ModelId = DEFAULT_MODEL,
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    groups: Groups = None,
    keep: Keep = None,
    as_json: Json = False,
) -> None:
    """Measure a model's thresholds and probabilities on your own people, and use them from now on.

    A threshold is only as good as the people it was measured on: the more, and the more alike yours
    are, the more this matters.
    """
    model = find_pair(model, detector).id
    if reset:
        _reset(model, as_json)
        return
    if people is None:
        raise EvaluationError("name a folder with one folder per person, or use --reset")
    labelled = read_labelled(people)
    labels = labels_of_photos(labelled.photos, people, groups)
    recognizer = load_recognizer(model, precision, device=device)
    acquired = acquire_photos(recognizer, labelled.photos, keep)
    calibration = fit_calibration(
        acquired.embeddings[acquired.acquired],
        labelled.subjects[acquired.acquired],
        people.resolve().name,
        groups=None if labels is None else labels[acquired.acquired],
        unrecognizable=embed_unrecognizable(recognizer),
    )
    if calibration.people < FEW_PEOPLE:
        warn(
            f"{calibration.people} people are few: false match rates below "
            f"{calibration.comparisons.lowest:g} cannot be shown, and the rest is rough"
        )
    if labels is not None:
        _tell_of_small_groups(calibration, set(labels.tolist()) - {""})
    before = find_calibration(model)
    kept = None
    if output is not None:
        write_atomically(output, calibration.to_json().encode())
        kept = output
    elif not dry_run:
        kept = keep_calibration(model, calibration)
    if as_json:
        print_json(_json(model, calibration, acquired.failures, kept))
        return
    _print(before, calibration)
    print_line(f"measured on {calibration.measured_on}; failures to acquire: {acquired.failures}")
    print_line(f"kept in {kept}" if kept else "nothing was kept")


def _tell_of_small_groups(calibration: Calibration, names: Collection[str]) -> None:
    searched = set.intersection(set(names), *(set(groups.tails) for groups in calibration.searches.values()))
    for measured, what in ((set(calibration.comparisons.tails), "two faces"), (searched, "searches")):
        if small := sorted(set(names) - measured):
            warn(f"too few people to measure {what} within {', '.join(small)}: no rate is promised of them")


def _reset(model: str, as_json: bool) -> None:
    forgotten = forget_calibration(model)
    calibration = find_calibration(model)
    if as_json:
        print_json({"model": model, "forgotten": forgotten, "measured_on": calibration.measured_on})
    else:
        print_line(f"{model} is calibrated on {calibration.measured_on}")


def _thresholds(calibration: Calibration) -> dict[str, float]:
    """Thresholds that people understand, by what they are for."""
    rows = {
        f"two faces, FMR {VERIFICATION_FMR:g}": calibration.verification_policy().threshold,
    }
    for size in _GALLERIES:
        for fpir in _FPIRS:
            policy = rule_for(calibration, people=size, references=3 * size, fpir=fpir).policy
            rows[f"gallery of {size:,}, FPIR {fpir:g}"] = policy.threshold
    return rows


def _print(before: Calibration, after: Calibration) -> None:
    old = _thresholds(before)
    print_table(
        ("threshold for", "before", "now"),
        [[what, f"{old[what]:.4f}", f"{now:.4f}"] for what, now in _thresholds(after).items()],
    )


def _json(model: str, calibration: Calibration, failures: int, kept: Path | None) -> dict[str, Any]:
    return {
        "model": model,
        "measured_on": calibration.measured_on,
        "people": calibration.people,
        "mated": calibration.mated,
        "non_mated": calibration.non_mated,
        "lowest_fmr_shown": calibration.comparisons.lowest,
        "failures_to_acquire": failures,
        "thresholds": {what: round(threshold, 4) for what, threshold in _thresholds(calibration).items()},
        "kept": None if kept is None else str(kept),
    }
