"""The page of a 1:N evaluation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kith.presentation import plots
from kith.presentation.evaluations import identification_json
from kith.presentation.report import Photos, Plot, Report, Table, on_data, write_report
from kith.presentation.thumbnails import WORST, thumbnail_of
from kith.recognizer import Recognizer
from kith.workflows.evaluating_searches import Identified


def write_identification_report(
    folder: Path,
    recognizer: Recognizer,
    identified: Identified,
    *,
    data: str = "",
    figures: Mapping[str, Any] | None = None,
) -> Path:
    """Write the page of a 1:N evaluation, index.html, and its figures, result.json, and return the page.

    Args:
        folder: Of the page; made if it is not there.
        recognizer: Which was measured.
        identified: What was measured.
        data: On what, in a word.
        figures: As JSON; those of `identification_json` if None.

    Raises:
        EvaluationError: It cannot be written.
    """
    result, point = identified.result, identified.result.at_policy
    summary = [
        f"model {recognizer.model_id} ({recognizer.precision}), {identified.rule.classifier}{on_data(data)}",
        f"{result.people:,} people enrolled with {result.references:,} photos; {result.mated:,} searches for "
        f"them, {result.strangers:,} for strangers",
        f"rank 1: {result.ranks[1]}",
    ]
    rows = [
        [f"{fpir:g}", str(fnir), f"{result.threshold_at_fpir[fpir]:.4f}"]
        for fpir, fnir in result.fnir_at_fpir.items()
    ]
    if point is not None:
        rows.append([str(point.fpir), str(point.fnir), f"{point.threshold:.4f}, the model's own"])
    rows += [[f"{fpir:g}", "not shown: too few strangers", ""] for fpir in result.too_low]
    searches = result.searches
    found = searches.rank > 0
    blocks: list[Table | Plot | Photos] = [
        Table(
            "Error rates", ("FPIR", "FNIR", "threshold"), rows, "Intervals of 95 %, by bootstrap over people."
        ),
        Plot("CMC", plots.plot_cmc({str(identified.rule.classifier): result.cmc})),
        Plot(
            "Best scores of searches",
            plots.plot_scores(
                searches.best[found], searches.strangers, None if point is None else point.threshold
            ),
            "Mated: the best score of searches for the enrolled; non-mated: of searches for strangers.",
        ),
        Plot(
            "Strangers named as the gallery grows",
            plots.plot_growth(identified.growth),
            "Measured with plain centroid scores at a fixed threshold. The dotted line takes the largest "
            "gallery's rate and assumes that a stranger's comparisons are independent of one another; they "
            "are not, some strangers resemble many people, so beyond the largest gallery it names more than "
            "there will be.",
        ),
        *_worst_strangers(recognizer, identified),
    ]
    return write_report(
        folder,
        Report("Searching a gallery (1:N)", summary, blocks),
        figures or identification_json(recognizer, identified),
    )


def _worst_strangers(recognizer: Recognizer, identified: Identified) -> list[Photos]:
    searches, photos = identified.result.searches, identified.people.photos
    protocol = identified.protocol
    worst = np.argsort(-searches.strangers)[:WORST]
    missed = np.flatnonzero(searches.rank != 1)
    missed = missed[np.argsort(-searches.best[missed])][:WORST]
    rows = {
        "Strangers most like someone enrolled": [
            (searches.strangers[one], photos[protocol.strangers[one]]) for one in worst
        ],
        "Enrolled people taken for someone else": [
            (searches.best[one], photos[protocol.mated[one]]) for one in missed
        ],
    }
    return [
        Photos(
            title,
            [(f"{score:.4f}: {photo.name}", [thumbnail_of(recognizer, photo)]) for score, photo in found],
            "From your own photos. Look here for wrong labels first.",
        )
        for title, found in rows.items()
    ]
