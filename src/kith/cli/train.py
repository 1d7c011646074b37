"""`kith train` and `kith distill`: your own embedding."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kith.cli.console import note, print_json, print_line
from kith.cli.interruption import interruptible
from kith.cli.options import Json
from kith.cli.progress import telling
from kith.progress import Progress

if TYPE_CHECKING:
    from kith.training.runs import Result

Source = Annotated[
    Path, typer.Argument(metavar="DIR", help="A folder for each person, or a gallery.", readable=False)
]
NewId = Annotated[str, typer.Option("--id", help="The new model's name.")]
RunFolder = Annotated[
    Path | None,
    typer.Option("--run", help="Of checkpoints and logs; runs/ID if not given. A run that is there goes on."),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings, in TOML.", readable=False)]
Without = Annotated[
    Path | None, typer.Option("--without", help="A file with the names of people to leave out, one a line.")
]
Network = Annotated[str | None, typer.Option(help="The network.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="How often everybody is visited.")]
Rate = Annotated[float | None, typer.Option("--learning-rate", help="After the warm-up.")]
Freeze = Annotated[str | None, typer.Option(help="The last layer that keeps its weights.")]
Seed = Annotated[int | None, typer.Option(help="Of everything that is drawn.")]
Coordinator = Annotated[str, typer.Option(help="HOST:PORT of the first of several processes.")]
Processes = Annotated[int, typer.Option(min=1, help="How many processes train together.")]
Index = Annotated[int, typer.Option(min=0, help="Which of them this is, from 0.")]


_LEAVES = "what was prepared and the last checkpoint stay; run it again to go on"


def train(
    source: Source,
    model_id: NewId = "trained",
    network: Network = None,
    loss: Annotated[str | None, typer.Option(help="What is minimized.")] = None,
    miner: Annotated[str | None, typer.Option(help="Which triplets are learned from.")] = None,
    people: Annotated[int | None, typer.Option(help="People in a batch.")] = None,
    images: Annotated[int | None, typer.Option(help="Images of each.")] = None,
    epochs: Epochs = None,
    learning_rate: Rate = None,
    start_from: Annotated[str, typer.Option("--from", help="A model whose weights to start from.")] = "",
    freeze: Freeze = None,
    seed: Seed = None,
    check_labels: Annotated[
        bool, typer.Option(help="Let the default model look for photos in wrong folders first.")
    ] = True,
    config_file: ConfigFile = None,
    without: Without = None,
    run: RunFolder = None,
    coordinator: Coordinator = "",
    processes: Processes = 1,
    index: Index = 0,
    as_json: Json = False,
) -> None:
    """Train an embedder on photos of known people."""
    from kith.training.config import read_config  # here and below: brings Keras
    from kith.training.distribution import Hosts
    from kith.training.train import train as run_training

    config = read_config(
        config_file,
        network=network, loss=loss, miner=miner, people=people, images=images, epochs=epochs,
        learning_rate=learning_rate, freeze=freeze, seed=seed,
    )  # fmt: skip
    with telling("preparing", say=note) as progress, interruptible(lambda: _LEAVES):
        result = run_training(
            _photos(source, without, progress),
            config,
            model_id=model_id,
            folder=run,
            start_from=start_from,
            check_labels=check_labels,
            hosts=Hosts(coordinator, processes, index),
            progress=progress,
        )
    if index == 0:
        _tell(result, as_json=as_json)


def distill(
    teacher: Annotated[str, typer.Argument(metavar="TEACHER", help="The model to learn from.")],
    source: Source,
    model_id: NewId = "distilled",
    network: Network = None,
    epochs: Epochs = None,
    learning_rate: Rate = None,
    freeze: Freeze = None,
    seed: Seed = None,
    config_file: ConfigFile = None,
    without: Without = None,
    run: RunFolder = None,
    coordinator: Coordinator = "",
    processes: Processes = 1,
    index: Index = 0,
    as_json: Json = False,
) -> None:
    """Teach a compact network a model's embeddings, from photos of anybody."""
    from kith.training.config import read_config
    from kith.training.distill import distill as run_distillation
    from kith.training.distribution import Hosts

    config = read_config(
        config_file, network=network, epochs=epochs, learning_rate=learning_rate, freeze=freeze, seed=seed
    )
    with telling("preparing", say=note) as progress, interruptible(lambda: _LEAVES):
        result = run_distillation(
            teacher,
            _photos(source, without, progress),
            config,
            model_id=model_id,
            folder=run,
            hosts=Hosts(coordinator, processes, index),
            progress=progress,
        )
    if index == 0:
        _tell(result, as_json=as_json)


def _photos(source: Path, without: Path | None, progress: Progress) -> Any:
    from kith.training.photos import find_photos, read_names

    return find_photos(source, without=read_names(without) if without else (), progress=progress)


def _tell(result: "Result", *, as_json: bool) -> None:
    name = result.model_id
    if as_json:
        print_json({"model": name, "score": result.score, "steps": result.steps, "int8": result.int8})
        return
    print_line(f"{name}: trained, validation {result.score:.4f}; use it with --model {name}")
