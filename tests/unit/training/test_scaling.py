import numpy as np
import pytest

from kith.catalogue.preprocessing import DLIB_PIXELS, MTCNN_PIXELS, PixelRule, Whitening
from kith.embedding import scale_pixels
from kith.training.scaling import scale_on_device


@pytest.mark.parametrize("rule", [DLIB_PIXELS, MTCNN_PIXELS, Whitening()])
@pytest.mark.parametrize("plain", [False, True])
def test_training_scales_pixels_as_recognizing_does(rule: PixelRule, plain: bool) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    if plain:
        crops[1] = 7
    np.testing.assert_allclose(np.asarray(scale_on_device(crops, rule)), scale_pixels(crops, rule), atol=1e-5)
