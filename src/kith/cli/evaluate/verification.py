"""`kith evaluate lfw` and `kith evaluate verification`: 1:1."""

import time
from pathlib import Path
from typing import Annotated

import typer

from kith.catalogue.pair import find_pair
from kith.cli.console import note, print_json, print_line, print_table
from kith.cli.evaluate.acquiring import acquire_photos
from kith.cli.evaluate.app import Groups, Keep, People, ReportFolder, app
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, DetectorId, DeviceName, Json, ModelId, PrecisionName
from kith.cli.progress import telling
from kith.evaluation.lfw import read_lfw_pairs
from kith.evaluation.pairs import PairsProtocol
from kith.presentation.evaluations import verification_json
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.workflows.evaluating import labels_of_photos, pairs_of
from kith.workflows.evaluating_pairs import Verified, evaluate_verification


@app.command()
def lfw(
    folder: People,
    pairs: Annotated[Path, typer.Argument(help="LFW's pairs.txt.", readable=False)],
    model: ModelId = DEFAULT_MODEL,
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    keep: Keep = None,
    report: ReportFolder = None,
    groups: Groups = None,
    as_json: Json = False,
) -> None:
    """Evaluate on Labeled Faces in the Wild: 6,000 pairs in 10 folds.

    Of several faces in a photo the large one near the middle counts, as the data set means it. A
    photo without a face makes its pairs non-matches, and is counted.
    """
    pair_id = find_pair(model, detector).id
    _evaluate(
        read_lfw_pairs(folder, pairs), folder, pair_id, precision, device, keep, report, groups, as_json
    )


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
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    keep: Keep = None,
    report: ReportFolder = None,
    groups: Groups = None,
    as_json: Json = False,
) -> None:
    """Evaluate comparing two faces (1:1) on your own photos.

    Of more than a million pairs of different people, a million are drawn at random.
    """
    pair_id = find_pair(model, detector).id
    with telling() as progress:
        protocol = pairs_of(folder, pairs, progress=progress)
    _evaluate(protocol, folder, pair_id, precision, device, keep, report, groups, as_json)


def _evaluate(
    protocol: PairsProtocol,
    folder: Path,
    model: str,
    precision: Precision,
    device: Device,
    keep: Path | None,
    report: Path | None,
    groups: Path | None,
    as_json: bool,
) -> None:
    labels = labels_of_photos(protocol.photos, folder, groups)
    recognizer = load_recognizer(model, precision, device=device)
    started = time.perf_counter()
    acquired = acquire_photos(recognizer, protocol.photos, keep)
    verified = evaluate_verification(recognizer.calibration, protocol, acquired, labels)
    answer = verification_json(recognizer, verified) | {"seconds": round(time.perf_counter() - started, 1)}
    if report is not None:
        from kith.presentation.verification_page import write_verification_report  # here: brings matplotlib

        page = write_verification_report(report, recognizer, verified, data=str(folder), figures=answer)
        note(f"report: {page}")
    if as_json:
        print_json(answer)
    else:
        _print(answer["model"], verified, answer["seconds"])


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
