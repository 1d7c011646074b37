"""Errors carry facts; what to type is known to the command line alone."""

import ast
import re
from pathlib import Path

import pytest

import kith
from kith.cli import hints
from kith.cli.hints import with_hint
from kith.errors import DeviceError, GalleryError, KithError, Remedy

ROOT = Path(kith.__file__).parent
VERBS = (
    "calibrate|cluster|demo|detect|distill|embed|enroll|evaluate|gallery|identify|models|people|train|verify"
)
COMMAND = re.compile(rf"\bkith ({VERBS})\b|(?<![\w-])--[a-z]+")
PIP = "--force-reinstall"  # pip's, which brings Kith's own files back


def texts(file: Path) -> list[str]:
    """The strings of a file, but for docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in docstrings]
    return [node.value for node in strings if isinstance(node.value, str)]


def test_no_text_below_the_command_line_names_a_command() -> None:
    named = [
        (file.relative_to(ROOT).as_posix(), text)
        for file in ROOT.rglob("*.py")
        if file.relative_to(ROOT).parts[0] != "cli"
        for text in texts(file)
        if COMMAND.search(text.replace(PIP, ""))
    ]
    assert named == []


def test_the_search_would_find_one() -> None:
    assert COMMAND.search("get it with: kith models pull ")
    assert COMMAND.search("choose another with --id")
    assert not COMMAND.search("kith was not asked")


@pytest.mark.parametrize("remedy", Remedy)
def test_every_remedy_has_a_command(remedy: Remedy) -> None:
    told = with_hint(KithError("something is wrong", remedy=remedy, about=["Ada Lovelace"]))
    command = " ".join(hints._REMEDIES[remedy])
    assert told == f"something is wrong; use: {command} 'Ada Lovelace'"


def test_a_gallery_that_is_not_the_usual_one_is_named(tmp_path: Path) -> None:
    error = GalleryError("cluster 1 is Ada", remedy=Remedy.DELETE_PERSON, about=["Ada"])
    told = with_hint(error, tmp_path / "g.db")
    assert told == f"cluster 1 is Ada; use: kith people delete Ada --gallery {tmp_path / 'g.db'}"


def test_what_has_no_remedy_is_told_alone() -> None:
    assert with_hint(GalleryError("the disk is full")) == "the disk is full"


def test_a_device_that_does_not_work_can_be_done_without() -> None:
    assert with_hint(DeviceError("cuda: does not work here")) == (
        "cuda: does not work here; to do without it: --device cpu"
    )
