"""Prototypes begin as means of embeddings, and a new network's embeddings around the origin."""

from pathlib import Path

import keras
import numpy as np
import pytest

from kith.catalogue.preprocessing import MTCNN_PIXELS, SimilarityCrop
from kith.training.faces import FaceSet
from kith.training.imprinting import imprint, means, turn_away
from kith.training.losses import ArcFace
from kith.training.recipes import Recipe
from kith.workflows.people_folders import PersonPhoto

SIDE, PEOPLE, OF_EACH = 16, 12, 4
RECIPE = Recipe("none", SimilarityCrop(SIDE, ((4.0, 4.0),) * 5), MTCNN_PIXELS, SIDE)


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    """Noise about a pattern of each person."""
    chance = np.random.default_rng(0)
    patterns = chance.integers(0, 200, (PEOPLE, SIDE, SIDE, 3))
    crops = [
        (pattern + chance.integers(0, 56, pattern.shape)).astype(np.uint8)
        for pattern in patterns
        for _ in range(OF_EACH)
    ]
    photos = tuple(
        PersonPhoto(person=f"{person:02}", path=Path(f"{person:02}/{photo}.jpg"))
        for person in range(PEOPLE)
        for photo in range(OF_EACH)
    )
    return FaceSet(crops, photos, (), "noise")


def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(24, 5, 2)(inputs)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(8, use_bias=False)(x))


def embed(model: keras.Model, faces: FaceSet) -> np.ndarray:
    scaled = (np.stack(list(faces.crops)).astype(np.float32) - 127.5) / 128
    raw = np.array(model(scaled, training=False))
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def test_a_new_network_begins_around_the_origin(faces: FaceSet) -> None:
    model, loss = network(), ArcFace(PEOPLE, 8)
    assert np.linalg.norm(embed(model, faces).mean(axis=0)) > 0.8
    for _ in range(40):  # until the statistics, which keep 99 of 100, are those of the faces
        imprint(loss, model, faces, RECIPE, new=True)
    assert np.linalg.norm(embed(model, faces).mean(axis=0)) < 0.3


def test_prototypes_of_a_trained_network_are_means_and_nothing_else_changes(faces: FaceSet) -> None:
    model, loss = network(), ArcFace(PEOPLE, 8)
    before = [np.array(weight) for weight in model.weights]
    imprint(loss, model, faces, RECIPE, new=False)
    for old, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, np.array(weight))
    embeddings = embed(model, faces)
    for person, prototype in enumerate(np.array(loss.prototypes)):
        mean = embeddings[person * OF_EACH : (person + 1) * OF_EACH].mean(axis=0)
        np.testing.assert_allclose(prototype, mean / np.linalg.norm(mean), atol=1e-5)


def test_means_equal_loops() -> None:
    embeddings = np.random.default_rng(2).normal(size=(9, 4)).astype(np.float32)
    labels = np.array([0, 2, 1, 2, 2, 0, 1, 0, 2])
    for person, found in enumerate(means(embeddings, labels, 3)):
        total = sum(row for row, label in zip(embeddings, labels, strict=True) if label == person)
        np.testing.assert_allclose(found, total / np.linalg.norm(total), atol=1e-6)


def test_a_kernel_turned_away_is_blind_to_the_mean_only() -> None:
    chance = np.random.default_rng(3)
    kernel, mean = chance.normal(size=(6, 4)), chance.normal(size=6)
    turned = turn_away(kernel, mean)
    np.testing.assert_allclose(mean @ turned, 0, atol=1e-5)
    across = chance.normal(size=6)
    across -= mean * (across @ mean) / (mean @ mean)
    np.testing.assert_allclose(across @ turned, across @ kernel, atol=1e-5)
