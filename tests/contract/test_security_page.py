"""SECURITY.md names, beside each promise, the test that holds it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_promise_has_a_test_that_is_there() -> None:
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| **")]
    assert len(rows) > 10
    for row in rows:
        *_, held_by, _ = row.split("|")
        files = re.findall(r"`((?:unit|integration|contract)/[\w/]+\.py)`", held_by)
        assert files, row
        for file in files:
            assert (ROOT / "tests" / file).is_file(), file
