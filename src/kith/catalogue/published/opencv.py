"""YuNet and SFace: the detector and the embedder of OpenCV's zoo, which anybody may use for anything."""

from kith.catalogue.licenses import APACHE, MIT
from kith.catalogue.published.entries import (
    PublishedDetector,
    PublishedFile,
    PublishedModel,
)
from kith.catalogue.spec import DetectorKind

_ZOO = "https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98/models"
_HUGGING_FACE = "https://huggingface.co/opencv"
_TRAIN = "https://github.com/ShiqiYu/libfacedetection.train/raw/0047ac24afb1a50a0c6105001c89d1b5b805dbf1/onnx"
_YUNET_S = "face_detection_yunet_2023mar.onnx"
_SFACE = "face_recognition_sface_2021dec.onnx"
_WIDER_FACE = "WIDER FACE: for research; YuNet's author calls commercial use settled (libfacedetection 380)"

DETECTORS = (
    PublishedDetector(
        id="yunet-s",
        kind=DetectorKind.YUNET,
        summary="YuNet, the small one of March 2023, as OpenCV has it",
        files=(
            PublishedFile(
                _YUNET_S,
                (
                    f"{_ZOO}/face_detection_yunet/{_YUNET_S}",
                    f"{_HUGGING_FACE}/face_detection_yunet/resolve/main/{_YUNET_S}",
                    f"{_TRAIN}/yunet_s_640_640.onnx",
                ),
                sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
                size=232_589,
            ),
        ),
        license=MIT,
        training_data=_WIDER_FACE,
        figures="average precision on WIDER FACE 88.4, 86.6 and 75.0 % (easy, medium, hard), by OpenCV",
    ),
    PublishedDetector(
        id="yunet-n",
        kind=DetectorKind.YUNET,
        summary="YuNet, the larger one",
        files=(
            PublishedFile(
                "yunet_n_dynamic.onnx",
                (f"{_TRAIN}/yunet_n_dynamic.onnx",),
                sha256="104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
                size=322_906,
            ),
        ),
        license=APACHE,
        training_data=_WIDER_FACE,
        figures="average precision on WIDER FACE 89.2, 88.3 and 81.1 % (easy, medium, hard), by its author",
    ),
)

MODELS = (
    PublishedModel(
        id="sface",
        family="sface",
        files=(
            PublishedFile(
                _SFACE,
                (
                    f"{_ZOO}/face_recognition_sface/{_SFACE}",
                    f"{_HUGGING_FACE}/face_recognition_sface/resolve/main/{_SFACE}",
                ),
                sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
                size=38_696_353,
            ),
        ),
        license=APACHE,
        training_data="not told by its publishers, who were asked (opencv_zoo 124 and 313)",
        lfw="99.40 % by OpenCV",
        detector="yunet-s",
    ),
)
