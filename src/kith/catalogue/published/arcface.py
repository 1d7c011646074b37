"""AdaFace, EdgeFace and AuraFace: embedders that want a face as ArcFace does, as ONNX.

Those of AdaFace and EdgeFace were exported by Yakhyokhuja Valikhujaev, whose package uniface pins the hashes.
"""

from kith.catalogue.licenses import APACHE, CC_BY_NC_SA, License, Use
from kith.catalogue.published.entries import PublishedFile, PublishedModel

_AURAFACE = "https://huggingface.co/fal/AuraFace-v1/resolve"
_ADAFACE_RELEASE = "https://github.com/yakhyo/adaface-onnx/releases/download/weights"
_EDGEFACE_RELEASE = "https://github.com/yakhyo/edgeface-onnx/releases/download/weights"
_MIRROR = "https://huggingface.co/yakhyo/uniface-weights/resolve"
_MIRRORED = "4c7ed723a20deb7ff154b1ba7d6e73747d954016"
_ADAFACE_LICENSE = License(
    "code MIT; weights without a license of their own", Use.UNCLEAR, "https://github.com/mk-minchul/AdaFace"
)
_WEBFACE = "of WebFace260M: for non-commercial research only"


def _adaface(
    layers: int, sha256: str, size: int, data: str, lfw: str, figures: str, ijb_c: float
) -> PublishedModel:
    name = f"adaface_ir_{layers}.onnx"
    urls = (f"{_ADAFACE_RELEASE}/{name}", f"{_MIRROR}/main/{name}")
    return PublishedModel(
        id=f"adaface-ir-{layers}",
        family="adaface",
        files=(PublishedFile(name, urls, sha256, size=size),),
        license=_ADAFACE_LICENSE,
        training_data=f"{data}, a part {_WEBFACE}",
        lfw=f"{lfw} % by its authors",
        ijb_c=ijb_c,
        figures=figures,
        detector="yunet-s",
    )


def _edgeface(
    kind: str, name: str, sha256: str, size: int, lfw: str, figures: str, *mirrors: str
) -> PublishedModel:
    return PublishedModel(
        id=f"edgeface-{kind}",
        family="arcface",
        files=(PublishedFile(name, (f"{_EDGEFACE_RELEASE}/{name}", *mirrors), sha256, size=size),),
        license=CC_BY_NC_SA,
        training_data=f"parts {_WEBFACE}",
        lfw=f"{lfw} % by its authors",
        figures=figures,
        detector="yunet-s",
    )


MODELS = (
    PublishedModel(
        id="auraface",
        family="arcface",
        files=(
            PublishedFile(
                "glintr100.onnx",
                (
                    f"{_AURAFACE}/af6d057c9b0ec4071d4c49c80e3539258798b609/glintr100.onnx",
                    f"{_AURAFACE}/main/glintr100.onnx",
                ),
                sha256="a7933ea5330113b01c9b60351d8f4c33003f145d8470ac5f0e52ee2effe25c60",
                size=260_694_151,
            ),
            PublishedFile(
                "auraface.onnx",  # PhotoPrism's, with a free batch size
                sha256="d2c9d76203c75749d9fee70353eb7698894f751cd9b6f562752596c553222c01",
            ),
        ),
        license=APACHE,
        training_data="commercially and publicly available photos, by its publishers",
        lfw="99.65 % by its publishers",
        detector="yunet-s",
    ),
    _adaface(
        18,
        "6b6a35772fb636cdd4fa86520c1a259d0c41472a76f70f802b351837a00d9870",
        96_000_000,
        "WebFace4M",
        "99.53",
        "CFP-FP 97.26 %, AgeDB-30 96.47 %",
        94.99,
    ),
    _adaface(
        50,
        "9c0ae385d7362323c92d218de598d32e52a9130b78faac6a8a924091aca62c0b",
        174_000_000,
        "WebFace4M",
        "99.78",
        "CFP-FP 98.97 %, AgeDB-30 97.78 %",
        96.98,
    ),
    _adaface(
        101,
        "f2eb07d03de0af560a82e1214df799fec5e09375d43521e2868f9dc387e5a43e",
        260_704_652,
        "WebFace12M",
        "99.82",
        "CFP-FP 99.26 %, AgeDB-30 98.00 %",
        97.66,
    ),
    _edgeface(
        "xxs",
        "edgeface_xxs.onnx",
        "dc674de4cbc77fa0bf9a82d5149558ab8581d82a2cd3bb60f28fd1a5d3ff8a2f",
        5_133_128,
        "99.57",
        "CFP-FP 93.63 %, AgeDB-30 94.92 %",
    ),
    _edgeface(
        "xs",
        "edgeface_xs_gamma_06.onnx",
        "9206e2eb13a2761d7b5b76e13016d4b9acd3fa3535a9a09939f3adacd139a5ff",
        7_200_000,
        "99.73",
        "CFP-FP 94.71 %, AgeDB-30 96.08 %",
    ),
    _edgeface(
        "s",
        "edgeface_s_gamma_05.onnx",
        "b850767cf791bda585600b5c4c7d7432b2f998ccd862caae34ef1afa967d2e54",
        14_805_514,
        "99.78",
        "CFP-FP 95.74 %, AgeDB-30 97.03 %",
        f"{_MIRROR}/{_MIRRORED}/edgeface_s_gamma_05.onnx",
    ),
    _edgeface(
        "base",
        "edgeface_base.onnx",
        "b56942f072c67385f44734b9458b0ccc4a2226888a113f77e0c802ad0c77b4c3",
        73_000_000,
        "99.83",
        "CFP-FP 97.01 %, AgeDB-30 97.60 %",
    ),
)
