"""`kith evaluate transfer`: do promised rates hold on other people?"""

from pathlib import Path
from typing import Annotated

import typer

from kith.catalogue.pair import find_pair
from kith.cli.console import print_json, print_line, print_table
from kith.cli.evaluate.acquiring import leaves
from kith.cli.evaluate.app import Groups, Keep, People, app
from kith.cli.interruption import interruptible
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, DetectorId, Json, ModelId, PrecisionName
from kith.cli.progress import telling
from kith.decisions.calibration import VERIFICATION_FMR
from kith.presentation.evaluations import transfer_json, transfer_table
from kith.runtime.prepare import Precision
from kith.workflows import evaluating
from kith.workflows.evaluating_transfer import FPIR


@app.command()
def transfer(
    folder: People,
    calibrated_on: Annotated[
        Path | None,
        typer.Option(
            help="Where the promise comes from: another such folder, or a file of `kith calibrate --output`. "
            "By default a random half of the folder's own people; the other half is put to the test.",
            readable=False,
        ),
    ] = None,
    groups: Groups = None,
    fmr: Annotated[float, typer.Option(help="False match rate asked for.")] = VERIFICATION_FMR,
    fpir: Annotated[float, typer.Option(help="Share of strangers who may get a name.")] = FPIR,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    model: ModelId = DEFAULT_MODEL,
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    keep: Keep = None,
    as_json: Json = False,
) -> None:
    """Evaluate what a calibration promises on people it was not measured on: promised beside measured rates.

    Within each group, and for galleries with 1, 3 and 10 photos a person, as far as there are people enough.
    """
    recognizer = load_recognizer(find_pair(model, detector).id, precision)
    with interruptible(lambda: leaves(keep)), telling() as progress:
        promises = evaluating.transfer(
            folder,
            recognizer,
            calibrated_on=calibrated_on,
            groups=groups,
            fmr=fmr,
            fpir=fpir,
            seed=seed,
            keep=keep,
            progress=progress,
        )
    if as_json:
        print_json(transfer_json(recognizer, promises))
        return
    print_table(*transfer_table(promises))
    print_line(f"promised on {promises[0].policy.measured_on}; intervals of 95 %, by bootstrap over people")
