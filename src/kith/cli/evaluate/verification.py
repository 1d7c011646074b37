"""`kith evaluate lfw` and `kith evaluate verification`: 1:1."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from kith.cli.console import note, print_json, print_line, print_table
from kith.cli.evaluate.acquiring import acquire_photos, estimate_json, read_labelled
from kith.cli.evaluate.app import Groups, Keep, People, ReportFolder, app
from kith.cli.evaluate.report_pairs import write_verification_report
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, Json, ModelId, PrecisionName
from kith.decisions.cosine import score_pairs
from kith.evaluation.groups import GroupResult, evaluate_groups, labels_of, read_groups
from kith.evaluation.lfw import read_lfw_pairs
from kith.evaluation.pairs import PairsProtocol, all_pairs, read_pairs
from kith.evaluation.verification import (
    NOT_ACQUIRED,
    FoldsResult,
    VerificationResult,
    evaluate_folds,
    evaluate_pairs,
)
from kith.recognizer import Recognizer
from kith.runtime.prepare import Precision
from kith.workflows.acquiring import Acquired


@dataclass(frozen=True, slots=True, eq=False)
class Verified:
    """An evaluation of pairs, with all it was made of.

    Attributes:
        protocol: The pairs.
        acquired: Their photos' embeddings.
        scores: (n,) of the pairs.
        threshold: The model's own.
        result: The figures.
        folds: Accuracy over folds, where there are folds.
        groups: The figures of groups, where groups were given.
    """

    protocol: PairsProtocol
    acquired: Acquired
    scores: np.ndarray
    threshold: float
    result: VerificationResult
    folds: FoldsResult | None
    groups: tuple[GroupResult, ...]


@app.command()
def lfw(
    folder: People,
    pairs: Annotated[Path, typer.Argument(help="LFW's pairs.txt.", readable=False)],
    model: ModelId = DEFAULT_MODEL,
    precision: PrecisionName = Precision.AUTO,
    keep: Keep = None,
    report: ReportFolder = None,
    groups: Groups = None,
    as_json: Json = False,
) -> None:
    """Evaluate on Labeled Faces in the Wild: 6,000 pairs in 10 folds.

    Of several faces in a photo the large one near the middle counts, as the data set means it. A
    photo without a face makes its pairs non-matches, and is counted.
    """
    labels = None if groups is None else read_groups(groups)
    protocol = read_lfw_pairs(folder, pairs)
    _evaluate(protocol, folder, model, precision, keep, report, labels, as_json)


@app.command()
def verification(
    folder: People,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="A file of pairs: two photos of the folder and 1 or 0 on each line. Without it, all pairs.",
            readable=False,
        ),
    ] = None,
    model: ModelId = DEFAULT_MODEL,
    precision: PrecisionName = Precision.AUTO,
    keep: Keep = None,
    report: ReportFolder = None,
    groups: Groups = None,
    as_json: Json = False,
) -> None:
    """Evaluate comparing two faces (1:1) on your own photos.

    Of more than a million pairs of different people, a million are drawn at random.
    """
    labels = None if groups is None else read_groups(groups)
    protocol = all_pairs(read_labelled(folder)) if pairs is None else read_pairs(folder, pairs)
    _evaluate(protocol, folder, model, precision, keep, report, labels, as_json)


def verify_pairs(
    recognizer: Recognizer, protocol: PairsProtocol, acquired: Acquired, labels: np.ndarray | None = None
) -> Verified:
    """Score the pairs of a protocol and measure."""
    first, second = protocol.pairs.T
    scores = score_pairs(acquired.embeddings[first], acquired.embeddings[second])
    scores[~acquired.acquired[protocol.pairs].all(axis=1)] = NOT_ACQUIRED
    subjects = protocol.subjects[protocol.pairs]
    threshold = recognizer.calibration.verification_policy().threshold
    return Verified(
        protocol,
        acquired,
        scores,
        threshold,
        evaluate_pairs(scores, protocol.mated, subjects, threshold=threshold),
        None if protocol.folds is None else evaluate_folds(scores, protocol.mated, protocol.folds),
        ()
        if labels is None
        else evaluate_groups(scores, protocol.mated, subjects, labels[protocol.pairs], threshold),
    )


def _evaluate(
    protocol: PairsProtocol,
    folder: Path,
    model: str,
    precision: Precision,
    keep: Path | None,
    report: Path | None,
    labels: Mapping[str, str] | None,
    as_json: bool,
) -> None:
    labels_of_photos = None if labels is None else np.array(labels_of(protocol.photos, folder, labels))
    recognizer = load_recognizer(model, precision)
    started = time.perf_counter()
    acquired = acquire_photos(recognizer, protocol.photos, keep)
    verified = verify_pairs(recognizer, protocol, acquired, labels_of_photos)
    answer = verification_json(recognizer, verified) | {"seconds": round(time.perf_counter() - started, 1)}
    if report is not None:
        page = write_verification_report(report, folder, recognizer, verified, answer)
        note(f"report: {page}")
    if as_json:
        print_json(answer)
    else:
        _print(answer["model"], verified, answer["seconds"])


def verification_json(recognizer: Recognizer, verified: Verified) -> dict[str, Any]:
    """The figures, for programs."""
    result, folds, point = verified.result, verified.folds, verified.result.at_policy
    answer: dict[str, Any] = {
        "model": recognizer.model_id,
        "precision": str(recognizer.precision),
        "pairs": result.mated + result.non_mated,
        "mated": result.mated,
        "non_mated": result.non_mated,
        "failures_to_acquire": verified.acquired.failures,
        "pairs_not_acquired": result.not_acquired,
    }
    if folds is not None:
        answer |= {"accuracy_mean": round(folds.mean, 6), "accuracy_std": round(folds.std, 6)}
    answer |= {
        "eer": estimate_json(result.eer),
        "auc": estimate_json(result.auc),
        "tar_at_fmr": {f"{fmr:g}": round(1 - fnmr.value, 6) for fmr, fnmr in result.fnmr_at_fmr.items()},
        "fnmr_at_fmr": {f"{fmr:g}": estimate_json(fnmr) for fmr, fnmr in result.fnmr_at_fmr.items()},
        "threshold_at_fmr": {f"{fmr:g}": round(at, 4) for fmr, at in result.threshold_at_fmr.items()},
        "fmr_not_shown": [f"{fmr:g}" for fmr in result.too_low],
    }
    if point is not None:
        answer["at_model_threshold"] = {
            "threshold": round(point.threshold, 4),
            "fmr": estimate_json(point.fmr),
            "fnmr": estimate_json(point.fnmr),
        }
    if verified.groups:
        answer["groups"] = [_group_json(group) for group in verified.groups]
    return answer


def _group_json(group: GroupResult) -> dict[str, Any]:
    return {
        "label": group.label,
        "people": group.people,
        "mated": group.mated,
        "non_mated": group.non_mated,
        "fmr": None if group.fmr is None else estimate_json(group.fmr),
        "fnmr": None if group.fnmr is None else estimate_json(group.fnmr),
    }


def _print(model: str, verified: Verified, seconds: float) -> None:
    result, folds, point = verified.result, verified.folds, verified.result.at_policy
    pairs = f"{result.mated:,} mated and {result.non_mated:,} non-mated pairs"
    if folds is None:
        print_line(f"{model}: {pairs}")
    else:
        print_line(f"{model}: accuracy {folds.mean:.2%} ± {folds.std:.2%} on {pairs}")
    for fmr, fnmr in result.fnmr_at_fmr.items():
        tar = f"TAR {1 - fnmr.value:.2%} [{1 - fnmr.high:.2%}, {1 - fnmr.low:.2%}]"
        print_line(f"{tar} at FMR {fmr:g} (threshold {result.threshold_at_fmr[fmr]:.4f})")
    if result.too_low:
        rates = ", ".join(f"{fmr:g}" for fmr in result.too_low)
        print_line(f"FMR {rates}: not shown, {result.non_mated:,} non-mated pairs cannot carry it")
    print_line(f"EER {result.eer}; AUC {result.auc.value:.5f}")
    if point is not None:
        print_line(f"at the model's threshold {point.threshold:.4f}: FMR {point.fmr}, FNMR {point.fnmr}")
    if verified.groups:
        print_table(
            ("group", "people", "FMR", "FNMR"),
            [
                [group.label, str(group.people), str(group.fmr or "no pairs"), str(group.fnmr or "no pairs")]
                for group in verified.groups
            ],
        )
    print_line(
        f"failures to acquire: {verified.acquired.failures} of {len(verified.acquired.photos)} photos; "
        f"intervals of 95 %, by bootstrap over people; {seconds} s"
    )
