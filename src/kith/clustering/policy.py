"""How alike two faces must be to begin a cluster: the less, the fewer faces there are to be mistaken for."""

from kith.decisions.calibration import VERIFICATION_FMR, Calibration
from kith.decisions.groups import EVERYONE
from kith.records import Measure, Policy

_LOOKALIKES = 0.4
_HIGHEST_FMR = 3e-3


def clustering_policy(calibration: Calibration, faces: int) -> Policy:
    """The threshold for comparing the faces of a collection.

    A face of a small collection meets few strangers, so that a lower threshold finds more of its own kind and
    still no stranger: the rate is that at which a face is like `_LOOKALIKES` strangers, but at least that of
    verifying, which the other settings of clustering were chosen at, and at most three times as much. It is a
    rate over everyone, for a face is compared with all, not only with strangers of its own group.

    Args:
        calibration: Of the model.
        faces: How many there are.
    """
    tail = calibration.comparisons.tails[EVERYONE]
    rate = max(min(_LOOKALIKES / max(faces, 1), _HIGHEST_FMR), VERIFICATION_FMR, tail.lowest)
    return Policy(Measure.FMR, rate, tail.threshold(rate), calibration.measured_on, lowest=tail.lowest)
