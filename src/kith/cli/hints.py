"""What to type when something went wrong; errors carry the facts, and know no command."""

import os
import shlex
from pathlib import Path

from kith.cli.options import DEFAULT_GALLERY
from kith.errors import DeviceError, DuplicateReference, KithError, Remedy

NEXT_TO_A_SHEET = (
    "Name a cluster: kith people name CLUSTER NAME. "
    "Put right: kith cluster --must FACE,FACE, or --cannot FACE,FACE."
)
"""What to do with a contact sheet."""

_GALLERY_VARIABLE = "KITH_GALLERY"


_REMEDIES = {
    Remedy.PULL_MODEL: ("kith", "models", "pull"),
    Remedy.ACCEPT_AND_PULL: ("kith", "models", "pull", "--accept-license"),
    Remedy.ACCEPT_AND_IMPORT: ("kith", "models", "import", "--accept-license"),
    Remedy.IMPORT_FILE: ("kith", "models", "import", "FILE"),
    Remedy.REMOVE_MODEL: ("kith", "models", "remove"),
    Remedy.DESCRIBE_ONNX: ("kith", "models", "import", "FILE", "--template", "arcface"),
    Remedy.SIZE_OF_ONNX: ("kith", "models", "import", "FILE", "--template", "arcface", "--crop-size", "112"),
    Remedy.PIXELS_OF_ONNX: (
        "kith",
        "models",
        "import",
        "FILE",
        "--template",
        "arcface",
        "--pixels",
        "127.5,127.5",
    ),
    Remedy.OUTPUT_OF_ONNX: ("kith", "models", "import", "FILE", "--template", "arcface", "--output", "NAME"),
    Remedy.CALIBRATE: ("kith", "calibrate", "DIR"),
    Remedy.LIST_CLUSTERS: ("kith", "cluster"),
    Remedy.SHOW_FACES: ("kith", "cluster", "--sheet", "FILE.html"),
    Remedy.MERGE_PEOPLE: ("kith", "people", "merge"),
    Remedy.RENAME_PERSON: ("kith", "people", "rename"),
    Remedy.DELETE_PERSON: ("kith", "people", "delete"),
    Remedy.REPLACE_FILE: ("kith", "models", "convert", "--force"),
}
"""The command of each remedy; what it is applied to follows."""


def with_hint(error: KithError, gallery: Path | None = None) -> str:
    """What is wrong, and the command that helps, if there is one.

    Args:
        error: The error.
        gallery: The file of the gallery it is of; named in the command if it is not the one that is taken
            anyway.
    """
    hint = _hint(error)
    if not hint:
        return str(error)
    if gallery is None:
        return f"{error}; {hint}"
    usual = Path(os.environ.get(_GALLERY_VARIABLE) or DEFAULT_GALLERY)
    option = "" if gallery == usual else f" --gallery {shlex.quote(str(gallery))}"
    return f"{error}; {hint}{option}"


def _hint(error: KithError) -> str:
    if isinstance(error, DuplicateReference) and error.owner != error.wanted:
        moved = shlex.join(["kith", "people", "move", str(error.reference_id), error.wanted])
        return f"if that is wrong: {moved}"
    if isinstance(error, DeviceError):
        return "to do without it: --device cpu"
    if error.remedy is None:
        return ""
    return f"use: {shlex.join([*_REMEDIES[error.remedy], *error.about])}"
