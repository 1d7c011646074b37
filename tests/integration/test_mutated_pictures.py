"""No damaged picture crashes, hangs, or has a library write lines of its own; `--per-format 300` shows more."""

import pytest
from mutate_pictures import formats, run_child


@pytest.mark.parametrize("kind", formats())
def test_mutated_pictures(kind: str) -> None:
    outcome = run_child(kind, 20)
    assert outcome.read + outcome.refused == 20
    assert outcome.refused > 2, "else the files are not damaged enough"
