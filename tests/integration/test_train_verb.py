"""`kith train` from photos to a model that works, and what they say of bad input."""

import csv
import shutil
import signal
import time
from pathlib import Path

import pytest
from command_line import kith, kith_process, start

from kith.sample_people import PEOPLE

SETTINGS = """
input_size = 104
people = 3
images = 4
epochs = 2
hold_out = 0.3
fmr = 0.05
precision = "float32"
warmup = 0.5
"""


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(SETTINGS)


def copy(*names: str, photos: int = 6) -> Path:
    folder = Path("people")
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(1, photos + 1):
            shutil.copy(PEOPLE / name / f"{number}.jpg", folder / name)
    return folder


def test_a_trained_model_is_used_by_its_name() -> None:
    answer = kith("train", PEOPLE, "--config", "run.toml", "--id", "mine", "--no-check-labels", "--json")
    assert answer.code == 0, answer.err
    assert answer.json()["model"] == "mine"
    assert "epoch 2: validation" in answer.err
    rows = Path("runs/mine/steps.csv").read_text().splitlines()
    assert answer.json()["steps"] in (len(rows) // 2, len(rows) - 1)  # the best of two epochs
    ada = PEOPLE / "Ada" / "1.jpg"
    assert kith("verify", ada, ada, "--model", "mine", "--json").json()["score"] == pytest.approx(1)
    card = kith("models", "show", "mine", "--json").json()
    assert "photos of" in card["training_data"]
    again = kith("train", PEOPLE, "--config", "run.toml", "--id", "mine")
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "a model mine is here already" in again.err


def figures(folder: str) -> list[tuple[str, ...]]:
    """What steps.csv says of each step, but for times."""
    path = Path(folder) / "steps.csv"
    rows = csv.DictReader(path.read_text().splitlines()) if path.exists() else []
    return [tuple(row[name] or "" for name in ("step", "loss", "spread", "gradient")) for row in rows]


def test_a_killed_command_goes_on_with_the_same_losses() -> None:
    """Kill -9 from outside, wherever it happens to be between two checkpoints."""
    settings = SETTINGS.replace("epochs = 2", 'epochs = 8\nloss = "arcface"\ncheckpoint_every = 3')
    settings = 'freeze = "block10_relu"\n' + settings  # the command goes on, whatever it trains
    Path("run.toml").write_text(settings)
    people = copy("Ada", "Grace", "Omar", "Wei", "Nadia")  # three to learn from: a step an epoch
    command = ("train", people, "--config", "run.toml", "--no-check-labels")
    assert kith_process(*command, "--id", "whole", "--run", "whole").code == 0
    process = start(*command, "--id", "killed", "--run", "killed")
    until = time.monotonic() + 300
    while len(figures("killed")) < 5 and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    assert kith_process(*command, "--id", "killed", "--run", "killed").code == 0
    assert figures("killed") == figures("whole")
    assert Path("killed/validation.csv").read_text() == Path("whole/validation.csv").read_text()


@pytest.mark.parametrize(
    ("names", "photos", "said"),
    [
        (("Ada",), 6, "photos of one person only"),
        (("Ada", "Grace", "Omar"), 1, "one photo of each person only"),
        (("Ada", "Grace", "Omar"), 6, "1 people held out make 0 pairs of different people"),
        (("Ada", "Grace", "Omar", "Wei", "Nadia"), 2, "more photos of each person are needed"),
    ],
)
def test_photos_that_cannot_teach_are_told_in_one_line(
    names: tuple[str, ...], photos: int, said: str
) -> None:
    if photos == 2:  # few pairs to validate on, and yet enough
        Path("run.toml").write_text(SETTINGS.replace("fmr = 0.05", "fmr = 0.5"))
    answer = kith("train", copy(*names, photos=photos), "--config", "run.toml", "--no-check-labels")
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--loss", "tripel"), "unknown loss 'tripel'"),
        (("--miner", "hard"), "unknown miner 'hard'"),
        (("--network", "resnet"), "unknown network 'resnet'"),
        (("--freeze", "block9"), "cannot be frozen up to a layer 'block9'"),
        (("--id", "../x"), "cannot be a model's name"),
        (("--from", "nothing"), "unknown model 'nothing'"),
        (("--processes", "2"), "need a coordinator"),
        (("--config", "none.toml"), "none.toml: No such file"),
        (("--without", "none.txt"), "none.txt: No such file"),
    ],
)
def test_wrong_settings_are_told_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    given = ("--config", "run.toml") if "--config" not in arguments else ()
    answer = kith("train", PEOPLE, *given, *arguments, "--no-check-labels")
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1, answer.err


def test_a_folder_without_photos_is_told() -> None:
    Path("empty").mkdir()
    answer = kith("train", "empty")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "no photos in it" in answer.err


def test_wrong_labels_are_told_before_training() -> None:
    folder = copy("Ada", "Grace", "Omar", "Wei", "Nadia")
    shutil.copy(PEOPLE / "Grace" / "1.jpg", folder / "Ada" / "7.jpg")
    Path("run.toml").write_text(SETTINGS.replace("people = 3", "people = 90"))  # stops it before it trains
    answer = kith("train", folder, "--config", "run.toml", "--id", "mine")
    assert answer.code == 2
    assert "pictures with two names: 1" in answer.err
    report = Path("runs/mine/label_noise.csv").read_text()
    assert "people/Ada/7.jpg" in report
    assert "Grace" in report
