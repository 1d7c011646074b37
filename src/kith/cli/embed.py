"""`kith embed`: the embeddings of all faces, as arrays in a file."""

import io
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from kith.cli.console import count, print_json, print_line
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.load import detection_settings, expand, load_recognizer, read_photos
from kith.cli.options import (
    DEFAULT_MODEL,
    Json,
    LongestSide,
    MinFaceSize,
    MinScore,
    ModelId,
    Photos,
    PrecisionName,
)
from kith.errors import ImageError
from kith.files import write_atomically
from kith.records import Face, Template
from kith.runtime.prepare import Precision


def embed(
    photos: Photos,
    output: Annotated[Path, typer.Option("--output", "-o", help="The .npz file to write.")],
    min_face_size: MinFaceSize = 20,
    longest_side: LongestSide = 1280,
    min_score: MinScore = 0.8,
    model: ModelId = DEFAULT_MODEL,
    precision: PrecisionName = Precision.AUTO,
    as_json: Json = False,
) -> int:
    """Write the embeddings of all faces of photos to a NumPy file.

    The file holds, for each of n faces: images (n,), embeddings (n, d), boxes (n, 4),
    landmarks (n, 5, 2), detection_scores (n,); and model_id. An embedding is as personal as a face.
    """
    if output.suffix != ".npz":  # a photo given by mistake must not be overwritten
        raise ValueError(f"{output}: the output must be named .npz")
    files = expand(photos)
    settings = detection_settings(min_face_size, longest_side, min_score)
    recognizer = load_recognizer(model, precision, settings)
    found: list[tuple[str, Face, Template]] = []
    unreadable = 0
    for file, image in read_photos(files, "embedding"):
        if isinstance(image, ImageError):
            unreadable += 1
            continue
        found += [(str(file), face, template) for face, template in recognizer.extract(image)]
    write_atomically(output, _pack(found, recognizer.model_id, recognizer.spec.embedding_size))
    read = len(files) - unreadable
    if as_json:
        print_json(
            {
                "output": str(output),
                "model": recognizer.model_id,
                "photos": read,
                "faces": len(found),
                "unreadable": unreadable,
            }
        )
    else:
        print_line(f"{count(len(found), 'face')} of {count(read, 'photo')} in {output}")
    return ERROR if unreadable else SUCCESS


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
