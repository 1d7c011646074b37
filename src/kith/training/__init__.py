"""Training an embedder: losses, mining, sampling, and the loop that joins them."""

import os
import sys

from kith.errors import TrainingError


def _require_jax(backend: str) -> None:
    if backend != "jax":
        raise TrainingError(
            f"training needs Keras's jax backend, and here it is {backend}: "
            "set KERAS_BACKEND=jax, or unset it"
        )


if "keras" not in sys.modules:  # before it is imported: another backend takes long to come, or fails to
    _require_jax(os.environ.get("KERAS_BACKEND") or "jax")

from kith import networks as networks  # noqa: E402  # first: it chooses Keras's backend

import keras  # noqa: E402  # isort: skip

_require_jax(keras.config.backend())
