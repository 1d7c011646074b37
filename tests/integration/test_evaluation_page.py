"""Every command of docs/evaluation.md runs, on the sample people."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from kith.cli.main import run
from kith.sample_people import PEOPLE

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(PEOPLE, tmp_path / "people")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```\w+\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    commands = re.findall(r"^\$ (.*)$", "".join(blocks), re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        assert run() == 0, command
        assert capsys.readouterr().out, command
    assert (tmp_path / "report" / "index.html").is_file()
    assert (tmp_path / "report-1n" / "result.json").is_file()


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / target).exists(), target
