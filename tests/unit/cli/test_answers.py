"""What verbs print for programs, as documented."""

from pathlib import Path

import numpy as np
import pytest
from command_line import kith

from kith.cli.identify import answer_of
from kith.gallery import Gallery, NewReference
from kith.records import Candidate, Decision, Face, Measure, Outcome, Policy, Subject, Template
from kith.sample_people import photos as sample_photos

POLICY = Policy(
    Measure.FPIR,
    0.003,
    0.70001,
    "made-up people",
    people=2,
    group="women",
    rates=(("everyone", 0.00123), ("women", 0.003)),
)
ADA, GRACE = Subject(1, "Ada"), Subject(2, "Grace")


@pytest.fixture(scope="session")
def portraits() -> list[Path]:
    """Photos of one face each, the first and the last of different people."""
    return sample_photos()[:2] + sample_photos()[-1:]


@pytest.fixture
def people(gallery_path: Path, face: Face) -> Path:
    """A gallery of made-up templates."""
    with Gallery.open(gallery_path, model_id="test-model") as gallery:
        for number, name in enumerate(("Ada", "Ada", "Grace")):
            template = Template(np.eye(4, dtype=np.float32)[number], "test-model")
            gallery.enroll(name, [NewReference(template, face, f"{number}.jpg", f"hash {number}")])
    return gallery_path


# identify


def test_a_match(face: Face) -> None:
    candidates = (Candidate(ADA, 0.71234, 0.0012345), Candidate(GRACE, 0.1, 0.9))
    decision = Decision(Outcome.MATCH, candidates, POLICY)
    assert answer_of(face, decision, scale=2.0).json == {
        "box": [20.0, 20.0, 180.0, 220.0],
        "landmarks": [[60.0, 80.0], [140.0, 80.0], [100.0, 120.0], [70.0, 160.0], [130.0, 160.0]],
        "detection_score": 0.99,
        "turned": 0,
        "decision": "match",
        "subject": "Ada",
        "score": 0.7123,
        "reason": "",
        "candidates": [
            {"subject": "Ada", "score": 0.7123, "fpir": 0.0012},
            {"subject": "Grace", "score": 0.1, "fpir": 0.9},
        ],
        "policy": {
            "fpir": 0.003,
            "threshold": 0.7,
            "measured_on": "made-up people",
            "extrapolated": False,
            "group": "women",
            "rates": {"everyone": 0.0012, "women": 0.003},
            "people": 2,
        },
    }
    assert answer_of(face, decision, scale=2.0).cells == ("160x200 at 20,20", "Ada", "0.712", "")


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.AMBIGUOUS, Outcome.LOW_QUALITY])
def test_nobody_is_named_without_a_match(face: Face, outcome: Outcome) -> None:
    found = answer_of(face, Decision(outcome, (Candidate(ADA, 0.4, 0.5, 0.98765),), POLICY, "a reason"))
    answer = found.json
    assert answer["decision"] in {"unknown", "ambiguous", "low_quality"}
    assert (answer["subject"], answer["reason"]) == (None, "a reason")
    assert answer["candidates"] == [{"subject": "Ada", "score": 0.4, "fpir": 0.5, "probability": 0.9877}]
    assert "Ada" not in found.cells
    assert (found.label.text, found.label.known) == (found.cells[1], False)


def test_an_empty_gallery_has_no_candidates(face: Face) -> None:
    answer = answer_of(face, Decision(Outcome.UNKNOWN, (), POLICY)).json
    assert answer["score"] is None
    assert answer["candidates"] == []


def test_identify_prints_one_entry_a_photo(portraits: list[Path], gallery_path: Path) -> None:
    kith("enroll", portraits[0], "--name", "Ada", "-g", gallery_path, "--precision", "float32")
    missing = gallery_path.with_name("missing.jpg")
    answer = kith(
        *("identify", portraits[0], missing, portraits[1], "-g", gallery_path, "--json"),
        *("--precision", "float32"),
    )
    entries = answer.json()
    assert answer.code == 2, "a photo is missing, the others are answered all the same"
    assert [entry["image"] for entry in entries] == [str(portraits[0]), str(missing), str(portraits[1])]
    assert entries[1]["faces"] == []
    assert "no such file" in entries[1]["error"]
    assert entries[0].keys() == {"image", "faces"}
    (found,) = entries[0]["faces"]
    assert found.keys() == {
        *("box", "landmarks", "detection_score", "turned"),
        *("decision", "subject", "score", "reason", "candidates", "policy"),
    }
    assert (found["decision"], found["subject"]) == ("match", "Ada")
    assert found["score"] == pytest.approx(1, abs=1e-3)
    assert len(found["box"]) == 4


# evaluate


def test_evaluate_lfw(portraits: list[Path], tmp_path: Path) -> None:
    """Two photos each of two made-up people, in as many pairs as a rate of 0.001 needs."""
    for number, photo in enumerate((portraits[0], portraits[0], portraits[-1], portraits[-1])):
        name = "Ada" if number < 2 else "Grace"
        target = tmp_path / "lfw" / name / f"{name}_{number % 2 + 1:04d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(photo.read_bytes())
    fold = ["Ada\t1\t2"] * 500 + ["Ada\t1\tGrace\t1"] * 500
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("\n".join(["2\t500", *fold, *fold]))
    answer = kith("evaluate", "lfw", tmp_path / "lfw", pairs, "--json", "--precision", "float32")
    assert (answer.code, answer.err) == (0, "")
    result = answer.json()
    assert result.pop("seconds") > 0
    expected = {
        "model": "dlib-resnet29",
        "precision": "float32",
        "pairs": 2000,
        "accuracy_mean": 1.0,
        "accuracy_std": 0.0,
        "tar_at_fmr": {"0.1": 1.0, "0.01": 1.0, "0.001": 1.0},
        "fmr_not_shown": ["0.0001"],
        "failures_to_acquire": 0,
    }
    assert {key: result[key] for key in expected} == expected
    assert result["eer"]["value"] == 0


# the other verbs


def test_people(people: Path) -> None:
    assert kith("people", "list", "-g", people, "--json").json() == {
        "gallery": str(people),
        "model": "test-model",
        "people": [{"id": 1, "name": "Ada", "references": 2}, {"id": 2, "name": "Grace", "references": 1}],
    }
    assert kith("people", "list", "-g", people).out == "Ada\t2\nGrace\t1\n"
    shown = kith("people", "show", "Ada", "-g", people, "--json").json()
    assert shown["name"] == "Ada"
    assert [reference["source"] for reference in shown["references"]] == ["0.jpg", "1.jpg"]
    assert kith("people", "rename", "Ada", "Augusta", "-g", people, "--json").json() == {
        "id": 1,
        "name": "Augusta",
    }
    assert kith("people", "rename", "Augusta", "Ada", "-g", people).out == "Augusta is now Ada\n"
    assert kith("people", "merge", "Grace", "Ada", "-g", people, "--json").json() == {"id": 1, "name": "Ada"}
    answer = kith("people", "delete", "Ada", "-g", people, "--yes")
    assert answer.out == f"Ada and 3 references are gone from {people}\n"
    assert kith("people", "list", "-g", people).out == "no one is enrolled\n"


@pytest.mark.parametrize(("reply", "left"), [(True, []), (False, ["Ada"])])
def test_delete_asks_on_a_terminal(
    people: Path, monkeypatch: pytest.MonkeyPatch, reply: bool, left: list[str]
) -> None:
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return reply

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", confirm)
    answer = kith("people", "delete", "Ada", "-g", people)
    assert asked == ["Delete Ada and 2 references?"]
    assert answer.code == (0 if reply else 2)
    with Gallery.open(people) as gallery:
        assert [summary.subject.name for summary in gallery.subjects()] == [*left, "Grace"]


def test_detect(portraits: list[Path], tmp_path: Path) -> None:
    (entry,) = kith("detect", portraits[0], "--annotate", tmp_path / "out.png", "--json").json()
    assert entry["image"] == str(portraits[0])
    assert entry["faces"][0].keys() == {"box", "landmarks", "detection_score", "turned"}
    assert len(entry["faces"][0]["landmarks"]) == 5
    assert (tmp_path / "out.png").is_file()
    assert kith("detect", portraits[0]).out.startswith(f"{portraits[0]}\t")


def test_verify(portraits: list[Path]) -> None:
    answer = kith("verify", portraits[0], portraits[0], "--json", "--precision", "float32")
    result = answer.json()
    assert (answer.code, result["decision"]) == (0, "match")
    assert result.keys() == {
        "decision",
        "score",
        "score_fmr",
        "policy",
        "probability",
        "prior",
        "threshold",
        "fmr",
        "measured_on",
        "model",
    }
    assert result["probability"] > 0.99
    rarer = kith(
        "verify", portraits[0], portraits[0], "--json", "--precision", "float32", "--prior", "0.001"
    ).json()
    assert rarer["probability"] < result["probability"]
    for photo in (portraits[1], portraits[-1]):
        answer = kith("verify", portraits[0], photo, "--json", "--precision", "float32")
        result = answer.json()
        matches = result["score"] >= result["threshold"]
        assert (answer.code, result["decision"]) == ((0, "match") if matches else (1, "non_match"))
        line = kith("verify", portraits[0], photo, "--precision", "float32").out
        assert line.startswith("match: " if matches else "non-match: ")


def test_embed(portraits: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "new folder" / "faces.npz"
    answer = kith("embed", *portraits[:2], "-o", output, "--json", "--precision", "float32")
    assert answer.json() == {
        "output": str(output),
        "model": "dlib-resnet29",
        "photos": 2,
        "faces": 2,
        "unreadable": 0,
        "left_out": {},
    }
    with np.load(output, allow_pickle=False) as arrays:
        assert arrays["embeddings"].shape == (2, 128)
        assert arrays["boxes"].shape == (2, 4)
        assert arrays["landmarks"].shape == (2, 5, 2)
        assert arrays["images"].tolist() == [str(photo) for photo in portraits[:2]]
        assert str(arrays["model_id"]) == "dlib-resnet29"
        np.testing.assert_allclose(np.linalg.norm(arrays["embeddings"], axis=1), 1, atol=1e-5)


def test_enroll(portraits: list[Path], gallery_path: Path) -> None:
    command = (
        "enroll",
        portraits[0],
        portraits[1],
        "--name",
        "Ada",
        "-g",
        gallery_path,
        "--precision",
        "float32",
    )
    assert kith(*command, "--json").json() == {
        "gallery": str(gallery_path),
        "model": "dlib-resnet29",
        "people": 1,
        "enrolled": 2,
        "already": 0,
        "failed": [],
        "left_out": {},
        "weak": [],
        "turned": [],
        "lookalikes": [],
    }
    assert kith(*command).out == f"0 photos enrolled, 2 already there; 1 person in {gallery_path}\n"
