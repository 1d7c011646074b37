from pathlib import Path

import pytest

from kith.errors import TrainingError
from kith.training.config import Config, read_config


def write(folder: Path, text: str) -> Path:
    file = folder / "run.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_overrules_defaults_and_the_command_line_overrules_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "epochs = 3\nloss = 'arcface'\n[augmentation]\nerase = 0.5\n")
    config = read_config(file, epochs=7, miner=None)
    assert (config.epochs, config.loss, config.miner) == (7, "arcface", Config().miner)
    assert config.augmentation.erase == 0.5
    assert config.augmentation.flip == Config().augmentation.flip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 3", "unknown setting epoch; did you mean epochs"),
        ("[augmentation]\nflop = 1.0", "unknown setting augmentation.flop; did you mean flip"),
        ("zzz = 3", "unknown setting zzz; known: network"),
        ("epochs = '3'", "epochs must be of kind int, got '3'"),
        ("epochs = true", "epochs must be of kind int, got True"),
        ("epochs = 0", "epochs must be positive"),
        ("hold_out = 1.0", "shares between 0 and 1"),
        ("average = 1.0", "below 1"),
        ("precision = 'half'", "precision must be"),
        ("augmentation = 3", "must be a table"),
        ("[augmentation]\nflip = 2.0", "flip must be a share"),
        ("epochs = ", "not TOML"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TrainingError, match=said) as caught:
        read_config(write(tmp_path, text))
    assert "run.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nowhere.toml: No such file"):
        read_config(tmp_path / "nowhere.toml")


def test_a_whole_number_will_do_for_a_fraction(tmp_path: Path) -> None:
    assert read_config(write(tmp_path, "learning_rate = 1")).learning_rate == 1


def test_a_description_tells_every_setting_apart() -> None:
    assert Config().describe() != Config(seed=1).describe()
    assert "seed = 1" in Config(seed=1).describe().splitlines()
