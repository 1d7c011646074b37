"""Whether a linear map turns one model's embeddings into another's, well enough to migrate without photos.

The map is learned by least squares on people who appear in no LFW pair, and tried on LFW's pairs: an old
template, mapped, against a new one. Decision 7 quotes what it prints.

    python tools/measure_linear_map.py PAIRS_FILE OLD.npz NEW.npz

Each .npz holds `embeddings` (n, d) and `names` (n,): PERSON/PERSON_0001.jpg, the same photos in both.
"""

import argparse
from pathlib import Path

import numpy as np

from kith.comparison import score_pairs
from kith.embedding import normalize
from kith.evaluation.verification import evaluate_pairs

RIDGE = 1e-2  # of the mean variance: there are fewer photos to learn from than a map has numbers


def main() -> None:
    """Print accuracy and TAR at FMR 1e-3 for every way of comparing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    arguments = parser.parse_args()
    old, new = np.load(arguments.old), np.load(arguments.new)
    names = [str(name) for name in old["names"]]
    if names != [str(name) for name in new["names"]]:
        parser.error("the two files are not of the same photos")
    first, second, mated = read_pairs(arguments.pairs, {name: row for row, name in enumerate(names)})
    tested = {names[row].partition("/")[0] for row in (*first, *second)}
    learn = np.array([name.partition("/")[0] not in tested for name in names])
    a, b = normalize(old["embeddings"]), normalize(new["embeddings"])
    mapped = normalize(fit(a[learn], b[learn])(a))
    print(f"learned on {learn.sum()} photos of people in no pair; {len(mated)} pairs")
    print(f"mean cosine of mapped to new, other people: {float(score_pairs(mapped, b)[~learn].mean()):.3f}")
    folds = np.arange(len(mated)) // (len(mated) // 10)
    for what, left, right in (
        ("old with old", a, a),
        ("new with new", b, b),
        ("mapped with mapped", mapped, mapped),
        ("mapped old with new", mapped, b),
    ):
        result = evaluate_pairs(score_pairs(left[first], right[second]), mated, folds)
        tar, threshold = result.tar_at_fmr[0.001], result.threshold_at_fmr[0.001]
        print(f"{what}: accuracy {result.accuracy_mean:.2%}, TAR {tar:.1%} at FMR 1e-3 ({threshold:.3f})")


def fit(source: np.ndarray, target: np.ndarray):  # noqa: ANN201  a function of one array
    """The affine map from source (n, d) to target (n, e), by ridge regression."""
    mean, goal = source.mean(axis=0), target.mean(axis=0)
    centred = (source - mean).astype(np.float64)
    ridge = RIDGE * np.trace(centred.T @ centred) / centred.shape[1]
    gram = centred.T @ centred + ridge * np.eye(centred.shape[1])
    weights = np.linalg.solve(gram, centred.T @ (target - goal))
    return lambda rows: ((rows - mean) @ weights + goal).astype(np.float32)


def read_pairs(path: Path, rows: dict[str, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of both photos of each pair, and whether they are of one person."""
    first, second, mated = [], [], []
    for line in path.read_text().splitlines()[1:]:
        name, *rest = line.split("\t")
        other = rest[1] if len(rest) == 3 else name
        first.append(rows[photo(name, rest[0])])
        second.append(rows[photo(other, rest[-1])])
        mated.append(other == name)
    return np.array(first), np.array(second), np.array(mated)


def photo(name: str, number: str) -> str:
    """Its place in LFW."""
    return f"{name}/{name}_{int(number):04d}.jpg"


if __name__ == "__main__":
    main()
