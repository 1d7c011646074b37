"""Networks, losses and optimizers by the names that a configuration gives them."""

from typing import Any

import keras

from kith import networks
from kith.errors import TrainingError
from kith.training.config import Config
from kith.training.losses import LOSSES, TripletLoss
from kith.training.losses.prototypes import PrototypeLoss
from kith.training.mining import MINERS
from kith.training.recipes import Recipe


def new_model(recipe: Recipe, config: Config) -> keras.Model:
    """The network of a recipe, with random weights."""
    build = getattr(networks, recipe.network)
    model: keras.Model = build(crop_size=recipe.input_size, embedding_size=config.embedding_size)
    return model


def make_loss(config: Config, people: int, embedding_size: int, steps: int) -> keras.layers.Layer:
    """The loss, for this many people and a run of this many steps.

    Raises:
        TrainingError: There is none of this name, or no such miner.
    """
    if config.loss == "triplet":
        if config.miner not in MINERS:
            raise TrainingError(f"unknown miner {config.miner!r}; known miners: {', '.join(MINERS)}")
        miner = MINERS[config.miner]
        return TripletLoss(miner(config.margin) if config.margin else miner())
    if config.loss not in LOSSES:
        raise TrainingError(f"unknown loss {config.loss!r}; known losses: {', '.join(LOSSES)}")
    kind = LOSSES[config.loss]
    if config.loss == "n-pair":
        return kind()
    options: dict[str, Any] = {"scale": config.scale} if config.scale else {}
    if issubclass(kind, PrototypeLoss):
        options["ramp"] = round(config.margin_ramp * steps)
        if config.margin:
            options["margin"] = config.margin
    return kind(people, embedding_size, **options)


def make_optimizer(config: Config, steps: int, warmup: int, model: keras.Model) -> Any:
    """AdamW with a cosine schedule; biases and normalizations do not decay."""
    rate = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else config.learning_rate,
        max(steps - warmup, 1),
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=config.weight_decay, global_clipnorm=config.clip or None
    )
    optimizer.exclude_from_weight_decay(
        var_list=[weight for weight in model.trainable_variables if len(weight.shape) < 2]
    )
    return optimizer


def set_precision(wanted: str) -> None:
    """Choose the numbers that networks built from now on compute in.

    Raises:
        TrainingError: JAX finds no device of the kind that it is told to use.
    """
    try:
        first = keras.distribution.list_devices()[0]
    except RuntimeError as error:
        raise TrainingError(f"JAX has nothing to compute on: {str(error).splitlines()[0]}") from None
    if wanted == "auto":
        wanted = "float32" if first.startswith("cpu") else "bfloat16"
    keras.config.set_dtype_policy("mixed_bfloat16" if wanted == "bfloat16" else "float32")
