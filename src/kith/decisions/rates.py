"""Rates that callers ask for."""

from kith.errors import InvalidArgument


def require_rate(name: str, value: float) -> float:
    """Make sure that a wanted error rate, or a probability, is one.

    Raises:
        InvalidArgument: It does not lie between 0 and 1, both excluded.
    """
    if not 0 < value < 1:  # also what is no number
        raise InvalidArgument(f"{name} must lie between 0 and 1, got {value:g}")
    return value
