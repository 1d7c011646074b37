import itertools

import numpy as np
import pytest

from kith.evaluation.clusters import evaluate_clusters


def plain(clusters: list[int], people: list[int]) -> tuple[float, float, float, float]:
    """Pairwise precision and recall, BCubed precision and recall, pair by pair and face by face."""
    n = len(clusters)
    pairs = list(itertools.combinations(range(n), 2))
    together = {(i, j) for i, j in pairs if clusters[i] == clusters[j]}
    mated = {(i, j) for i, j in pairs if people[i] == people[j]}
    right = len(together & mated)
    precisions, recalls = [], []
    for i in range(n):
        cluster = {j for j in range(n) if clusters[j] == clusters[i]}
        person = {j for j in range(n) if people[j] == people[i]}
        precisions.append(len(cluster & person) / len(cluster))
        recalls.append(len(cluster & person) / len(person))
    return (
        right / len(together) if together else 1.0,
        right / len(mated) if mated else 1.0,
        sum(precisions) / n,
        sum(recalls) / n,
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_same_as_face_by_face(seed: int) -> None:
    random = np.random.default_rng(seed)
    clusters, people = random.integers(0, 1 + seed, 30), random.integers(0, 8, 30)
    result = evaluate_clusters(clusters, people)
    measured = (
        *(result.pairwise.precision, result.pairwise.recall),
        *(result.bcubed.precision, result.bcubed.recall),
    )
    assert measured == pytest.approx(plain(clusters.tolist(), people.tolist()))
    assert (result.faces, result.clusters) == (30, len(set(clusters.tolist())))


def test_right_clusters_whatever_they_are_called() -> None:
    result = evaluate_clusters(np.array(["b", "b", "a"]), np.array(["Ada", "Ada", "Grace"]))
    assert result.pairwise.f == result.bcubed.f == 1


def test_all_alone_and_all_together() -> None:
    people = np.repeat(np.arange(5), 2)
    alone = evaluate_clusters(np.arange(10), people)
    assert (alone.pairwise.precision, alone.pairwise.recall, alone.pairwise.f) == (1, 0, 0)
    assert (alone.bcubed.precision, alone.bcubed.recall) == (1, 0.5)
    together = evaluate_clusters(np.zeros(10), people)
    assert together.bcubed.precision == pytest.approx(0.2)
    assert together.bcubed.recall == 1


def test_many_faces_do_not_overflow() -> None:
    result = evaluate_clusters(np.zeros(200_000, np.int32), np.zeros(200_000, np.int32))
    assert result.pairwise.f == 1


def test_nothing_cannot_be_evaluated() -> None:
    with pytest.raises(ValueError, match="no faces"):
        evaluate_clusters(np.array([]), np.array([]))
    with pytest.raises(ValueError, match="people must have shape"):
        evaluate_clusters(np.zeros(3), np.zeros(4))
