"""Which model for whom, in a table and in words."""

from collections.abc import Sequence
from typing import Any

from kith.workflows.recommending import Needs, Option

COLUMNS = ("model", "use", "to pull", "size", "faces a second here", "LFW", "IJB-C", "worst group")


def option_json(option: Option) -> dict[str, Any]:
    """What is known of a pair of embedder and detector, for programs."""
    speed = option.faces_per_second
    return {
        "model": option.id,
        "use": option.use,
        "missing": list(option.missing),
        "size": option.size,
        "faces_per_second": None if speed is None else round(speed, 1),
        "lfw": option.lfw,
        "ijb_c": option.ijb_c,
        "by_group": dict(option.by_group),
        "hardest": option.hardest,
        "measured_on": option.measured_on,
    }


def option_row(option: Option) -> list[str]:
    """The same in a table's row, of `COLUMNS`; empty where nobody knows."""
    return [
        option.id,
        option.use,
        ", ".join(option.missing),
        f"{option.size / 1e6:.1f} MB",
        "" if option.faces_per_second is None else f"{option.faces_per_second:.0f}",
        _percent(option.lfw),
        _percent(option.ijb_c),
        _worst_group(option),
    ]


def advice(options: Sequence[Option], needs: Needs) -> str:
    """The first of the options, and why, in a sentence."""
    if not options:
        return "no model fulfils all of this"
    best = options[0]
    why = [_use_in_words(best), _speed_in_words(best) if needs.fast else _accuracy_in_words(best)]
    if best.missing:
        why.append(f"{' and '.join(best.missing)} must be pulled first")
    return f"{best.id}: {'; '.join(filter(None, why))}"


def _use_in_words(option: Option) -> str:
    words = {
        "any": "may be used for anything",
        "noncommercial": "must not be used commercially",
        "research": "is for non-commercial research only",
        "unclear": "may perhaps not be used commercially",
    }
    return words[option.use]


def _accuracy_in_words(option: Option) -> str:
    if option.lfw is None:
        return ""
    return f"none of the others is told to be more accurate (LFW {option.lfw:.2f} %)"


def _speed_in_words(option: Option) -> str:
    if option.faces_per_second is None:
        return "the smallest; how fast it is here shows once it is"
    return f"the fastest that is here, {option.faces_per_second:.0f} faces a second"


def _worst_group(option: Option) -> str:
    if not option.by_group:
        return option.hardest
    name, share = min(option.by_group, key=lambda group: group[1])
    return f"{name} {share:.1f} %"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} %"
