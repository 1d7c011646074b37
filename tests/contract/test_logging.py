"""Kith logs to one logger, says nothing of anybody's photos there, and leaves others' settings alone."""

import ast
import gzip
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import kith
from kith.catalogue.builtin import DETECTORS
from kith.catalogue.files import CACHE_VARIABLE
from kith.gallery import Gallery
from kith.recognizer import Recognizer
from kith.runtime.prepare import prepare
from kith.sample_people import photos

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "kith"
CALLS = [
    (path, ast.unparse(node.func), node)
    for path in SOURCES.rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text("utf-8")))
    if isinstance(node, ast.Call)
]


def test_there_is_one_logger() -> None:
    loggers = [(path, node) for path, name, node in CALLS if name == "logging.getLogger"]
    assert loggers
    assert {ast.unparse(node) for _, node in loggers} == {"logging.getLogger('kith')"}


def test_nothing_silences_the_process() -> None:
    assert not [path for path, name, _ in CALLS if name in ("logging.disable", "logging.basicConfig")]
    program = (
        "import json, logging, warnings\n"
        "before = repr(warnings.filters)\n"
        "import kith.cli.app, kith.presentation.report, kith.runtime.prepare\n"
        "levels = {name: logger.level for name, logger in logging.root.manager.loggerDict.items()\n"
        "          if isinstance(logger, logging.Logger) and name.split('.')[0] in ('kith', 'PIL', 'httpx')}\n"
        "print(json.dumps([logging.root.manager.disable, len(logging.root.handlers), sorted(set(levels.values()))]))"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(process.stdout) == [0, 0, [0]]


def test_filters_of_warnings_are_set_within_catch_warnings_only() -> None:
    for path in SOURCES.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        setters = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("warnings.filterwarnings", "warnings.simplefilter")
        ]
        guarded = "catch_warnings()" in path.read_text("utf-8")
        assert not setters or guarded, path


def test_a_model_that_is_compiled_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr("kith.runtime.workshop._start", lambda _stack: None)
    caplog.set_level(logging.INFO, "kith")
    for _ in range(2):
        prepare(DETECTORS["mtcnn"].weights["pnet"])
    assert caplog.messages == ["kith: compiling pnet of pnet.lz4"]


def test_a_gallery_that_is_migrated_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "secret-name.db"
    file.write_bytes(gzip.decompress((ROOT / "tests" / "data" / "gallery-of-version-1.db.gz").read_bytes()))
    caplog.set_level(logging.INFO, "kith")
    for _ in range(2):
        Gallery.open(file, create=False).close()
    (message,) = caplog.messages
    assert message.startswith("kith: a gallery was migrated from schema 1 to ")
    assert "secret" not in message


def test_photos_and_people_are_never_logged(
    recognizer: Recognizer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "kith")
    image = kith.load_image(photos()[0])
    with Gallery.open(tmp_path / "g.db", model_id=recognizer.model_id) as gallery:
        recognizer.enroll("Ada", image, gallery, source="secret.jpg")
        recognizer.identify(image, gallery)
        gallery.rename("Ada", "Grace")
        gallery.delete("Grace")
    assert not [record for record in caplog.records if record.name.startswith("kith")]
