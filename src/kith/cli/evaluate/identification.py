"""`kith evaluate identification`: 1:N, in the open set."""

import time
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import typer

from kith.cli.console import note, print_json, print_line
from kith.cli.evaluate.acquiring import acquire_photos, estimate_json, read_labelled
from kith.cli.evaluate.app import Keep, People, ReportFolder, app
from kith.cli.evaluate.report_searches import write_identification_report
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, Json, ModelId, PrecisionName
from kith.decisions.scoring import CLASSIFIERS, GATES, ClassifierKind
from kith.errors import EvaluationError
from kith.evaluation.identification import (
    Growth,
    IdentificationResult,
    evaluate_searches,
    growth_of_fpir,
    search,
)
from kith.evaluation.labelled import LabelledPhotos
from kith.evaluation.open_set import OpenSetProtocol, draw_open_set
from kith.recognizer import Recognizer
from kith.runtime.prepare import Precision
from kith.workflows.acquiring import Acquired


@dataclass(frozen=True, slots=True, eq=False)
class Identified:
    """An evaluation of searches, with all it was made of."""

    people: LabelledPhotos
    acquired: Acquired
    protocol: OpenSetProtocol
    kind: ClassifierKind
    result: IdentificationResult
    growth: tuple[Growth, ...]


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
    classifier: Annotated[
        ClassifierKind, typer.Option(help="Who decides; an SVM's gate is the centroid.")
    ] = ClassifierKind.NORMALIZED,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    model: ModelId = DEFAULT_MODEL,
    precision: PrecisionName = Precision.AUTO,
    keep: Keep = None,
    report: ReportFolder = None,
    as_json: Json = False,
) -> None:
    """Evaluate searching a gallery (1:N): are the enrolled found, and strangers not named?

    Some people are enrolled, their other photos are searched, and so are the photos of everyone else.
    """
    labelled = read_labelled(folder)
    recognizer = load_recognizer(model, precision)
    started = time.perf_counter()
    counts = np.bincount(labelled.subjects)
    able = int(np.sum(counts > references))
    if able < 2:
        raise EvaluationError(
            f"{folder}: {able} people have more than {references} photos; at least two must, "
            "to be enrolled and searched"
        )
    wanted = people or (able + 1) // 2
    protocol = draw_open_set(
        labelled.subjects, people=wanted, references=references, strangers=strangers, seed=seed
    )
    acquired = acquire_photos(recognizer, labelled.photos, keep)
    identified = identify_people(recognizer, labelled, acquired, protocol, classifier)
    answer = identification_json(recognizer, identified)
    answer["seconds"] = round(time.perf_counter() - started, 1)
    if report is not None:
        page = write_identification_report(report, folder, recognizer, identified, answer)
        note(f"report: {page}")
    if as_json:
        print_json(answer)
    else:
        _print(answer["model"], identified, answer["seconds"])


def identify_people(
    recognizer: Recognizer,
    labelled: LabelledPhotos,
    acquired: Acquired,
    protocol: OpenSetProtocol,
    classifier: ClassifierKind,
) -> Identified:
    """Enroll, search and measure by a protocol."""
    kind = GATES[classifier]
    enrolled = len(np.unique(labelled.subjects[protocol.references]))
    policy = recognizer.calibration.identification_policy(
        enrolled,
        len(protocol.references) if kind is ClassifierKind.NEAREST else None,
        crowd=kind is ClassifierKind.NORMALIZED,
    )
    searches = search(CLASSIFIERS[kind](), acquired.embeddings, labelled.subjects, protocol)
    result = evaluate_searches(
        searches, people=enrolled, references=len(protocol.references), threshold=policy.threshold
    )
    growth = growth_of_fpir(
        CLASSIFIERS[ClassifierKind.CENTROID if kind is ClassifierKind.NORMALIZED else kind],
        acquired.embeddings,
        labelled.subjects,
        protocol,
        recognizer.calibration.identification_policy(enrolled, crowd=False).threshold,
    )
    return Identified(labelled, acquired, protocol, classifier, result, growth)


def identification_json(recognizer: Recognizer, identified: Identified) -> dict[str, Any]:
    """The figures, for programs."""
    result, point = identified.result, identified.result.at_policy
    answer: dict[str, Any] = {
        "model": recognizer.model_id,
        "precision": str(recognizer.precision),
        "classifier": str(identified.kind),
        "people": result.people,
        "references": result.references,
        "mated_searches": result.mated,
        "stranger_searches": result.strangers,
        "failures_to_acquire": identified.acquired.failures,
        "rank": {str(rank): estimate_json(found) for rank, found in result.ranks.items()},
        "fnir_at_fpir": {f"{fpir:g}": estimate_json(fnir) for fpir, fnir in result.fnir_at_fpir.items()},
        "threshold_at_fpir": {f"{fpir:g}": round(at, 4) for fpir, at in result.threshold_at_fpir.items()},
        "fpir_not_shown": [f"{fpir:g}" for fpir in result.too_low],
        "growth": [
            {
                "people": size.people,
                "fpir": None if np.isnan(size.fpir) else round(size.fpir, 6),
                "predicted": round(size.predicted, 6),
            }
            for size in identified.growth
        ],
    }
    if point is not None:
        answer["at_model_threshold"] = {
            "threshold": round(point.threshold, 4),
            "fpir": estimate_json(point.fpir),
            "fnir": estimate_json(point.fnir),
        }
    return answer


def _print(model: str, identified: Identified, seconds: float) -> None:
    result, point = identified.result, identified.result.at_policy
    print_line(
        f"{model}, {identified.kind}: {result.people:,} people enrolled with {result.references:,} photos, "
        f"{result.mated:,} searches for them, {result.strangers:,} for strangers"
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
