"""Keras is imported by some tests themselves: its backend is chosen before."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
