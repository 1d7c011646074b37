"""What a network says of the sample people, before anyone relies on it."""

import numpy as np
import pytest

from kith.errors import UnsupportedFile
from kith.workflows.first_calibration import discernment, require_embeddings


def rows(count: int, noise: float, seed: int = 0) -> np.ndarray:
    """Embeddings around one direction."""
    generator = np.random.default_rng(seed)
    embeddings = np.ones((count, 16)) / 4 + noise * generator.standard_normal((count, 16))
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


@pytest.mark.parametrize("noise", [1.0, 0.02])
def test_embeddings_that_differ(noise: float) -> None:
    require_embeddings(rows(20, noise))


@pytest.mark.parametrize(
    ("embeddings", "complaint"),
    [
        (np.where(np.arange(20)[:, np.newaxis] == 7, np.nan, rows(20, 1)), "not finite"),
        (np.where(np.arange(20)[:, np.newaxis] == 7, np.inf, rows(20, 1)), "not finite"),
        (np.zeros((20, 16)), "are zeros"),
        (np.where(np.arange(20)[:, np.newaxis] == 7, 0, rows(20, 1)), "are zeros"),
        (rows(20, 0.001), "the same for every face"),
        (rows(20, 0) * np.where(np.arange(20) % 2, 1, -1)[:, np.newaxis], "the same for every face"),
    ],
)
def test_embeddings_that_say_nothing(embeddings: np.ndarray, complaint: str) -> None:
    with pytest.raises(UnsupportedFile, match=complaint):
        require_embeddings(embeddings)


def test_discernment_is_the_share_of_mated_pairs_that_score_higher() -> None:
    people = np.repeat(np.arange(6), 4)
    embeddings = rows(24, 1.0) + np.eye(16)[people]
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    scores = embeddings @ embeddings.T
    mated = [scores[i, j] for i in range(24) for j in range(i) if people[i] == people[j]]
    others = [scores[i, j] for i in range(24) for j in range(i) if people[i] != people[j]]
    higher = np.mean([one > other for one in mated for other in others])
    assert discernment(embeddings, people) == pytest.approx(higher)
    assert 0.6 < higher < 1
    assert discernment(np.eye(16)[people], people) == 1
