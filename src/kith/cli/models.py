"""`kith models`: what can be loaded, how it was trained, what it may be used for; and bringing it here."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.catalogue.calibrations import find_calibration
from kith.catalogue.families import FAMILIES
from kith.catalogue.preprocessing import (
    ARCFACE_CROP,
    DLIB_CHIP,
    ColorOrder,
    CropRule,
    FixedScaling,
    PixelRule,
    Whitening,
)
from kith.catalogue.spec import DetectorSpec, EmbedderSpec
from kith.cli.console import complain, count, note, print_json, print_line, print_table, printable
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.hints import with_hint
from kith.cli.interruption import interruptible
from kith.cli.options import Json
from kith.cli.progress import telling
from kith.errors import LicenseNotAccepted, WeightsError
from kith.presentation.models import model_json
from kith.workflows.converting import Target
from kith.workflows.models import check_weights, find_model, remove_model
from kith.workflows.models import list_models as list_all

app = typer.Typer(help="The models Kith knows.", no_args_is_help=True, rich_markup_mode=None)

File = Annotated[
    Path, typer.Argument(help="A file of weights, or one of a TensorFlow checkpoint's.", readable=False)
]
Id = Annotated[str, typer.Argument(help="The model's name.", metavar="ID")]
AcceptLicense = Annotated[
    bool,
    typer.Option("--accept-license", help="Accept its license, where that forbids commercial use."),
]
_TEMPLATES = {"arcface": ARCFACE_CROP, "dlib": DLIB_CHIP}  # for ONNX files


@app.command(name="list")
def list_models(as_json: Json = False) -> int:
    """List the models: those that work at once, those that were brought here, those that can be had."""
    cards: list[dict[str, Any]] = []
    problems: list[str] = []
    for model in list_all():
        try:
            cards.append(model_json(model.spec) if model.spec else _damaged(model.id, model.error))
        except WeightsError as error:  # its calibration
            cards.append(_damaged(model.id, error))
        problems += [cards[-1]["problem"]] if "problem" in cards[-1] else []
    if as_json:
        print_json(cards)
    else:
        columns = ("id", "state", "kind", "use", "size", "lfw", "license")
        print_table(
            ("model", "state", "kind", "use", "size", "LFW", "license"),
            [[_cell(card.get(key, "")) for key in columns] for card in cards],
        )
    for problem in problems:
        complain(problem)
    return ERROR if problems else SUCCESS


@app.command()
def show(model_id: Id, as_json: Json = False) -> None:
    """Show one model: license, training data, figures, preprocessing."""
    card = model_json(find_model(model_id))
    if as_json:
        print_json(card)
        return
    for key, value in card.items():
        if value not in ("", None, {}):
            print_line(f"{key.replace('_', ' ')}: {_cell(value)}")


@app.command()
def recommend(
    commercial: Annotated[
        bool, typer.Option("--commercial", help="Only what may be used for anything.")
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="The fastest first, else the most accurate.")] = False,
    min_speed: Annotated[
        float, typer.Option(min=0, help="Faces a second that it must look at here, if it is here.")
    ] = 0.0,
    max_size: Annotated[int, typer.Option(min=0, help="Megabytes that it may have; 0 for any.")] = 0,
    as_json: Json = False,
) -> int:
    """Say which model fits: license, size, speed measured here and now, accuracy. Asks on a terminal."""
    from kith.presentation.recommendations import COLUMNS, advice, option_json, option_row
    from kith.workflows.recommending import Needs, recommend  # here: brings what listing needs not

    if sys.stdin.isatty() and not (commercial or fast or min_speed or max_size or as_json):
        commercial = typer.confirm("Is it for commercial use?", err=True)
        fast = typer.confirm("Is speed more important than accuracy?", err=True)
    needs = Needs(commercial, fast, min_speed, max_size * 1_000_000)
    with telling("measuring the models that are here") as progress:
        options = recommend(needs, progress=progress)
    if as_json:
        print_json([option_json(option) for option in options])
    else:
        print_table(COLUMNS, map(option_row, options))
        note(advice(options, needs))
        for model_id in options[0].missing if options else ():
            note(f"use: kith models pull {model_id}")
        note("LFW's photos are easy; measure on yours with: kith evaluate verification DIR --model MODEL")
    return SUCCESS if options else ERROR


@app.command()
def pull(
    model_id: Id,
    source: Annotated[
        list[str] | None,
        typer.Option("--from", help="Fetch it from this URL; its hash is checked all the same."),
    ] = None,
    accept_license: AcceptLicense = False,
    as_json: Json = False,
) -> None:
    """Fetch a published model, an embedder with its detector. What a break left behind is gone on with."""
    from kith.workflows.pulling import pull as pull_model  # here: brings what listing needs not

    def bring(accept_license: bool) -> EmbedderSpec | DetectorSpec:
        with (
            interruptible(lambda: "what was fetched stays; run it again to go on"),
            telling(f"fetching {model_id}") as progress,
        ):
            return pull_model(
                model_id, urls=tuple(source or ()), accept_license=accept_license, progress=progress
            )

    _tell_installed(_asking_for_the_license(bring, accept_license), as_json=as_json)


@app.command(name="import")
def import_(
    file: File,
    model_id: Annotated[
        str | None, typer.Option("--id", help="Its name from now on; made of the file's name if not given.")
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(help=f"How it was trained, where the file cannot tell: {', '.join(FAMILIES)}."),
    ] = None,
    template: Annotated[
        str, typer.Option(help=f"ONNX only: how faces are cut out: {', '.join(_TEMPLATES)}.")
    ] = "",
    crop_size: Annotated[
        int | None,
        typer.Option(min=16, max=1024, help="ONNX only: side of its input, where the graph takes any."),
    ] = None,
    pixels: Annotated[
        str,
        typer.Option(
            help="ONNX only: how pixels are scaled, where the graph does not do it: MEAN,DIVISOR such as "
            "127.5,127.5; or whiten."
        ),
    ] = "",
    color: Annotated[ColorOrder, typer.Option(help="ONNX only: in which order it wants colours.")] = (
        ColorOrder.RGB
    ),
    output: Annotated[
        str | None, typer.Option(help="ONNX only: the name of the embedding, where several could be it.")
    ] = None,
    mirrored: Annotated[
        bool,
        typer.Option("--mirrored", help="Embed the mirror image of a face too: slower, mostly better."),
    ] = False,
    accept_license: AcceptLicense = False,
    as_json: Json = False,
) -> None:
    """Install the model of a file you have: Keras, TensorFlow, PyTorch, Torch7 or ONNX."""
    from kith.workflows.importing import OnnxPreprocessing, import_file

    onnx = None
    if template:
        rule = _pixel_rule(pixels) if pixels else None
        onnx = OnnxPreprocessing(_crop_rule(template), rule, color, crop_size, output)
    elif crop_size or pixels or output or color is not ColorOrder.RGB:
        raise WeightsError(
            "--crop-size, --pixels, --color and --output are for an ONNX file; give --template too"
        )

    def bring(accept_license: bool) -> EmbedderSpec | DetectorSpec:
        with telling("importing") as progress:
            return import_file(
                file,
                model_id=model_id,
                family=family,
                onnx=onnx,
                mirrored=mirrored,
                accept_license=accept_license,
                progress=progress,
            )

    _tell_installed(_asking_for_the_license(bring, accept_license), as_json=as_json)


@app.command()
def convert(
    file: File,
    to: Annotated[Target, typer.Option("--to", help="The form.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; beside the other if not given.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Convert a file of weights: a TensorFlow checkpoint to Keras 3, for one."""
    from kith.workflows.converting import convert as convert_file

    with telling("converting") as progress:
        target = convert_file(file, to, output, overwrite=force, progress=progress)
    print_line(f"wrote {target}")


@app.command()
def quantize(model_id: Id, as_json: Json = False) -> None:
    """Make a model's int8 network, prove that it keeps the embeddings, and use it from now on."""
    from kith.workflows.quantizing import quantize as quantize_model

    with telling("quantizing") as progress:
        cosine = quantize_model(model_id, progress=progress)
    if as_json:
        print_json({"model": model_id, "mean_cosine": round(cosine, 6)})
    else:
        print_line(
            f"{model_id}: int8 keeps its embeddings (mean cosine {cosine:.4f}) and is used from now on"
        )


@app.command()
def remove(model_id: Id) -> None:
    """Delete a model that was pulled or imported. Galleries made with it stay, but cannot be searched."""
    size = remove_model(model_id)
    print_line(f"removed {model_id}, {size / 1e6:.0f} MB")


@app.command()
def verify(as_json: Json = False) -> int:
    """Read all weights on this machine again and compare their hashes. Exit code 2 if one is wrong."""
    answers = [
        {"id": one.id, "file": one.file, "problem": with_hint(one.error) if one.error else ""}
        for one in check_weights()
    ]
    problems = [answer["problem"] for answer in answers if answer["problem"]]
    for problem in problems:
        complain(problem)
    if as_json:
        print_json(answers)
    else:
        print_line(f"{count(len(answers), 'file')} read, {len(problems)} wrong")
    return ERROR if problems else SUCCESS


def _asking_for_the_license(
    bring: Callable[[bool], EmbedderSpec | DetectorSpec], accept: bool
) -> EmbedderSpec | DetectorSpec:
    """Bring a model here; on a terminal, ask whether its license is accepted if it must be."""
    try:
        return bring(accept)
    except LicenseNotAccepted as error:
        question = f"{printable(error.license)}. Do you accept this?"
        if not sys.stdin.isatty() or not typer.confirm(question, err=True):
            raise
    return bring(True)


def _tell_installed(spec: EmbedderSpec | DetectorSpec, *, as_json: bool) -> None:
    if as_json:
        print_json(model_json(spec))
        return
    print_line(f"installed {spec.id}: {spec.summary}")
    if isinstance(spec, DetectorSpec):
        return
    calibration = find_calibration(spec.id)
    if not calibration.people:
        note(
            f"its thresholds were measured on {calibration.measured_on}; "
            f"measure them on your people with: kith calibrate DIR --model {spec.id}"
        )
    note(f"make it faster with: kith models quantize {spec.id}")


def _damaged(model_id: str, error: WeightsError | None) -> dict[str, Any]:
    return {"id": model_id, "state": "damaged", "problem": with_hint(error) if error else ""}


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 10_000:
        return f"{value / 1e6:.0f} MB" if value > 10_000_000 else f"{value / 1e6:.1f} MB"
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return "" if value is None else str(value)


def _crop_rule(template: str) -> CropRule:
    rule = _TEMPLATES.get(template)
    if rule is None:
        raise WeightsError(f"unknown template {template!r}; known: {', '.join(_TEMPLATES)}")
    return rule


def _pixel_rule(text: str) -> PixelRule:
    if text == "whiten":
        return Whitening()
    try:
        mean, divisor = map(float, text.split(","))
    except ValueError:
        raise WeightsError(f"--pixels {text!r}: give MEAN,DIVISOR such as 127.5,127.5; or whiten") from None
    if not (0 < abs(divisor) < 1e6 and abs(mean) < 1e6):
        raise WeightsError(f"--pixels {text!r}: the divisor must not be 0")
    return FixedScaling((mean, mean, mean), divisor)
