"""Verbs that were called otherwise before: the old name still works, and says the new one."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from kith.cli.console import note


def former_verb(app: typer.Typer, old: str, new: str, verb: Callable[..., Any]) -> None:
    """Let a verb answer to a former name too, which no help lists.

    Args:
        app: The group of verbs.
        old: Its former name.
        new: What is to be typed now.
        verb: The verb.
    """

    @app.command(old, hidden=True)
    @wraps(verb)
    def answer(*arguments: Any, **options: Any) -> Any:
        note(f"{old!r} is called otherwise now: {new}")
        return verb(*arguments, **options)
