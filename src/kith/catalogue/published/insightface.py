"""InsightFace's: SCRFD, the packs of a detector and an embedder, and the MobileFaceNet of its first zoo.

The packs are zips; only the detector and the embedder are read from them. Their hashes, and those of what is
in them, are pinned by InsightFace's server; that of `buffalo_s`, which it has not, by projects that fetch it.
"""

from dataclasses import replace
from functools import partial

from kith.catalogue.licenses import INSIGHTFACE
from kith.catalogue.published.entries import (
    PublishedDetector,
    PublishedFile,
    PublishedModel,
)
from kith.catalogue.spec import DetectorKind

_RELEASE = "https://github.com/deepinsight/insightface/releases/download/v0.7"
_UNIFACE = "https://github.com/yakhyo/uniface/releases/download/weights"
_IMMICH = "https://huggingface.co/immich-app"
_RE_EXPORTED = "https://github.com/hpc203/scrfd-opencv/raw/eee7bf1ee0dbe9615d8d8caaa53702e0d2dca001/weights"
_MOBILEFACENET = (
    "https://github.com/liguiyuan/mobilefacenet-ncnn/raw/43631161ecef7567b9871bc711b9fb848629e9bc/models"
)
_WEBFACE = "WebFace600K, 0.6 million people: for non-commercial research only"

_DET_500M = PublishedFile(
    "det_500m.onnx",
    (
        f"{_UNIFACE}/scrfd_500m_kps.onnx",
        f"{_IMMICH}/buffalo_s/resolve/0ff1751885575e62e084dff70549ce24a11fa5dc/detection/model.onnx",
    ),
    sha256="5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a",
    size=2_524_817,
)
_DET_2_5G = PublishedFile(
    "det_2.5g.onnx",
    (
        f"{_IMMICH}/buffalo_m/resolve/main/detection/model.onnx",
        "https://github.com/yakhyo/facial-analysis/releases/download/v0.0.1/det_2.5g.onnx",
    ),
    sha256="041f73f47371333d1d17a6fee6c8ab4e6aecabefe398ff32cca4e2d5eaee0af9",
    size=3_292_009,
)
_DET_10G = PublishedFile(
    "det_10g.onnx",
    (
        f"{_UNIFACE}/scrfd_10g_kps.onnx",
        "https://huggingface.co/fal/AuraFace-v1/resolve/"
        "94ee6ceb788a98a88807db884ae1f00d7e070d23/scrfd_10g_bnkps.onnx",
    ),
    sha256="5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91",
    size=16_923_827,
)
_SCRFD_10G = replace(_DET_10G, name="scrfd_10g_bnkps.onnx")
_W600K_R50 = PublishedFile(
    "w600k_r50.onnx",
    sha256="4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
    size=174_383_860,
)
_W600K_MBF = PublishedFile(
    "w600k_mbf.onnx",
    sha256="9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
    size=13_616_099,
)
_GLINTR100 = PublishedFile(
    "glintr100.onnx",
    sha256="4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf",
    size=260_665_334,
)


def _detector(name: str, figures: str, *files: PublishedFile) -> PublishedDetector:
    return PublishedDetector(
        id=f"scrfd-{name.lower()}",
        kind=DetectorKind.SCRFD,
        summary=f"SCRFD of {name.replace('M', ' million').replace('G', ' billion')} operations at 640 x 480",
        files=files,
        license=INSIGHTFACE,
        training_data="WIDER FACE: for research",
        figures=f"average precision on WIDER FACE {figures} % (easy, medium, hard), by its authors",
    )


DETECTORS = (
    _detector(
        "500M",
        "91.0, 88.4 and 69.5",
        _DET_500M,
        PublishedFile(
            "scrfd_500m_kps.onnx",
            (f"{_RE_EXPORTED}/scrfd_500m_kps.onnx",),
            sha256="517cb1980c72422e676738fc45431700fb7cbee56d0f825b623ee427b3e5ce58",
            size=2_524_095,
        ),
        PublishedFile(
            "scrfd_500m.onnx",  # PhotoPrism's
            sha256="ae72185653e279aa2056b288662a19ec3519ced5426d2adeffbe058a86369a24",
        ),
    ),
    _detector(
        "2.5G",
        "93.8, 92.0 and 77.1",
        _DET_2_5G,
        PublishedFile(
            "scrfd_2.5g_kps.onnx",
            (f"{_RE_EXPORTED}/scrfd_2.5g_kps.onnx",),
            sha256="32d20c77b9e2dc1d07e94c2ab9d25bdd5cd05eddbe0b46e7b38e7a1eca22e99a",
            size=3_291_017,
        ),
    ),
    _detector("10G", "95.4, 94.0 and 82.8", _DET_10G),
)


def _pack(
    name: str,
    sha256: str,
    size: int,
    embedder: PublishedFile,
    detector: PublishedFile,
    *mirrors: str,
    training_data: str,
    lfw: str,
    by_group: tuple[float, float, float, float],
    ijb_c: float | None = None,
    figures: str = "",
) -> PublishedModel:
    """A pack; its detector is the one that has this file."""
    urls = (f"{_RELEASE}/{name}.zip", *mirrors)
    (usual,) = (one.id for one in DETECTORS if detector.sha256 in [file.sha256 for file in one.files])
    return PublishedModel(
        id=name,
        family="arcface",
        files=(
            PublishedFile(f"{name}.zip", urls, sha256, size=size, members=(embedder, detector)),
            embedder,
        ),
        license=INSIGHTFACE,
        training_data=training_data,
        lfw=lfw,
        ijb_c=ijb_c,
        by_group=tuple(zip(_GROUPS, by_group, strict=True)),
        figures=figures,
        detector=usual,
    )


_MIRROR = "https://huggingface.co/vladmandic/insightface-faceanalysis/resolve/main"
_GROUPS = ("African", "Caucasian", "South Asian", "East Asian")
_pack_of_r50 = partial(
    _pack,
    training_data=_WEBFACE,
    lfw="99.83 % by its authors",
    ijb_c=97.25,
    by_group=(90.29, 94.70, 93.16, 74.96),
    figures="CFP-FP 99.33 %, AgeDB-30 98.23 %",
)
_pack_of_mbf = partial(
    _pack,
    training_data=_WEBFACE,
    lfw="99.70 % by its authors",
    ijb_c=95.02,
    by_group=(69.45, 80.45, 73.39, 51.03),
    figures="CFP-FP 98.00 %, AgeDB-30 96.58 %",
)

MODELS = (
    _pack_of_r50(
        "buffalo_l",
        "80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f",
        288_621_354,
        _W600K_R50,
        _DET_10G,
        f"{_MIRROR}/buffalo_l.zip",
    ),
    _pack_of_r50(
        "buffalo_m",
        "d98264bd8f2dc75cbc2ddce2a14e636e02bb857b3051c234b737bf3b614edca9",
        275_951_529,
        _W600K_R50,
        _DET_2_5G,
        f"{_MIRROR}/buffalo_m.zip",
    ),
    _pack_of_mbf(
        "buffalo_s",
        "d85a87f503f691807cd8bb97128bdf7a0660326cd9cd02657127fa978bab8b5e",
        127_607_557,
        _W600K_MBF,
        _DET_500M,
        f"{_MIRROR}/buffalo_s.zip",
    ),
    _pack_of_mbf(
        "buffalo_sc",
        "57d31b56b6ffa911c8a73cfc1707c73cab76efe7f13b675a05223bf42de47c72",
        14_969_382,
        _W600K_MBF,
        _DET_500M,
        "https://github.com/justld/dofaker/releases/download/v0.0/buffalo_sc.zip",
    ),
    _pack(
        "antelopev2",
        "8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5",
        360_662_982,
        _GLINTR100,
        _SCRFD_10G,
        f"{_MIRROR}/antelopev2.zip",
        training_data="Glint360K, 17 million photos of 360,000 people: for non-commercial research only",
        lfw="not told by its authors",
        by_group=(89.49, 94.29, 93.43, 72.53),
    ),
    PublishedModel(
        id="mobilefacenet-arcface",
        family="arcface-mobilefacenet",
        files=(
            PublishedFile(
                "model-0000.params",
                (f"{_MOBILEFACENET}/model-0000.params",),
                sha256="b151f97e392e68cb540fb9710a91a574a4187d491eeda77d1c1799ae6dc3b82b",
                size=4_115_182,
            ),
        ),
        license=INSIGHTFACE,
        training_data="MS1M, a cleaned MS-Celeb-1M: for research only, withdrawn by Microsoft in 2019",
        lfw="99.50 % by its authors",
        figures="CFP-FP 88.94 %, AgeDB-30 95.91 %",
        detector="mtcnn",
    ),
)
