"""How each family of embedders was trained: the network, and what was done to a face before it.

Where ports of a network contradict its original (pixels divided by 127.5 instead of 128, blue first,
whitening in front of the models of 2018), the original is followed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kith.catalogue.preprocessing import (
    ARCFACE_CROP,
    AffineCrop,
    ColorOrder,
    CropRule,
    FixedScaling,
    MarginCrop,
    MarginUnit,
    PixelRule,
    Whitening,
)
from kith.catalogue.spec import ONNX
from kith.errors import WeightsError


@dataclass(frozen=True, slots=True)
class PublishedThreshold:
    """A threshold that somebody recommends, for as long as nothing was measured.

    Attributes:
        score: Cosine from which on two faces count as one person's.
        rate: What is taken for its false match rate. Nobody tells it of people who are alike in sex and age,
            so it is above what is told of others.
        source: Who recommends it.
    """

    score: float
    rate: float
    source: str


@dataclass(frozen=True, slots=True)
class Family:
    """Everything of an embedder but its weights.

    Attributes:
        summary: One line for a person.
        network: The function in `kith.networks` that builds the network; or `ONNX`, whose files bring it.
        embedding_size: Length of an embedding of the published models; others of the family may differ.
        crop: How a face is cut out.
        pixels: How a crop's pixels are scaled.
        input_size: Side of what the network sees, in pixels.
        color: In which order it wants the colours.
        threshold: A published one; None if there is none that fits.
    """

    summary: str
    network: str
    embedding_size: int
    crop: CropRule
    pixels: PixelRule
    input_size: int
    color: ColorOrder = ColorOrder.RGB
    threshold: PublishedThreshold | None = None


_SIGNED_PIXELS = FixedScaling(mean=(127.5, 127.5, 127.5), divisor=128.0)
_OF_FACENET = PublishedThreshold(0.38, 1e-2, "FaceNet's paper: a squared distance of 1.24, best on LFW")
_OF_ARCFACE = PublishedThreshold(0.4, 1e-3, "InsightFace's server; 1e-6 of its own benchmark's strangers")
_SANDBERG_CROP = MarginCrop(size=160, margin=32, unit=MarginUnit.SOURCE)
"""As his LFW evaluation; he trained on 182 pixels with a margin of 44, and cut 160 out of those."""

FAMILIES: Mapping[str, Family] = {
    "sandberg-2017": Family(
        summary="Inception-ResNet-v1 by David Sandberg, 2017; facenet_keras.h5 is one",
        network="inception_resnet_v1",
        embedding_size=128,
        crop=_SANDBERG_CROP,
        pixels=Whitening(),
        input_size=160,
        threshold=_OF_FACENET,
    ),
    "sandberg-2018": Family(
        summary="Inception-ResNet-v1 by David Sandberg, 2018",
        network="inception_resnet_v1",
        embedding_size=512,
        crop=_SANDBERG_CROP,
        pixels=_SIGNED_PIXELS,
        input_size=160,
        threshold=_OF_FACENET,
    ),
    "facenet-pytorch": Family(
        summary="Inception-ResNet-v1 of facenet-pytorch",
        network="inception_resnet_v1",
        embedding_size=512,
        crop=MarginCrop(size=160, margin=14, unit=MarginUnit.CROP),  # as its LFW evaluation
        pixels=_SIGNED_PIXELS,
        input_size=160,
        threshold=_OF_FACENET,
    ),
    "openface": Family(
        summary="OpenFace's nn4.small2",
        network="nn4_small2",
        embedding_size=128,
        # OpenFace brings dlib's outer eye corners and nose base to three points; this is where MTCNN's
        # eyes and nose then lie, in the median of 7,673 photos (deviation 2 to 3 pixels)
        crop=AffineCrop(size=96, template=((26.4, 14.6), (68.2, 13.8), (47.4, 40.7))),
        pixels=FixedScaling(mean=(0.0, 0.0, 0.0), divisor=255.0),
        input_size=96,
    ),
    "arcface": Family(
        summary="an embedder trained with ArcFace's crop and pixels",
        network=ONNX,
        embedding_size=512,
        crop=ARCFACE_CROP,
        pixels=FixedScaling(mean=(127.5, 127.5, 127.5), divisor=127.5),
        input_size=112,
        threshold=_OF_ARCFACE,
    ),
    "adaface": Family(
        summary="AdaFace's IResNet, which wants blue first",
        network=ONNX,
        embedding_size=512,
        crop=ARCFACE_CROP,
        pixels=FixedScaling(mean=(127.5, 127.5, 127.5), divisor=127.5),
        input_size=112,
        color=ColorOrder.BGR,
        threshold=PublishedThreshold(0.4, 1e-3, "adaface-onnx"),
    ),
    "sface": Family(
        summary="SFace, which scales pixels itself",
        network=ONNX,
        embedding_size=128,
        crop=ARCFACE_CROP,
        pixels=FixedScaling(mean=(0.0, 0.0, 0.0), divisor=1.0),
        input_size=112,
        threshold=PublishedThreshold(0.363, 1e-2, "OpenCV: best on LFW"),
    ),
    "arcface-mobilefacenet": Family(
        summary="MobileFaceNet of insightface, trained with ArcFace",
        network="mobilefacenet",
        embedding_size=128,
        crop=ARCFACE_CROP,
        pixels=_SIGNED_PIXELS,
        input_size=112,
        threshold=_OF_ARCFACE,
    ),
}


def find_family(name: str) -> Family:
    """The family of this name.

    Raises:
        WeightsError: There is none.
    """
    family = FAMILIES.get(name)
    if family is None:
        raise WeightsError(f"unknown family {name!r}; known families: {', '.join(FAMILIES)}")
    return family
