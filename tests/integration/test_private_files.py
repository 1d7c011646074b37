"""Whatever shows or names people, nobody but its owner may read."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import kith

from kith.sample_people import GROUP_PHOTO, PEOPLE


@pytest.fixture(autouse=True)
def usual_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o022)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return sorted(path.name for path in files if stat.S_IMODE(path.stat().st_mode) != 0o600)


@pytest.mark.parametrize(
    "arguments",
    [
        ["enroll", "--name", "Ada", PEOPLE / "Ada" / "1.jpg", "-g", "out/g.db"],
        ["cluster", PEOPLE / "Ada", "-g", "out/g.db", "--sheet", "out/sheet.html"],
        ["detect", GROUP_PHOTO, "--annotate", "out/named.jpg"],
        ["detect", GROUP_PHOTO, "--annotate", "out"],
        ["embed", GROUP_PHOTO, "-o", "out/faces.npz"],
        ["demo", "-o", "out/demo.jpg"],
        ["evaluate", "clusters", PEOPLE, "--keep", "out/kept", "--report", "out"],
    ],
)
def test_files_about_people_are_their_owners(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    answer = kith(*arguments)
    assert answer.code == 0, answer.err
    assert readable_by_others(tmp_path / "out") == []


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    named = tmp_path / "named.jpg"
    named.touch(0o644)
    assert kith("detect", GROUP_PHOTO, "--annotate", named).code == 0
    assert readable_by_others(tmp_path) == []
