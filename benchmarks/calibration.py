"""Is a probability of 0.9 right nine times in ten, on people it was not calibrated on?

Claim: calibrated within sexes on one half of LFW's people, pairs of two women of the other half that are
said to be of one person with a probability near 0.9 are so in 88 to 92 of 100 cases, whatever prior is
stated: the odds are those of the group that is hardest. Beside it pairs of two men, who are confused less,
and deepface's way: a logistic curve over the score, of everybody.

    python benchmarks/calibration.py --lfw LFW_DIR --groups GROUPS_CSV [--keep FILE]
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from lfw_faces import embed_lfw, parser
from sklearn.linear_model import LogisticRegression
from timing import exit_code, verdict

from kith.evaluation.labelled import LabelledPhotos
from kith.evaluation.pairs import all_pairs
from kith.workflows.calibrating import fit_calibration
from kith.workflows.evaluating import labels_of_photos

PRIORS = (0.5, 0.1, 0.01)
WINDOW = (0.87, 0.93)
SPLITS = range(10)

Odds = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Print how often what is said is so."""
    arguments = parser(__doc__)
    arguments.add_argument("--groups", type=Path, required=True, help="lfw_groups.csv")
    options = arguments.parse_args()
    embeddings, people = embed_lfw(options)
    labels = labels_of_photos(people.photos, options.lfw, options.groups)
    said: dict[tuple[str, str, float], list[np.ndarray]] = {}
    for seed in SPLITS:
        half = np.random.default_rng(seed).permutation(len(people.names)) < len(people.names) // 2
        known, others = np.flatnonzero(half[people.subjects]), np.flatnonzero(~half[people.subjects])
        calibration = fit_calibration(
            embeddings[known], people.subjects[known], "one half", groups=labels[known], seed=seed
        )
        ways: dict[str, Odds] = {
            "kith": lambda one, fitted=calibration: np.interp(one, fitted.scores, fitted.log_odds),
            "logistic": logistic(*scored_pairs(embeddings, people, known, seed)),
        }
        for group in np.unique(labels):
            scores, mated = scored_pairs(embeddings, people, others[labels[others] == group], seed)
            for name, odds in ways.items():
                for prior in PRIORS:
                    counts = right(odds(scores), mated, prior)
                    said.setdefault((name, str(group), prior), []).append(counts)
    print(
        f"said to be one person with probability {WINDOW[0]} to {WINDOW[1]}; {len(SPLITS)} splits by people"
    )
    met = []
    for (name, group, prior), counts in said.items():
        hits, misses, mean = np.sum(counts, axis=0)
        share = hits / (hits + misses)
        met += [0.88 <= share <= 0.92] if (name, group) == ("kith", "female") else []
        print(
            f"  {name:9} {group:7} prior {prior:<5}: right {share:.1%}, "
            f"said on average {mean / (hits + misses):.1%}"
        )
    print(f"right in 88 to 92 of 100 cases, under each prior: {verdict(all(met))}")
    sys.exit(exit_code(met))


def scored_pairs(
    embeddings: np.ndarray, people: LabelledPhotos, rows: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of pairs among some photos, and whether each is mated."""
    numbers = np.unique(people.subjects[rows], return_inverse=True)[1]
    some = LabelledPhotos(tuple(people.photos[row] for row in rows), numbers, people.names)
    protocol = all_pairs(some, seed=seed)
    first, second = embeddings[rows[protocol.pairs]].transpose(1, 0, 2)
    return np.einsum("nd,nd->n", first, second), protocol.mated


def logistic(scores: np.ndarray, mated: np.ndarray) -> Odds:
    """Log odds by a logistic curve, each kind of pair weighing the same."""
    curve = LogisticRegression(C=1e6, class_weight="balanced").fit(scores[:, np.newaxis] * 50, mated)
    return lambda one: np.asarray(curve.decision_function(one[:, np.newaxis] * 50))


def right(log_odds: np.ndarray, mated: np.ndarray, prior: float) -> np.ndarray:
    """Weights of mated and of non-mated pairs in the window, and of what was said: (3,)."""
    probability = 1 / (1 + np.exp(-(log_odds + np.log(prior / (1 - prior)))))
    weight = np.where(mated, prior / mated.sum(), (1 - prior) / (~mated).sum())
    weight = weight * ((probability >= WINDOW[0]) & (probability < WINDOW[1]))
    return np.array([weight[mated].sum(), weight[~mated].sum(), weight @ probability])


if __name__ == "__main__":
    main()
