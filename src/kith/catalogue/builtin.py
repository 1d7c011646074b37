"""The models that work at once: what to load, how it was trained, what it may be used for.

Models that can be had from elsewhere are in `published`, those that were brought here in `installed`; what
their scores mean is in `calibrations`.
"""

from collections.abc import Mapping

from kith.catalogue.licenses import Use
from kith.catalogue.preprocessing import DLIB_CROP, DLIB_PIXELS
from kith.catalogue.spec import DetectorKind, DetectorSpec, EmbedderSpec, PackageFile, WeightsSpec

DEFAULT_EMBEDDER = "dlib-resnet29"
DEFAULT_DETECTOR = "mtcnn"

EMBEDDERS: Mapping[str, EmbedderSpec] = {
    "dlib-resnet29": EmbedderSpec(
        id="dlib-resnet29",
        summary="dlib's ResNet-29, rebuilt in Keras; the default",
        weights=WeightsSpec(
            network="resnet29",
            reader="dlib_resnet29",
            file=PackageFile("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"),
            sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            size=22_466_066,
        ),
        embedding_size=128,
        crop=DLIB_CROP,
        pixels=DLIB_PIXELS,
        input_size=150,
        mirrored=True,
        license="public domain (CC0)",
        training_data=(
            "about 3 million photos of 7,485 people: FaceScrub, VGG and many from the web; "
            "overlap with LFW avoided by its author"
        ),
        lfw="99.20 % here (with its mirror image, int8); 99.13 % by its author",
        int8=True,
        use=Use.ANY,
    ),
    "kith-mini": EmbedderSpec(
        id="kith-mini",
        summary="a slim ResNet-29 taught by the default; smaller and faster, weak on hard photos",
        weights=WeightsSpec(
            network="slim_resnet29",
            reader="compact",
            file=PackageFile("kith", "catalogue/kith-mini.safetensors"),
            sha256="fc6b7dc24d0bfad56ab3e9126ddab3c4c8aa3f56866151f69c01f6af82f1c7e3",
            size=1_193_752,
        ),
        embedding_size=128,
        crop=DLIB_CROP,
        pixels=DLIB_PIXELS,
        input_size=150,
        mirrored=False,
        license="public domain (CC0), as its teacher's; LFW's photos are for research",
        training_data=(
            "7,586 photos of 3,774 people of LFW who appear in none of its folds 7 to 10, embedded by "
            "dlib-resnet29; names were not used"
        ),
        lfw=(
            "98.04 % on the pairs of folds 7 to 10 (int8; its teacher: 99.17 %); it learned from others; of "
            "damaged photos 40 % match at FMR 1e-3 (its teacher: 63 %)"
        ),
        int8=True,
        use=Use.ANY,
    ),
}

DETECTORS: Mapping[str, DetectorSpec] = {
    "mtcnn": DetectorSpec(
        id="mtcnn",
        summary="MTCNN: P-, R- and O-Net, five landmarks; the default",
        kind=DetectorKind.MTCNN,
        weights={
            "pnet": WeightsSpec(
                network="pnet",
                reader="mtcnn_pnet",
                file=PackageFile("mtcnn", "assets/weights/pnet.lz4"),
                sha256="ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
                size=27_119,
            ),
            "rnet": WeightsSpec(
                network="rnet",
                reader="mtcnn_rnet",
                file=PackageFile("mtcnn", "assets/weights/rnet.lz4"),
                sha256="cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
                size=401_659,
            ),
            "onet": WeightsSpec(
                network="onet",
                reader="mtcnn_onet",
                file=PackageFile("mtcnn", "assets/weights/onet.lz4"),
                sha256="94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
                size=1_557_637,
            ),
        },
        license="MIT; the author asks not to use the weights commercially without retraining",
        training_data="WIDER FACE and CelebA",
        use=Use.UNCLEAR,
    ),
}
