"""What cannot be is refused where it comes in, in one line: it is a KithError, and a ValueError too."""

from collections.abc import Callable
from functools import partial
from math import inf, nan

import numpy as np
import pytest

from kith.clustering import cluster
from kith.decisions.scoring import ClassifierKind
from kith.detection import MTCNN, DetectionSettings
from kith.errors import InvalidArgument, TrainingError
from kith.evaluation.labelled import LabelledPhotos
from kith.images.reading import load_image
from kith.sample_people import GROUP_PHOTO
from kith.workflows.evaluating_searches import draw_searches

PAIR = np.eye(2, dtype=np.float32)


def draw(**numbers: int) -> object:
    return draw_searches(LabelledPhotos((), np.array([0, 0, 1, 1]), ("Ada", "Grace")), **numbers)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        *((partial(DetectionSettings, min_face_size=size), "min_face_size") for size in (-1, 0, 11, nan)),
        *((partial(DetectionSettings, longest_side=side), "longest_side") for side in (-1, 0, nan)),
        *((partial(DetectionSettings, thresholds=(0.6, 0.7, t)), "thresholds") for t in (-0.1, 1, nan, inf)),
        *((partial(DetectionSettings, min_score=s), "min_score") for s in (-0.1, 1, nan, inf)),
        (partial(MTCNN, None, None, None, DetectionSettings(thresholds=(0.6,))), "3 thresholds"),
        *((partial(load_image, GROUP_PHOTO, max_pixels=most), "max_pixels") for most in (0, -5, nan)),
        *((partial(cluster, PAIR, t), "threshold") for t in (-2, 1, nan, inf)),
        (partial(ClassifierKind, "bogus"), "normalized, centroid, nearest, svm"),
        *((partial(draw, references=number), "references") for number in (0, -1)),
        *((partial(draw, people=number), "people") for number in (0, 1, -1)),
        *((partial(draw, strangers=number), "strangers") for number in (0, -1)),
    ],
)
def test_what_cannot_be_is_refused(call: Callable[[], object], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said) as raised:
        call()
    assert isinstance(raised.value, ValueError)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "name",
    ["learning_rate", "hold_out", "fmr", "margin", "scale", "margin_ramp", "average", "epochs"],
)
def test_no_number_is_no_setting_of_training(name: str) -> None:
    from kith.training.config import Config

    with pytest.raises(TrainingError, match=name):
        Config(**{name: nan})


@pytest.mark.parametrize("name", ["flip", "shift", "scale", "turn", "photometric", "erase"])
def test_no_number_is_no_augmentation(name: str) -> None:
    from kith.training.augmentation import Augmentation

    with pytest.raises(InvalidArgument, match=name):
        Augmentation(**{name: nan})
