"""Every block of docs/clustering.md runs and prints what the page says."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from kith.cli.main import run
from kith.recognizer import Recognizer
from kith.sample_people import PEOPLE

PAGE = Path(__file__).parents[2] / "docs" / "clustering.md"


def test_the_session(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    recognizer: Recognizer,
) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("Ada/1", "Ada/2", "Ada/3", "Omar/1", "Omar/2"):
        shutil.copy(PEOPLE / f"{name}.jpg", tmp_path / "photos" / f"{name.replace('/', '-')}.jpg")
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```\w+\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    sessions = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    assert sessions
    for session in sessions:
        command, _, expected = session.partition("\n")
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        assert run() == 0
        assert capsys.readouterr().out == expected, command
    assert (tmp_path / "faces.html").is_file()


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / target).exists(), target
