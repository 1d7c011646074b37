"""Networks, losses and optimizers by the names that a configuration gives them."""

from typing import Any

import keras

from kith import networks
from kith.errors import TrainingError
from kith.training.config import Config
from kith.training.losses import LOSSES, TripletLoss
from kith.training.mining import MINERS
from kith.training.recipes import Recipe


def new_model(recipe: Recipe, config: Config) -> keras.Model:
    """The network of a recipe, with random weights."""
    build = getattr(networks, recipe.network)
    model: keras.Model = build(crop_size=recipe.input_size, embedding_size=config.embedding_size)
    return model


def make_loss(config: Config, people: int, embedding_size: int) -> keras.layers.Layer:
    """The loss, for this many people.

    Raises:
        TrainingError: There is none of this name, or no such miner.
    """
    if config.loss == "triplet":
        if config.miner not in MINERS:
            raise TrainingError(f"unknown miner {config.miner!r}; known miners: {', '.join(MINERS)}")
        return TripletLoss(MINERS[config.miner](config.margin))
    if config.loss not in LOSSES:
        raise TrainingError(f"unknown loss {config.loss!r}; known losses: {', '.join(LOSSES)}")
    kind = LOSSES[config.loss]
    return kind() if config.loss == "n-pair" else kind(people, embedding_size)


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
    """Choose the numbers that networks built from now on compute in."""
    if wanted == "auto":
        wanted = "float32" if keras.distribution.list_devices()[0].startswith("cpu") else "bfloat16"
    keras.config.set_dtype_policy("mixed_bfloat16" if wanted == "bfloat16" else "float32")
