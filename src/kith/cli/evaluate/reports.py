"""What the reports of `kith evaluate` show."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from kith.acquisition import pick_face
from kith.errors import ImageError, NoFaceFound
from kith.evaluation.discard import DiscardCurve, discard_curve
from kith.images import load_image
from kith.quality import Quality
from kith.recognizer import Recognizer

if TYPE_CHECKING:
    from kith.cli.evaluate.identification import Identified
    from kith.cli.evaluate.verification import Verified
    from kith.evaluation.report import Photos, Plot

_WORST = 12
_THUMBNAIL = 128


def write_verification_report(
    folder: Path, people: Path, recognizer: Recognizer, verified: "Verified", answer: Mapping[str, Any]
) -> Path:
    """Write the page of a 1:1 evaluation."""
    from kith.evaluation import plots  # here: brings matplotlib
    from kith.evaluation.report import Photos, Plot, Report, Table, write_report

    result, folds, mated = verified.result, verified.folds, verified.protocol.mated
    summary = [f"model {recognizer.model_id} ({recognizer.precision}), on {people}"]
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
    return write_report(folder, Report("Comparing two faces (1:1)", summary, blocks), answer)


def write_identification_report(
    folder: Path, people: Path, recognizer: Recognizer, identified: "Identified", answer: Mapping[str, Any]
) -> Path:
    """Write the page of a 1:N evaluation."""
    from kith.evaluation import plots
    from kith.evaluation.report import Photos, Plot, Report, Table, write_report

    result, point = identified.result, identified.result.at_policy
    summary = [
        f"model {recognizer.model_id} ({recognizer.precision}), {identified.kind}, on {people}",
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
        Plot("CMC", plots.plot_cmc({str(identified.kind): result.cmc})),
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
    return write_report(folder, Report("Searching a gallery (1:N)", summary, blocks), answer)


def write_clusters_report(
    folder: Path,
    people: Path,
    recognizer: Recognizer,
    labels: np.ndarray,
    subjects: np.ndarray,
    photos: Sequence[Path],
    answer: Mapping[str, Any],
) -> Path:
    """Write the page of an evaluation of clusters."""
    from kith.evaluation.report import Photos, Report, Table, write_report

    rows = [
        [name, *(f"{answer[key][figure]:.4f}" for figure in ("precision", "recall", "f"))]
        for name, key in (("BCubed", "bcubed"), ("pairs", "pairwise"))
    ]
    mixed = [cluster for cluster in np.unique(labels) if len(np.unique(subjects[labels == cluster])) > 1]
    mixed.sort(key=lambda cluster: -np.sum(labels == cluster))
    pictures = []
    for cluster in mixed[:_WORST]:
        members = np.flatnonzero(labels == cluster)
        firsts = np.unique(subjects[members], return_index=True)[1]  # one photo of each person in it
        shown = [photos[member] for member in members[firsts][:4]]
        names = ", ".join(photo.parent.name for photo in shown)
        pictures.append(
            (f"{len(members)} faces: {names}", [_thumbnail(recognizer, photo) for photo in shown])
        )
    summary = [
        f"model {recognizer.model_id} ({recognizer.precision}), on {people}",
        f"{answer['faces']:,} faces of {answer['people']:,} people in {answer['clusters']:,} clusters",
        f"failures to acquire: {answer['failures_to_acquire']}",
    ]
    blocks: list[Table | Plot | Photos] = [
        Table("Agreement", ("", "precision", "recall", "F"), rows),
        Photos("Clusters of several people, the largest", pictures, "One photo of each person in it."),
    ]
    return write_report(folder, Report("Clusters", summary, blocks), answer)


def write_comparison_report(
    folder: Path,
    people: Path,
    verified: "Mapping[str, Verified]",
    identified: "Mapping[str, Identified]",
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    answers: Sequence[Mapping[str, Any]],
) -> Path:
    """Write the page that sets models side by side."""
    from kith.evaluation import plots
    from kith.evaluation.report import Photos, Plot, Report, Table, write_report

    curves = {model: one.result.rates for model, one in verified.items()}
    blocks: list[Table | Plot | Photos] = [
        Table("Figures", columns, rows, "Intervals of 95 %, by bootstrap over people."),
        Plot("ROC", plots.plot_roc(curves)),
        Plot("DET", plots.plot_det(curves)),
        Plot("CMC", plots.plot_cmc({model: one.result.cmc for model, one in identified.items()})),
    ]
    return write_report(
        folder, Report("Models side by side", [f"on {people}"], blocks), {"models": list(answers)}
    )


def discard_curves(verified: "Verified") -> list[DiscardCurve]:
    """Error against discard of each quality measure, of the mated pairs whose photos all gave a face."""
    acquired, protocol = verified.acquired, verified.protocol
    mated = protocol.mated & (verified.scores > -1)
    if not mated.any():
        return []
    matches = verified.scores[mated] >= verified.threshold
    curves = []
    for measure in Quality.__slots__:
        values = np.array([getattr(quality, measure, 0.0) for quality in acquired.qualities])
        if measure == "turn":
            values = -values
        if measure == "brightness":
            values = -np.abs(values - 0.5)
        curves.append(discard_curve(measure.replace("_", " "), values, protocol.pairs[mated], matches))
    return curves


def _worst_pairs(recognizer: Recognizer, verified: "Verified") -> "list[Photos]":
    from kith.evaluation.report import Photos

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
                    [_thumbnail(recognizer, protocol.photos[photo]) for photo in protocol.pairs[pair]],
                )
                for pair in pairs[:_WORST]
            ],
            "From your own photos. Look here for wrong labels first.",
        )
        for title, pairs in kinds
    ]


def _worst_strangers(recognizer: Recognizer, identified: "Identified") -> "list[Photos]":
    from kith.evaluation.report import Photos

    searches, photos = identified.result.searches, identified.people.photos
    protocol = identified.protocol
    worst = np.argsort(-searches.strangers)[:_WORST]
    missed = np.flatnonzero(searches.rank != 1)
    missed = missed[np.argsort(-searches.best[missed])][:_WORST]
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
            [(f"{score:.4f}: {photo.name}", [_thumbnail(recognizer, photo)]) for score, photo in found],
            "From your own photos. Look here for wrong labels first.",
        )
        for title, found in rows.items()
    ]


def _thumbnail(recognizer: Recognizer, photo: Path) -> bytes:
    """The face of a photo as a small JPEG; gray where there is none."""
    crop = np.full((_THUMBNAIL, _THUMBNAIL, 3), 128, np.uint8)
    try:
        image = load_image(photo)
        crop = recognizer.align(image, [pick_face(recognizer, image)])[0]
    except (ImageError, NoFaceFound):
        pass
    small = cv2.resize(crop, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
