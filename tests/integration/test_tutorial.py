"""The whole path of the tutorial of 2019, with the user's own facenet_keras.h5, by the command line.

The steps are those of docs/facenet.md. The weights are the recipe's, random ones: the names mean nothing, that every step runs does.
"""

import re
import shlex
import sys
from pathlib import Path

import pytest
from command_line import PROGRAM, kith, kith_process
from recipes import sandberg
from write_keras_h5 import write_facenet_keras


@pytest.fixture(scope="module")
def facenet_keras(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file laid out as Taniai's, whose Lambda layer would leave a file behind if it were run."""
    folder = tmp_path_factory.mktemp("tutorial")
    marker = folder / "executed"
    content = write_facenet_keras(sandberg(shared), payload=f"open({str(marker)!r}, 'w').close()")
    path = folder / "facenet_keras.h5"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def after(shared: Path, facenet_keras: Path) -> Path:
    """The folder in which every documented command was run, with what it left there."""
    folder = facenet_keras.parent
    link_some(shared / "data/five_celebrities", folder / "five_celebrities")
    commands = [shlex.split(line)[2:] for line in documented("console").splitlines()]
    assert [command[0] for command in commands] == ["models", "enroll", "identify", "models", "models"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("KITH_MODELS", str(folder / "models"))
        answers = [kith(*command) for command in commands]
    for command, answer in zip(commands, answers, strict=True):
        may_refuse = command[1] == "quantize"  # random weights need not survive int8
        assert answer.code == 0 or (may_refuse and "int8 is refused" in answer.err), answer.err
    imported, *_, converted = answers
    assert imported.out.startswith("installed facenet-keras: Inception-ResNet-v1 by David Sandberg, 2017")
    assert converted.out == "wrote facenet_keras.keras\n"
    return folder


def link_some(photos: Path, folder: Path) -> None:
    """Four photos of each person: all of them are another test's."""
    for part in ("train", "test"):
        for person in (photos / part).iterdir():
            (folder / part / person.name).mkdir(parents=True)
            for photo in sorted(person.iterdir())[:4]:
                (folder / part / person.name / photo.name).symlink_to(photo)


def documented(language: str) -> str:
    page = (Path(__file__).parents[2] / "docs/facenet.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return block


def test_every_documented_step_runs(after: Path) -> None:
    assert (after / "facenet_keras.keras").is_file()
    assert (after / "celebrities.db").is_file()
    assert not (after / "executed").exists()


def test_the_documented_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    block = documented("python")
    exec(compile(block, "facenet.md", "exec"), {})
    assert capsys.readouterr().out == "".join(
        f"{line}\n" for line in re.findall(r"^# (.*)$", block, re.MULTILINE)
    )


def test_the_model_is_listed_shown_and_verified(after: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = after / "models"
    monkeypatch.setenv("KITH_MODELS", str(models))
    cards = {card["id"]: card for card in kith("models", "list", "--json").json()}
    assert cards["facenet-keras"]["state"] == "here"
    assert cards["facenet-20170512-110547"]["state"] == "can be pulled"
    assert cards["dlib-resnet29"]["state"] == "built in"
    shown = kith("models", "show", "facenet-keras").out
    assert "pixels: whitening of each crop" in shown
    assert "crop: 160 pixels, MarginCrop of 32 pixels of the image" in shown
    assert kith("models", "verify").out == "6 files read, 0 wrong\n"
    weights = models / "facenet-keras" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    answer = kith("models", "verify")
    assert (answer.code, answer.out) == (2, "6 files read, 1 wrong\n")
    assert "remove the model and import it again" in answer.err
    content[-1] ^= 1
    weights.write_bytes(content)


def test_tensorflow_to_keras_in_one_line(shared: Path, after: Path) -> None:
    import numpy as np

    from kith import networks  # chooses Keras's backend

    import keras  # isort: skip

    output = after / "facenet_keras.keras"
    model = keras.saving.load_model(output)
    assert networks is not None
    kernel = model.get_layer("bottleneck").kernel
    expected = sandberg(shared)["InceptionResnetV1/Bottleneck/weights"]
    np.testing.assert_array_equal(np.asarray(kernel), expected)
    answer = kith("models", "convert", after / "facenet_keras.h5", "--to", "keras", "--output", output)
    assert answer.code == 2
    assert "or replace it; use: kith models convert --force" in answer.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
@pytest.mark.parametrize("target", ["safetensors", "keras"])
def test_converting_on_a_full_disk(facenet_keras: Path, tmp_path: Path, target: str) -> None:
    """Keras writes to a temporary folder first; that it is full is told of the output as well."""
    output = tmp_path / "facenet"
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)); {PROGRAM}"
    answer = kith_process(
        "models", "convert", facenet_keras, "--to", target, "--output", output, program=limited
    )
    assert (answer.code, answer.err) == (2, f"error: cannot write {output}: File too large\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["safetensors", "onnx"])
def test_converting_to_other_forms(shared: Path, facenet_keras: Path, tmp_path: Path, target: str) -> None:
    output = tmp_path / f"facenet.{target}"
    answer = kith("models", "convert", facenet_keras, "--to", target, "--output", output)
    assert (answer.code, answer.out) == (0, f"wrote {output}\n")
    assert 85_000_000 < output.stat().st_size < 100_000_000
