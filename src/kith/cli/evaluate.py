"""`kith evaluate`: how often the answers are wrong."""

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from kith.cli.console import print_json, print_line, track, warn
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, Json, ModelId, PrecisionName
from kith.comparison import score_pairs
from kith.detection import central_face
from kith.errors import NoFaceFound
from kith.evaluation.protocols import PairsProtocol, read_lfw_pairs
from kith.evaluation.verification import evaluate_pairs
from kith.images import load_image
from kith.recognizer import Recognizer
from kith.records import FloatArray
from kith.runtime.prepare import Precision

app = typer.Typer(help="Measure accuracy on labelled photos.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Keep `lfw` a verb of its own while it is the only one."""


@app.command()
def lfw(
    folder: Annotated[Path, typer.Argument(help="LFW's folder, with one folder per person.", readable=False)],
    pairs: Annotated[Path, typer.Argument(help="LFW's pairs.txt.", readable=False)],
    model: ModelId = DEFAULT_MODEL,
    precision: PrecisionName = Precision.AUTO,
    as_json: Json = False,
) -> None:
    """Evaluate on Labeled Faces in the Wild: 6,000 pairs in 10 folds.

    Of several faces in a photo the large one near the middle counts, as the data set means it. A
    photo without a face makes its pairs non-matches, and is counted.
    """
    protocol = read_lfw_pairs(folder, pairs)
    recognizer = load_recognizer(model, precision)
    started = time.perf_counter()
    embeddings, acquired = _embed_central_faces(recognizer, protocol)
    scores = score_pairs(embeddings[protocol.pairs[:, 0]], embeddings[protocol.pairs[:, 1]])
    scores[~acquired[protocol.pairs].all(axis=1)] = -1
    result = evaluate_pairs(scores, protocol.mated, protocol.folds)
    answer: dict[str, Any] = {
        "model": recognizer.model_id,
        "pairs": result.pairs,
        "accuracy_mean": round(result.accuracy_mean, 6),
        "accuracy_std": round(result.accuracy_std, 6),
        "tar_at_fmr": {f"{fmr:g}": round(tar, 6) for fmr, tar in result.tar_at_fmr.items()},
        "eer": round(result.eer, 6),
        "failures_to_acquire": int(np.sum(~acquired)),
        "seconds": round(time.perf_counter() - started, 1),
    }
    if as_json:
        print_json(answer)
        return
    print_line(
        f"{answer['model']}: accuracy {result.accuracy_mean:.2%} ± {result.accuracy_std:.2%} "
        f"on {result.pairs} pairs"
    )
    for fmr, tar in result.tar_at_fmr.items():
        print_line(f"TAR {tar:.2%} at FMR {fmr:g} (threshold {result.threshold_at_fmr[fmr]:.4f})")
    print_line(
        f"EER {result.eer:.2%}; failures to acquire {answer['failures_to_acquire']}; {answer['seconds']} s"
    )


def _embed_central_faces(recognizer: Recognizer, protocol: PairsProtocol) -> tuple[FloatArray, np.ndarray]:
    """Embeddings (n, d) of the photos' central faces, and whether each was found (n,)."""
    embeddings = np.zeros((len(protocol.photos), recognizer.spec.embedding_size), np.float32)
    acquired = np.zeros(len(protocol.photos), bool)
    for index, photo in enumerate(track(protocol.photos, "embedding")):
        image = load_image(photo)
        try:
            face = central_face(recognizer.detect(image), image.shape)
        except NoFaceFound:
            warn(f"{photo}: no face found")
            continue
        embeddings[index] = recognizer.embed(recognizer.align(image, [face]))[0]
        acquired[index] = True
    return embeddings, acquired
