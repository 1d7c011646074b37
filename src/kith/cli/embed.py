"""`kith embed`: the embeddings of all faces, as arrays in a file."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from kith.catalogue.pair import find_pair
from kith.cli.console import count, print_json, print_line
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.interruption import interruptible
from kith.cli.load import detection_settings, expand, load_recognizer, tell_photos
from kith.cli.options import (
    DEFAULT_MODEL,
    DetectorId,
    DeviceName,
    Json,
    LongestSide,
    MinFaceSize,
    MinScore,
    ModelId,
    Photos,
    PrecisionName,
)
from kith.errors import ImageError, InvalidArgument
from kith.files import write_private
from kith.images.reading import read_photo
from kith.records import Face, Template
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.workflows.pipeline import analyze_photos


def embed(
    photos: Photos,
    output: Annotated[Path, typer.Option("--output", "-o", help="The .npz file to write.")],
    min_face_size: MinFaceSize = 20,
    longest_side: LongestSide = 1280,
    min_score: MinScore = None,
    model: ModelId = DEFAULT_MODEL,
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    as_json: Json = False,
) -> int:
    """Write the embeddings of all faces of photos to a NumPy file.

    The file holds, for each of n faces: images (n,), embeddings (n, d), boxes (n, 4),
    landmarks (n, 5, 2), detection_scores (n,); and model_id. An embedding is as personal as a face.
    """
    if output.suffix != ".npz":  # a photo given by mistake must not be overwritten
        raise InvalidArgument(f"{output}: the output must be named .npz")
    listing = expand(photos)
    settings = detection_settings(min_face_size, longest_side, min_score)
    recognizer = load_recognizer(find_pair(model, detector).id, precision, settings, device=device)
    found: list[tuple[str, Face, Template]] = []
    read = unreadable = 0

    def save(path: Path) -> str:
        write_private(path, _pack(found, recognizer.model_id, recognizer.spec.embedding_size))
        return f"{count(len(found), 'face')} of {count(read, 'photo')} in {path}"

    def leaves() -> str:
        return save(output.with_suffix(".interrupted.npz")) if read else "nothing was written"

    with interruptible(leaves):
        outcomes = analyze_photos(recognizer, listing.photos, read_photo)
        for file, looked in tell_photos(outcomes, len(listing.photos), "embedding"):
            if isinstance(looked, ImageError):
                unreadable += 1
                continue
            found += [
                (str(file), _in_photo(sample.face, looked.read.scale), sample.template)
                for sample in looked.samples
            ]
            read += 1
        saved = save(output)
    if as_json:
        print_json(
            {
                "output": str(output),
                "model": recognizer.model_id,
                "photos": read,
                "faces": len(found),
                "unreadable": unreadable + len(listing.unusable),
                "left_out": listing.suffixes,
            }
        )
    else:
        print_line(saved)
    return ERROR if unreadable or listing.unusable else SUCCESS


def _in_photo(face: Face, scale: float) -> Face:
    """A face in the photo's own pixels."""
    return replace(face, box=face.box * np.float32(scale), landmarks=face.landmarks * np.float32(scale))


def _pack(found: list[tuple[str, Face, Template]], model_id: str, size: int) -> bytes:
    count = len(found)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        images=np.array([name for name, _, _ in found], dtype=np.str_),
        embeddings=np.array([template.embedding for _, _, template in found], np.float32).reshape(
            count, size
        ),
        boxes=np.array([face.box for _, face, _ in found], np.float32).reshape(count, 4),
        landmarks=np.array([face.landmarks for _, face, _ in found], np.float32).reshape(count, 5, 2),
        detection_scores=np.array([face.detection_score for _, face, _ in found], np.float32),
        model_id=np.array(model_id),
    )
    return buffer.getvalue()
