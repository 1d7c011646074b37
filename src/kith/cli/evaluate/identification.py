"""`kith evaluate identification`: 1:N, in the open set."""

import time
from typing import Annotated

import typer

from kith.catalogue.pair import find_pair
from kith.cli.console import note, print_json, print_line
from kith.cli.evaluate.acquiring import acquire_photos, read_labelled
from kith.cli.evaluate.app import Keep, People, ReportFolder, app
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, DetectorId, DeviceName, Json, ModelId, PrecisionName
from kith.decisions.scoring import ClassifierKind
from kith.presentation.evaluations import identification_json
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.workflows.evaluating_searches import Identified, draw_searches, evaluate_identification


@app.command()
def identification(
    folder: People,
    people: Annotated[
        int | None,
        typer.Option(min=2, help="How many people to enroll; half of those with enough photos by default."),
    ] = None,
    references: Annotated[int, typer.Option(min=1, help="Photos to enroll of each.")] = 1,
    strangers: Annotated[
        int | None,
        typer.Option(min=1, help="How many strangers, one photo each; all photos of all others by default."),
    ] = None,
    classifier: Annotated[ClassifierKind, typer.Option(help="Who decides.")] = ClassifierKind.NORMALIZED,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    model: ModelId = DEFAULT_MODEL,
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    keep: Keep = None,
    report: ReportFolder = None,
    as_json: Json = False,
) -> None:
    """Evaluate searching a gallery (1:N): are the enrolled found, and strangers not named?

    Some people are enrolled, their other photos are searched, and so are the photos of everyone else.
    """
    labelled = read_labelled(folder)
    recognizer = load_recognizer(find_pair(model, detector).id, precision, device=device)
    started = time.perf_counter()
    protocol = draw_searches(labelled, people=people, references=references, strangers=strangers, seed=seed)
    acquired = acquire_photos(recognizer, labelled.photos, keep)
    identified = evaluate_identification(recognizer.calibration, labelled, acquired, protocol, classifier)
    answer = identification_json(recognizer, identified)
    answer["seconds"] = round(time.perf_counter() - started, 1)
    if report is not None:
        from kith.presentation.identification_page import write_identification_report  # brings matplotlib

        page = write_identification_report(report, recognizer, identified, data=str(folder), figures=answer)
        note(f"report: {page}")
    if as_json:
        print_json(answer)
    else:
        _print(answer["model"], identified, answer["seconds"])


def _print(model: str, identified: Identified, seconds: float) -> None:
    result, point = identified.result, identified.result.at_policy
    print_line(
        f"{model}, {identified.rule.classifier}: {result.people:,} people enrolled with "
        f"{result.references:,} photos, {result.mated:,} searches for them, "
        f"{result.strangers:,} for strangers"
    )
    for rank, found in result.ranks.items():
        print_line(f"rank {rank}: {found}")
    for fpir, fnir in result.fnir_at_fpir.items():
        print_line(f"FNIR {fnir} at FPIR {fpir:g} (threshold {result.threshold_at_fpir[fpir]:.4f})")
    if result.too_low:
        rates = ", ".join(f"{fpir:g}" for fpir in result.too_low)
        print_line(f"FPIR {rates}: not shown, {result.strangers:,} strangers cannot carry it")
    if point is not None:
        print_line(f"at the model's threshold {point.threshold:.4f}: FPIR {point.fpir}, FNIR {point.fnir}")
    print_line(
        f"failures to acquire: {identified.acquired.failures} of {len(identified.acquired.photos)} photos; "
        f"intervals of 95 %, by bootstrap over people; {seconds} s"
    )
