import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from command_line import PROGRAM, kith, kith_process

from kith import __version__, errors
from kith.catalogue.builtin import DETECTORS, EMBEDDERS
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS
from kith.cli import main, models
from kith.cli.exit_codes import EXIT_CODES
from kith.cli.hints import with_hint


def all_errors(kind: type[errors.KithError] = errors.KithError) -> list[type[errors.KithError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in all_errors(child))]


def test_version_and_help() -> None:
    assert kith("--version").out == f"kith {__version__}\n"
    assert "Recognize the people" in kith("--help").out
    for verb in ("detect", "embed", "verify", "enroll", "identify", "demo"):
        answer = kith(verb, "-h")
        assert (answer.code, answer.err) == (0, "")


@pytest.mark.parametrize("arguments", [["bogus"], ["identify"], ["detect", "--bogus", "x"], ["verify", "a"]])
def test_wrong_usage_is_an_error_that_says_how(arguments: list[str]) -> None:
    answer = kith(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert "Usage: kith" in answer.err
    assert "Error: " in answer.err


@pytest.mark.parametrize("kind", [kind for kind in EXIT_CODES if kind.__init__ is errors.KithError.__init__])
def test_every_error_becomes_its_exit_code_and_one_line(
    kind: type[errors.KithError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise kind("something [b]is[/b] wrong\nhere")

    monkeypatch.setattr(models, "list_all", fail)
    answer = kith("models", "list")
    assert (answer.code, answer.out) == (EXIT_CODES[kind], "")
    expected = with_hint(kind("something [b]is[/b] wrong\\nhere"))
    assert answer.err == f"error: {expected}\n"


def test_the_exit_codes_are_documented_numbers() -> None:
    assert set(EXIT_CODES) <= set(all_errors())
    assert {kind.__name__ for kind, code in EXIT_CODES.items() if code == 3} == {
        "NoFaceFound",
        "SeveralFacesFound",
        "LowQuality",
    }
    assert set(EXIT_CODES.values()) == {2, 3}, "0 and 1 are answers"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "No space left on device", "out.npz"), "error: out.npz: No space left on device"),
        (errors.InvalidArgument("a name must not be empty"), "error: a name must not be empty"),
        (KeyboardInterrupt(), "error: interrupted"),
    ],
)
def test_other_errors_are_one_line_too(
    error: BaseException, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(models, "list_all", fail)
    answer = kith("models", "list")
    assert answer.code == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert answer.err == f"{line}\n"


@pytest.mark.parametrize("kind", [ValueError, TypeError, KeyError, AssertionError, UnicodeEncodeError])
def test_a_mistake_of_ours_shows_where_it_is(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise kind("utf-8", "a\x1b", 0, 1, "mistake") if kind is UnicodeEncodeError else kind("mistake")

    monkeypatch.setattr(models, "list_all", fail)
    answer = kith("models", "list")
    assert (answer.code, answer.out) == (70, "")
    *trace, last = answer.err.splitlines()
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-1].startswith(kind.__name__)
    assert any("test_main.py" in line for line in trace)
    assert last.startswith("error: this is a mistake in Kith, not yours: please report it")
    assert "\x1b" not in answer.err


DEBUG = [(["--debug"], {}), ([], {"KITH_DEBUG": "1"})]


@pytest.mark.parametrize("error", [errors.UnknownModel("x", ["y"]), OSError(28, "No space left", "out.npz")])
@pytest.mark.parametrize(("option", "environment"), DEBUG)
def test_debug_shows_where_an_error_came_from(
    error: Exception, option: list[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(models, "list_all", fail)
    plain = kith("models", "list")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for arguments in ([*option, "models", "list"], ["models", "list", *option]):
        answer = kith(*arguments)
        assert answer.code == plain.code == 2
        assert answer.err.startswith("Traceback (most recent call last):")
        assert answer.err.endswith(plain.err)
    assert len(plain.err.splitlines()) == 1


@pytest.mark.parametrize("value", ["", "0"])
def test_debug_that_is_switched_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITH_DEBUG", value)
    assert len(kith("models", "show", "nope").err.splitlines()) == 1


@pytest.mark.parametrize(("option", "environment"), [([], {}), *DEBUG])
def test_what_is_logged_is_told_as_far_as_it_is_wanted(
    option: list[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("kith")

    def work() -> list[str]:
        logger.debug("kith: in detail")
        logger.warning("kith: take care")
        return []

    monkeypatch.setattr(models, "list_all", work)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    before = (logger.level, logger.handlers[:])
    told = kith("models", "list", *option).err.splitlines()
    assert told == [*(["in detail"] if option or environment else []), "warning: take care"]
    assert (logger.level, logger.handlers) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["detect", ""],
        ["identify", "photo.jpg", "--annotate", ""],
        ["identify", "photo.jpg", "--annotate="],
        ["enroll", "--name", "Ada", ""],
        ["enroll", "--name=", "photo.jpg"],
        ["cluster", ""],
        ["cluster", "--sheet", "", "photos"],
        ["embed", "", "-o", "out.npz"],
        ["embed", "photo.jpg", "-o", ""],
        ["verify", "a.jpg", ""],
        ["people", "delete", "--yes", ""],
        ["gallery", "show", "-g", ""],
        ["models", "import", ""],
        ["evaluate", "clusters", ""],
        ["evaluate", "clusters", "people", "--keep", ""],
        ["calibrate", ""],
        ["train", ""],
    ],
)
def test_an_empty_argument_is_never_the_current_folder(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = kith(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith("is empty; is a variable of a script not set?\n")
    assert answer.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", [["enroll", "--name", "Ada"], ["enroll"], ["cluster"]])
def test_the_whole_disk_is_nobody(verb: list[str], tmp_path: Path) -> None:
    answer = kith(*verb, "/", "-g", tmp_path / "g.db")  # "$PHOTOS/", and PHOTOS is not set
    assert (answer.code, answer.out) == (2, "")
    assert "the whole disk" in answer.err
    assert not list(tmp_path.iterdir())


class Interruption(MetaPathFinder):
    """Ctrl-C while a module is imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "kith.cli.app":
            raise KeyboardInterrupt
        return None


def test_ctrl_c_while_modules_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "kith.cli.app")
    monkeypatch.delattr("kith.cli.app")
    monkeypatch.setattr(sys, "meta_path", [Interruption(), *sys.meta_path])
    answer = kith("--version")
    assert answer.code == 130
    assert answer.err == "error: interrupted\n"


def test_little_is_imported_before_ctrl_c_is_caught() -> None:
    program = "import sys, kith.cli.main; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"numpy", "rich", "typer", "sqlalchemy"} & set(modules.stdout.split())


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, "models", "list", "--json"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert process.stderr == b""
    assert process.returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_answer_that_cannot_be_written_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-c", PROGRAM, "models", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            check=False,
        )
    assert process.stderr == b"error: [Errno 28] No space left on device\n"
    assert process.returncode == 2


def test_names_that_a_terminal_has_no_letters_for(tmp_path: Path) -> None:
    answer = kith_process("detect", "--json", tmp_path / "사진.jpg", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert answer.code == 2
    assert answer.json()[0]["image"].endswith("사진.jpg"), "in JSON an escape is the letter itself"


# kith models


def test_models() -> None:
    cards = kith("models", "list", "--json").json()
    assert [card["id"] for card in cards] == [*EMBEDDERS, *DETECTORS, *PUBLISHED, *PUBLISHED_DETECTORS]
    lines = kith("models", "list").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        *EMBEDDERS,
        *DETECTORS,
        *PUBLISHED,
        *PUBLISHED_DETECTORS,
    ]
    for card in cards:
        assert kith("models", "show", card["id"], "--json").json() == card
        assert f"license: {card['license']}" in kith("models", "show", card["id"]).out


def test_an_unknown_model_is_told_with_the_known_ones() -> None:
    answer = kith("models", "show", "nope")
    assert answer.code == 2
    assert answer.err.startswith("error: unknown model 'nope'; known models: ")
    assert len(answer.err.splitlines()) == 1


def test_main_exits_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "run", lambda: 3)
    with pytest.raises(SystemExit) as raised:
        main.main()
    assert raised.value.code == 3
