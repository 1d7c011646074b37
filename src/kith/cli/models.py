"""`kith models`: what can be loaded, how it was trained, what it may be used for; and bringing it here."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.catalogue.builtin import DETECTORS, EMBEDDERS
from kith.catalogue.calibrations import find_calibration
from kith.catalogue.families import FAMILIES, find_family
from kith.catalogue.files import read_weights
from kith.catalogue.installed import find_embedder, installed_ids, is_here, models_folder, read_card
from kith.catalogue.installed import remove as remove_model
from kith.catalogue.preprocessing import (
    ARCFACE_CROP,
    DLIB_CHIP,
    CropRule,
    FixedScaling,
    MarginCrop,
    PixelRule,
    Whitening,
    resize_template,
)
from kith.catalogue.published import PUBLISHED, PublishedModel
from kith.catalogue.spec import DetectorSpec, EmbedderSpec, WeightsSpec
from kith.cli.console import complain, count, note, print_json, print_line, print_table
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.interruption import interruptible
from kith.cli.options import Json
from kith.cli.progress import telling
from kith.decisions.calibration import Calibration
from kith.decisions.scoring import rule_for
from kith.errors import UnsupportedFile, WeightsError
from kith.runtime.prepare import forget
from kith.workflows.converting import Target

app = typer.Typer(help="The models Kith knows.", no_args_is_help=True, rich_markup_mode=None)

File = Annotated[
    Path, typer.Argument(help="A file of weights, or one of a TensorFlow checkpoint's.", readable=False)
]
Id = Annotated[str, typer.Argument(help="The model's name.", metavar="ID")]
_TEMPLATES = {"arcface": ARCFACE_CROP, "dlib": DLIB_CHIP}  # for ONNX files


@app.command(name="list")
def list_models(as_json: Json = False) -> int:
    """List the models: those that work at once, those that were brought here, those that can be had."""
    cards: list[dict[str, Any]] = []
    problems: list[str] = []
    for model_id in _names(problems):
        try:
            cards.append(_card(_find(model_id)))
        except WeightsError as error:
            problems.append(str(error))
            cards.append({"id": model_id, "state": "damaged", "problem": str(error)})
    if as_json:
        print_json(cards)
    else:
        columns = ("id", "state", "size", "lfw", "licence")
        print_table(
            ("model", "state", "size", "LFW", "licence"),
            [[_cell(card.get(key, "")) for key in columns] for card in cards],
        )
    for problem in problems:
        complain(problem)
    return ERROR if problems else SUCCESS


@app.command()
def show(model_id: Id, as_json: Json = False) -> None:
    """Show one model: licence, training data, figures, preprocessing."""
    card = _card(_find(model_id))
    if as_json:
        print_json(card)
        return
    for key, value in card.items():
        print_line(f"{key.replace('_', ' ')}: {_cell(value)}")


@app.command()
def pull(
    model_id: Id,
    source: Annotated[
        list[str] | None,
        typer.Option("--from", help="Fetch it from this URL; its hash is checked all the same."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch a published model. What a break left behind is gone on with."""
    from kith.workflows.importing import pull as pull_model  # here: brings what listing needs not

    with (
        interruptible(lambda: "what was fetched stays; run it again to go on"),
        telling(f"fetching {model_id}") as progress,
    ):
        spec = pull_model(model_id, urls=tuple(source or ()), progress=progress)
    _tell_installed(spec, as_json=as_json)


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
    crop_size: Annotated[
        int | None, typer.Option(min=16, max=1024, help="ONNX only: side of its input.")
    ] = None,
    template: Annotated[
        str, typer.Option(help=f"ONNX only: how faces are cut out: {', '.join(_TEMPLATES)}.")
    ] = "",
    pixels: Annotated[
        str,
        typer.Option(help="ONNX only: pixel scaling: MEAN,DIVISOR such as 127.5,127.5; or whiten."),
    ] = "",
    blue_first: Annotated[bool, typer.Option(help="ONNX only: it wants blue, green, red.")] = False,
    as_json: Json = False,
) -> None:
    """Install the model of a file you have: Keras, TensorFlow, PyTorch, Torch7 or ONNX."""
    from kith.workflows.importing import OnnxPreprocessing, import_file

    onnx = None
    if crop_size or template or pixels:
        if not (crop_size and template and pixels):
            raise WeightsError("an ONNX file needs all of --crop-size, --template and --pixels")
        onnx = OnnxPreprocessing(_crop_rule(template, crop_size), _pixel_rule(pixels), blue_first)
    with telling("importing") as progress:
        spec = import_file(file, model_id=model_id, family=family, onnx=onnx, progress=progress)
    _tell_installed(spec, as_json=as_json)


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

    target = output or file.with_name(f"{file.name.partition('.')[0]}.{to}")
    if target.exists() and not force:
        raise WeightsError(f"{target} is there already; add --force to replace it")
    with telling("converting") as progress:
        convert_file(file, to, target, progress=progress)
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
    if model_id in EMBEDDERS or model_id in DETECTORS:
        raise WeightsError(f"{model_id} came with Kith and cannot be removed")
    if is_here(model_id):
        with suppress(UnsupportedFile):  # of a damaged card; what was compiled is not known then
            forget(read_card(model_id).weights)
    size = remove_model(model_id)
    print_line(f"removed {model_id}, {size / 1e6:.0f} MB")


@app.command()
def verify(as_json: Json = False) -> int:
    """Read all weights on this machine again and compare their hashes. Exit code 2 if one is wrong."""
    answers: list[dict[str, str]] = []
    problems: list[str] = []
    for model_id in _names(problems):
        try:
            found = [(str(weights.file), _problem(weights)) for weights in _weights(_find(model_id))]
        except WeightsError as error:  # its card
            found = [(str(models_folder() / model_id), str(error))]
        answers += [{"id": model_id, "file": file, "problem": problem} for file, problem in found]
        problems += [problem for _, problem in found if problem]
    for problem in problems:
        complain(problem)
    if as_json:
        print_json(answers)
    else:
        print_line(f"{count(len(answers), 'file')} read, {len(problems)} wrong")
    return ERROR if problems else SUCCESS


def _names(problems: list[str]) -> list[str]:
    """Every model: those that came with Kith, those brought here, those that can be had.

    Args:
        problems: Where it is added that those brought here cannot be listed.
    """
    installed: list[str] = []
    try:
        installed = installed_ids()
    except WeightsError as error:
        problems.append(str(error))
    return list(dict.fromkeys([*EMBEDDERS, *DETECTORS, *installed, *PUBLISHED]))


def _find(model_id: str) -> EmbedderSpec | DetectorSpec | PublishedModel:
    if model_id in DETECTORS:
        return DETECTORS[model_id]
    if model_id in PUBLISHED and not is_here(model_id):
        return PUBLISHED[model_id]
    return find_embedder(model_id)


def _weights(spec: EmbedderSpec | DetectorSpec | PublishedModel) -> list[WeightsSpec]:
    if isinstance(spec, EmbedderSpec):
        return [spec.weights]
    return [spec.pnet, spec.rnet, spec.onet] if isinstance(spec, DetectorSpec) else []


def _problem(weights: WeightsSpec) -> str:
    """What is wrong with a weights file; nothing if it is as it was."""
    try:
        read_weights(weights)
    except WeightsError as error:
        return str(error)
    return ""


def _tell_installed(spec: EmbedderSpec, *, as_json: bool) -> None:
    if as_json:
        print_json(_card(spec))
        return
    print_line(f"installed {spec.id}: {spec.summary}")
    note(
        f"its thresholds come from {find_calibration(spec.id).measured_on}, which say little: measure "
        f"them on your people with: kith calibrate DIR --model {spec.id}; "
        f"and make it faster with: kith models quantize {spec.id}"
    )


def _card(spec: EmbedderSpec | DetectorSpec | PublishedModel) -> dict[str, Any]:
    if isinstance(spec, PublishedModel):
        return _published_card(spec)
    if isinstance(spec, DetectorSpec):
        return _detector_card(spec)
    calibration = find_calibration(spec.id)
    return {
        "id": spec.id,
        "kind": "embedder",
        "state": "built in" if spec.id in EMBEDDERS else "here",
        "summary": spec.summary,
        "licence": spec.licence,
        "training_data": spec.training_data,
        "lfw": spec.lfw,
        "embedding_size": spec.embedding_size,
        **_preprocessing(spec.crop, spec.pixels, spec.input_size),
        "mirrored": spec.mirrored,
        "calibrated_on": calibration.measured_on,
        "verification": _verification(calibration),
        "identification": [_identification(calibration, size) for size in (10, 100, 1000)],
        "int8": spec.int8,
        "file": str(spec.weights.file),
        "sha256": spec.weights.sha256,
        "size": spec.weights.size,
    }


def _detector_card(spec: DetectorSpec) -> dict[str, Any]:
    stages = (spec.pnet, spec.rnet, spec.onet)
    return {
        "id": spec.id,
        "kind": "detector",
        "state": "built in",
        "summary": spec.summary,
        "licence": spec.licence,
        "training_data": spec.training_data,
        "files": [str(stage.file) for stage in stages],
        "size": sum(stage.size for stage in stages),
    }


def _published_card(model: PublishedModel) -> dict[str, Any]:
    family = find_family(model.family)
    return {
        "id": model.id,
        "kind": "embedder",
        "state": "can be pulled",
        "summary": family.summary,
        "licence": model.licence,
        "training_data": model.training_data,
        "lfw": model.lfw,
        "embedding_size": family.embedding_size,
        **_preprocessing(family.crop, family.pixels, family.input_size),
        "files": [
            f"{file.name} {' '.join(file.urls)} {file.sha256 or file.md5 or 'no hash published'}"
            for file in model.files
        ],
        "size": model.files[0].size,
    }


def _preprocessing(crop: CropRule, pixels: PixelRule, input_size: int) -> dict[str, Any]:
    how = f"{crop.size} pixels, {type(crop).__name__}"
    if isinstance(crop, MarginCrop):
        how += f" of {crop.margin} {crop.unit}"
    scaling = "whitening of each crop"
    if isinstance(pixels, FixedScaling):
        scaling = f"(pixel - {pixels.mean}) / {pixels.divisor:g}"
    return {"crop": how, "pixels": scaling, "colours": "red, green, blue", "input_size": input_size}


def _verification(calibration: Calibration) -> str:
    policy = calibration.verification_policy()
    return f"threshold {policy.threshold:.4f}, FMR {policy.rate:g}"


def _identification(calibration: Calibration, people: int) -> str:
    policy = rule_for(calibration, people=people, references=people).policy
    how = " (extrapolated)" if policy.extrapolated else ""
    return f"threshold {policy.threshold:.4f}, FPIR {policy.rate:g}{how} with {people:,} people enrolled"


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 10_000:
        return f"{value / 1e6:.0f} MB"
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _crop_rule(template: str, size: int) -> CropRule:
    rule = _TEMPLATES.get(template)
    if rule is None:
        raise WeightsError(f"unknown template {template!r}; known: {', '.join(_TEMPLATES)}")
    return resize_template(rule, size)


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
