"""int8 for an installed model."""

from dataclasses import replace

import numpy as np

from kith.assembly import RecognizerSettings
from kith.catalogue.builtin import DEFAULT_DETECTOR, EMBEDDERS
from kith.catalogue.installed import find_embedder, models_folder, write_card
from kith.errors import WeightsError
from kith.progress import SILENT, Progress
from kith.recognizer import Recognizer
from kith.runtime.prepare import Precision
from kith.sample_crops import sample_crops


def quantize(model_id: str, *, progress: Progress = SILENT) -> float:
    """Make a model's int8 network, which is refused if it changes the embeddings, and mark it as proven.

    Args:
        model_id: Which.
        progress: Told what is being done.

    Returns:
        Mean cosine between the sample people's embeddings in both precisions.

    Raises:
        WeightsError: The model is not here, or int8 does not keep its embeddings.
    """
    spec = find_embedder(model_id)
    both = [
        Recognizer.from_settings(
            RecognizerSettings(spec, DEFAULT_DETECTOR, precision=precision), progress=progress
        )
        for precision in (Precision.FLOAT32, Precision.INT8)
    ]
    crops, _ = sample_crops(both[0].detector, both[0].spec.crop)
    first, second = (recognizer.embed(crops) for recognizer in both)
    if not spec.int8 and spec.id not in EMBEDDERS:
        try:
            write_card(replace(spec, int8=True))
        except OSError as error:
            raise WeightsError(f"cannot write {models_folder()}: {error.strerror or error}") from None
    return float(np.mean(np.sum(first * second, axis=1)))
