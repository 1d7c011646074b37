"""kith-mini beside the model that taught it: accuracy on people it never saw, speed, and size.

Claim: at least 97.5 % on the pairs of LFW's folds 7 to 10, whose people it did not learn from; a face is
embedded at least twice as fast as by its teacher, both in int8; the weights are at most 2 MB.

    python benchmarks/mini.py --lfw LFW_DIR [--pairs PAIRS_FILE] [--keep FILE] [--keep-mini FILE]
"""

import sys
from pathlib import Path

import numpy as np
from lfw_faces import parser
from timing import exit_code, interleave, report, verdict

from kith import Recognizer, load_image
from kith.decisions.cosine import score_pairs
from kith.evaluation.lfw import read_lfw_pairs
from kith.evaluation.verification import evaluate_folds
from kith.sample_people import photos as sample_photos
from kith.workflows.acquiring import acquire

TEACHER, STUDENT = "dlib-resnet29", "kith-mini"
ACCURACY, RATIO, MOST_BYTES = 0.975, 2.0, 2_000_000
HELD_OUT = 6  # the first of the folds whose people the student never saw
FACES = 12


def main() -> None:
    """Print accuracy, speed and size; exit code 1 where a claim is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--pairs", type=Path)
    arguments.add_argument("--keep-mini", type=Path)
    options = arguments.parse_args()
    recognizers = {model: Recognizer.from_pretrained(model, precision="int8") for model in (TEACHER, STUDENT)}
    protocol = read_lfw_pairs(options.lfw, options.pairs or options.lfw.parent / "lfw_pairs.txt")
    folds = protocol.folds if protocol.folds is not None else np.zeros(len(protocol.pairs))
    held = folds >= HELD_OUT
    met = []
    for (model, recognizer), keep in zip(recognizers.items(), (options.keep, options.keep_mini), strict=True):
        embeddings = acquire(recognizer, protocol.photos, keep=keep).embeddings
        first, second = protocol.pairs[held].T
        scores = score_pairs(embeddings[first], embeddings[second])
        result = evaluate_folds(scores, protocol.mated[held], folds[held])
        print(f"{model}: {result.mean:.2%} ± {result.std:.2%} on the {len(scores)} pairs of folds 7 to 10")
        met.append(result.mean >= ACCURACY)
    print(f"at least {ACCURACY:.1%}: {verdict(met[-1])}")
    photos = [load_image(photo) for photo in sample_photos()[:FACES]]
    crops = np.concatenate(
        [recognizers[TEACHER].align(image, recognizers[TEACHER].detect(image)[:1]) for image in photos]
    )
    ours, peer = interleave(
        lambda: recognizers[STUDENT].embed(crops), lambda: recognizers[TEACHER].embed(crops), rounds=30
    )
    met.append(report("a face", ours / FACES, peer / FACES, TEACHER, per="face", target=RATIO))
    size = recognizers[STUDENT].spec.weights.size
    met.append(size <= MOST_BYTES)
    print(f"weights: {size / 1e6:.2f} MB, at most 2: {verdict(met[-1])}")
    sys.exit(exit_code(met))


if __name__ == "__main__":
    main()
