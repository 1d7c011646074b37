"""The page of an evaluation of clusters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kith.cli.evaluate.thumbnails import WORST, thumbnail
from kith.recognizer import Recognizer


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
    from kith.presentation.report import Photos, Report, Table, write_report

    rows = [
        [name, *(f"{answer[key][figure]:.4f}" for figure in ("precision", "recall", "f"))]
        for name, key in (("BCubed", "bcubed"), ("pairs", "pairwise"))
    ]
    mixed = [cluster for cluster in np.unique(labels) if len(np.unique(subjects[labels == cluster])) > 1]
    mixed.sort(key=lambda cluster: -np.sum(labels == cluster))
    pictures = []
    for cluster in mixed[:WORST]:
        members = np.flatnonzero(labels == cluster)
        firsts = np.unique(subjects[members], return_index=True)[1]  # one photo of each person in it
        shown = [photos[member] for member in members[firsts][:4]]
        names = ", ".join(photo.parent.name for photo in shown)
        pictures.append((f"{len(members)} faces: {names}", [thumbnail(recognizer, photo) for photo in shown]))
    summary = [
        f"model {recognizer.model_id} ({recognizer.precision}), on {people}",
        f"{answer['faces']:,} faces of {answer['people']:,} people in {answer['clusters']:,} clusters",
        f"failures to acquire: {answer['failures_to_acquire']}",
    ]
    blocks: list[Table | Photos] = [
        Table("Agreement", ("", "precision", "recall", "F"), rows),
        Photos("Clusters of several people, the largest", pictures, "One photo of each person in it."),
    ]
    return write_report(folder, Report("Clusters", summary, blocks), answer)
