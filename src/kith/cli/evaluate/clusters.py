"""`kith evaluate clusters`: are the faces of one person, and only those, put together?"""

import time
from typing import Any

import numpy as np

from kith.cli.console import note, print_json, print_line
from kith.cli.evaluate.acquiring import acquire_photos, read_labelled
from kith.cli.evaluate.app import Keep, People, ReportFolder, app
from kith.cli.evaluate.report_clusters import write_clusters_report
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, Json, ModelId, PrecisionName
from kith.clustering import cluster
from kith.errors import EvaluationError
from kith.evaluation.clusters import Agreement, evaluate_clusters
from kith.runtime.prepare import Precision


@app.command()
def clusters(
    folder: People,
    model: ModelId = DEFAULT_MODEL,
    precision: PrecisionName = Precision.AUTO,
    keep: Keep = None,
    report: ReportFolder = None,
    as_json: Json = False,
) -> None:
    """Evaluate clustering: photos of known people are put together as if no one knew them.

    The central face of each photo counts; photos without a face are counted, and are in no cluster.
    """
    labelled = read_labelled(folder)
    recognizer = load_recognizer(model, precision)
    acquired = acquire_photos(recognizer, labelled.photos, keep)
    rows = np.flatnonzero(acquired.acquired)
    if not len(rows):
        raise EvaluationError(f"{folder}: no photo gave a face")
    started = time.perf_counter()
    threshold = recognizer.calibration.verification_policy().threshold
    labels = cluster(acquired.embeddings[rows], threshold).labels
    seconds = time.perf_counter() - started
    people = labelled.subjects[rows]
    result = evaluate_clusters(labels, people)
    answer: dict[str, Any] = {
        "model": recognizer.model_id,
        "precision": str(recognizer.precision),
        "faces": result.faces,
        "people": result.people,
        "clusters": result.clusters,
        "bcubed": _json(result.bcubed),
        "pairwise": _json(result.pairwise),
        "failures_to_acquire": acquired.failures,
        "seconds": round(seconds, 1),
    }
    if report is not None:
        photos = [labelled.photos[row] for row in rows]
        page = write_clusters_report(report, folder, recognizer, labels, people, photos, answer)
        note(f"report: {page}")
    if as_json:
        print_json(answer)
        return
    print_line(
        f"{answer['model']}: {answer['faces']:,} faces of {answer['people']:,} people in "
        f"{answer['clusters']:,} clusters, in {answer['seconds']} s"
    )
    for name, one in (("BCubed", result.bcubed), ("pairs", result.pairwise)):
        print_line(f"{name}: precision {one.precision:.2%}, recall {one.recall:.2%}, F {one.f:.4f}")
    print_line(f"failures to acquire: {acquired.failures} of {len(acquired.photos)} photos")


def _json(agreement: Agreement) -> dict[str, float]:
    return {
        "precision": round(agreement.precision, 6),
        "recall": round(agreement.recall, 6),
        "f": round(agreement.f, 6),
    }
