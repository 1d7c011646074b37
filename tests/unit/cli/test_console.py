import io
import json

import pytest
from rich.console import Console

from kith.cli import console
from kith.cli.console import (
    complain,
    count,
    note,
    print_json,
    print_line,
    print_table,
    printable,
    warn,
)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Both streams as one terminal of 40 columns."""
    screen = io.StringIO()
    shown = Console(
        file=screen, force_terminal=True, width=40, color_system=None, soft_wrap=True, highlight=False
    )
    monkeypatch.setattr(console, "stdout", shown)
    monkeypatch.setattr(console, "stderr", shown)
    return screen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [red]text[/red] :smile:", "plain [red]text[/red] :smile:"),
        ("김민수 Ελλάδα 👩‍🚀 می‌خواهم é", "김민수 Ελλάδα 👩‍🚀 می‌خواهم é"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("two\nlines\tand\rmore", r"two\nlines\tand\rmore"),
        ("\u202eevil\u2066", r"\u202eevil\u2066"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("\udcff", r"\udcff"),
        ("\u2028", r"\u2028"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_printable_steers_no_terminal() -> None:
    everything = "".join(map(chr, range(0x3000)))
    shown = printable(everything)
    assert not set(shown) & {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F))}
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize(("number", "text"), [(0, "0 photos"), (1, "1 photo"), (2, "2 photos")])
def test_count(number: int, text: str) -> None:
    assert count(number, "photo") == text


def test_count_of_an_irregular_thing() -> None:
    assert count(3, "person", "people") == "3 people"


def test_answers_and_remarks_go_apart(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("an [b]answer[/b]")
    note("a [b]note[/b]")
    warn("a warning\nin two lines")
    complain("x" * 200)
    captured = capsys.readouterr()
    assert captured.out == "an [b]answer[/b]\n"
    assert captured.err.splitlines() == [
        "a [b]note[/b]",
        r"warning: a warning\nin two lines",
        "error: " + "x" * 200,
    ]


def test_a_table_in_a_pipe_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "references"), [["[red]Ada[/red]", "1"], ["tab\there", "2"]])
    assert capsys.readouterr().out == "[red]Ada[/red]\t1\ntab\\there\t2\n"


def test_a_table_on_a_terminal_is_for_people(terminal: io.StringIO) -> None:
    print_table(("name", "references"), [["[red]Ada[/red]", "1"], ["김민수", "2"]])
    lines = terminal.getvalue().splitlines()
    assert lines[0].split() == ["name", "references"]
    assert lines[1].split() == ["[red]Ada[/red]", "1"]
    assert lines[2].split() == ["김민수", "2"]


def test_json_keeps_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "김민수\n\x1b"})
    out = capsys.readouterr().out
    assert "김민수" in out
    assert "\x1b" not in out
    assert json.loads(out) == {"name": "김민수\n\x1b"}
