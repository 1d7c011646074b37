"""`kith evaluate compare`: models side by side, on the same photos."""

from pathlib import Path
from typing import Annotated, Any

import typer

from kith.catalogue.pair import find_pair
from kith.cli.console import note, print_json, print_table
from kith.cli.evaluate.acquiring import acquire_photos, read_labelled
from kith.cli.evaluate.app import ReportFolder, app
from kith.cli.load import load_recognizer
from kith.cli.options import DeviceName, Json, PrecisionName
from kith.evaluation.pairs import all_pairs
from kith.presentation.evaluations import comparison_table, identification_json, verification_json
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.workflows.evaluating_pairs import Verified, evaluate_verification
from kith.workflows.evaluating_searches import Identified, draw_searches, evaluate_identification


@app.command()
def compare(
    models: Annotated[list[str], typer.Argument(help="Models of `kith models list`; or EMBEDDER+DETECTOR.")],
    folder: Annotated[
        Path, typer.Option("--people", help="A folder of photos, with one folder per person.", readable=False)
    ],
    references: Annotated[int, typer.Option(min=1, help="Photos to enroll of each person.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the embeddings in this folder, a file for each model.")
    ] = None,
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    report: ReportFolder = None,
    as_json: Json = False,
) -> None:
    """Measure several models on the same pairs and the same searches."""
    pair_ids = [find_pair(model).id for model in models]  # all are known before the first takes its time
    labelled = read_labelled(folder)
    pairs = all_pairs(labelled)
    protocol = draw_searches(labelled, references=references)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    answers: list[dict[str, Any]] = []
    verified: dict[str, Verified] = {}
    identified: dict[str, Identified] = {}
    for model in dict.fromkeys(pair_ids):
        recognizer = load_recognizer(model, precision, device=device)
        kept = None if keep is None else keep / f"{model}-{recognizer.precision}.kith"
        acquired = acquire_photos(recognizer, labelled.photos, kept)
        verified[model] = evaluate_verification(recognizer.calibration, pairs, acquired)
        identified[model] = evaluate_identification(recognizer.calibration, labelled, acquired, protocol)
        answers.append(
            {
                "model": model,
                "verification": verification_json(recognizer, verified[model]),
                "identification": identification_json(recognizer, identified[model]),
            }
        )
    if report is not None:
        from kith.presentation.models_page import write_comparison_report  # here: brings matplotlib

        page = write_comparison_report(report, verified, identified, data=str(folder), figures=answers)
        note(f"report: {page}")
    if as_json:
        print_json(answers)
    else:
        print_table(*comparison_table(verified, identified))
