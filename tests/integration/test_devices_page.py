"""docs/how-to/devices.md says what there is, and its block runs."""

import contextlib
import io
import re
from pathlib import Path

from kith.runtime.device import PROVIDERS, Device

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "devices.md").read_text(encoding="utf-8")


def test_every_device_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `(\w+)`", PAGE, re.MULTILINE)) == set(Device)


def test_every_extra_is_named() -> None:
    named = set(re.findall(r"kith\[(\w+)\]", PAGE))
    assert named == {provider.extra for provider in PROVIDERS.values()} - {""}


def test_its_block_prints_what_it_says() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    said = re.findall(r"^# (.*)$", block, re.MULTILINE)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(block, {})
    assert printed.getvalue().splitlines() == said
