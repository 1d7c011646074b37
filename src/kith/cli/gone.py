"""What is said of photos that are gone, and of deleted things that are not overwritten yet."""

import shlex
from typing import Any

from kith.cli.console import count, note
from kith.gallery import Gone

NOT_CLEANED = (
    "another process uses the gallery, and old copies stay on the disk until it ends: "
    "they are overwritten when the gallery is opened next, or by: kith gallery clean"
)


def note_gone(gone: Gone) -> None:
    """Tell of photos that are gone, and of folders that are, if there are any."""
    if gone.photos:
        note(
            f"{count(len(gone.photos), 'photo')} gone from the disk; "
            "to delete them here too: kith gallery prune --gone"
        )
    for folder, photos in gone.folders.items():
        note(
            f"{folder} is missing or empty, with {count(photos, 'photo')}: is its disk there? "
            f"To delete them here: kith gallery prune {shlex.quote(folder)}"
        )


def gone_json(gone: Gone) -> dict[str, Any]:
    """The same for programs."""
    return {
        "gone": list(gone.photos),
        "missing_folders": [{"folder": folder, "photos": photos} for folder, photos in gone.folders.items()],
    }
