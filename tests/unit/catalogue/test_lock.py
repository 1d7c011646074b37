"""One process at a time brings a model here, and a killed one stands in nobody's way."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from witness import Witness

from kith.catalogue.installed import models_folder
from kith.catalogue.lock import only_one
from kith.errors import WeightsError
from kith.progress import SILENT


def left() -> list[str]:
    return [path.name for path in models_folder().iterdir()]


def test_the_second_waits_for_the_first() -> None:
    order: list[str] = []
    waits = threading.Event()

    class Waiting(Witness):
        def begin(self, what: str, *rest: object, **options: object) -> None:
            assert "another process that brings mine here" in what
            waits.set()

    def second() -> None:
        with only_one("mine", Waiting()):
            order.append("second")

    thread = threading.Thread(target=second)
    with only_one("mine", SILENT):
        thread.start()
        assert waits.wait(30)
        with only_one("another", SILENT):
            order.append("another model is nobody's business")
        order.append("first")
    thread.join(30)
    assert order == ["another model is nobody's business", "first", "second"]
    assert left() == []


def test_many_one_after_the_other() -> None:
    inside, most = [], []

    def bring() -> None:
        with only_one("mine", SILENT):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=bring) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [1] * 20
    assert left() == []


HOLD = """
import time
from kith.catalogue.lock import only_one
with only_one("mine", print):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_killed_process_stands_in_nobodys_way() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.kill()
    assert left() == [".mine.lock"]
    with only_one("mine", SILENT):
        pass
    assert left() == []


def test_an_error_opens_it() -> None:
    with pytest.raises(KeyboardInterrupt), only_one("mine", SILENT):
        raise KeyboardInterrupt
    assert left() == []


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("KITH_MODELS", str(tmp_path / "file"))
    with (
        pytest.raises(WeightsError, match="cannot write .*set KITH_MODELS to a folder with room"),
        only_one("mine", SILENT),
    ):
        pass
