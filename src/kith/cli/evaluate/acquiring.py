"""What every evaluation begins with: the embeddings of its photos."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kith.cli.console import warn
from kith.cli.interruption import interruptible
from kith.cli.progress import track
from kith.evaluation.bootstrap import Estimate
from kith.recognizer import Recognizer
from kith.workflows.acquiring import Acquired, acquire


def acquire_photos(recognizer: Recognizer, photos: Sequence[Path], keep: Path | None) -> Acquired:
    """Embed photos with a progress bar, telling which gave no face."""
    leaves = (
        "nothing was kept; with --keep FILE a run can be gone on with"
        if keep is None
        else f"what was embedded is kept in {keep}; run it again to go on"
    )
    with interruptible(lambda: leaves):
        return acquire(
            recognizer, photos, keep=keep, track=lambda files: track(files, "embedding"), tell=warn
        )


def estimate_json(estimate: Estimate) -> dict[str, Any]:
    """A value with its interval, for programs."""
    return {
        "value": round(estimate.value, 6),
        "low": round(estimate.low, 6),
        "high": round(estimate.high, 6),
    }
