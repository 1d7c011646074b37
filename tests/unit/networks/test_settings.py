import os
from pathlib import Path

import pytest
from command_line import kith_process

from kith import networks
from kith.networks.settings import channels_last, full_precision, import_keras

import keras  # isort: skip  # after Kith has chosen the backend


@pytest.fixture
def foreign_settings() -> None:
    before = (keras.config.image_data_format(), keras.config.floatx(), keras.config.dtype_policy())
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float16")
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_image_data_format(before[0])
    keras.config.set_floatx(before[1])
    keras.config.set_dtype_policy(before[2])


def settings() -> tuple[str, str, str]:
    return (keras.config.image_data_format(), keras.config.floatx(), keras.config.dtype_policy().name)


@pytest.mark.usefixtures("foreign_settings")
def test_a_programs_settings_are_left_as_they_are() -> None:
    foreign = ("channels_first", "float16", "mixed_float16")
    with pytest.raises(ZeroDivisionError), channels_last(), full_precision():
        assert settings() == ("channels_last", "float32", "float32")
        raise ZeroDivisionError
    assert settings() == foreign


@pytest.mark.usefixtures("foreign_settings")
@pytest.mark.parametrize("name", ["pnet", "rnet", "onet"])
def test_networks_have_their_channels_last_whatever_the_program_prefers(name: str) -> None:
    model = getattr(networks, name)(initializer="zeros")
    assert model.input_shape[-1] == 3
    formats = {layer.data_format for layer in model.layers if hasattr(layer, "data_format")}
    assert formats == {"channels_last"}


@pytest.mark.parametrize("wanted", ["torch-that-is-not-here", "theano", "os"])
def test_a_backend_that_cannot_be_had_is_told_of(
    wanted: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", wanted)
    import_keras()
    assert os.environ["KERAS_BACKEND"] == "jax"
    assert caplog.messages == [f"kith: KERAS_BACKEND is {wanted}, which is not installed here; using jax"]


@pytest.mark.parametrize("wanted", ["", "jax", "numpy"])
def test_a_backend_that_is_here_is_respected(
    wanted: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", wanted)
    import_keras()
    assert os.environ["KERAS_BACKEND"] == (wanted or "jax")
    assert not caplog.messages


@pytest.mark.parametrize("wanted", ["numpy", "openvino", "tensorflow", "theano", "torch"])
def test_training_with_another_backend_is_one_line(wanted: str, tmp_path: Path) -> None:
    """Also where it is installed and broken: nothing of it is imported."""
    for package in ("openvino", "tensorflow", "torch"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise ImportError('broken')")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    answer = kith_process("train", "no-folder", KERAS_BACKEND=wanted, PYTHONPATH=path)
    assert answer.code == 2
    assert answer.err == (
        f"error: training needs Keras's jax backend, and here it is {wanted}: set KERAS_BACKEND=jax, or unset it\n"
    )


def test_training_reads_no_settings_of_other_projects(tmp_path: Path) -> None:
    content = '{"backend": "torch"}'
    (tmp_path / "keras.json").write_text(content)
    answer = kith_process("train", tmp_path / "nobody", KERAS_HOME=str(tmp_path), KERAS_BACKEND="")
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert "nobody" in answer.err
    assert (tmp_path / "keras.json").read_text() == content
