"""People's names, in the one form they are stored in."""

import unicodedata

from kith.errors import InvalidArgument

MAX_NAME = 200
"""Characters of a person's name."""

_JOINERS = "\u200c\u200d"  # invisible, but Persian and Hindi names, and emoji, are spelled with them


def clean_name(name: str) -> str:
    """A person's name in the one form it is stored in.

    Surrounding and repeated white space goes; characters that can be written in two ways (as macOS
    and others do in the names of folders) are composed.

    Raises:
        InvalidArgument: Nothing is left, it is too long, or it has a character that cannot be shown.
    """
    cleaned = unicodedata.normalize("NFC", " ".join(name.split()))
    if not cleaned.strip(_JOINERS):
        raise InvalidArgument("a person's name must not be empty")
    if len(cleaned) > MAX_NAME:
        raise InvalidArgument(f"a person's name must have at most {MAX_NAME} characters, got {len(cleaned)}")
    if not all(character.isprintable() or character in _JOINERS for character in cleaned):
        raise InvalidArgument(f"a person's name must be printable, got {cleaned!r}")
    return cleaned
