import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kith.errors import UnsupportedFile, WeightsError
from kith.runtime import workshop as module
from kith.runtime.session import Session
from kith.runtime.workshop import Workshop, workshop

BOXES = np.zeros((1, 24, 24, 3), np.float32)


@pytest.fixture(scope="module")
def pnet() -> dict[str, np.ndarray]:
    """P-Net's variables, random."""
    from kith import networks

    random = np.random.default_rng(0)
    model = networks.pnet(initializer="zeros")
    return {
        weight.path: random.normal(size=tuple(weight.shape)).astype(np.float32) for weight in model.weights
    }


def test_foreign_settings_do_not_reach_it(pnet, monkeypatch, tmp_path: Path) -> None:
    """One process for several tasks, with all that breaks Keras and JAX where they are imported."""
    with Workshop() as here:
        here._started = True
        expected = Session(here.compile("pnet", pnet)).run(BOXES)
    home = tmp_path / "home"
    monkeypatch.delenv("KITH_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (home / ".keras").mkdir(parents=True)
    settings = {"floatx": "bfloat16", "image_data_format": "channels_first", "backend": "theano"}
    (home / ".keras" / "keras.json").write_text(json.dumps(settings))
    for name, value in {
        "HOME": str(home),
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": str(home / ".keras"),
        "JAX_PLATFORMS": "cuda",
        "XLA_FLAGS": "--xla_no_such_flag=1",
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
    }.items():
        monkeypatch.setenv(name, value)
    with Workshop() as shop:
        first = shop.compile("pnet", pnet)
        process = shop._process
        with pytest.raises(UnsupportedFile, match="the weights do not fit pnet"):
            shop.compile("pnet", {})
        with pytest.raises(RuntimeError, match="no_such_network"):
            shop.compile("no_such_network", pnet)
        assert shop.compile("pnet", pnet) == first
        assert shop._process is process
        assert process is not None
    assert process.returncode is not None
    assert all((one == other).all() for one, other in zip(Session(first).run(BOXES), expected, strict=True))
    assert not list((home / ".cache" / "kith").iterdir())
    assert sorted(path.name for path in home.rglob("*")) == [".cache", ".keras", "keras.json", "kith"]


def test_it_leaves_no_file_and_no_process(pnet, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with pytest.raises(ZeroDivisionError), Workshop() as shop:
        shop.compile("pnet", pnet)
        assert len(list((tmp_path / "cache").iterdir())) == 1
        raise ZeroDivisionError
    assert shop._process.poll() is not None
    assert not [path for path in tmp_path.rglob("*") if not path.is_dir()]
    assert not list((tmp_path / "cache").iterdir())


def test_a_process_that_dies_is_one_line(pnet) -> None:
    with Workshop() as shop:
        shop.compile("pnet", pnet)
        shop._process.kill()
        with pytest.raises(WeightsError, match=r"ended before it was done \(exit code -9\)"):
            shop.compile("pnet", pnet)


@pytest.mark.parametrize("python", ["", "/usr/sbin/uwsgi", "/no/such/folder/python3", "python-that-is-none"])
def test_where_no_process_can_be_started_it_is_done_here(pnet, monkeypatch, python: str) -> None:
    monkeypatch.setattr(sys, "executable", python)
    with Workshop() as shop:
        assert shop.compile("pnet", pnet)
        assert shop._process is None


def test_a_process_that_does_not_begin_is_not_waited_for(pnet, monkeypatch) -> None:
    monkeypatch.setattr(module, "_BEGIN", "raise SystemExit('broken')")
    with Workshop() as shop:
        assert shop.compile("pnet", pnet)
        assert shop._process is None


def test_a_workshop_within_another_is_the_same() -> None:
    with workshop() as outer:
        with workshop() as inner:
            assert inner is outer
        assert not outer._started
    with workshop() as later:
        assert later is not outer


def test_a_hosts_keras_is_left_as_it_is(tmp_path: Path) -> None:
    """Also where the host has loaded Keras, and the work is done in its process."""
    program = """
import os, sys
os.environ["KERAS_BACKEND"] = "jax"
import keras
keras.config.set_image_data_format("channels_first")
keras.config.set_floatx("float16")
keras.config.set_epsilon(1e-3)
keras.config.set_dtype_policy("mixed_float16")
sys.executable = ""
import numpy as np
from kith.runtime.keras_models import keras_model
from kith.runtime.prepare import prepare
from kith.catalogue.builtin import DETECTORS
boxes = np.linspace(-1, 1, 24 * 24 * 3, dtype=np.float32).reshape(1, 24, 24, 3)
found = prepare(DETECTORS["mtcnn"].weights["pnet"]).run(boxes)
assert np.isfinite(found[0]).all()
print(repr(found[0].astype(float).sum().item()))
print(keras.config.image_data_format(), keras.config.floatx(), keras.config.epsilon(), keras.config.dtype_policy().name)
"""
    environment = os.environ | {"KITH_CACHE": str(tmp_path / "cache"), "KERAS_HOME": str(tmp_path / "keras")}
    process = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    total, settings = process.stdout.splitlines()
    assert settings == "channels_first float16 0.001 mixed_float16"
    from kith.catalogue.builtin import DETECTORS
    from kith.runtime.prepare import prepare

    boxes = np.linspace(-1, 1, 24 * 24 * 3, dtype=np.float32).reshape(1, 24, 24, 3)
    assert (
        float(total) == prepare(DETECTORS["mtcnn"].weights["pnet"]).run(boxes)[0].astype(float).sum().item()
    )
