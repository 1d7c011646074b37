"""Weights and inputs by the written recipes in `../shared/parity`."""

import json
import math
import sys
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Shapes = dict[str, list[int]]
Arrays = dict[str, np.ndarray]


@cache
def load_recipe(shared: Path, name: str) -> dict[str, Any]:
    return json.loads((shared / "parity" / f"{name}.json").read_text())


def tensorflow_weights(shapes: Shapes) -> Arrays:
    """Of Sandberg's variables: names end in weights, biases, beta, moving_mean or moving_variance."""
    return {name: _tensorflow_weight(name, shape) for name, shape in shapes.items()}


def pytorch_weights(shapes: Shapes) -> Arrays:
    """Of a state dict; entries without dimensions are int64 zeros."""
    return {name: _pytorch_weight(name, shape) for name, shape in shapes.items()}


@cache
def sandberg(shared: Path, embedding_size: int = 128) -> Arrays:
    """The variables of a checkpoint of Sandberg's."""
    return tensorflow_weights(load_recipe(shared, f"inception_resnet_v1_{embedding_size}")["variables"])


@cache
def facenet_pytorch(shared: Path) -> Arrays:
    """facenet-pytorch's state dict."""
    return pytorch_weights(load_recipe(shared, "facenet_pytorch_512")["state_dict"])


@cache
def openface(shared: Path) -> Arrays:
    """OpenFacePytorch's state dict."""
    return pytorch_weights(load_recipe(shared, "openface_nn4_small2")["state_dict"])


def crops(size: int) -> np.ndarray:
    """(2, size, size, 3) float32 in 0 ... 255."""
    return np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype(np.float32)


def smooth_crops() -> np.ndarray:
    """(4, 112, 112, 3) uint8: noise, smoothed a little; MobileFaceNet's."""
    noise = np.random.default_rng(20261127).integers(0, 256, (4, 112, 112, 3)).astype(np.uint16)
    shifted = (np.roll(noise, shift, axis) for shift, axis in ((1, 1), (1, 2), ((1, 1), (1, 2))))
    return ((noise + sum(shifted)) // 4).astype(np.uint8)


def report(line: str) -> None:
    """A figure for whoever runs pytest with -rP."""
    sys.stdout.write(f"{line}\n")


def normalized(embeddings: np.ndarray) -> np.ndarray:
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


def _tensorflow_weight(name: str, shape: list[int]) -> np.ndarray:
    r = np.random.default_rng(zlib.crc32(name.encode()))
    kind = name.rpartition("/")[2]
    if kind == "weights":
        values = r.standard_normal(shape) * math.sqrt(2 / math.prod(shape[:-1]))
    elif kind == "moving_variance":
        values = r.uniform(0.5, 1.5, shape)
    else:
        values = 0.1 * r.standard_normal(shape)
    return values.astype(np.float32)


def _pytorch_weight(name: str, shape: list[int]) -> np.ndarray:
    if not shape:
        return np.array(0, np.int64)
    r = np.random.default_rng(zlib.crc32(name.encode()))
    kind = name.rpartition(".")[2]
    if kind == "running_var":
        values = r.uniform(0.5, 1.5, shape)
    elif kind == "weight" and len(shape) == 1:
        values = r.uniform(0.8, 1.2, shape)
    elif kind == "weight":
        values = r.standard_normal(shape) * math.sqrt(2 / math.prod(shape[1:]))
    else:
        values = 0.1 * r.standard_normal(shape)
    return values.astype(np.float32)
