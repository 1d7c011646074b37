"""Keras's settings, which belong to the whole process: what Kith needs of them, and leaves as it found them.

Keras reads them when it is first imported, from the environment and from `~/.keras/keras.json`, which
other projects write and which it makes where there is none. Where Kith is the first to import Keras,
that file is neither read nor made.
"""

import importlib.util
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from kith.folders import own_folders

_BACKENDS = ("jax", "numpy", "openvino", "tensorflow", "torch")  # each is the package that it needs, too


def import_keras() -> None:
    """Import Keras with the backend that `KERAS_BACKEND` names, if it can be had; else with jax."""
    wanted = os.environ.get("KERAS_BACKEND") or "jax"
    if not _is_installed(wanted):
        logging.getLogger("kith").warning(
            "kith: KERAS_BACKEND is %s, which is not installed here; using jax", wanted
        )
        wanted = "jax"
    os.environ["KERAS_BACKEND"] = wanted
    with own_folders("KERAS_HOME", "MPLCONFIGDIR"):  # it imports matplotlib, to draw
        import keras  # noqa: F401


@contextmanager
def channels_last() -> Iterator[None]:
    """Layers made within have their channels last, whatever the program prefers."""
    import keras

    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(before)


@contextmanager
def full_precision() -> Iterator[None]:
    """Layers made within keep and compute float32, whatever the program prefers."""
    import keras

    floats, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_floatx(floats)
        keras.config.set_dtype_policy(policy)


def _is_installed(backend: str) -> bool:
    return backend in _BACKENDS and importlib.util.find_spec(backend) is not None
