"""Training an embedder: losses, mining, sampling, and the loop that joins them."""

from kith import networks as networks  # first: it chooses Keras's backend

import keras  # isort: skip

from kith.errors import TrainingError

if keras.config.backend() != "jax":
    raise TrainingError(
        f"training needs Keras's jax backend, and here it is {keras.config.backend()}: "
        "set KERAS_BACKEND=jax, or unset it"
    )
