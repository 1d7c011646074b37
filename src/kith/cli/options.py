"""The options that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

from kith.catalogue.builtin import DEFAULT_EMBEDDER
from kith.folders import data_folder
from kith.runtime.device import Device
from kith.runtime.prepare import Precision

DEFAULT_GALLERY = data_folder() / "gallery.db"

GalleryPath = Annotated[
    Path,
    typer.Option(
        "--gallery",
        "-g",
        envvar="KITH_GALLERY",
        help="The gallery's file.",
        show_default=True,
        readable=False,  # here and below: what cannot be read is told in our own words
    ),
]
Photo = Annotated[Path, typer.Argument(help="A photo of one person.", readable=False)]
Photos = Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.", readable=False)]
ModelId = Annotated[
    str, typer.Option("--model", "-m", help="The embedder, of `kith models list`; or EMBEDDER+DETECTOR.")
]
DetectorId = Annotated[
    str,
    typer.Option(
        "--detector", help="The detector, of `kith models list`; the model's usual one if not given."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
JsonLines = Annotated[
    bool, typer.Option("--jsonl", help="Print a JSON object a line, each as soon as it is known.")
]
PrecisionName = Annotated[
    Precision,
    typer.Option(help="How the embedder computes; auto is int8 where that keeps the embeddings."),
]
DeviceName = Annotated[
    Device,
    typer.Option("--device", help="Where networks run; auto is the best that is installed and works."),
]
MinFaceSize = Annotated[int, typer.Option(min=12, help="Smallest face to look for, in the photo's pixels.")]
LongestSide = Annotated[
    int, typer.Option(min=0, help="Larger photos are scaled down to this for detection; 0 for never.")
]
MinScore = Annotated[
    float | None,
    typer.Option(
        min=0, max=0.999, help="Detection score a face must exceed; the detector's own if not given."
    ),
]
Annotate = Annotated[
    Path | None,
    typer.Option(
        "--annotate",
        help="Write the photo with its faces drawn in: a .jpg, .png or .webp, or a folder for several.",
    ),
]

DEFAULT_MODEL = DEFAULT_EMBEDDER
