import io
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from kith.cli import console, progress
from kith.cli.progress import telling, track
from kith.progress import BYTES


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of a hundredth of a second."""
    monkeypatch.setattr(progress, "HEARTBEAT", 0.01)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    screen = io.StringIO()
    shown = Console(file=screen, force_terminal=True, width=60, color_system=None, soft_wrap=True)
    monkeypatch.setattr(console, "stderr", shown)
    return screen


def wait_for_line(capsys: pytest.CaptureFixture[str], wanted: str) -> str:
    told = ""
    for _ in range(1000):
        told += capsys.readouterr().err
        if wanted in told:
            return told
        time.sleep(0.01)
    raise AssertionError(f"{wanted!r} is not in {told!r}")


def test_quick_work_says_nothing_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([1, 2, 3], "counting")) == [1, 2, 3]
    with telling("loading models") as progress:
        progress.begin("compiling")
        progress.begin("fetching a model", 2, unit=BYTES)
        progress.advance()
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_long_work_gives_a_sign_of_life_in_a_pipe(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    items = track([1, 2, 3], "counting")
    next(items)
    wait_for_line(capsys, "counting: 0 of 3\n")  # one item that takes long
    next(items)
    wait_for_line(capsys, "counting: 1 of 3, less than a minute left\n")
    items.close()


@pytest.mark.parametrize(
    ("begin", "line"),
    [
        (lambda progress: None, "loading models"),
        (lambda progress: progress.begin("thinking"), "thinking"),
        (lambda progress: progress.begin("fetching", 5 * 10**6, done=10**6, unit=BYTES), "fetching: 1 MB"),
    ],
)
def test_every_wait_gives_a_sign_of_life(
    begin: Callable, line: str, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with telling("loading models") as progress:
        begin(progress)
        wait_for_line(capsys, line)
    capsys.readouterr()
    time.sleep(0.05)
    assert capsys.readouterr().err == "", "it goes on after the work"


def test_how_it_goes_is_told_and_what_was_done_before_takes_no_time(
    quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with telling() as progress:
        progress.begin("training", 10, done=8)
        wait_for_line(capsys, "training: 8 of 10\n")
        progress.advance(1, "loss 0.1234")
        wait_for_line(capsys, "training: 9 of 10, less than a minute left, loss 0.1234\n")


def test_what_work_says_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with telling() as progress:
        progress.say("a.jpg: no face found")
        assert capsys.readouterr().err == "warning: a.jpg: no face found\n"
    with telling(say=console.note) as progress:
        progress.say("epoch 1")
    assert capsys.readouterr().err == "epoch 1\n"


def test_what_is_left_is_told_in_minutes() -> None:
    assert progress._left(0, 10, 50.0) == ""
    assert progress._left(1, 10, 50.0) == ", about 8 minutes left"
    assert progress._left(9, 10, 540.0) == ", about 1 minute left"
    assert progress._left(10, 10, 500.0) == ", less than a minute left"


def test_a_bar_on_a_terminal(terminal: io.StringIO) -> None:
    assert list(track([1, 2, 3], "counting")) == [1, 2, 3]
    assert "counting" in terminal.getvalue()


def test_no_bar_where_answers_appear(terminal: io.StringIO) -> None:
    assert list(track([1, 2, 3], "counting", bar=False)) == [1, 2, 3]
    assert terminal.getvalue() == ""


def test_a_bar_leaves_answers_for_a_file_alone(
    terminal: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    for item in track([1, 2], "counting"):
        print("answer", item)
    assert capsys.readouterr().out == "answer 1\nanswer 2\n"
    assert "answer" not in terminal.getvalue()


def test_one_thing_at_a_time_on_a_terminal(terminal: io.StringIO) -> None:
    with telling("loading models") as progress:
        progress.begin("[red]fetching", 2, unit=BYTES)
        progress.advance(2)
        progress.begin("training", 2)
        progress.advance(1, "loss 0.1234")
        progress.say("step 1: [bold]")
    shown = terminal.getvalue()
    for words in ("loading models", "[red]fetching", "loss 0.1234", "step 1: [bold]"):
        assert words in shown, "as it is, never taken for markup"
