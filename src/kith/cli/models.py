"""`kith models`: what can be loaded, how it was trained, and what it may be used for."""

from typing import Annotated, Any

import typer

from kith.cli.console import print_json, print_line, print_table
from kith.cli.options import Json
from kith.errors import UnknownModel
from kith.records import DecisionPolicy
from kith.weights.catalogue import DETECTORS, EMBEDDERS, DetectorSpec, EmbedderSpec

app = typer.Typer(help="The models Kith knows.", no_args_is_help=True, rich_markup_mode=None)


@app.command(name="list")
def list_models(as_json: Json = False) -> None:
    """List the models."""
    cards = [_card(spec) for spec in _all().values()]
    if as_json:
        print_json(cards)
    else:
        print_table(
            ("model", "kind", "what", "licence"),
            [[str(card[key]) for key in ("id", "kind", "summary", "licence")] for card in cards],
        )


@app.command()
def show(model_id: Annotated[str, typer.Argument(help="The model.")], as_json: Json = False) -> None:
    """Show one model: licence, training data, figures, preprocessing."""
    specs = _all()
    if model_id not in specs:
        raise UnknownModel(model_id, tuple(specs))
    card = _card(specs[model_id])
    if as_json:
        print_json(card)
        return
    for key, value in card.items():
        print_line(f"{key.replace('_', ' ')}: {value}")


def _all() -> dict[str, EmbedderSpec | DetectorSpec]:
    return {**EMBEDDERS, **DETECTORS}


def _card(spec: EmbedderSpec | DetectorSpec) -> dict[str, Any]:
    card: dict[str, Any] = {
        "id": spec.id,
        "kind": "embedder" if isinstance(spec, EmbedderSpec) else "detector",
        "summary": spec.summary,
        "licence": spec.licence,
        "training_data": spec.training_data,
    }
    if isinstance(spec, DetectorSpec):
        return card | {"files": [stage.file.path for stage in (spec.pnet, spec.rnet, spec.onet)]}
    return card | {
        "lfw": spec.lfw,
        "embedding_size": spec.embedding_size,
        "crop": f"{spec.crop.size} pixels, {type(spec.crop).__name__}",
        "pixels": f"(pixel - {spec.pixels.mean}) / {spec.pixels.divisor:g}",
        "looks": ", ".join(f"{side} pixels" for side in spec.looks)
        + (" and their mirror images" if spec.flip else ""),
        "verification": _policy(spec.policy),
        "identification": _policy(spec.identification_policy),
        "file": f"{spec.weights.file.path} of the package {spec.weights.file.package}",
        "sha256": spec.weights.sha256,
        "bytes": spec.weights.size,
    }


def _policy(policy: DecisionPolicy) -> str:
    return f"threshold {policy.threshold:.4f}, FMR {policy.fmr:g}, measured on {policy.measured_on}"
