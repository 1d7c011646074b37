"""Could a gallery change its model without its photos? A linear map from one model's embeddings to another's.

Claim: with a map learned from 1,549 photos of people in no LFW pair, templates of `kith-mini` compare with
the default model's better than among themselves, and worse than the default's do. The two are no strangers:
one taught the other, and a map between models that never met is not shown by this (decision 10).

    python benchmarks/harmonic.py --lfw LFW_DIR --pairs PAIRS_FILE [--keep FILE] [--keep-mini FILE]
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from lfw_faces import parser

from kith import Recognizer
from kith.decisions.decide import threshold_at_fmr
from kith.evaluation.lfw import read_lfw_pairs
from kith.workflows.acquiring import acquire
from kith.workflows.people_folders import read_people

FMRS = (1e-3, 1e-4)
RIDGE = 1e-3  # of the mean variance
LEARNED_FROM = (200, 500, 1549)
HELD_OUT = 6  # the first of the folds whose people kith-mini never saw

Map = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Print true match rates within and across the two models."""
    arguments = parser(__doc__)
    arguments.add_argument("--pairs", type=Path, required=True)
    arguments.add_argument("--keep-mini", type=Path)
    options = arguments.parse_args()
    people = read_people(options.lfw)
    default, mini = (
        acquire(Recognizer.from_pretrained(model), people.photos, keep=keep).embeddings
        for model, keep in (("dlib-resnet29", options.keep), ("kith-mini", options.keep_mini))
    )
    protocol = read_lfw_pairs(options.lfw, options.pairs)
    folds = protocol.folds if protocol.folds is not None else np.zeros(len(protocol.pairs))
    place = {photo: row for row, photo in enumerate(people.photos)}
    rows = np.array([place[photo] for photo in protocol.photos])
    held = np.unique(rows[protocol.pairs[folds >= HELD_OUT]])
    outside = np.flatnonzero(~np.isin(people.subjects, people.subjects[rows]))
    subjects = people.subjects[held]
    print(f"{len(held)} photos of {len(np.unique(subjects))} people; TAR at FMR " + ", ".join(map(str, FMRS)))
    print_row("default with default", default[held], default[held], subjects)
    print_row("kith-mini with kith-mini", mini[held], mini[held], subjects)
    print_row("kith-mini with default, no map", mini[held], default[held], subjects)
    for count in LEARNED_FROM:
        mapped = learn(mini[outside[:count]], default[outside[:count]])(mini[held])
        print_row(f"kith-mini mapped, from {count} photos", mapped, default[held], subjects)


def learn(source: np.ndarray, target: np.ndarray) -> Map:
    """Ridge regression between centred embeddings, and back to unit length."""
    centre, goal = source.mean(axis=0), target.mean(axis=0)
    centred = source - centre
    variance = centred.T @ centred
    weights = np.linalg.solve(
        variance + RIDGE * np.trace(variance) / len(variance) * np.eye(len(variance)),
        centred.T @ (target - goal),
    )

    def apply(embeddings: np.ndarray) -> np.ndarray:
        mapped = (embeddings - centre) @ weights + goal
        return mapped / np.linalg.norm(mapped, axis=1, keepdims=True)

    return apply


def print_row(name: str, probes: np.ndarray, references: np.ndarray, subjects: np.ndarray) -> None:
    """True match rates of all pairs of two photos."""
    scores = probes @ references.T
    same = subjects[:, np.newaxis] == subjects
    mated = scores[same & ~np.eye(len(same), dtype=bool)]
    thresholds = [threshold_at_fmr(scores[~same], fmr) for fmr in FMRS]
    rates = "  ".join(f"{np.mean(mated >= threshold):6.1%}" for threshold in thresholds)
    print(f"  {name:36} {rates}", flush=True)


if __name__ == "__main__":
    main()
