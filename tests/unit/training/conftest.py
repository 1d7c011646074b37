"""Keras is imported by some tests themselves: its backend is chosen before."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True, scope="module")
def compiled_steps_are_forgotten() -> Iterator[None]:
    """Every shape of every loss is compiled; kept until the end, they fill five gigabytes."""
    yield
    jax.clear_caches()
