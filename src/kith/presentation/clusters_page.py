"""The page of an evaluation of clusters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kith.presentation.evaluations import clusters_json
from kith.presentation.report import Photos, Report, Table, on_data, write_report
from kith.presentation.thumbnails import WORST, thumbnail_of
from kith.recognizer import Recognizer
from kith.workflows.evaluating_clusters import Clustered


def write_clusters_report(
    folder: Path,
    recognizer: Recognizer,
    clustered: Clustered,
    *,
    data: str = "",
    figures: Mapping[str, Any] | None = None,
) -> Path:
    """Write the page of an evaluation of clusters, index.html, and its figures, result.json; return the page.

    Args:
        folder: Of the page; made if it is not there.
        recognizer: Which was measured.
        clustered: What was measured.
        data: On what, in a word.
        figures: As JSON; those of `clusters_json` if None.

    Raises:
        EvaluationError: It cannot be written.
    """
    result = clustered.result
    rows = [
        [name, *(f"{figure:.4f}" for figure in (one.precision, one.recall, one.f))]
        for name, one in (("BCubed", result.bcubed), ("pairs", result.pairwise))
    ]
    summary = [
        f"model {recognizer.model_id} ({recognizer.precision}){on_data(data)}",
        f"{result.faces:,} faces of {result.people:,} people in {result.clusters:,} clusters",
        f"failures to acquire: {clustered.acquired.failures}",
    ]
    blocks: list[Table | Photos] = [
        Table("Agreement", ("", "precision", "recall", "F"), rows),
        Photos(
            "Clusters of several people, the largest",
            _mixed(recognizer, clustered),
            "One photo of each person in it.",
        ),
    ]
    return write_report(
        folder, Report("Clusters", summary, blocks), figures or clusters_json(recognizer, clustered)
    )


def _mixed(recognizer: Recognizer, clustered: Clustered) -> list[tuple[str, list[bytes]]]:
    """The largest clusters with faces of several people: a caption, and a face of each of some of them."""
    labels, subjects = clustered.labels, clustered.subjects
    mixed = [cluster for cluster in np.unique(labels) if len(np.unique(subjects[labels == cluster])) > 1]
    mixed.sort(key=lambda cluster: -np.sum(labels == cluster))
    rows = []
    for cluster in mixed[:WORST]:
        members = np.flatnonzero(labels == cluster)
        firsts = np.unique(subjects[members], return_index=True)[1]
        shown = [clustered.photos[member] for member in members[firsts][:4]]
        names = ", ".join(photo.parent.name for photo in shown)
        rows.append((f"{len(members)} faces: {names}", [thumbnail_of(recognizer, photo) for photo in shown]))
    return rows
