"""The verbs that measure, on the sample people: one folder a person, six photos each."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import kith

from kith import sample_people
from kith.catalogue.calibrations import OWN, find_calibration
from kith.catalogue.installed import models_folder

PEOPLE = Path(sample_people.__file__).parent / "people"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "sample-people.kept"


def test_verification_of_a_folder(kept: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("".join(f"{name},{'first' if name < 'N' else 'second'}\n" for name in names()))
    answer = kith(
        "evaluate",
        "verification",
        PEOPLE,
        "--keep",
        kept,
        "--groups",
        groups,
        "--report",
        tmp_path / "r",
        "--json",
    )
    assert answer.code == 0, answer.err
    result = answer.json()
    assert (result["mated"], result["non_mated"]) == (8 * 15, 48 * 47 // 2 - 8 * 15)
    assert result["fnmr_at_fmr"]["0.001"]["value"] < 0.1
    assert result["fmr_not_shown"] == ["0.0001"]
    assert [group["label"] for group in result["groups"]] == ["first", "second"]
    assert sum(group["mated"] for group in result["groups"]) == result["mated"]
    assert json.loads((tmp_path / "r/result.json").read_text())["eer"] == result["eer"]
    page = (tmp_path / "r/index.html").read_text()
    for words in ("ROC", "DET", "error against discard", "Groups", "least alike", "data:image/jpeg", "<svg"):
        assert words in page
    assert "http" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    ), "the page needs nothing else"


def names() -> list[str]:
    return sorted(path.name for path in PEOPLE.iterdir() if path.is_dir())


def test_what_is_kept_is_not_made_again(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kith("evaluate", "verification", PEOPLE, "--keep", kept)
    before = kept.read_bytes()
    kept.write_bytes(before[:-10])  # as of a killed process
    from kith.recognizer import Recognizer

    detected = []
    detect = Recognizer.detect
    monkeypatch.setattr(Recognizer, "detect", lambda self, image: detected.append(1) or detect(self, image))
    answer = kith("evaluate", "verification", PEOPLE, "--keep", kept)
    assert answer.code == 0, answer.err
    assert len(detected) == 1
    assert kept.read_bytes() == before
    other = kith("evaluate", "verification", PEOPLE, "--keep", kept, "--precision", "float32")
    assert (other.code, other.err.count("\n")) == (2, 1)
    assert "was made otherwise" in other.err
    assert kept.read_bytes() == before


def test_identification(kept: Path, tmp_path: Path) -> None:
    answer = kith(
        "evaluate", "identification", PEOPLE, "--keep", kept, "--people", "5", "--references", "2",
        "--report", tmp_path / "r", "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    result = answer.json()
    assert (result["people"], result["references"]) == (5, 10)
    assert (result["mated_searches"], result["stranger_searches"]) == (20, 18)
    assert result["rank"]["1"]["value"] == 1
    assert result["fpir_not_shown"] == ["0.01", "0.001"]
    page = (tmp_path / "r/index.html").read_text()
    for words in ("CMC", "as the gallery grows", "independent", "Strangers most like"):
        assert words in page


def test_promises_are_not_measured_on_a_handful_of_people(kept: Path, tmp_path: Path) -> None:
    calibration = tmp_path / "calibration.json"
    made = kith("calibrate", PEOPLE, "--keep", kept, "--output", calibration)
    assert made.code == 0, made.err
    answer = kith("evaluate", "transfer", PEOPLE, "--calibrated-on", calibration, "--keep", kept)
    assert answer.code == 2
    assert (
        answer.err.strip()
        .splitlines()[-1]
        .endswith("needs 10 people of one group, to measure a rate among them")
    )


def test_calibrating_tells_of_groups_that_are_too_small(kept: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("".join(f"{name},{'few' if name < 'N' else 'others'}\n" for name in names()))
    answer = kith("calibrate", PEOPLE, "--keep", kept, "--groups", groups, "--dry-run")
    assert answer.code == 0
    assert "too few people to measure two faces within few, others: no rate is promised of them" in answer.err


def test_clusters(kept: Path, tmp_path: Path) -> None:
    answer = kith("evaluate", "clusters", PEOPLE, "--keep", kept, "--report", tmp_path / "r", "--json")
    assert answer.code == 0, answer.err
    result = answer.json()
    assert (result["faces"], result["people"]) == (48, 8)
    assert result["bcubed"]["f"] > 0.9
    assert "Agreement" in (tmp_path / "r/index.html").read_text()


def test_models_side_by_side(tmp_path: Path) -> None:
    answer = kith(
        "evaluate", "compare", "dlib-resnet29", "dlib-resnet29", "--people", PEOPLE,
        "--keep", tmp_path / "kept", "--report", tmp_path / "r", "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    (result,) = answer.json()
    assert result["model"] == "dlib-resnet29"
    assert result["verification"]["mated"] == 120
    assert "Models side by side" in (tmp_path / "r/index.html").read_text()
    unknown = kith("evaluate", "compare", "dlib-resnet29", "nobody", "--people", PEOPLE)
    assert (unknown.code, "nobody" in unknown.err) == (2, True)


def test_calibrate_and_reset(kept: Path) -> None:
    before = find_calibration("dlib-resnet29")
    dry = kith("calibrate", PEOPLE, "--keep", kept, "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert "8 people are few" in dry.err
    assert dry.json()["kept"] is None
    assert find_calibration("dlib-resnet29") == before
    answer = kith("calibrate", PEOPLE, "--keep", kept, "--json").json()
    assert answer["measured_on"] == "people: 1,008 non-mated pairs of 8 people"
    assert find_calibration("dlib-resnet29").people == 8
    shown = kith("models", "show", "dlib-resnet29", "--json").json()
    assert shown["calibrated_on"] == answer["measured_on"]
    assert kith("calibrate", "--reset", "--json").json()["forgotten"] is True
    assert find_calibration("dlib-resnet29") == before
    assert kith("calibrate", "--reset", "--json").json()["forgotten"] is False


def test_a_damaged_calibration_is_told() -> None:
    path = models_folder() / "dlib-resnet29" / OWN
    path.parent.mkdir(parents=True)
    path.write_text('{"people": 3}')
    answer = kith("models", "show", "dlib-resnet29")
    assert answer.code == 2
    assert answer.err == f"error: {path}: damaged; delete it, or measure again; use: kith calibrate DIR\n"


def one_person(folder: Path) -> None:
    (folder / "Ada").mkdir(parents=True)
    for number in (1, 2):
        (folder / "Ada" / f"{number}.jpg").write_bytes((PEOPLE / f"Ada/{number}.jpg").read_bytes())


def single_photos(folder: Path) -> None:
    for name in ("Ada", "Grace"):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.jpg").write_bytes((PEOPLE / name / "1.jpg").read_bytes())


@pytest.mark.parametrize("make", [one_person, single_photos])
@pytest.mark.parametrize(
    "verb", [("evaluate", "verification"), ("evaluate", "identification"), ("calibrate",)]
)
def test_too_few_people_are_one_line(
    tmp_path: Path, make: Callable[[Path], None], verb: tuple[str, ...]
) -> None:
    make(tmp_path / "people")
    answer = kith(*verb, tmp_path / "people")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert "two" in answer.err


def test_a_photo_that_cannot_be_read_is_a_failure_to_acquire(tmp_path: Path) -> None:
    for name in ("Ada", "Grace", "Omar"):
        (tmp_path / name).mkdir()
        for number in (1, 2):
            (tmp_path / name / f"{number}.jpg").write_bytes((PEOPLE / name / f"{number}.jpg").read_bytes())
    (tmp_path / "Ada/2.jpg").write_bytes(b"no picture")
    answer = kith("evaluate", "verification", tmp_path, "--json")
    assert answer.code == 0
    assert str(tmp_path / "Ada/2.jpg") in answer.err
    result = answer.json()
    assert (result["failures_to_acquire"], result["pairs_not_acquired"]) == (1, 5)
    assert result["fnmr_at_fmr"]["0.1"]["value"] == pytest.approx(1 / 3, abs=1e-5), "counted, not dropped"
