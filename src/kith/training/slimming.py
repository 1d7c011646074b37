"""A trained ResNet-29 -> first weights for the slim one, by least squares.

In the manner of ThiNet (Luo et al. 2017, https://arxiv.org/abs/1707.06342): the slim network keeps some
of the channels of the trained one, and each of its convolutions, from the first to the last, is solved
for: it is the kernel that maps what the slim network sees there best onto what the trained one says.
So every convolution makes up for what was lost before it. No gradient is needed, and some hundred
photos suffice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy.linalg import qr

from kith.networks.resnet29 import STAGES as TRAINED_STAGES
from kith.networks.slim_resnet29 import STAGES, slim_resnet29
from kith.records import FloatArray

_AT_ONCE = 100  # images in one run
_SETTLED_BY = 200  # images
_SETTLED_AT_ONCE = 25
_MOST_EQUATIONS = 60_000  # positions of the images that one convolution is solved from
_MOST_SAMPLES = 20_000  # positions that channels are chosen by
_RIDGE = 1e-3  # of the mean of the normal matrix's diagonal


@dataclass(frozen=True, slots=True)
class _Block:
    """A block of the slim network, and those of the trained one it stands for.

    Attributes:
        number: Its own, from 1.
        first: The trained block whose first convolution it imitates.
        last: The trained block whose sum it imitates.
        filters: Its width.
        opens: Whether it is the first of its stage.
    """

    number: int
    first: int
    last: int
    filters: int
    opens: bool


def slim(trained: keras.Model, inputs: FloatArray, *, seed: int = 0) -> keras.Model:
    """Make a slim network of a trained one.

    Args:
        trained: A `resnet29` with its weights.
        inputs: (n, 150, 150, 3) float32, some hundred scaled crops.
        seed: Of the positions that are looked at.

    Returns:
        A `slim_resnet29`; its batch normalizations know what they will see and change nothing yet.
    """
    return _Slimming(trained, inputs, np.random.default_rng(seed)).run()


class _Slimming:
    def __init__(self, trained: keras.Model, inputs: FloatArray, chance: np.random.Generator) -> None:
        self._trained, self._inputs, self._chance = trained, inputs, chance
        self._model = slim_resnet29(embedding_size=trained.output.shape[1], initializer="zeros")
        self._plan = _plan()
        wanted = ["stem_pool", *(f"block{block.first}_1_norm" for block in self._plan)]
        wanted += [f"block{block.last}_sum" for block in self._plan]
        outputs = [trained.get_layer(name).output for name in wanted]
        found = _run(keras.Model(trained.input, [*outputs, trained.output]), inputs)
        self._said = dict(zip([*wanted, "embedding"], found, strict=True))

    def run(self) -> keras.Model:
        for layer in self._model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.moving_variance.assign(np.full(layer.moving_variance.shape, 1 - layer.epsilon))
        kept = self._choose("stem_pool", self._plan[0].filters, _importance(self._conv("block1_1")), [])
        self._set(self._model, "stem", *(part[..., kept] for part in self._folded("stem")))
        x = self._said["stem_pool"][..., kept]
        source = self._model.get_layer("stem_pool")
        for block in self._plan:
            if block.opens and block.number > 1:
                kept = self._choose(
                    f"block{block.last}_sum", block.filters, self._importance_after(block.last), kept
                )
            x = self._imitate(block, source.output, x, kept)
            source = self._model.get_layer(f"block{block.number}_relu")
        pooled = x.astype(np.float32).mean(axis=(1, 2))
        kernel = _least_squares(pooled, self._said["embedding"])
        self._model.get_layer("embedding").kernel.assign(kernel)
        settle_norms(self._model, self._inputs[:_SETTLED_BY])
        return self._model

    def _imitate(
        self, block: _Block, source: keras.KerasTensor, x: np.ndarray, kept: Sequence[int]
    ) -> np.ndarray:
        """Solve a block's two convolutions; returns what the block makes of x."""
        name = f"block{block.number}"
        inner_name = f"block{block.first}_1_norm"
        inner = self._choose(inner_name, block.filters, _importance(self._conv(f"block{block.first}_2")), [])
        self._solve(f"{name}_1", x, self._said[inner_name][..., inner])
        total = self._model.get_layer(f"{name}_sum")
        between_tensor = self._model.get_layer(f"{name}_1_relu").output
        if total.input[0] is source:
            (between,), shortcut = _run(keras.Model(source, [between_tensor]), x), x
        else:
            between, shortcut = _run(keras.Model(source, [between_tensor, total.input[0]]), x)
        missing = self._said[f"block{block.last}_sum"][..., kept] - shortcut
        side = between.shape[1]  # the sum can be larger: what the residual does not reach stays
        self._solve(f"{name}_2", between, missing[:, :side, :side])
        (after,) = _run(keras.Model(source, [self._model.get_layer(f"{name}_relu").output]), x)
        return after

    def _solve(self, name: str, x: np.ndarray, wanted: np.ndarray) -> None:
        layer = self._model.get_layer(f"{name}_conv")
        columns, values = self._equations(layer, x, wanted)
        solution = _least_squares(columns, values)
        kernel = solution[:-1].reshape(layer.kernel.shape)
        self._set(self._model, name, kernel, solution[-1])

    def _equations(self, layer: Any, x: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m, 9 c + 1) what a 3 x 3 convolution sees at some positions, and (m, f) what it is to say."""
        if layer.padding == "same":
            x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        stride, shape = layer.strides[0], wanted.shape[:3]
        count = min(int(np.prod(shape)), _MOST_EQUATIONS)
        chosen = self._chance.choice(int(np.prod(shape)), count, replace=False)
        image, row, column = np.unravel_index(chosen, shape)
        seen = [x[image, row * stride + i, column * stride + j] for i in range(3) for j in range(3)]
        columns = np.concatenate([*seen, np.ones((count, 1))], axis=1, dtype=np.float32)
        return columns, wanted[image, row, column].astype(np.float32)

    def _choose(self, name: str, count: int, importance: np.ndarray, before: Sequence[int]) -> list[int]:
        """The channels that together say most of a layer of the trained network, those of `before` first."""
        values = np.maximum(self._said[name], 0)
        rows = values.reshape(-1, values.shape[-1])
        rows = rows[self._chance.permutation(len(rows))[:_MOST_SAMPLES]].astype(np.float32) * importance
        if before:
            basis, _ = np.linalg.qr(rows[:, before])
            rows = rows - basis @ (basis.T @ rows)
        _, _, order = qr(rows, mode="economic", pivoting=True)
        others = [int(channel) for channel in order if channel not in before]
        return [*before, *others[: count - len(before)]]

    def _importance_after(self, number: int) -> np.ndarray:
        try:
            return _importance(self._conv(f"block{number + 1}_1"))
        except ValueError:  # it is the last block
            return np.asarray(np.linalg.norm(_array(self._trained.get_layer("embedding").kernel), axis=1))

    def _conv(self, name: str) -> np.ndarray:
        return _array(self._trained.get_layer(f"{name}_conv").kernel)

    def _folded(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Kernel and bias of a convolution of the trained network with its batch normalization."""
        conv, norm = (self._trained.get_layer(f"{name}_{kind}") for kind in ("conv", "norm"))
        scale = _array(norm.gamma) / np.sqrt(_array(norm.moving_variance) + norm.epsilon)
        bias = (_array(conv.bias) - _array(norm.moving_mean)) * scale + _array(norm.beta)
        return _array(conv.kernel) * scale, bias

    def _set(self, model: keras.Model, name: str, kernel: np.ndarray, bias: np.ndarray) -> None:
        layer = model.get_layer(f"{name}_conv")
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)


def settle_norms(model: keras.Model, inputs: FloatArray) -> None:
    """Let batch normalizations that do nothing do nothing in training too.

    Each takes the mean and deviation of its convolution as its statistics, and gives them back as its
    shift and scale. With normalizations at work training keeps its footing; without, these weights
    lose it within some steps.
    """
    pairs = [
        (layer, model.get_layer(layer.name.removesuffix("_conv") + "_norm"))
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    look = keras.Model(model.input, [conv.output for conv, _ in pairs])
    moments = [np.zeros((2, conv.filters)) for conv, _ in pairs]
    for start in range(0, len(inputs), _SETTLED_AT_ONCE):
        part = inputs[start : start + _SETTLED_AT_ONCE]
        for moment, output in zip(moments, look(part, training=False), strict=True):
            values = np.asarray(ops.convert_to_numpy(output), np.float64)
            moment += np.stack([power.mean(axis=(0, 1, 2)) for power in (values, values**2)]) * len(part)
    for (_, norm), moment in zip(pairs, moments, strict=True):
        mean, square = moment / len(inputs)
        variance = square - mean**2
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(variance)
        norm.beta.assign(mean)
        norm.gamma.assign(np.sqrt(variance + norm.epsilon))


def _plan() -> list[_Block]:
    """Which blocks stand for which: each stage's share its trained stage's evenly."""
    blocks: list[_Block] = []
    before = 0
    for trained, ours in zip(TRAINED_STAGES, STAGES, strict=True):
        ends = [before + (i + 1) * trained.blocks // ours.blocks for i in range(ours.blocks)]
        starts = [before + 1, *(end + 1 for end in ends)]
        for position, (start, end) in enumerate(zip(starts, ends, strict=False)):
            blocks.append(_Block(len(blocks) + 1, start, end, ours.filters, position == 0))
        before += trained.blocks
    return blocks


def _run(model: keras.Model, inputs: np.ndarray) -> list[np.ndarray]:
    """The model's outputs, in half the precision where they are images: there are many."""
    parts: list[list[np.ndarray]] = []
    for start in range(0, len(inputs), _AT_ONCE):
        outputs = keras.tree.flatten(
            model(inputs[start : start + _AT_ONCE].astype(np.float32), training=False)
        )
        found = [np.asarray(ops.convert_to_numpy(output)) for output in outputs]
        parts.append([output.astype(np.float16) if output.ndim == 4 else output for output in found])
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def _importance(kernel: np.ndarray) -> np.ndarray:
    """How strongly the next convolution (h, w, c, f) listens to each channel: (c,)."""
    return np.asarray(np.sqrt(np.sum(np.square(kernel), axis=(0, 1, 3))))


def _least_squares(columns: np.ndarray, values: np.ndarray) -> FloatArray:
    normal = (columns.T @ columns).astype(np.float64)
    normal += _RIDGE * np.trace(normal) / len(normal) * np.eye(len(normal))
    return np.asarray(np.linalg.solve(normal, columns.T @ values), np.float32)


def _array(variable: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(variable.value), np.float32)
