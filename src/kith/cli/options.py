"""The options that several verbs share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from kith.runtime.prepare import Precision
from kith.weights.catalogue import DEFAULT_EMBEDDER


class ClassifierName(StrEnum):
    """Mirrors `kith.classification.ClassifierKind`, which would bring its imports to every start."""

    nearest = "nearest"
    centroid = "centroid"
    svm = "svm"


DEFAULT_GALLERY = Path(platformdirs.user_data_dir("kith")) / "gallery.db"

GalleryPath = Annotated[
    Path,
    typer.Option("--gallery", "-g", envvar="KITH_GALLERY", help="The gallery's file.", show_default=True),
]
ModelId = Annotated[str, typer.Option("--model", "-m", help="The embedder, of `kith models list`.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
PrecisionName = Annotated[
    Precision,
    typer.Option(help="How the embedder computes; auto is int8 where this processor does it exactly."),
]
MinFaceSize = Annotated[int, typer.Option(min=12, help="Smallest face to look for, in pixels.")]
LongestSide = Annotated[
    int, typer.Option(min=0, help="Larger photos are scaled down to this for detection; 0 for never.")
]
MinScore = Annotated[float, typer.Option(min=0, max=0.999, help="Detection score a face must exceed.")]
Annotate = Annotated[
    Path | None,
    typer.Option(
        "--annotate", help="Write the photo with its faces drawn in; a folder if there are several photos."
    ),
]

DEFAULT_MODEL = DEFAULT_EMBEDDER
