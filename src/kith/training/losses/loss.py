"""What a loss is."""

import keras


class Loss(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A layer from embeddings (n, d) of unit length, and what belongs to them, to a scalar in float32.

    All its variables are made in the constructor, so that `stateless_call` works at once.

    Args:
        name: The layer's.
    """

    def __init__(self, name: str) -> None:
        super().__init__(dtype="float32", name=name)
        self.built = True
