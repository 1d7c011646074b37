"""Whether the faces of one person, and only those, are put together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kith.clustering import cluster, clustering_policy
from kith.decisions.calibration import Calibration
from kith.errors import EvaluationError
from kith.evaluation.clusters import ClusteringResult, evaluate_clusters
from kith.evaluation.labelled import LabelledPhotos
from kith.workflows.acquiring import Acquired


@dataclass(frozen=True, slots=True, eq=False)
class Clustered:
    """An evaluation of clusters, with all it was made of.

    Attributes:
        acquired: The embeddings of all photos.
        photos: The m that gave a face.
        subjects: (m,) int64, whom each shows.
        labels: (m,) int64, the cluster each was put into.
        result: The figures.
    """

    acquired: Acquired
    photos: tuple[Path, ...]
    subjects: np.ndarray
    labels: np.ndarray
    result: ClusteringResult


def evaluate_clustering(calibration: Calibration, people: LabelledPhotos, acquired: Acquired) -> Clustered:
    """Cluster photos of known people as if no one knew them, and measure.

    Args:
        calibration: Of the model.
        people: The photos, and whom each shows.
        acquired: What the model made of them; those that gave no face are in no cluster.

    Raises:
        EvaluationError: No photo gave a face.
    """
    rows = np.flatnonzero(acquired.acquired)
    if not len(rows):
        raise EvaluationError("no photo gave a face")
    policy = clustering_policy(calibration, len(rows))
    labels = cluster(acquired.embeddings[rows], policy.threshold).labels
    subjects = people.subjects[rows]
    photos = tuple(people.photos[row] for row in rows)
    return Clustered(acquired, photos, subjects, labels, evaluate_clusters(labels, subjects))
