"""What a new model's scores mean, as far as the sample people can tell."""

import cv2
import numpy as np

from kith.errors import UnsupportedFile
from kith.evaluation.calibrating import fit_calibration
from kith.images import load_image
from kith.recognizer import Recognizer
from kith.records import FloatArray
from kith.sample_people import photos as sample_photos
from kith.sample_people import photos_of_people
from kith.weights.calibration import Calibration


def calibrate_on_sample_people(recognizer: Recognizer) -> Calibration:
    """Measure on the sample people. It is a beginning: a thousand pairs of eight people say little.

    Raises:
        UnsupportedFile: The network's embeddings are no numbers.
    """
    embeddings, owners = [], []
    for owner, photos in enumerate(photos_of_people().values()):
        for photo in photos:
            image = load_image(photo)
            embeddings.append(recognizer.embed(recognizer.align(image, recognizer.detect(image)[:1]))[0])
            owners.append(owner)
    stacked = np.stack(embeddings)
    if not np.isfinite(stacked).all():
        raise UnsupportedFile("the network's embeddings are not numbers; the file is damaged")
    return fit_calibration(
        stacked, np.array(owners), "the sample people", unrecognizable=embed_unrecognizable(recognizer)
    )


def embed_unrecognizable(recognizer: Recognizer) -> FloatArray:
    """Embeddings (n, d) of the sample people's faces, made too coarse for anyone to recognize them."""
    rows = []
    for photo in sample_photos():
        image = load_image(photo)
        for crop in recognizer.align(image, recognizer.detect(image)[:1]):
            coarse = cv2.resize(crop, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA)
            rows.append(cv2.resize(coarse, crop.shape[:2], interpolation=cv2.INTER_LINEAR))
    return recognizer.embed(np.stack(rows))


_COARSE = 14  # pixels across a crop: of 4 to 20, the one whose distance told best which LFW pairs would fail
