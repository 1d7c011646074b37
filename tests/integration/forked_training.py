"""Training processes that need not import what each of them needs: they are forked from one that has.

Nothing is computed before the fork, so each is what a process of its own would be.
"""

import atexit
import multiprocessing
import os
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).parent
_FORKS = multiprocessing.get_context("forkserver")


def start(folder: Path, *, devices: int = 1, **settings: Any) -> ForkServerProcess:
    """Begin to train on patterns, as `train_patterns.main` says."""
    with pytest.MonkeyPatch.context() as patch:  # for the process that forks, which the first one starts
        patch.setenv(
            "PYTHONPATH", os.pathsep.join([str(_HERE), str(_HERE.parent), str(_HERE.parents[1] / "src")])
        )
        patch.setenv("KERAS_BACKEND", "jax")
        patch.setenv("JAX_PLATFORMS", "cpu")
        _FORKS.set_forkserver_preload(["train_patterns"])
        process = _FORKS.Process(target=_train, args=(devices, {"folder": str(folder)} | settings))
        process.start()
    return process


def _train(devices: int, settings: dict[str, Any]) -> None:
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
    import train_patterns  # not in the tests' own process: it keeps Keras from importing matplotlib

    try:
        train_patterns.main(**settings)
    finally:
        atexit._run_exitfuncs()  # as at the end of any process: several that train together take leave
