"""Every block in the README runs and prints what the README says."""

import contextlib
import io
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from kith.cli.main import run
from kith.recognizer import Recognizer
from kith.sample_people import GROUP_PHOTO, PEOPLE

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def without_digits(text: str) -> str:
    """Scores differ in the third decimal between processors; words do not."""
    return " ".join(re.sub(r"[\d.]+", "0", text).split())


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recognizer: Recognizer) -> Path:
    shutil.copytree(PEOPLE, tmp_path / "people")
    shutil.copy(GROUP_PHOTO, tmp_path / "party.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_shell(workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks("console")
    sessions = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    assert sessions
    for session in sessions:
        command, _, expected = session.partition("\n")
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        assert run() in (0, 1)
        assert without_digits(capsys.readouterr().out) == without_digits(expected), command
    assert (workplace / "named.jpg").is_file()


def test_python(workplace: Path) -> None:
    (block,) = blocks("python")
    code, expected = (
        re.sub(r"^# .*\n?", "", block, flags=re.MULTILINE),
        re.findall(r"^# (.*)$", block, re.MULTILINE),
    )
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "README.md", "exec"), {})
    assert without_digits(output.getvalue()) == without_digits("\n".join(expected))


def test_the_two_commands_are_shown() -> None:
    assert "make demo" in README
    assert "make test" in README


def test_the_picture_is_there() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (Path(__file__).parents[2] / target).exists(), target
