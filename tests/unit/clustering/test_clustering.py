import itertools

import numpy as np
import pytest

from kith.clustering import Clustering, ConflictingLinks, cluster, inherit
from kith.clustering.algorithm import LOWEST_CROWD, MARGIN, REACH
from kith.clustering.crowd import STRANGERS
from kith.clustering.links import joined, renumber
from kith.clustering.neighbors import nearest_pairs

THRESHOLD = 0.6
NO_PAIRS = np.empty((0, 2), np.int64)


def people(
    seed: int, sizes: list[int], spread: float = 0.35, dimensions: int = 16
) -> tuple[np.ndarray, np.ndarray]:
    """Made-up faces of people: unit embeddings around each person's own, and whose each is."""
    random = np.random.default_rng(seed)
    own = random.standard_normal((len(sizes), dimensions))
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    whose = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    noise = random.standard_normal((len(whose), dimensions)) / np.sqrt(dimensions)
    faces = own[whose] + spread * noise
    return (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32), whose


def same(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two labellings are the same partition."""
    return np.array_equal(first[:, None] == first, second[:, None] == second)


# the plain way, pair by pair


def plain(
    X: np.ndarray,
    before: list[int] | None = None,
    crowds: list[float] | None = None,
    owners: list[int] | None = None,
    apart: np.ndarray = NO_PAIRS,
    together: np.ndarray = NO_PAIRS,
) -> tuple[list[set[int]], list[float]]:
    """Clusters of a few faces, every pair of groups compared in every round."""
    n, unit = len(X), 1 - THRESHOLD
    S = X.astype(np.float64) @ X.astype(np.float64).T
    before = before or [-1] * n
    owners = owners or [0] * n
    new = {face for face in range(n) if before[face] < 0}
    crowds = [THRESHOLD if face in new else crowds[face] for face in range(n)]
    atoms = [
        {face for face in range(n) if before[face] == label} for label in sorted(set(before)) if label >= 0
    ]
    atoms += [{face} for face in sorted(new)]
    for first, second in together:
        (a,) = [atom for atom in atoms if first in atom]
        (b,) = [atom for atom in atoms if second in atom]
        if a is not b:
            atoms = [atom for atom in atoms if atom is not a and atom is not b] + [a | b]
    floor = 1 - LOWEST_CROWD * unit

    def score(a: set[int], b: set[int]) -> float:
        return float(np.mean([S[i, j] for i in a for j in b]))

    def gain(a: set[int], b: set[int]) -> float:
        whose = {owners[face] for face in a | b} - {0}
        if len(whose) > 1 or any({i, j} & a and {i, j} & b for i, j in apart.tolist()):
            return -np.inf
        if not (a | b) & new or score(a, b) < 1 - REACH * unit:
            return -np.inf
        crowd = (np.mean([crowds[i] for i in a]) + np.mean([crowds[i] for i in b])) / 2
        return score(a, b) - crowd - MARGIN * unit * (1 / len(a) + 1 / len(b)) / 2

    def linked() -> list[set[int]]:
        groups = sorted(atoms, key=min)
        while True:
            gains = {
                (i, j): gain(groups[i], groups[j]) for i, j in itertools.combinations(range(len(groups)), 2)
            }
            order = sorted(
                (pair for pair in gains if gains[pair] >= 0), key=lambda pair: (-gains[pair], pair)
            )
            first = {i: next(pair for pair in order if i in pair) for pair in order for i in pair}
            mutual = [(i, j) for i, j in order if first[i] == first[j] == (i, j)]
            if not mutual:
                return groups
            gone = {i for pair in mutual for i in pair}
            rest = [group for i, group in enumerate(groups) if i not in gone]
            groups = sorted(rest + [groups[i] | groups[j] for i, j in mutual], key=min)

    groups = linked()
    for _ in range(2 if len(new) == n else 1):
        for face in new:
            strangers = [score({face}, group) for group in groups if face not in group]
            nearest = sorted([max(value, floor) for value in strangers] + [floor] * STRANGERS)[-STRANGERS:]
            crowds[face] = float(np.mean(nearest))
        groups = linked()
    return groups, crowds


def labels_of(groups: list[set[int]], n: int) -> np.ndarray:
    return np.array([next(k for k, group in enumerate(groups) if face in group) for face in range(n)])


@pytest.mark.parametrize("seed", range(12))
def test_the_same_as_pair_by_pair(seed: int) -> None:
    X, _ = people(seed, [5, 4, 3, 2, 1, 1, 1], spread=0.5 + 0.06 * seed)
    groups, crowds = plain(X)
    found = cluster(X, THRESHOLD)
    assert same(found.labels, labels_of(groups, len(X)))
    np.testing.assert_allclose(found.crowds, crowds, atol=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_the_same_as_pair_by_pair_with_links(seed: int) -> None:
    X, whose = people(seed, [4, 4, 3, 2, 2], spread=0.8)
    random = np.random.default_rng(seed)
    pairs = random.permutation(list(itertools.combinations(range(len(X)), 2)))
    mated = whose[pairs[:, 0]] == whose[pairs[:, 1]]
    together, apart = pairs[mated][:3], pairs[~mated][:20]
    owners = np.where(random.random(len(X)) < 0.3, whose + 1, 0)
    groups, _ = plain(X, owners=owners.tolist(), apart=apart, together=together)
    found = cluster(X, THRESHOLD, owners=owners, apart=apart, together=together)
    assert same(found.labels, labels_of(groups, len(X)))


@pytest.mark.parametrize("seed", range(8))
def test_the_same_as_pair_by_pair_when_faces_are_added(seed: int) -> None:
    X, _ = people(seed, [5, 4, 3, 3, 1], spread=0.75)
    first = cluster(X[:10], THRESHOLD)
    before = Clustering(np.append(first.labels, [-1] * 6), np.append(first.crowds, [0.0] * 6))
    groups, _ = plain(X, before=before.labels.tolist(), crowds=before.crowds.tolist())
    assert same(cluster(X, THRESHOLD, before=before).labels, labels_of(groups, len(X)))


# what it is for


def test_people_who_are_well_apart_are_found() -> None:
    X, whose = people(0, [40, 20, 10, 5, 2, 1, 1, 1, 1], spread=0.3, dimensions=64)
    assert same(cluster(X, THRESHOLD).labels, whose)


def test_more_copies_of_a_face_than_it_has_neighbours_do_not_hide_the_others() -> None:
    X, whose = people(1, [4, 3], spread=0.3, dimensions=64)
    burst = np.repeat(X, 60, axis=0)
    assert same(cluster(burst, THRESHOLD).labels, np.repeat(whose, 60))


def test_two_faces_of_one_photo_are_never_together() -> None:
    X, _ = people(2, [6], spread=0.1)
    apart = np.array([[0, 1], [2, 3]])
    labels = cluster(X, THRESHOLD, apart=apart).labels
    assert (labels[apart[:, 0]] != labels[apart[:, 1]]).all()
    assert len(np.unique(labels)) == 2


def test_faces_that_must_be_together_are() -> None:
    X, _ = people(3, [1, 1, 1], spread=0)
    labels = cluster(X, THRESHOLD, together=np.array([[0, 2]])).labels
    assert labels.tolist() == [0, 1, 0]


def test_links_that_contradict_each_other_are_refused() -> None:
    X, _ = people(4, [3], spread=0.1)
    with pytest.raises(ConflictingLinks) as raised:
        cluster(X, THRESHOLD, together=np.array([[0, 1], [1, 2]]), apart=np.array([[2, 0]]))
    assert raised.value.pair == (2, 0)


@pytest.mark.parametrize("seed", range(6))
def test_added_faces_change_no_cluster_that_they_do_not_join(seed: int) -> None:
    X, _ = people(seed, [30, 20, 10, 8, 5, 5, 3, 2, 2, 1, 1, 1, 1], spread=0.85)
    old = 60
    first = cluster(X[:old], THRESHOLD)
    new = len(X) - old
    after = cluster(
        X,
        THRESHOLD,
        before=Clustering(np.append(first.labels, [-1] * new), np.append(first.crowds, [0.0] * new)),
    )
    np.testing.assert_array_equal(after.crowds[:old], first.crowds)
    joined_by_new = set(after.labels[old:].tolist())
    untouched = 0
    for label in range(first.labels.max() + 1):
        members = np.flatnonzero(first.labels == label)
        now = set(after.labels[members].tolist())
        assert len(now) == 1, "no cluster falls apart"
        if not now & joined_by_new:
            untouched += 1
            assert np.array_equal(np.flatnonzero(after.labels == now.pop()), members)
    assert untouched


def test_nothing_new_changes_nothing() -> None:
    X, _ = people(5, [9, 5, 3], spread=0.9)
    found = cluster(X, THRESHOLD)
    again = cluster(X, THRESHOLD, before=found)
    np.testing.assert_array_equal(again.labels, found.labels)
    np.testing.assert_array_equal(again.crowds, found.crowds)


# edges


def test_no_face_and_one_face() -> None:
    assert cluster(np.empty((0, 8), np.float32), THRESHOLD).labels.tolist() == []
    assert cluster(np.eye(8, dtype=np.float32)[:1], THRESHOLD).labels.tolist() == [0]


def test_equal_faces_are_one_cluster() -> None:
    X = np.tile(np.eye(8, dtype=np.float32)[:1], (50, 1))
    assert cluster(X, THRESHOLD).labels.tolist() == [0] * 50


def test_ties_fall_the_same_way_every_time() -> None:
    X = np.repeat(np.eye(8, dtype=np.float32), 3, axis=0)
    assert same(cluster(X, THRESHOLD).labels, np.repeat(np.arange(8), 3))


def test_labels_are_numbered_by_their_first_faces() -> None:
    X, _ = people(6, [3, 3, 3, 1, 1], spread=0.7)
    labels = cluster(X, THRESHOLD).labels
    firsts = [int(np.flatnonzero(labels == label)[0]) for label in range(labels.max() + 1)]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("threshold", [1.0, -1.5])
def test_a_threshold_is_a_cosine_below_one(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold must be a cosine"):
        cluster(np.eye(4, dtype=np.float32), threshold)


def test_shapes_are_told() -> None:
    with pytest.raises(ValueError, match=r"apart must have shape \(n, 2\)"):
        cluster(np.eye(4, dtype=np.float32), THRESHOLD, apart=np.zeros(3, np.int64))
    with pytest.raises(ValueError, match=r"labels must have shape \(4\)"):
        cluster(np.eye(4, dtype=np.float32), THRESHOLD, before=Clustering(np.zeros(3, np.int64), np.zeros(3)))


# parts


@pytest.mark.parametrize("count", [1, 3, 100])
def test_nearest_pairs(count: int) -> None:
    X, _ = people(7, [6, 5, 4], spread=1)
    probes = np.array([0, 3, 4, 11])
    expected = set()
    for probe in probes.tolist():
        scores = [(float(X[probe] @ X[other]), other) for other in range(len(X)) if other != probe]
        near = sorted(scores, reverse=True)[:count]
        expected |= {(min(probe, other), max(probe, other)) for score, other in near if score >= 0.2}
    assert [tuple(pair) for pair in nearest_pairs(X, probes, count, 0.2).tolist()] == sorted(expected)


def test_joined_through_others() -> None:
    pairs = np.array([[4, 2], [2, 0], [5, 5]])
    assert joined(6, pairs).tolist() == [0, 1, 0, 2, 0, 3]
    assert joined(3, NO_PAIRS).tolist() == [0, 1, 2]


def test_renumber() -> None:
    assert renumber(np.array([7, 3, 7, 9, 3])).tolist() == [0, 1, 0, 2, 1]


def test_the_larger_part_keeps_the_number() -> None:
    labels, ids = np.array([0, 0, 0, 1, 1, 2]), np.array([5, 5, 5, 5, 5, 0])
    assert inherit(labels, ids, np.zeros(6, np.int64)).tolist() == [5, 0, 0]


def test_of_two_that_became_one_the_larger_gives_the_number() -> None:
    labels, ids = np.zeros(5, np.int64), np.array([9, 9, 9, 4, 4])
    assert inherit(labels, ids, np.zeros(5, np.int64)).tolist() == [9]


def test_of_two_that_became_one_the_named_gives_the_number() -> None:
    labels, ids = np.zeros(5, np.int64), np.array([9, 9, 9, 4, 4])
    assert inherit(labels, ids, np.array([0, 0, 0, 2, 2])).tolist() == [4]


def test_of_equals_the_older_gives_the_number() -> None:
    labels, ids = np.zeros(4, np.int64), np.array([9, 9, 4, 4])
    assert inherit(labels, ids, np.zeros(4, np.int64)).tolist() == [4]


def test_nobody_inherits_from_nobody() -> None:
    assert inherit(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []
