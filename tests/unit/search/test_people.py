from collections.abc import Callable

import numpy as np
import pytest
from made_up_calibration import typical_faces

from kith.decisions.inflation import Inflation
from kith.records import Subject
from kith.search.people import People

Made = tuple[np.ndarray, np.ndarray]


def faces(count: int, photos: int = 3, seed: int = 0) -> Made:
    """Embeddings of people with ids that have gaps, in shuffled order."""
    random = np.random.default_rng(seed)
    X = np.repeat(random.standard_normal((count, 16)), photos, axis=0)
    X = X + 0.4 * random.standard_normal(X.shape)
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    order = random.permutation(len(X))
    return X[order], (np.repeat(np.arange(count), photos) * 3 + 5)[order]


def names(owners: np.ndarray) -> dict[int, Subject]:
    return {int(id): Subject(int(id), f"person {id}") for id in np.unique(owners)}


def equal(one: People, other: People) -> None:
    assert (one.ids == other.ids).all()
    assert (one.owners == other.owners).all()
    assert one.subjects == other.subjects
    order = [np.lexsort(each.references.T) for each in (one, other)]
    assert (one.references[order[0]] == other.references[order[1]]).all()
    np.testing.assert_allclose(one.centroids, other.centroids, atol=1e-6)


def test_a_centroid_is_the_mean_direction() -> None:
    X, owners = faces(4)
    people = People.of(X, owners)
    for position, id in enumerate(people.ids):
        mean = X[owners == id].astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(people.centroids[position], mean / np.linalg.norm(mean), atol=1e-6)


@pytest.mark.parametrize("count", [1, 3, 12, 50])
def test_the_nearest_equal_a_plain_sort(count: int) -> None:
    X, owners = faces(30)
    people = People.of(X, owners)
    positions, cosines = people.nearest(X[:7], count)
    assert positions.shape == cosines.shape == (7, min(count, 30))
    for row in range(7):
        scores = people.centroids @ X[row]
        expected = sorted(range(30), key=lambda place: -scores[place])[:count]
        assert positions[row].tolist() == expected
        np.testing.assert_allclose(cosines[row], scores[expected], atol=1e-6)


@pytest.mark.parametrize("count", [1, 3, 12, 50])
def test_the_nearest_by_reference_equal_a_plain_loop(count: int) -> None:
    X, owners = faces(30)
    X, owners = (
        np.concatenate([X, np.tile(X[:1], (40, 1))]),
        np.append(owners, [owners[0]] * 40),
    )  # one has most
    people = People.of(X, owners)
    positions, cosines = people.nearest_by_reference(X[:7], count)
    for row in range(7):
        best = [
            max(float(X[row] @ x) for x, owner in zip(X, owners, strict=True) if owner == id)
            for id in people.ids
        ]
        expected = sorted(range(30), key=lambda place: -best[place])[:count]
        assert positions[row].tolist() == expected
        np.testing.assert_allclose(cosines[row], np.array(best)[expected], atol=1e-6)


def test_of_people_exactly_alike_a_person_itself_is_no_other() -> None:
    X = np.zeros((9, 4), np.float32)
    X[:, 0] = 1
    everyone = People.of(X, np.arange(9))
    found = everyone.near_others(np.arange(9), typical_faces(4), Inflation())
    np.testing.assert_allclose(found, 1, atol=1e-6)


def test_what_was_found_of_one_cohort_is_not_told_of_another() -> None:
    people, some = People.of(*faces(20)), np.arange(3)
    size = people.centroids.shape[1]
    few, many = typical_faces(size, 3), typical_faces(size, 300)
    apart = [People.of(*faces(20)).near_others(some, cohort, Inflation()) for cohort in (few, many)]
    assert (apart[0] < apart[1]).any()
    for cohort, expected in zip((few, many, few), (*apart, apart[0]), strict=True):
        np.testing.assert_allclose(people.near_others(some, cohort, Inflation()), expected)


def change(edit: Callable[[np.ndarray, np.ndarray], Made], ids: list[int]) -> tuple[People, People]:
    """People after a change, followed and made anew."""
    X, owners = faces(8)
    before = People.of(X, owners, names(owners))
    after, whose = edit(X, owners)
    mine = np.isin(whose, ids)
    followed = before.with_changed(
        np.array(ids), after[mine], whose[mine], {id: one for id, one in names(whose).items() if id in ids}
    )
    return followed, People.of(after, whose, names(whose))


@pytest.mark.parametrize(
    ("edit", "ids"),
    [
        (lambda X, y: (np.concatenate([X, faces(1, seed=9)[0]]), np.append(y, [7, 7, 7])), [7]),  # came
        (
            lambda X, y: (np.concatenate([X, faces(1, seed=9)[0]]), np.append(y, [99, 99, 99])),
            [99],
        ),  # came last
        (
            lambda X, y: (np.concatenate([X, faces(1, seed=9)[0]]), np.append(y, [8, 8, 8])),
            [8],
        ),  # more photos
        (lambda X, y: (X[y != 11], y[y != 11]), [11]),  # went
        (lambda X, y: (X, np.where(y == 5, 14, y)), [5, 14]),  # merged
        (lambda X, y: (X[:0], y[:0]), sorted(set(faces(8)[1].tolist()))),  # all went
        (lambda X, y: (X, y), [5, 26]),  # nothing but names
    ],
)
def test_following_a_change_equals_making_anew(edit: Callable[..., Made], ids: list[int]) -> None:
    equal(*change(edit, ids))


def test_a_rename_computes_nothing_anew_of_others() -> None:
    X, owners = faces(8)
    before = People.of(X, owners, names(owners))
    mine = owners == 5
    after = before.with_changed(np.array([5]), X[mine], owners[mine], {5: Subject(5, "Ada")})
    assert after.subjects[5].name == "Ada"
    assert before.subjects[5].name == "person 5", "what others hold does not change"
    assert (after.centroids == before.centroids).all()


def test_nobody() -> None:
    nobody = People.of(np.empty((0, 0), np.float32), np.empty(0, np.int64), {})
    assert len(nobody) == 0
    someone = nobody.with_changed(
        np.array([1]), np.eye(3, dtype=np.float32)[:1], np.array([1]), {1: Subject(1, "Ada")}
    )
    assert (len(someone), someone.subject(0).name) == (1, "Ada")
