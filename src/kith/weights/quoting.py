"""Names out of a file, made fit for a message to a person."""

_LENGTH = 80


def quoted(name: str) -> str:
    """A name in quotes: one line, no control characters, no more of it than a person reads."""
    text = repr(name[:_LENGTH])
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"
