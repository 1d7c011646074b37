"""The page of a 1:1 evaluation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kith.evaluation.discard import DiscardCurve, discard_curve, goodness
from kith.presentation import plots
from kith.presentation.evaluations import verification_json
from kith.presentation.report import Photos, Plot, Report, Table, on_data, write_report
from kith.presentation.thumbnails import WORST, thumbnail_of
from kith.recognizer import Recognizer
from kith.records import Quality
from kith.workflows.evaluating_pairs import Verified


def write_verification_report(
    folder: Path,
    recognizer: Recognizer,
    verified: Verified,
    *,
    data: str = "",
    figures: Mapping[str, Any] | None = None,
) -> Path:
    """Write the page of a 1:1 evaluation, index.html, and its figures, result.json, and return the page.

    Args:
        folder: Of the page; made if it is not there.
        recognizer: Which was measured.
        verified: What was measured.
        data: On what, in a word.
        figures: As JSON; those of `verification_json` if None.

    Raises:
        EvaluationError: It cannot be written.
    """
    result, folds, mated = verified.result, verified.folds, verified.protocol.mated
    summary = [f"model {recognizer.model_id} ({recognizer.precision}){on_data(data)}"]
    if folds is not None:
        summary.append(f"accuracy {folds.mean:.2%} ± {folds.std:.2%} over {len(folds.accuracies)} folds")
    summary.append(f"{result.mated:,} mated and {result.non_mated:,} non-mated pairs; EER {result.eer}")
    summary.append(
        f"failures to acquire: {verified.acquired.failures} of {len(verified.acquired.photos)} photos"
    )
    rows = [
        [f"{fmr:g}", str(fnmr), f"{result.threshold_at_fmr[fmr]:.4f}"]
        for fmr, fnmr in result.fnmr_at_fmr.items()
    ]
    if result.at_policy is not None:
        point = result.at_policy
        rows.append([f"{point.fmr}", str(point.fnmr), f"{point.threshold:.4f}, the model's own"])
    rows += [[f"{fmr:g}", "not shown: too few non-mated pairs", ""] for fmr in result.too_low]
    blocks: list[Table | Plot | Photos] = [
        Table(
            "Error rates",
            ("FMR", "FNMR", "threshold"),
            rows,
            "Intervals of 95 %, by bootstrap over people. A photo without a face never matches.",
        )
    ]
    if verified.groups:
        groups = [
            [one.label, str(one.people), str(one.fmr or "no pairs"), str(one.fnmr or "no pairs")]
            for one in verified.groups
        ]
        blocks.append(
            Table(
                "Groups, at the model's threshold",
                ("group", "people", "FMR", "FNMR"),
                groups,
                "False matches are counted between two people of the same group.",
            )
        )
    curves = {recognizer.model_id: result.rates}
    compared = verified.scores > -1
    blocks += [
        Plot("ROC", plots.plot_roc(curves)),
        Plot("DET", plots.plot_det(curves)),
        Plot(
            "Scores",
            plots.plot_scores(
                verified.scores[mated & compared], verified.scores[~mated & compared], verified.threshold
            ),
        ),
    ]
    discards = discard_curves(verified)
    if discards:
        blocks.append(
            Plot(
                "Quality: error against discard",
                plots.plot_discard(discards),
                "What is left of the false non-match rate, at the model's threshold, when the worst "
                "mated pairs by each measure are left out. A good measure falls steeply.",
            )
        )
    blocks += _worst_pairs(recognizer, verified)
    return write_report(
        folder,
        Report("Comparing two faces (1:1)", summary, blocks),
        figures or verification_json(recognizer, verified),
    )


def discard_curves(verified: Verified) -> list[DiscardCurve]:
    """Error against discard of each quality measure, of the mated pairs whose photos all gave a face."""
    acquired, protocol = verified.acquired, verified.protocol
    mated = protocol.mated & (verified.scores > -1)
    if not mated.any():
        return []
    matches = verified.scores[mated] >= verified.threshold
    curves = []
    for measure in Quality.__slots__:
        values = np.array([getattr(quality, measure, 0.0) for quality in acquired.qualities])
        name, better = measure.replace("_", " "), goodness(measure, values)
        curves.append(discard_curve(name, better, protocol.pairs[mated], matches))
    return curves


def _worst_pairs(recognizer: Recognizer, verified: Verified) -> list[Photos]:
    protocol, scores = verified.protocol, verified.scores
    compared = scores > -1
    mated = np.flatnonzero(protocol.mated & compared)
    non_mated = np.flatnonzero(~protocol.mated & compared)
    kinds = (
        ("One person, least alike", mated[np.argsort(scores[mated])]),
        ("Two people, most alike", non_mated[np.argsort(-scores[non_mated])]),
    )
    return [
        Photos(
            title,
            [
                (
                    f"{scores[pair]:.4f}: "
                    + " and ".join(protocol.photos[photo].name for photo in protocol.pairs[pair]),
                    [thumbnail_of(recognizer, protocol.photos[photo]) for photo in protocol.pairs[pair]],
                )
                for pair in pairs[:WORST]
            ],
            "From your own photos. Look here for wrong labels first.",
        )
        for title, pairs in kinds
    ]
