"""Every block of docs/python.md runs, in its order, and prints what the page says; each call is short.

Fetching, training and teaching take a network or minutes: for these the call is checked against the function
it names, which other tests run.
"""

import ast
import contextlib
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock, create_autospec

import pytest

from kith.recognizer import Recognizer
from kith.sample_people import GROUP_PHOTO, PEOPLE

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
MOST_LINES = 3  # of a verb's work; opening a gallery, reading a photo and printing are none of it


@pytest.fixture
def untaught(monkeypatch: pytest.MonkeyPatch) -> list[Mock]:
    """What takes a network or minutes, replaced by what only checks its arguments."""
    from kith.training import distill, train
    from kith.workflows import importing

    stand_ins = []
    for module, name in ((importing, "pull"), (train, "train"), (distill, "distill")):
        stand_ins.append(create_autospec(getattr(module, name)))
        monkeypatch.setattr(module, name, stand_ins[-1])
    return stand_ins


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recognizer: Recognizer) -> Iterator[Path]:
    from kith import networks
    from kith.weights.safetensors import write_safetensors

    shutil.copytree(PEOPLE, tmp_path / "people")
    shutil.copy(GROUP_PHOTO, tmp_path / "party.jpg")
    network = networks.nn4_small2()
    arrays = {weight.path: weight.numpy() for weight in network.weights}
    (tmp_path / "openface.safetensors").write_bytes(write_safetensors(arrays))
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def test_every_block_runs_and_prints_what_the_page_says(workplace: Path, untaught: list[Mock]) -> None:
    names: dict[str, object] = {}
    for block in BLOCKS:
        expected = "".join(f"{line}\n" for line in re.findall(r"^# (.*)$", block, re.MULTILINE))
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(block, "docs/python.md", "exec"), names)
        assert output.getvalue() == expected, block
    for path in ("named.jpg", "sheet.html", "report/index.html", "report/result.json", "openface.keras"):
        assert (workplace / path).is_file(), path
    assert [stand_in.call_count for stand_in in untaught] == [1, 1, 1]


@pytest.mark.parametrize("block", BLOCKS)
def test_each_work_takes_three_lines_at_most(block: str) -> None:
    aside = ("print(", "kith.Gallery.open(", 'kith.load_image("party')
    lines = [
        ast.unparse(statement)
        for statement in ast.parse(block).body
        if not isinstance(statement, ast.Import | ast.ImportFrom)
    ]
    work = [line for line in lines if not any(words.replace('"', "'") in line for words in aside)]
    assert len(work) <= MOST_LINES, block


def test_every_verb_that_works_is_on_the_page() -> None:
    for verb in (
        *("enroll", "identify", "verify", "cluster", "people name", "evaluate", "calibrate"),
        *("models list", "gallery migrate", "train", "distill"),
    ):
        assert f"kith {verb}" in PAGE
    for verb in ("pull", "import", "convert", "quantize"):
        assert f"`{verb}`" in PAGE
