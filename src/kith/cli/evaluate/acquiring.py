"""What every evaluation begins with: the embeddings of its photos."""

from collections.abc import Sequence
from pathlib import Path

from kith.cli.interruption import interruptible
from kith.cli.progress import telling
from kith.evaluation.labelled import LabelledPhotos
from kith.recognizer import Recognizer
from kith.workflows.acquiring import Acquired, acquire
from kith.workflows.people_folders import read_people


def read_labelled(folder: Path) -> LabelledPhotos:
    """The photos of a folder with one folder per person, telling what is left out."""
    with telling() as progress:
        return read_people(folder, progress=progress)


def acquire_photos(recognizer: Recognizer, photos: Sequence[Path], keep: Path | None) -> Acquired:
    """Embed photos with a progress bar, telling which gave no face."""
    with interruptible(lambda: leaves(keep)), telling() as progress:
        return acquire(recognizer, photos, keep=keep, progress=progress)


def leaves(keep: Path | None) -> str:
    """What an interrupted evaluation leaves behind."""
    if keep is None:
        return "nothing was kept; with --keep FILE a run can be gone on with"
    return f"what was embedded is kept in {keep}; run it again to go on"
