"""The licenses that were accepted on this machine, remembered beside the models.

MODELS/accepted-licenses.json   each license's words, and the day they were accepted
"""

import json
from datetime import UTC, datetime

from kith.catalogue.installed import MODELS_VARIABLE, models_folder
from kith.catalogue.licenses import License
from kith.errors import LicenseNotAccepted, Remedy, WeightsError
from kith.files import write_atomically

ACCEPTED = "accepted-licenses.json"


def require_accepted(license: License, what: str, remedy: Remedy, *, accept: bool) -> None:
    """Make sure that a license that forbids commercial use was accepted, now or before.

    Args:
        license: The model's.
        what: The model's name, or its file's path.
        remedy: How it is accepted.
        accept: Whether it is accepted now; that is remembered.

    Raises:
        LicenseNotAccepted: It was not.
        WeightsError: That it was accepted cannot be written down.
    """
    if not license.use.is_restricted or license.text in _accepted():
        return
    if not accept:
        raise LicenseNotAccepted(what, license.text, license.url, remedy)
    _remember(license)


def _accepted() -> dict[str, str]:
    """The words of each license that was accepted, and when; of a damaged file, none."""
    try:
        content = json.loads((models_folder() / ACCEPTED).read_bytes())
        return {str(text): str(day) for text, day in content["licenses"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _remember(license: License) -> None:
    today = datetime.now(UTC).date().isoformat()
    content = json.dumps({"version": 1, "licenses": {**_accepted(), license.text: today}}, indent=2)
    path = models_folder() / ACCEPTED
    try:
        write_atomically(path, f"{content}\n".encode())
    except OSError as error:
        raise WeightsError(
            f"cannot write {path}: {error.strerror or error}; set {MODELS_VARIABLE} to a folder with room"
        ) from None
