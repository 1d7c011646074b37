"""`kith distill` from photos and a teacher to a model that works."""

from pathlib import Path

import pytest
from command_line import kith

from kith.sample_people import PEOPLE

SETTINGS = """
freeze = "block8_relu"
people = 3
images = 4
epochs = 1
hold_out = 0.3
precision = "float32"
warmup = 0.5
"""


def test_a_distilled_model_begins_as_its_teacher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kith.training.slimming._MOST_EQUATIONS", 15_000)  # quicker, and harder to begin from
    monkeypatch.setattr("kith.training.slimming._MOST_SAMPLES", 5_000)
    Path("run.toml").write_text(SETTINGS)
    answer = kith("distill", "dlib-resnet29", PEOPLE, "--config", "run.toml", "--id", "student", "--json")
    assert answer.code == 0, answer.err
    assert answer.json()["score"] > 0.2
    shown = kith("models", "show", "student", "--json").json()
    assert "names were not used" in shown["training_data"]
