"""Ctrl-C and its like: what was found has been said, what was kept stays, and what is said of it is true."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from command_line import Answer, finish, kith, start

from kith.sample_people import PEOPLE

MANY = 2000


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More photos than anyone waits for."""
    folder = tmp_path_factory.mktemp("library")
    photos = sorted(PEOPLE.glob("*/*.jpg"))
    for number in range(MANY):
        (folder / f"{number:05}.jpg").symlink_to(photos[number % len(photos)])
    return folder


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Path:
    gallery = tmp_path_factory.mktemp("family") / "g.db"
    assert kith("enroll", "--name", "Ada", PEOPLE / "Ada" / "1.jpg", "-g", gallery).code == 0
    return gallery


def interrupt(*arguments: str | Path, after: int, by: signal.Signals = signal.SIGINT) -> Answer:
    """Run a verb until it has written some lines, and break it off."""
    process = start(*arguments)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(after)]
    process.send_signal(by)
    answer = finish(process)
    return Answer(answer.code, "".join(lines) + answer.out, answer.err)


@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_what_was_identified_has_been_said(
    by: signal.Signals, code: int, library: Path, family: Path
) -> None:
    answer = interrupt("identify", library, "-g", family, after=3, by=by)
    rows = answer.out.splitlines()
    photos = len({row.split("\t")[0] for row in rows})
    assert answer.code == code
    assert 3 <= photos < MANY
    assert all(row.count("\t") == 4 for row in rows)
    assert answer.err.endswith(
        "error: interrupted; the answers for the photos looked at until then have been written\n"
    )


def test_an_interrupted_array_can_be_read(library: Path) -> None:
    answer = interrupt("detect", library, "--json", after=12)
    assert answer.code == 130
    assert answer.json()[0]["faces"]


def test_lines_for_programs_come_one_by_one(library: Path, family: Path) -> None:
    answer = interrupt("identify", library, "-g", family, "--jsonl", after=2)
    assert all(json.loads(line)["faces"] for line in answer.out.splitlines())


def test_what_was_embedded_is_kept_apart(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import kith.cli.embed as embed\n"
        "from kith.cli.main import main\n"
        "tell = embed.tell_photos\n"
        "def three(*arguments):\n"
        "    for number, item in enumerate(tell(*arguments)):\n"
        "        if number == 3: raise KeyboardInterrupt\n"
        "        yield item\n"
        "embed.tell_photos = three\n"
        "main()\n"
    )
    answer = finish(start("embed", library, "-o", tmp_path / "all.npz", program=program))
    kept = tmp_path / "all.interrupted.npz"
    assert answer.code == 130
    assert answer.err == f"error: interrupted; 3 faces of 3 photos in {kept}\n"
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    assert len(np.load(kept)["embeddings"]) == 3


def test_what_was_enrolled_stays_and_is_summed_up(library: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "g.db"
    answer = interrupt("enroll", PEOPLE, "-g", gallery, "--jsonl", after=3)
    *lines, summary = map(json.loads, answer.out.splitlines())
    assert answer.code == 130
    assert answer.err.endswith("error: interrupted; what was enrolled stays; run it again to go on\n")
    assert [line["outcome"] for line in lines] == ["enrolled"] * summary["enrolled"]
    again = kith("enroll", PEOPLE, "-g", gallery, "--json").json()
    assert (again["enrolled"], again["already"]) == (48 - summary["enrolled"], summary["enrolled"])


def test_what_is_on_the_disk_is_told_though_the_break_comes_between(tmp_path: Path) -> None:
    program = (
        "import signal\n"
        "from kith.gallery import Gallery\n"
        "from kith.cli.main import main\n"
        "enroll, enrolled = Gallery.enroll, []\n"
        "def and_break(*arguments, **options):\n"
        "    enrolled.append(enroll(*arguments, **options))\n"
        "    if len(enrolled) == 2: signal.raise_signal(signal.SIGINT)\n"
        "    return enrolled[-1]\n"
        "Gallery.enroll = and_break\n"
        "main()\n"
    )
    answer = finish(
        start("enroll", PEOPLE / "Ada", "--name", "Ada", "-g", tmp_path / "g.db", program=program)
    )
    assert answer.code == 130
    assert answer.out == f"2 photos enrolled; 1 person in {tmp_path / 'g.db'}\n"
