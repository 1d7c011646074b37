"""Which model for whom; how fast each is, is made up here."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import kith
from write_detector import write_yunet

from kith.catalogue.builtin import EMBEDDERS
from kith.catalogue.licenses import Use
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS
from kith.presentation.recommendations import advice
from kith.runtime.adopt_detector import adopt_detector
from kith.workflows import detectors, recommending
from kith.workflows.importing import import_file
from kith.workflows.recommending import FREE_DETECTOR, Needs, Option, recommend

SPEEDS = {"dlib-resnet29": 20.0, "kith-mini": 90.0}


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def measure(pair_id: str, progress: object) -> float:
        asked.append(pair_id)
        return SPEEDS[pair_id.partition("+")[0]]

    monkeypatch.setattr(recommending, "_measure", measure)
    return asked


def by_id(options: list[Option]) -> dict[str, Option]:
    return {option.id: option for option in options}


def test_all_are_told_the_most_accurate_first(measured: list[str]) -> None:
    options = recommend(Needs())
    assert set(by_id(options)) >= {*EMBEDDERS, *PUBLISHED}
    assert [option.lfw for option in options[:3]] == [99.83, 99.83, 99.83]
    again = sorted(reversed(options), key=recommending._by_accuracy)
    assert {option.id for option in again[:2]} == {"buffalo_l", "buffalo_m"}, "better on harder photos"
    accuracies = [option.lfw or 0 for option in options]
    assert accuracies == sorted(accuracies, reverse=True)
    assert options[-1].lfw is None, "nobody told"
    assert sorted(measured) == sorted(SPEEDS), "only what is here can be measured"


def test_what_may_be_used_for_anything() -> None:
    options = recommend(Needs(commercial=True))
    assert {option.use for option in options} == {Use.ANY}
    assert options[0].id == "auraface"
    names = [option.id for option in options]
    assert "dlib-resnet29" not in names, "its detector's author asks not to"
    assert f"dlib-resnet29+{FREE_DETECTOR}" in names


def test_a_pair_is_as_free_as_the_less_free_of_both() -> None:
    options = by_id(recommend(Needs()))
    assert options["dlib-resnet29"].use is Use.UNCLEAR
    assert options["adaface-ir-50"].use is Use.UNCLEAR
    assert options["buffalo_l"].use is Use.RESEARCH
    assert options["edgeface-s"].use is Use.NONCOMMERCIAL
    assert "edgeface-s+yunet-s" not in options, "that is its usual one"


def test_what_must_be_pulled_first() -> None:
    options = by_id(recommend(Needs()))
    assert options["dlib-resnet29"].missing == ()
    assert options[f"dlib-resnet29+{FREE_DETECTOR}"].missing == (FREE_DETECTOR,)
    assert options["sface"].missing == ("sface",), "which brings its detector"
    name = f"openface-nn4-small2+{FREE_DETECTOR}"
    assert options[name].missing == ("openface-nn4-small2", FREE_DETECTOR)


def test_size_and_speed(measured: list[str]) -> None:
    options = recommend(Needs(max_size=25_000_000))
    assert {option.id for option in options} >= {"dlib-resnet29", "mobilefacenet-arcface", "edgeface-s"}
    assert max(option.size for option in options) <= 25_000_000
    assert by_id(options)["buffalo_sc"].size == PUBLISHED["buffalo_sc"].files[0].size, "both are in the zip"
    fast = recommend(Needs(min_speed=50))
    assert "dlib-resnet29" not in by_id(fast) and "kith-mini" in by_id(fast)
    assert "sface" in by_id(fast), "nobody knows how fast it is here"
    assert [option.id for option in recommend(Needs(fast=True))[:2]] == ["kith-mini", "dlib-resnet29"]


def test_what_was_brought_here_is_measured_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: list[str]
) -> None:
    path = tmp_path / "det.onnx"
    path.write_bytes(write_yunet())
    detector = PUBLISHED_DETECTORS[FREE_DETECTOR]
    file = replace(detector.files[0], sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setitem(PUBLISHED_DETECTORS, detector.id, replace(detector, files=(file,)))
    monkeypatch.setattr(detectors, "adopt_detector_in_bounds", adopt_detector)  # in this process: quicker
    import_file(path)
    options = by_id(recommend(Needs(commercial=True)))
    assert options[f"dlib-resnet29+{FREE_DETECTOR}"].faces_per_second == 20.0
    assert set(measured) == {f"{name}+{FREE_DETECTOR}" for name in SPEEDS}


def test_groups_of_people() -> None:
    options = by_id(recommend(Needs()))
    assert dict(options["buffalo_s"].by_group)["East Asian"] == 51.03
    assert options["sface"].by_group == ()


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (Needs(), r"is for non-commercial research only; none of the others .*LFW 99.83 %\); buffalo_"),
        (Needs(commercial=True), "auraface: may be used for anything; .*; auraface must be pulled first"),
        (Needs(fast=True), "kith-mini: may perhaps not be used commercially; the fastest that is here, 90 "),
        (
            Needs(fast=True, commercial=True),
            "the smallest; how fast it is here shows once it is; yunet-s must",
        ),
        (Needs(max_size=1000), "no model fulfils all of this"),
    ],
)
def test_one_sentence_of_advice(needs: Needs, words: str) -> None:
    assert re.search(words, advice(recommend(needs), needs))


# the verb


def test_the_table_and_the_advice() -> None:
    answer = kith("models", "recommend", "--commercial")
    assert answer.code == 0
    rows = [line.split("\t") for line in answer.out.splitlines()]
    assert rows[0] == ["auraface", "any", "auraface", "260.9 MB", "", "99.65 %", "", ""]
    assert answer.err.startswith("auraface: may be used for anything; ")
    assert "use: kith models pull auraface\n" in answer.err
    cards = kith("models", "recommend", "--json", "--max-size", "2").json()
    assert {card["model"] for card in cards} == {"kith-mini+yunet-s"}


def test_that_nothing_fits_is_an_error() -> None:
    answer = kith("models", "recommend", "--commercial", "--max-size", "1")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("no model fulfils all of this")


def test_on_a_terminal_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question, **_: asked.append(question) or True)
    assert kith("models", "recommend").out.splitlines()[0].startswith("kith-mini+yunet-s\tany")
    assert asked == ["Is it for commercial use?", "Is speed more important than accuracy?"]
    kith("models", "recommend", "--commercial")
    assert len(asked) == 2
