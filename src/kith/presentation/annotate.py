"""Faces and names drawn into a photo."""

import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from kith.errors import ImageError
from kith.files import write_private
from kith.images.formats import SUFFIXES
from kith.presentation.decisions import who
from kith.records import Decision, Face, Image

_KNOWN = (38, 166, 91)
_OTHER = (110, 110, 118)
_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
# fonts with many scripts that systems often have; the first that can write a label is taken
_FONTS = (
    *("NotoSansCJK-Regular.ttc", "NotoSans-Regular.ttf", "DejaVuSans.ttf", "Arial Unicode.ttf"),
    *("AppleSDGothicNeo.ttc", "PingFang.ttc", "msyh.ttc", "malgun.ttf", "seguisym.ttf", "arial.ttf"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """What is written at a face: its text, and whether it names someone."""

    face: Face
    text: str
    known: bool


def annotated_paths(wanted: Path | None, photos: Sequence[Path]) -> dict[Path, Path]:
    """Where each photo's annotated copy goes: the path itself if it names a picture, else in that folder.

    Raises:
        ImageError: The picture is of a kind that is not written, is wanted of several photos, or
            would take the place of a photo.
    """
    if wanted is None:
        return {}
    suffix = wanted.suffix.lower()
    if suffix in SUFFIXES and not wanted.is_dir():
        if suffix not in _FORMATS:
            raise ImageError(f"{wanted}: an annotated photo is .jpg, .png or .webp")
        if len(photos) > 1:
            raise ImageError(f"{wanted}: is one picture for {len(photos)} photos; name a folder instead")
        paths = {photos[0]: wanted}
    elif wanted.exists() and not wanted.is_dir():
        raise ImageError(f"{wanted}: is a file, but neither a picture nor a folder; name another")
    else:
        paths = _in_folder(wanted, photos)
    for photo in photos:
        for path in paths.values():
            if path.exists() and photo.exists() and path.samefile(photo):
                raise ImageError(f"{path}: would be overwritten; name another file or folder")
    return paths


def _in_folder(folder: Path, photos: Sequence[Path]) -> dict[Path, Path]:
    """A file of its own for each photo, also where photos of different folders have one name."""
    seen: Counter[str] = Counter()
    paths = {}
    for photo in dict.fromkeys(photos):
        seen[photo.stem.casefold()] += 1
        number = seen[photo.stem.casefold()]
        paths[photo] = folder / f"{photo.stem}-annotated{f'-{number}' if number > 1 else ''}.jpg"
    return paths


def label_of(face: Face, decision: Decision) -> Label:
    """What is written at a face that was searched for."""
    return Label(face, who(decision), known=decision.subject is not None)


def annotate_photo(image: Image, labels: Sequence[Label], path: str | os.PathLike[str]) -> None:
    """Write a photo with its faces drawn in.

    Args:
        image: (h, w, 3) uint8 RGB.
        labels: What is written at its faces.
        path: A .jpg, .png or .webp.

    Raises:
        ImageError: The path is of a kind that is not written, or the picture is too large for its format.
        OSError: The file cannot be written.
    """
    path = Path(path)
    picture = PillowImage.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for number, label in enumerate(labels, start=1):
        _draw(draw, label, number, picture.size)
    buffer = io.BytesIO()
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise ImageError(f"{path}: an annotated photo is .jpg, .png or .webp")
    try:
        picture.save(buffer, kind, quality=92)
    except (OSError, ValueError) as error:
        raise ImageError(
            f"{path}: a picture of {picture.width}x{picture.height} cannot be saved so ({error})"
        ) from None
    write_private(path, buffer.getvalue())


def _draw(draw: ImageDraw.ImageDraw, label: Label, number: int, size: tuple[int, int]) -> None:
    color = _KNOWN if label.known else _OTHER
    left, top, right, bottom = (float(value) for value in label.face.box)
    line = max(2, round(max(size) / 500))
    draw.rectangle((left, top, right, bottom), outline=color, width=line)
    height = max(12, min(round(label.face.width / 5), 40))
    text, font = _writable(label.text, f"#{number}", height)
    text_left, text_top, text_right, text_bottom = draw.textbbox((0, 0), text, font=font)
    width, room = text_right - text_left + height // 2, text_bottom - text_top + height // 2
    x = min(max(left, 0), max(size[0] - width, 0))
    y = bottom if bottom + room <= size[1] else max(top - room, 0)
    draw.rectangle((x, y, x + width, y + room), fill=color)
    draw.text((x + height // 4 - text_left, y + height // 4 - text_top), text, fill="white", font=font)


def _writable(
    text: str, otherwise: str, height: int
) -> tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    """The text with a font that has all its characters, or the other text where there is none."""
    default = ImageFont.load_default(height)
    if _can_write(default, text):
        return text, default
    for name in _FONTS:
        font = _font(name, height)
        if font is not None and _can_write(font, text):
            return text, font
    return otherwise, default


@cache
def _font(name: str, height: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, height)
    except OSError:
        return None


def _can_write(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str) -> bool:
    """Whether no character comes out as the font's sign for a missing one."""
    missing = bytes(font.getmask("\U000effff"))
    return all(character.isspace() or bytes(font.getmask(character)) != missing for character in set(text))
