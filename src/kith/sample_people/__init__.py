"""The sample people that ship with Kith: blended faces, hair and clothes drawn, so that each is nobody.

They were made by `tools/make_sample_people.py`. `people/` has one folder a person; `group.jpg` shows
all of them, on photos that are not in their folders, and two strangers.
"""

from pathlib import Path

ROOT = Path(__file__).parent
PEOPLE = ROOT / "people"
GROUP_PHOTO = ROOT / "group.jpg"


def photos() -> list[Path]:
    """All photos of the sample people, sorted."""
    return sorted(PEOPLE.glob("*/*.jpg"))


def photos_of_people() -> dict[str, list[Path]]:
    """The photos of each sample person, by name."""
    return {
        folder.name: sorted(folder.glob("*.jpg")) for folder in sorted(PEOPLE.iterdir()) if folder.is_dir()
    }
