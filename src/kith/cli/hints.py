"""What to type when something went wrong; errors carry the facts, and know no command."""

import os
import shlex
from pathlib import Path

from kith.cli.options import DEFAULT_GALLERY
from kith.errors import DuplicateReference, KithError

NEXT_TO_A_SHEET = (
    "Name a cluster: kith people name CLUSTER NAME. "
    "Put right: kith cluster --must FACE,FACE, or --cannot FACE,FACE."
)
"""What to do with a contact sheet."""

_GALLERY_VARIABLE = "KITH_GALLERY"


def with_hint(error: KithError, gallery: Path) -> str:
    """What is wrong, and the command that helps, if there is one.

    Args:
        error: Of this gallery.
        gallery: Its file, named in the command if it is not the one that is taken anyway.
    """
    hint = _hint(error)
    if not hint:
        return str(error)
    usual = Path(os.environ.get(_GALLERY_VARIABLE) or DEFAULT_GALLERY)
    option = "" if gallery == usual else f" --gallery {shlex.quote(str(gallery))}"
    return f"{error}; {hint}{option}"


def _hint(error: KithError) -> str:
    if isinstance(error, DuplicateReference) and error.owner != error.wanted:
        moved = shlex.join(["kith", "people", "move", str(error.reference_id), error.wanted])
        return f"if that is wrong: {moved}"
    return ""
