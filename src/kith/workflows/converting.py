"""A file of weights -> the same network in another form."""

import os
from enum import StrEnum
from pathlib import Path

from kith.errors import Remedy, WeightsError
from kith.files import write_atomically
from kith.progress import SILENT, Progress
from kith.runtime.workshop import workshop
from kith.weights.recognize import Recognized, recognize_file
from kith.weights.safetensors import write_safetensors
from kith.weights.usable import require_usable


class Target(StrEnum):
    """What a file can be converted to."""

    KERAS = "keras"
    ONNX = "onnx"
    SAFETENSORS = "safetensors"


def convert(
    source: str | os.PathLike[str],
    target: Target | str,
    output: Path | None = None,
    *,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> Path:
    """Convert a file of any known format.

    Args:
        source: The file, or one of the files of a TensorFlow checkpoint, or their folder.
        target: The form: a whole Keras 3 model, a compiled network, or the variables alone.
        output: The file to write, which is there whole or not at all; beside the source if None.
        overwrite: Whether a file that is there may be replaced.
        progress: Told what is being done.

    Returns:
        The file that was written.

    Raises:
        WeightsError: The source cannot be read, or the output cannot be written or is there already.
    """
    source, target = Path(source), Target(target)
    output = output or source.with_name(f"{source.name.partition('.')[0]}.{target}")
    if output.exists() and not overwrite:
        raise WeightsError(
            f"{output} is there already; name another file, or replace it",
            remedy=Remedy.REPLACE_FILE,
            about=[str(source)],
        )
    progress.begin(f"reading {source.name}")
    try:
        found = recognize_file(source)
    except OSError as error:
        raise WeightsError(f"cannot read {source}: {error.strerror or error}") from None
    require_usable(found)
    try:
        write_atomically(output, _content(found, target, progress))
    except OSError as error:
        raise WeightsError(f"cannot write {output}: {error.strerror or error}") from None
    return output


def _content(found: Recognized, target: Target, progress: Progress) -> bytes:
    if target is Target.SAFETENSORS:
        return write_safetensors(found.arrays)
    progress.begin(f"writing {target}")
    with workshop() as shop:
        make = shop.compile if target is Target.ONNX else shop.save
        return make(found.network, found.arrays, found.embedding_size)
