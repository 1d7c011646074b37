"""Losses, miners and their gradients are the same on every backend, and on one device and on eight."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("measure_losses.py")


def measure(python: str, into: Path, *arguments: str, **environment: str) -> dict[str, np.ndarray]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    environment = os.environ | {"PYTHONPATH": path, "JAX_PLATFORMS": "cpu"} | environment
    command = [python, str(PROGRAM), str(into), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    with np.load(into) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def on_one_device(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    return measure(sys.executable, tmp_path_factory.mktemp("one") / "losses.npz", KERAS_BACKEND="jax")


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=3e-6, err_msg=name)


def test_eight_devices(on_one_device: dict[str, np.ndarray], tmp_path: Path) -> None:
    flags = "--xla_force_host_platform_device_count=8"
    found = measure(sys.executable, tmp_path / "losses.npz", "spread", KERAS_BACKEND="jax", XLA_FLAGS=flags)
    assert_same(found, on_one_device)
    assert all(np.any(found[f"{name} 1"]) for name in ("semi-hard", "batch-all", "arcface"))


@pytest.mark.parametrize("backend", ["torch", "tensorflow"])
def test_backend(backend: str, on_one_device: dict[str, np.ndarray], tmp_path: Path) -> None:
    found = measure(python_with(backend), tmp_path / "losses.npz", KERAS_BACKEND=backend)
    assert_same(found, on_one_device)


def python_with(backend: str) -> str:
    """This Python, or the one where the benchmarks' peers are installed."""
    if find_spec(backend):
        return sys.executable
    peers = ROOT / ".venv-bench" / "bin" / "python"
    program = f"from importlib.util import find_spec; raise SystemExit(not (find_spec('keras') and find_spec('{backend}')))"
    if not peers.exists() or subprocess.run([peers, "-c", program]).returncode:
        pytest.skip(f"Keras's backend {backend} is installed neither here nor in .venv-bench")
    return str(peers)
