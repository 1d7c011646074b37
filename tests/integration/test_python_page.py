"""Every block of docs/python.md runs, in its order, and prints the words the page says; each call is short.

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

import numpy as np
import pytest

from kith.recognizer import Recognizer
from kith.sample_people import GROUP_PHOTO, PEOPLE
from kith.weights.safetensors import write_safetensors
from kith.weights.shapes import shapes_of

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
MOST_LINES = 3  # of a verb's work; opening a gallery, reading a photo and printing are none of it


@pytest.fixture
def untaught(monkeypatch: pytest.MonkeyPatch) -> list[Mock]:
    """What takes a network or minutes, replaced by what only checks its arguments."""
    from kith.training import distill, train
    from kith.workflows import pulling

    stand_ins = []
    for module, name in ((pulling, "pull"), (train, "train"), (distill, "distill")):
        stand_ins.append(create_autospec(getattr(module, name)))
        monkeypatch.setattr(module, name, stand_ins[-1])
    return stand_ins


def random_weights(network: str, embedding_size: int) -> dict[str, np.ndarray]:
    """Variables of a network that never learned anything."""
    random = np.random.default_rng(1)

    def values(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name.endswith("kernel"):
            return random.normal(scale=(2 / np.prod(shape[:-1])) ** 0.5, size=shape)
        return np.ones(shape) if name.endswith(("variance", "gamma")) else np.zeros(shape)

    shapes = shapes_of(network, embedding_size)
    return {name: values(name, shape).astype(np.float32) for name, shape in shapes.items()}


def without_digits(text: str) -> str:
    """How many there are depends on how many people are there."""
    return re.sub(r"\d+", "0", text)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recognizer: Recognizer) -> Iterator[Path]:
    for name in ("Ada", "Grace", "Omar"):  # the page has all eight, which takes three times as long
        shutil.copytree(PEOPLE / name, tmp_path / "people" / name)
    shutil.copy(GROUP_PHOTO, tmp_path / "party.jpg")
    # in this process: others take seconds to begin, which tests of the workshop look at
    monkeypatch.setattr("kith.runtime.workshop._start", lambda _stack: None)
    (tmp_path / "openface.safetensors").write_bytes(write_safetensors(random_weights("nn4_small2", 128)))
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def test_every_block_runs_and_prints_what_the_page_says(workplace: Path, untaught: list[Mock]) -> None:
    names: dict[str, object] = {}
    for block in BLOCKS:
        expected = "".join(f"{line}\n" for line in re.findall(r"^# (.*)$", block, re.MULTILINE))
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(block, "docs/python.md", "exec"), names)
        assert without_digits(output.getvalue()) == without_digits(expected), block
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
