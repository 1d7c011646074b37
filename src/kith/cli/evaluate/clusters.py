"""`kith evaluate clusters`: are the faces of one person, and only those, put together?"""

import time

from kith.catalogue.pair import find_pair
from kith.cli.console import note, print_json, print_line
from kith.cli.evaluate.acquiring import acquire_photos, read_labelled
from kith.cli.evaluate.app import Keep, People, ReportFolder, app
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, DetectorId, DeviceName, Json, ModelId, PrecisionName
from kith.presentation.evaluations import clusters_json
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.workflows.evaluating_clusters import evaluate_clustering


@app.command()
def clusters(
    folder: People,
    model: ModelId = DEFAULT_MODEL,
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    keep: Keep = None,
    report: ReportFolder = None,
    as_json: Json = False,
) -> None:
    """Evaluate clustering: photos of known people are put together as if no one knew them.

    The central face of each photo counts; photos without a face are counted, and are in no cluster.
    """
    labelled = read_labelled(folder)
    recognizer = load_recognizer(find_pair(model, detector).id, precision, device=device)
    acquired = acquire_photos(recognizer, labelled.photos, keep)
    started = time.perf_counter()
    clustered = evaluate_clustering(recognizer.calibration, labelled, acquired)
    answer = clusters_json(recognizer, clustered) | {"seconds": round(time.perf_counter() - started, 1)}
    if report is not None:
        from kith.presentation.clusters_page import write_clusters_report  # here: brings Jinja2

        page = write_clusters_report(report, recognizer, clustered, data=str(folder), figures=answer)
        note(f"report: {page}")
    if as_json:
        print_json(answer)
        return
    print_line(
        f"{answer['model']}: {answer['faces']:,} faces of {answer['people']:,} people in "
        f"{answer['clusters']:,} clusters, in {answer['seconds']} s"
    )
    for name, one in (("BCubed", clustered.result.bcubed), ("pairs", clustered.result.pairwise)):
        print_line(f"{name}: precision {one.precision:.2%}, recall {one.recall:.2%}, F {one.f:.4f}")
    print_line(f"failures to acquire: {acquired.failures} of {len(acquired.photos)} photos")
