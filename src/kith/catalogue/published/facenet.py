"""The FaceNets: Sandberg's, facenet-pytorch's and OpenFace's.

The hashes of Sandberg's are pinned by keras-facenet 0.3.1, which mirrors them.
"""

from kith.catalogue.licenses import APACHE, License, Use
from kith.catalogue.published.entries import PublishedFile, PublishedModel

_KERAS_FACENET = "https://github.com/faustomorales/keras-facenet/releases/download/v0.3.1"
_FACENET_PYTORCH = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9"
_OPENFACE = "https://storage.cmusatyalab.org/openface-models"


def _sandberg(date: str, weights: str, whole: str, archive: str, graph: str) -> tuple[PublishedFile, ...]:
    """The forms in which one of Sandberg's models is published, by their hashes."""
    size = 90_000_000 + 5_000_000 * date.startswith("2018")
    names = {
        f"{date}-weights.h5": weights,
        f"{date}.h5": whole,
        f"{date}.zip": archive,
    }
    files = [
        PublishedFile(name, (f"{_KERAS_FACENET}/{name}",), sha256, size=size)
        for name, sha256 in names.items()
    ]
    return (*files, PublishedFile(f"{date}.pb", sha256=graph, size=size))


_SANDBERG_LICENSE = License(
    "code MIT; weights without a license of their own, for research by their training data", Use.UNCLEAR
)
_MS_CELEB = "MS-Celeb-1M: for research only, withdrawn by Microsoft in 2019"
_CASIA = "CASIA-WebFace, 0.45 million photos of 10,575 people: for research only"
_VGGFACE2 = (
    "VGGFace2, 3.3 million photos of 9,131 people: CC BY-SA 4.0 by its authors, commercial use unclear"
)

MODELS = (
    PublishedModel(
        id="facenet-20170511-185253",
        family="sandberg-2017",
        files=_sandberg(
            "20170511-185253",
            weights="28db99aaafce0e62b2cdb1db5ac733ffa9e52a365e1a3ca0a13c5159bd4363c4",
            whole="d7dbcee552427cd497190894ad5c9763313c3249f0b5dc2d6e0cc3e42d5ea063",
            archive="0dd66caa1e9b7a7c91424bca150a66da193c4e626e75bfa50ff406180a09c7e9",
            graph="71fb49617aee7b007b66ed1e4474e749212ed9872ff3b47c25ee997c8262baa4",
        ),
        license=_SANDBERG_LICENSE,
        training_data=_CASIA,
        lfw="98.7 % by its author",
    ),
    PublishedModel(
        id="facenet-20170512-110547",
        family="sandberg-2017",
        files=_sandberg(
            "20170512-110547",
            weights="668e950140ad76f1e21e3a2bc1d3ad9c673734ea8ea1abbf4ecc44d1dbdd400b",
            whole="0ce0e39b5c8b5a46b7005c520441e9776f058d650a66d7ef0ec28b67a8d06d6c",
            archive="24a020c3d7794a590d834c4963f8a7c59819b8950a54fcb08e10b2a253ab0a30",
            graph="8bdc3aed34e577113a656b8e5d0274346f8967fa7f0f9d6f3fdcd9608a29b9e4",
        ),
        license=_SANDBERG_LICENSE,
        training_data=_MS_CELEB,
        lfw="99.2 % by its author",
    ),
    PublishedModel(
        id="facenet-20180408-102900",
        family="sandberg-2018",
        files=_sandberg(
            "20180408-102900",
            weights="af526097bd89ff84dda94dc071ff39c4cf39922cf0a9d9dea652853cda9616be",
            whole="23cdb7f96553c3baa32fbb4f96aaa398a721ea26cd49de5a72c9beea6150d13e",
            archive="2a32a4d6b797b0e35e065c674dfa2d60e9eb2372aa10728bd0b221abe12490ac",
            graph="272568219fa6505371ceed76dca6b3925ef69b54962709cf76f763e9d8bf4cfb",
        ),
        license=_SANDBERG_LICENSE,
        training_data=_CASIA,
        lfw="99.05 % by its author",
    ),
    PublishedModel(
        id="facenet-20180402-114759",
        family="sandberg-2018",
        files=_sandberg(
            "20180402-114759",
            weights="8b71e7045497e841c00ee568f031d1a4d30908fceadf6884aef2dec4d545202b",
            whole="c99bfb20ca9959afb7bb83a1a6f4b7fc65bacf471c7f945c15a39881057a56be",
            archive="669f37d3954b72b53121ff0638ca5bb8b14309bfe4767fe6bd851eee75f1f0de",
            graph="bf2c12f31880aaa865fa5a9c168dcbd619f7a40b1633f6446d416fac2421ab99",
        ),
        license=_SANDBERG_LICENSE,
        training_data=_VGGFACE2,
        lfw="99.65 % by its author, with mirror images and the mean of the set subtracted",
    ),
    PublishedModel(
        id="facenet-pytorch-casia-webface",
        family="facenet-pytorch",
        files=(
            PublishedFile(
                "20180408-102900-casia-webface.pt",
                (f"{_FACENET_PYTORCH}/20180408-102900-casia-webface.pt",),
                size=111_000_000,
            ),
        ),
        license=_SANDBERG_LICENSE,
        training_data=_CASIA,
        lfw="99.05 % by Sandberg, whose model it is",
    ),
    PublishedModel(
        id="facenet-pytorch-vggface2",
        family="facenet-pytorch",
        files=(
            PublishedFile(
                "20180402-114759-vggface2.pt",
                (f"{_FACENET_PYTORCH}/20180402-114759-vggface2.pt",),
                sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
                size=107_000_000,
            ),
        ),
        license=_SANDBERG_LICENSE,
        training_data=_VGGFACE2,
        lfw="99.37 % by its author's notebook; 99.65 % by Sandberg, whose model it is",
    ),
    PublishedModel(
        id="openface-nn4-small2",
        family="openface",
        files=(
            PublishedFile(
                "nn4.small2.v1.t7",
                (f"{_OPENFACE}/nn4.small2.v1.t7",),
                md5="c95bfd8cc1adf05210e979ff623013b6",
                size=32_000_000,
            ),
        ),
        license=APACHE,
        training_data="CASIA-WebFace and FaceScrub, 0.5 million photos: for research only",
        lfw="92.9 % by its authors",
    ),
)
