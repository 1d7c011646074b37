"""The settings of a run, from a TOML file and the command line."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kith.errors import InvalidArgument, TrainingError
from kith.training.augmentation import Augmentation

_POSITIVE = ("people", "images", "epochs", "learning_rate", "threads", "embedding_size", "checkpoint_every")


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of `kith train`; those of `kith distill` are among them.

    Attributes:
        network: The network's name in `recipes.RECIPES`.
        input_size: Side of what it sees, in pixels; 0 for the recipe's.
        embedding_size: Length of an embedding.
        loss: Name in `losses.LOSSES`.
        miner: Name in `mining.MINERS`, for the triplet loss.
        margin: Of the loss: in squared distance for triplets, in radians for ArcFace, of a cosine for
            CosFace; 0 for what its paper takes.
        scale: What cosines are multiplied by before a softmax; 0 for the loss's own.
        margin_ramp: Share of the run in which the margin of ArcFace, CosFace and AdaFace grows from zero.
        people: P, people in a batch.
        images: K, images of each; a batch of a distillation has P x K images.
        epochs: How often everybody is visited.
        learning_rate: After the warm-up; it falls to zero as a cosine.
        warmup: Epochs in which the learning rate rises from zero.
        weight_decay: Of kernels, as AdamW means it.
        clip: Gradients longer than this are shortened to it; 0 for never.
        average: What the moving average of the weights keeps at each step; 0 for no average.
        chunk: How many images the network sees at a time; 0 for the whole batch.
        precision: "float32", "bfloat16", or "auto": bfloat16 on accelerators.
        freeze: Name of the last layer that keeps its weights; empty if all learn.
        hold_out: Share of the people who are kept for validation.
        fmr: False match rate at which validation tells the true match rate.
        patience: After how many validations without a better score training stops; 0 for never.
        checkpoint_every: Steps between checkpoints; there is one at the end of each epoch besides.
        threads: Threads that make batches.
        seed: Of everything that is drawn.
        augmentation: What is done to crops.
    """

    network: str = "slim-resnet29"
    input_size: int = 0
    embedding_size: int = 128
    loss: str = "triplet"
    miner: str = "semi-hard"
    margin: float = 0.0
    scale: float = 0.0
    margin_ramp: float = 1.0
    people: int = 32
    images: int = 4
    epochs: int = 30
    learning_rate: float = 1e-3
    warmup: float = 1.0
    weight_decay: float = 5e-4
    clip: float = 5.0
    average: float = 0.999
    chunk: int = 0
    precision: str = "auto"
    freeze: str = ""
    hold_out: float = 0.1
    fmr: float = 0.001
    patience: int = 0
    checkpoint_every: int = 200
    threads: int = 2
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise TrainingError(f"{name} must be positive, got {getattr(self, name)}")
        if not 0 < self.hold_out < 1 or not 0 < self.fmr < 1:
            raise TrainingError("hold_out and fmr must be shares between 0 and 1")
        if not (self.margin >= 0 and self.scale >= 0) or not 0 <= self.margin_ramp <= 1:
            raise TrainingError("margin and scale must not be negative, and margin_ramp from 0 to 1")
        if not 0 <= self.average < 1:
            raise TrainingError(f"average must be from 0 to below 1, got {self.average}")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise TrainingError(f"precision must be auto, float32 or bfloat16, got {self.precision!r}")

    def describe(self) -> str:
        """One setting a line, as a checkpoint keeps them."""
        return "\n".join(f"{name} = {value!r}" for name, value in asdict(self).items())


def read_config(file: Path | None, **chosen: Any) -> Config:
    """The settings of a TOML file, overruled by those chosen elsewhere; a value of None is none.

    Raises:
        TrainingError: The file cannot be read, or has an unknown key or a value of the wrong kind.
    """
    settings: dict[str, Any] = {}
    if file is not None:
        try:
            settings = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise TrainingError(f"{file}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TrainingError(f"{file}: not TOML: {error}") from None
    augmentation = settings.pop("augmentation", {})
    try:
        if not isinstance(augmentation, Mapping):
            raise TrainingError("augmentation must be a table: [augmentation]")
        changed = _checked(Augmentation(), augmentation, "augmentation.")
        config: Config = _checked(Config(augmentation=changed), settings)
        return replace(config, **{name: value for name, value in chosen.items() if value is not None})
    except (TrainingError, InvalidArgument) as error:
        raise TrainingError(f"{file}: {error}" if settings or augmentation else str(error)) from None


def _checked(defaults: Any, values: Mapping[str, Any], prefix: str = "") -> Any:
    """A record with some of its fields changed, each to a value of its own kind."""
    kinds = {one.name: type(getattr(defaults, one.name)) for one in fields(defaults)}
    for name, value in values.items():
        if name not in kinds:
            close = get_close_matches(name, kinds, n=3, cutoff=0.6)
            hint = f"; did you mean {' or '.join(close)}?" if close else f"; known: {', '.join(kinds)}"
            raise TrainingError(f"unknown setting {prefix}{name}{hint}")
        wanted = (int, float) if kinds[name] is float else kinds[name]
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise TrainingError(f"{prefix}{name} must be of kind {kinds[name].__name__}, got {value!r}")
    return replace(defaults, **values)
