"""`kith verify`: are two photos of one person?"""

from typing import Annotated, Any

import typer

from kith.catalogue.pair import find_pair
from kith.cli.console import print_json, print_line
from kith.cli.exit_codes import NON_MATCH, SUCCESS, UNDETERMINED
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, DetectorId, DeviceName, Json, ModelId, Photo, PrecisionName
from kith.decisions.calibration import VERIFICATION_FMR
from kith.errors import AcquisitionError
from kith.images.reading import load_image
from kith.presentation.certainty import among
from kith.presentation.decisions import comparison_json, policy_json
from kith.runtime.device import Device
from kith.runtime.prepare import Precision


def verify(
    first: Photo,
    second: Photo,
    fmr: Annotated[
        float, typer.Option(min=1e-9, max=0.5, help="Share of pairs of different people that may match.")
    ] = VERIFICATION_FMR,
    prior: Annotated[
        float,
        typer.Option(min=0.000001, max=0.999999, help="How likely a match is before the photos are seen."),
    ] = 0.5,
    model: ModelId = DEFAULT_MODEL,
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    as_json: Json = False,
) -> int:
    """Say whether two photos are of the same person (1:1).

    Exit code 0 match, 1 non-match, 2 error, 3 undetermined: a photo has no face, several, or one
    that is not good enough.
    """
    images = load_image(first), load_image(second)
    recognizer = load_recognizer(find_pair(model, detector).id, precision, device=device)
    policy = recognizer.calibration.verification_policy(fmr)
    answer: dict[str, Any] = {
        "decision": "undetermined",
        "score": None,
        "score_fmr": None,
        "probability": None,
        "prior": prior,
        "threshold": round(policy.threshold, 4),
        "fmr": policy.rate,
        "measured_on": policy.measured_on,
        "policy": policy_json(policy),
        "model": recognizer.model_id,
    }
    templates = []
    for file, image in zip((first, second), images, strict=True):
        try:
            templates.append(recognizer.analyze_main(image).template)
        except AcquisitionError as error:
            reason = f"{file}: {error}"
            if as_json:
                print_json(answer | {"reason": reason})
            else:
                print_line(f"undetermined: {reason}")
            return UNDETERMINED
    comparison = recognizer.compare(*templates, fmr=fmr, prior=prior)
    if as_json:
        print_json(answer | comparison_json(comparison))
    else:
        verdict = "match" if comparison.is_match else "non-match"
        print_line(
            f"{verdict}: score {comparison.score:.4f}, threshold {policy.threshold:.4f} "
            f"(false match rate {policy.rate:g}{among(policy)}, measured on {policy.measured_on}); "
            f"one person with probability {_percent(comparison.probability)}, "
            f"if {_percent(prior)} was likely before"
        )
    return SUCCESS if comparison.is_match else NON_MATCH


def _percent(probability: float) -> str:
    """In whole percent; never a certainty."""
    return (
        f"{min(max(probability, 0.001), 0.999):.1%}"
        if not 0.01 <= probability <= 0.99
        else f"{probability:.0%}"
    )
