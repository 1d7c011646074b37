"""Do two embedders together beat the better one of them?

A study without a target: the scores of two models are combined, and the true acceptance rate of all pairs of
LFW is compared with that of the better model, at one threshold each. The interval is of the difference, by a
bootstrap over people that draws the same people for both. What a way learns, it learns on one half of the
people; the other half is what it is measured on, and then the other way round.

    mean      of both cosines: the cosine of both embeddings written one behind the other
    standard  sum of the scores, each divided by the deviation of the non-mated (nothing is taken away: one
              threshold fits all)
    odds      sum of the scores, weighted as a logistic curve over both finds best

    python benchmarks/fusion.py --lfw LFW_DIR --keep FOLDER FIRST_MODEL SECOND_MODEL

FOLDER/MODEL.npz holds a model's `embeddings`, what was `acquired`, and the `subjects`; it is made if missing.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from kith import Recognizer
from kith.workflows.acquiring import acquire
from kith.workflows.people_folders import read_people

FMRS = (1e-3, 1e-4)
REPLICATES = 200
MOST_MATED = 100  # pairs of one person
TAIL = 5e-3  # of the non-mated pairs: more than any threshold of a replicate needs
AT_ONCE = 500


class Half(NamedTuple):
    """Embeddings (n, d) of two models of some people's photos, and whom each shows (n,), from 0."""

    first: np.ndarray
    second: np.ndarray
    subjects: np.ndarray


class Pairs(NamedTuple):
    """Both models' scores (n, 2) of some pairs, and their people (n, 2)."""

    scores: np.ndarray
    people: np.ndarray


def main() -> None:
    """Print rates of each model and of each way, and the differences to the better model."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--lfw", type=Path, required=True, help="LFW's folder, one folder a person")
    arguments.add_argument("--keep", type=Path, required=True, help="a folder for embeddings")
    arguments.add_argument("models", nargs=2)
    options = arguments.parse_args()
    halves = split(*(embeddings_of(model, options.lfw, options.keep) for model in options.models))
    mated = [mated_pairs(half) for half in halves]
    learned = [weights_of(half, pairs) for half, pairs in zip(halves, mated, strict=True)][::-1]
    names = [*options.models, *learned[0]]
    found = np.mean(
        [
            measure(half, pairs, {options.models[0]: (1, 0), options.models[1]: (0, 1)} | ways)
            for half, pairs, ways in zip(halves, mated, learned, strict=True)
        ],
        axis=0,
    )  # (replicates, ways, rates); the first replicate is the data themselves
    for ways in learned:
        print("  weights: " + ", ".join(f"{name} {a:.2f} : {b:.2f}" for name, (a, b) in ways.items()))
    for place, fmr in enumerate(FMRS):
        better = int(np.argmax(found[0, :2, place]))
        print(f"at FMR {fmr:g}; the better model is {names[better]}")
        for way, name in enumerate(names):
            gain = found[:, way, place] - found[:, better, place]
            low, high = np.quantile(gain[1:], [0.025, 0.975])
            told = f"{gain[0]:+.2%} [{low:+.2%}, {high:+.2%}]{', beats it' if low > 0 else ''}"
            print(f"  {name:24} TAR {found[0, way, place]:.2%}  {told}", flush=True)


def embeddings_of(model: str, lfw: Path, keep: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings (n, d), which were acquired (n,), and whom each photo shows (n,)."""
    path = keep / f"{model}.npz"
    if not path.exists():
        people = read_people(lfw)
        made = acquire(Recognizer.from_pretrained(model), people.photos)
        np.savez(path, embeddings=made.embeddings, acquired=made.acquired, subjects=people.subjects)
    with np.load(path) as kept:
        return kept["embeddings"], kept["acquired"], kept["subjects"]


def split(*models: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[Half, Half]:
    """The people in two random halves; photos in which a model found no face are left out for both."""
    (first, acquired, subjects), (second, also, _) = models
    inside = np.random.default_rng(0).permutation(subjects.max() + 1) % 2 == 0
    halves = []
    for half in (inside, ~inside):
        rows = np.flatnonzero(half[subjects] & acquired & also)
        numbers = np.unique(subjects[rows], return_inverse=True)[1]
        halves.append(Half(first[rows], second[rows], numbers))
    return halves[0], halves[1]


def mated_pairs(half: Half) -> Pairs:
    """Pairs of one person, up to `MOST_MATED` of each."""
    generator = np.random.default_rng(0)
    rows = []
    for subject in np.unique(half.subjects):
        members = np.flatnonzero(half.subjects == subject)
        pairs = members[np.stack(np.triu_indices(len(members), 1), axis=1)]
        rows.append(generator.permutation(pairs)[:MOST_MATED])
    first, second = np.concatenate(rows).T
    scores = [np.sum(one[first] * one[second], axis=1) for one in (half.first, half.second)]
    return Pairs(np.stack(scores, axis=1), np.stack([half.subjects[first], half.subjects[second]], axis=1))


def weights_of(half: Half, mated: Pairs) -> dict[str, tuple[float, float]]:
    """The weight of each model's score in each way of combining them, learned here."""
    rows = np.random.default_rng(1).integers(len(half.subjects), size=(1_000_000, 2))
    rows = rows[half.subjects[rows[:, 0]] != half.subjects[rows[:, 1]]]
    non_mated = np.stack(
        [np.sum(one[rows[:, 0]] * one[rows[:, 1]], axis=1) for one in (half.first, half.second)], axis=1
    )
    both = np.concatenate([mated.scores, non_mated])
    is_mated = np.arange(len(both)) < len(mated.scores)
    curve = LogisticRegression(C=1e6, class_weight="balanced", tol=1e-6).fit(10 * both, is_mated)
    return {
        "mean": (0.5, 0.5),
        "standard": _ratio(1 / non_mated.std(axis=0)),
        "odds": _ratio(np.maximum(curve.coef_[0], 0)),
    }


def _ratio(weights: np.ndarray) -> tuple[float, float]:
    first, second = weights / weights.sum()
    return float(first), float(second)


def measure(half: Half, mated: Pairs, ways: dict[str, tuple[float, float]]) -> np.ndarray:
    """True acceptance rates (1 + replicates, ways, FMRs): of the data, and of each draw of people."""
    people = int(half.subjects.max()) + 1
    draws = np.random.default_rng(2).multinomial(people, np.full(people, 1 / people), REPLICATES)
    times = np.concatenate([np.ones((1, people)), draws])
    photos = np.bincount(half.subjects, minlength=people)
    weighted = times * photos
    pairs = (weighted.sum(axis=1) ** 2 - (weighted**2).sum(axis=1)) / 2  # non-mated, of each draw
    rates = np.empty((len(times), len(ways), len(FMRS)))
    for way, weights in enumerate(ways.values()):
        scores, owners = _tail(half, np.asarray(weights))
        same = mated.scores @ np.asarray(weights)
        for draw, (one, total) in enumerate(zip(times, pairs, strict=True)):
            reached = np.cumsum(one[owners[:, 0]] * one[owners[:, 1]])
            counted = one[mated.people[:, 0]]
            for place, fmr in enumerate(FMRS):
                threshold = scores[np.searchsorted(reached, fmr * total, side="right")]
                rates[draw, way, place] = counted[same > threshold].sum() / counted.sum()
    return rates


def _tail(half: Half, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest non-mated scores, descending (n,), and their people (n, 2)."""
    # one embedding whose inner products are the weighted scores
    both = np.concatenate([half.first, half.second], axis=1)
    both = both * np.repeat(np.sqrt(weights), [half.first.shape[1], half.second.shape[1]])
    both = both.astype(np.float32)
    some = np.random.default_rng(3).permutation(len(both))[:2000]
    others = half.subjects[some][:, np.newaxis] != half.subjects[some]
    cut = np.quantile((both[some] @ both[some].T)[others], 1 - TAIL)
    scores, rows = [], []
    for start in range(0, len(both), AT_ONCE):
        block = both[start : start + AT_ONCE] @ both[start:].T
        ours, theirs = np.nonzero(block > cut)
        kept = (theirs > ours) & (half.subjects[start + ours] != half.subjects[start + theirs])
        scores.append(block[ours[kept], theirs[kept]])
        rows.append(np.stack([start + ours[kept], start + theirs[kept]], axis=1))
    found, order = np.concatenate(scores), np.argsort(-np.concatenate(scores))
    return found[order], half.subjects[np.concatenate(rows)[order]]


if __name__ == "__main__":
    main()
