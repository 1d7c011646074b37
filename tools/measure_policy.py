"""The thresholds of a model at wanted false match rates, measured on the photos of LFW's pairs.

Every photo is compared with every photo of another person, about 30 million non-mated pairs, so that rates
down to 1e-5 are shown and not extrapolated. What it prints stands in `kith.weights.catalogue`.

    python tools/measure_policy.py LFW_DIR PAIRS_FILE [MODEL]
"""

import argparse
from pathlib import Path

import numpy as np

from kith import Recognizer, load_image
from kith.comparison import score_all
from kith.detection import central_face
from kith.errors import NoFaceFound
from kith.evaluation.protocols import read_lfw_pairs

RATES = (1e-2, 1e-3, 1e-4, 5e-5, 1e-5)
BINS = 40_000  # steps of 0.00005: finer than a threshold needs, and nothing has to be sorted
AT_ONCE = 500


def main() -> None:
    """Print a threshold and the share of mated pairs that reach it, for each rate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lfw", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("model", nargs="?", default="dlib-resnet29")
    arguments = parser.parse_args()
    recognizer = Recognizer.from_pretrained(arguments.model)
    photos = read_lfw_pairs(arguments.lfw, arguments.pairs).photos
    embeddings, names = embed(recognizer, photos)
    mated, non_mated = count_scores(embeddings, np.unique(names, return_inverse=True)[1])
    print(f"{len(embeddings)} photos of {len(set(names))} people, {non_mated.sum():,} non-mated pairs")
    edges = np.linspace(-1, 1, BINS + 1)[:-1]
    for rate in RATES:
        reached = np.cumsum(non_mated[::-1])[::-1] / non_mated.sum()
        place = int(np.argmax(reached <= rate))
        share = mated[place:].sum() / mated.sum()
        print(f"FMR {rate:g}: threshold {edges[place]:.4f}, {share:.1%} of {mated.sum():,} mated pairs match")


def embed(recognizer: Recognizer, photos: tuple[Path, ...]) -> tuple[np.ndarray, list[str]]:
    """Embeddings (n, d) of the photos' central faces, and their people's names."""
    rows, names = [], []
    for photo in photos:
        image = load_image(photo)
        try:
            face = central_face(recognizer.detect(image), image.shape)
        except NoFaceFound:
            continue
        rows.append(recognizer.embed(recognizer.align(image, [face]))[0])
        names.append(photo.parent.name)
    return np.array(rows), names


def count_scores(embeddings: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Histograms (BINS,) of all mated and of all non-mated pairs' scores, -1 to 1."""
    mated, non_mated = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    places = np.arange(len(embeddings))
    for start in range(0, len(embeddings), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        scores = np.clip(score_all(embeddings[part], embeddings), -1, 1)
        once = places[part, np.newaxis] < places
        same = labels[part, np.newaxis] == labels
        mated += np.histogram(scores[once & same], BINS, (-1, 1))[0]
        non_mated += np.histogram(scores[once & ~same], BINS, (-1, 1))[0]
    return mated, non_mated


if __name__ == "__main__":
    main()
