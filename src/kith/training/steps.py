"""One step of training, compiled: Keras's stateless functions in JAX.

The loss sees the whole batch, however large; the network sees it in chunks. First all chunks are embedded
without gradients, then the loss is differentiated with respect to the embeddings, then each chunk is
embedded again and its part of that gradient goes back through the network (Gao et al. 2021,
https://arxiv.org/abs/2101.06983). The result is that of the whole batch at once, but for batch
normalization, whose statistics are of a chunk.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

from kith.catalogue.preprocessing import PixelRule
from kith.training.losses import AdaFace
from kith.training.mining.collapse import spread
from kith.training.scaling import scale_on_device

Arrays = list[jax.Array]


class State(NamedTuple):
    """Everything that a step changes."""

    weights: Arrays
    statistics: Arrays
    loss_weights: Arrays
    loss_statistics: Arrays
    optimizer: Arrays
    average: Arrays


class Seen(NamedTuple):
    """What a step tells of itself: scalars."""

    loss: jax.Array
    spread: jax.Array
    gradient: jax.Array
    active: jax.Array


class Stepper:
    """Makes steps.

    Args:
        model: The part of a network that is trained.
        loss: A loss of `kith.training.losses`, or one like it.
        optimizer: Of Keras; it is built here.
        pixels: How the network wants pixels scaled; None if what it gets are no pixels.
        chunk: How many images the network sees at a time; 0 for the whole batch.
        decay: What the moving average of the weights keeps at each step.
        devices: Over how many a batch is spread.
    """

    def __init__(
        self,
        model: keras.Model,
        loss: keras.layers.Layer,
        optimizer: keras.optimizers.Optimizer,
        *,
        pixels: PixelRule | None,
        chunk: int = 0,
        decay: float = 0.0,
        devices: int = 1,
    ) -> None:
        self._model, self._loss, self._optimizer = model, loss, optimizer
        self._pixels, self._chunk, self._decay, self._devices = pixels, chunk, decay, devices
        optimizer.build([*model.trainable_variables, *loss.trainable_variables])
        self.step: Callable[[State, jax.Array, jax.Array], tuple[State, Seen]] = jax.jit(
            self._step, donate_argnums=0
        )
        self.embed: Callable[[State, jax.Array | np.ndarray], jax.Array] = jax.jit(self._embed)

    def start(self) -> State:
        """The state of the variables as they are."""
        model, loss = self._model, self._loss
        weights = _values(model.trainable_variables)
        return State(
            weights=weights,
            statistics=_values(model.non_trainable_variables),
            loss_weights=_values(loss.trainable_variables),
            loss_statistics=_values(loss.non_trainable_variables),
            optimizer=_values(self._optimizer.variables),
            average=[jnp.copy(weight) for weight in weights] if self._decay else [],
        )

    def finish(self, state: State) -> None:
        """Put the averaged weights, where there is an average, into the model."""
        for variable, value in zip(
            self._model.trainable_variables, state.average or state.weights, strict=True
        ):
            variable.assign(value)
        for variable, value in zip(self._model.non_trainable_variables, state.statistics, strict=True):
            variable.assign(value)

    def _step(self, state: State, inputs: jax.Array, targets: jax.Array) -> tuple[State, Seen]:
        chunk = self._chunk or len(inputs)
        if len(inputs) % chunk:
            raise ValueError(f"a batch of {len(inputs)} does not divide into chunks of {chunk}")
        gradients = self._at_once if chunk == len(inputs) else partial(self._in_chunks, chunk=chunk)
        loss, raw, by_weight, by_loss_weight, statistics, loss_statistics = gradients(state, inputs, targets)
        changes = [*by_weight, *by_loss_weight]
        changed, optimizer = self._optimizer.stateless_apply(
            state.optimizer, changes, [*state.weights, *state.loss_weights]
        )
        weights, loss_weights = changed[: len(state.weights)], changed[len(state.weights) :]
        seen = Seen(
            loss=loss,
            spread=spread(_unit(raw)),
            gradient=jnp.sqrt(sum(jnp.sum(jnp.square(part.astype("float32"))) for part in changes)),
            active=self._count_active(raw, targets),
        )
        average = self._average(state, weights, optimizer[0])
        return State(weights, statistics, loss_weights, loss_statistics, optimizer, average), seen

    def _at_once(self, state: State, inputs: jax.Array, targets: jax.Array) -> Any:
        def objective(weights: Arrays, loss_weights: Arrays) -> Any:
            raw, statistics = self._raw(weights, state.statistics, inputs, training=True)
            loss, loss_statistics = self._value(loss_weights, state.loss_statistics, raw, targets)
            return loss, (raw, statistics, loss_statistics)

        (loss, (raw, statistics, loss_statistics)), gradients = jax.value_and_grad(
            objective, argnums=(0, 1), has_aux=True
        )(state.weights, state.loss_weights)
        return loss, raw, *gradients, statistics, loss_statistics

    def _in_chunks(self, state: State, inputs: jax.Array, targets: jax.Array, *, chunk: int) -> Any:
        parts = self._divide(inputs, chunk)

        def look(statistics: Arrays, part: jax.Array) -> tuple[Arrays, jax.Array]:
            raw, statistics = self._raw(state.weights, statistics, part, training=True)
            return statistics, raw

        def objective(raw: jax.Array, loss_weights: Arrays) -> Any:
            return self._value(loss_weights, state.loss_statistics, raw, targets)

        def learn(carry: tuple[Arrays, Arrays], part: tuple[jax.Array, jax.Array]) -> Any:
            total, statistics = carry
            images, by_raw = part
            _, pull_back, statistics = jax.vjp(
                lambda weights: self._raw(weights, statistics, images, training=True),
                state.weights,
                has_aux=True,
            )
            (gradient,) = pull_back(by_raw)
            return (jax.tree.map(jnp.add, total, gradient), statistics), None

        _, raws = jax.lax.scan(look, state.statistics, parts)
        raw = self._join(raws)
        (loss, loss_statistics), (by_raw, by_loss_weight) = jax.value_and_grad(
            objective, argnums=(0, 1), has_aux=True
        )(raw, state.loss_weights)
        nothing = [jnp.zeros_like(weight) for weight in state.weights]
        (by_weight, statistics), _ = jax.lax.scan(
            learn, (nothing, state.statistics), (parts, self._divide(by_raw, chunk))
        )
        return loss, raw, by_weight, by_loss_weight, statistics, loss_statistics

    def _divide(self, whole: jax.Array, chunk: int) -> jax.Array:
        """(n, ...) to (n / chunk, chunk, ...), each chunk with a share of every device's images."""
        spread_out = whole.reshape(self._devices, -1, chunk // self._devices, *whole.shape[1:])
        return spread_out.swapaxes(0, 1).reshape(-1, chunk, *whole.shape[1:])

    def _join(self, parts: jax.Array) -> jax.Array:
        """What `_divide` took apart."""
        count, chunk, *rest = parts.shape
        spread_out = parts.reshape(count, self._devices, chunk // self._devices, *rest)
        return spread_out.swapaxes(0, 1).reshape(count * chunk, *rest)

    def _raw(
        self, weights: Arrays, statistics: Arrays, inputs: jax.Array, *, training: bool
    ) -> tuple[jax.Array, Arrays]:
        """Embeddings (n, d) float32 that are not yet of unit length, and the new statistics."""
        scaled = scale_on_device(inputs, self._pixels) if self._pixels else inputs
        raw, statistics = self._model.stateless_call(weights, statistics, scaled, training=training)
        return raw.astype("float32"), statistics

    def _value(
        self, weights: Arrays, statistics: Arrays, raw: jax.Array, targets: jax.Array
    ) -> tuple[jax.Array, Arrays]:
        norms = (jnp.sqrt(_squares(raw)),) if isinstance(self._loss, AdaFace) else ()
        loss, statistics = self._loss.stateless_call(weights, statistics, _unit(raw), targets, *norms)
        return loss, statistics

    def _count_active(self, raw: jax.Array, targets: jax.Array) -> jax.Array:
        """How many triplets are active; 0 for losses without triplets."""
        miner = getattr(self._loss, "miner", None)
        return miner(_unit(raw), targets).active if miner else jnp.zeros(())

    def _average(self, state: State, weights: Arrays, done: jax.Array) -> Arrays:
        if not self._decay:
            return []
        decay = jnp.minimum(self._decay, (1.0 + done) / (10.0 + done))  # the first weights are soon forgotten
        return [
            decay.astype(old.dtype) * old + (1 - decay).astype(old.dtype) * new
            for old, new in zip(state.average, weights, strict=True)
        ]

    def _embed(self, state: State, inputs: jax.Array) -> jax.Array:
        """Embeddings (n, d) of unit length by the averaged weights."""
        raw, _ = self._raw(state.average or state.weights, state.statistics, inputs, training=False)
        return _unit(raw)


def _squares(rows: jax.Array) -> jax.Array:
    return jnp.sum(jnp.square(rows), axis=1) + 1e-12


def _unit(rows: jax.Array) -> jax.Array:
    return rows / jnp.sqrt(_squares(rows))[:, jnp.newaxis]


def _values(variables: list[keras.Variable]) -> Arrays:
    return [jnp.copy(variable.value) for variable in variables]  # a step donates them
