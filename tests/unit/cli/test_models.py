"""`kith models`: bringing models here, by the command line."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command_line import kith
from recipes import openface
from write_detector import write_scrfd
from write_onnx import write_onnx
from write_torch7 import write_openface

from kith.catalogue.calibrations import UNMEASURED
from kith.catalogue.files import cache_folder
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS
from kith.runtime.adopt_detector import adopt_detector
from kith.workflows import detectors, importing, pulling

OPENFACE = "openface-nn4-small2"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Be quiet."""


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("KITH_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def weights(shared: Path, tmp_path: Path) -> Path:
    path = tmp_path / "served" / "nn4.small2.v1.t7"
    path.parent.mkdir()
    path.write_bytes(write_openface(openface(shared)))
    return path


@pytest.fixture
def address(weights: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=weights.parent))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def publish(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the test's own file were the published one."""
    model = PUBLISHED[OPENFACE]
    md5 = hashlib.md5(weights.read_bytes()).hexdigest()
    files = (replace(model.files[0], md5=md5),)
    monkeypatch.setitem(pulling.PUBLISHED, OPENFACE, replace(model, files=files))


def test_pull_verify_quantize_and_remove(
    weights: Path, address: str, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITH_CACHE", str(models.parent / "cache"))
    publish(weights, monkeypatch)
    pull = ("models", "pull", OPENFACE, "--from", f"{address}/{weights.name}")
    answer = kith(*pull)
    assert answer.code == 0 and "its thresholds were measured on nothing yet; measure" in answer.err, (
        answer.err
    )
    assert answer.out.startswith(f"installed {OPENFACE}: OpenFace's nn4.small2")
    assert [path.name for path in models.iterdir()] == [OPENFACE], "the download is gone"
    weights.unlink()
    assert kith(*pull).code == 0, "what is here is not fetched again"
    card = kith("models", "show", OPENFACE, "--json").json()
    assert (card["state"], card["license"], card["int8"]) == ("here", "Apache 2.0", False)
    answer = kith("models", "quantize", OPENFACE)
    if answer.code == 0:  # random weights need not survive int8
        assert "used from now on" in answer.out
        assert kith("models", "show", OPENFACE, "--json").json()["int8"] is True
    else:
        assert "int8 is refused" in answer.err
    compiled = cache_folder() / "compiled"
    assert list(compiled.glob("nn4_small2-*"))
    assert kith("models", "remove", OPENFACE).out.startswith(f"removed {OPENFACE}, 15 MB")
    assert kith("models", "show", OPENFACE, "--json").json()["state"] == "can be pulled"
    assert list(compiled.glob("nn4_small2-*")) == []


def test_another_file_than_the_published_is_refused(weights: Path, address: str, models: Path) -> None:
    answer = kith("models", "pull", OPENFACE, "--from", f"{address}/{weights.name}")
    assert answer.code == 2
    assert "serves another file than was published" in answer.err
    assert list(models.iterdir()) == []


def test_without_a_network_it_says_what_to_do() -> None:
    answer = kith("models", "pull", OPENFACE, "--from", "http://127.0.0.1:9/file")
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1
    assert "is there a network?" in answer.err
    assert "kith models import FILE" in answer.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("pull", "dlib-resnet29"), "came with Kith; there is nothing to pull"),
        (("pull", "facenet"), "no published model 'facenet'; known: sface, buffalo_l"),
        (("remove", "dlib-resnet29"), "came with Kith and cannot be removed"),
        (("remove", "nobody"), "unknown model 'nobody'"),
        (("remove", "../models"), "unknown model '../models'"),
        (("quantize", OPENFACE), f"use: kith models pull {OPENFACE}"),
        (("show", "nobody"), "unknown model 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: tuple[str, ...], complaint: str) -> None:
    answer = kith("models", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert len(answer.err.splitlines()) == 1
    assert complaint in answer.err


def test_an_onnx_file_is_imported_by_what_the_user_says(tmp_path: Path) -> None:
    path = tmp_path / "w600k.onnx"
    path.write_bytes(write_onnx(pixels=112))
    assert "use: kith models import FILE --template arcface" in kith("models", "import", path).err
    assert "--template arcface --pixels 127" in kith("models", "import", path, "--template", "arcface").err
    options = ("--template", "arcface", "--pixels", "127.5,127.5", "--color", "bgr")
    assert kith("models", "import", path, *options).out.startswith("installed w600k: an ONNX network, 16")
    card = kith("models", "show", "w600k", "--json").json()
    assert card["pixels"] == "(pixel - (127.5, 127.5, 127.5)) / 127.5"
    assert card["crop"] == "112 pixels, SimilarityCrop"
    assert card["mirrored"] is False, "nobody said that it was made for that"
    assert kith("models", "import", path, *options, "--mirrored", "--id", "both").code == 0
    assert kith("models", "show", "both", "--json").json()["mirrored"] is True


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--crop-size", "112"), "are for an ONNX file; give --template too"),
        (("--color", "bgr"), "are for an ONNX file; give --template too"),
        (("--template", "arc", "--pixels", "0,1"), "known: arcface, dlib"),
        (("--template", "arcface", "--pixels", "0,1", "--crop-size", "112"), "not a square of 112 pixels"),
        (("--template", "arcface", "--pixels", "0,1", "--output", "x"), "no output 'x'; it has 'fc1'"),
        (("--crop-size", "112", "--template", "arcface", "--pixels", "1"), "give MEAN,DIVISOR"),
        (("--crop-size", "112", "--template", "arcface", "--pixels", "0,0"), "the divisor must not be 0"),
    ],
)
def test_options_that_say_too_little(options: tuple[str, ...], complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(write_onnx())
    answer = kith("models", "import", path, *options)
    assert answer.code == 2
    assert complaint in answer.err


def test_a_folder_that_is_full_or_closed_is_told(weights: Path, models: Path) -> None:
    models.write_text("in the way")
    answer = kith("models", "import", weights)
    assert answer.code == 2
    assert "set KITH_MODELS to a folder with room" in answer.err
    assert models.read_text() == "in the way"


ONNX = ("--crop-size", "32", "--template", "arcface", "--pixels", "127.5,127.5")


@pytest.fixture
def two_models(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models, of which the first one's card is damaged."""
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda *arguments: UNMEASURED)
    path = tmp_path / "model.onnx"
    path.write_bytes(write_onnx())
    for name in ("first", "second"):
        assert kith("models", "import", path, "--id", name, *ONNX).code == 0
    (models / "first" / "model.json").write_text("{}")
    return models


def test_a_damaged_card_is_in_nobodys_way(two_models: Path) -> None:
    answer = kith("models", "list", "--json")
    states = {card["id"]: card["state"] for card in answer.json()}
    assert (answer.code, states["first"], states["second"]) == (2, "damaged", "here")
    assert states[OPENFACE] == "can be pulled"
    (line,) = answer.err.splitlines()
    assert "model.json: damaged; remove the model and import it again; use: kith models remove first" in line
    answer = kith("models", "list")
    assert (answer.code, len(answer.err.splitlines())) == (2, 1)
    assert "first\tdamaged" in answer.out
    assert kith("models", "show", "second").code == kith("models", "show", OPENFACE).code == 0
    assert kith("models", "show", "first").code == 2
    answer = kith("models", "verify", "--json")
    problems = {entry["id"]: entry["problem"] for entry in answer.json()}
    assert answer.code == 2
    assert [name for name, problem in problems.items() if problem] == ["first"]
    assert "second" in problems
    assert kith("models", "remove", "first").code == 0
    assert kith("models", "verify").code == kith("models", "list").code == 0


def test_an_old_card_without_what_has_a_default_is_read(two_models: Path) -> None:
    path = two_models / "second" / "model.json"
    card = json.loads(path.read_bytes())
    for key in ("version", "mirrored", "summary", "license", "training_data", "lfw", "int8", "input_size"):
        del card[key]
    path.write_text(json.dumps(card))
    shown = kith("models", "show", "second", "--json").json()
    assert (shown["mirrored"], shown["int8"], shown["input_size"]) == (True, False, 32)
    assert (shown["license"], shown["lfw"]) == ("unknown", "not measured")
    path.write_text(json.dumps(card | {"version": 1}))
    assert kith("models", "show", "second").code == 0
    path.write_text(json.dumps(card | {"version": 99}))
    assert "made by a later version of Kith" in kith("models", "show", "second").err


def test_what_is_left_without_a_card_can_be_removed(two_models: Path) -> None:
    (two_models / "first" / "model.json").unlink()
    assert kith("models", "remove", "first").out.startswith("removed first")
    (two_models / "second" / "model.json").unlink()
    (two_models / "second" / "model.json").mkdir()
    assert kith("models", "remove", "second").out.startswith("removed second")
    assert list(two_models.iterdir()) == []
    assert "unknown model 'second'" in kith("models", "remove", "second").err


@pytest.mark.parametrize("damage", ["", '{"version": 2}', '{"version": 3}', "\xff"])
def test_every_damaged_card_can_be_removed(two_models: Path, damage: str) -> None:
    (two_models / "first" / "model.json").write_text(damage)
    assert kith("models", "remove", "first").out.startswith("removed first")
    assert [path.name for path in two_models.iterdir()] == ["second"]


def test_a_damaged_calibration_is_in_nobodys_way(two_models: Path) -> None:
    (two_models / "second" / "calibration.json").write_text("{}")
    answer = kith("models", "list", "--json")
    assert {card["id"]: card["state"] for card in answer.json()}["second"] == "damaged"
    assert len(answer.err.splitlines()) == 2


def test_a_folder_of_models_that_is_none_hides_nothing_else(models: Path) -> None:
    models.write_text("in the way")
    for verb in (("list",), ("verify",), ("show", "dlib-resnet29")):
        answer = kith("models", *verb)
        assert answer.out, verb
        if verb[0] == "show":
            assert (answer.code, answer.err) == (0, "")
        else:
            assert answer.code == 2
            (line,) = answer.err.splitlines()
            assert f"cannot read the models in {models}: Not a directory" in line


def test_how_sure_a_network_is_of_nothing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(write_onnx())
    answer = kith("models", "import", path, *ONNX)
    assert answer.code == 0
    assert answer.err.startswith("warning: model hardly tells the sample people apart")


# licenses


@pytest.fixture
def scrfd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A detector for non-commercial research, which lies here; a stand-in for the published one."""
    path = tmp_path / "det.onnx"
    path.write_bytes(write_scrfd())
    detector = PUBLISHED_DETECTORS["scrfd-500m"]
    file = replace(detector.files[0], sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setitem(PUBLISHED_DETECTORS, detector.id, replace(detector, files=(file,)))
    monkeypatch.setattr(detectors, "adopt_detector_in_bounds", adopt_detector)  # in this process: quicker
    return path


def test_a_license_is_refused_accepted_and_remembered(scrfd: Path, models: Path) -> None:
    answer = kith("models", "import", scrfd)
    assert (answer.code, answer.out, models.exists()) == (2, "", False)
    (line,) = answer.err.splitlines()
    assert "must not be used commercially: InsightFace's license, for non-commercial research only" in line
    assert line.endswith(f"use: kith models import --accept-license {scrfd}")
    answer = kith("models", "pull", "scrfd-500m", "--from", "http://127.0.0.1:9/file")
    assert (answer.code, "is there a network" in answer.err) == (2, False)
    assert answer.err.endswith("use: kith models pull --accept-license scrfd-500m\n")
    answer = kith("models", "import", scrfd, "--accept-license")
    assert (answer.code, answer.out.startswith("installed scrfd-500m: SCRFD")) == (0, True), answer.err
    assert kith("models", "import", scrfd, "--id", "again").code == 0
    assert "is there a network" in kith("models", "pull", "scrfd-2.5g", "--from", "http://127.0.0.1:9/f").err


@pytest.mark.parametrize("accepts", [True, False])
def test_on_a_terminal_it_is_asked(accepts: bool, scrfd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question, **_: asked.append(question) or accepts)
    answer = kith("models", "import", scrfd)
    assert answer.code == (0 if accepts else 2)
    assert asked == [
        "InsightFace's license, for non-commercial research only "
        "(https://github.com/deepinsight/insightface#license). Do you accept this?"
    ]
    assert ("must not be used commercially" in answer.err) is not accepts
    assert kith("models", "show", "scrfd-500m", "--json").json()["state"] == (
        "here" if accepts else "can be pulled"
    )
