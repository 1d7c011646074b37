"""`kith.cli.answers`: what was found before a break has been said, and can be read."""

import io
import json
import sys

import pytest
from rich.console import Console

from kith.cli import answers as answers_module
from kith.cli.answers import Answers, Form, form_of
from kith.errors import KithError

COLUMNS, WIDTHS = ("photo", "who"), (8, 4)


def write(form: Form, count: int = 2, *, interrupted: bool = False) -> None:
    with Answers(form, COLUMNS, WIDTHS) as answers:
        for number in range(count):
            answers.add({"image": f"{number}.jpg", "faces": []}, [[f"{number}.jpg", "Ada"]])
        if interrupted:
            raise KeyboardInterrupt


def test_rows_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    write(Form.TEXT)
    assert capsys.readouterr().out == "0.jpg\tAda\n1.jpg\tAda\n"


def test_each_answer_is_written_before_the_next_is_looked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for form in Form:
        with Answers(form, COLUMNS, WIDTHS) as answers:
            capsys.readouterr()
            answers.add({"image": "a.jpg"}, [["a.jpg", "Ada"]])
            assert "a.jpg" in capsys.readouterr().out, form


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    write(Form.JSON, count)
    out = capsys.readouterr().out
    wanted = [{"image": f"{number}.jpg", "faces": []} for number in range(count)]
    assert json.loads(out) == wanted
    assert out == json.dumps(wanted, indent=2) + "\n"


def test_an_interrupted_array_is_closed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(Form.JSON, interrupted=True)
    assert [one["image"] for one in json.loads(capsys.readouterr().out)] == ["0.jpg", "1.jpg"]


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    write(Form.JSONL)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["image"] for line in lines] == ["0.jpg", "1.jpg"]


@pytest.mark.parametrize("form", [Form.JSON, Form.JSONL])
def test_what_steers_a_terminal_is_escaped_in_json(form: Form, capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\u202eb\x9bc\x7fd\u2028e\nf 김민수 👩‍🚀"
    with Answers(form, COLUMNS, WIDTHS) as answers:
        answers.add({"image": name}, [])
    out = capsys.readouterr().out
    assert not set(out) & set("\u202e\x9b\x7f\u2028")
    assert "김민수" in out
    read = json.loads(out)
    assert (read[0] if form is Form.JSON else read)["image"] == name


def test_columns_on_a_terminal_line_up(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=60, color_system=None, soft_wrap=True)
    monkeypatch.setattr(answers_module, "stdout", terminal)
    monkeypatch.setattr(sys, "stdout", screen)
    with Answers(Form.TEXT, COLUMNS, WIDTHS) as answers:
        assert answers.on_terminal
        answers.add({}, [["a.jpg", "Ada"], ["사진.jpg", "[b]민수[/b]"]])
    assert screen.getvalue().splitlines() == ["photo     who", "a.jpg     Ada", "사진.jpg  [b]민수[/b]"]


def test_a_form_is_chosen() -> None:
    assert form_of(False, False) is Form.TEXT
    assert form_of(True, False) is Form.JSON
    assert form_of(False, True) is Form.JSONL
    with pytest.raises(KithError, match="choose one"):
        form_of(True, True)
