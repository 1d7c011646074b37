"""Which model for whom: all pairs of embedder and detector that a person's needs allow, the best first.

Speed is measured on this machine, of what is here. Accuracy is what the authors tell of LFW, for that is told
of all; and where models are alike on it, of IJB-C, which is harder.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kith.catalogue.builtin import EMBEDDERS
from kith.catalogue.calibrations import find_calibration
from kith.catalogue.installed import installed_ids
from kith.catalogue.licenses import Use
from kith.catalogue.pair import AND
from kith.catalogue.published import PUBLISHED
from kith.catalogue.published.entries import PublishedDetector, PublishedModel
from kith.catalogue.spec import EmbedderSpec
from kith.images.reading import load_image
from kith.progress import SILENT, Progress, each
from kith.recognizer import Recognizer
from kith.sample_people import GROUP_PHOTO
from kith.workflows.models import ModelSpec, find_model, weights_of

FREE_DETECTOR = "yunet-s"
"""That anybody may use for anything; offered where an embedder's usual one is less free than itself."""

_Published = PublishedModel | PublishedDetector
_SECONDS = 1.0  # that a model is measured for
_ORDER = (Use.ANY, Use.UNCLEAR, Use.NONCOMMERCIAL, Use.RESEARCH)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a person needs of a model.

    Attributes:
        commercial: Whether its license must allow everything.
        fast: Whether the fastest is wanted, else the most accurate.
        min_speed: Faces a second; what is not here was not measured, and passes.
        max_size: Bytes of its files, 0 for any.
    """

    commercial: bool = False
    fast: bool = False
    min_speed: float = 0.0
    max_size: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """A pair that could be used.

    Attributes:
        id: Its name.
        use: What embedder and detector may both be used for.
        missing: What must be pulled first; an embedder brings its usual detector.
        size: Bytes of the files of both.
        lfw: LFW accuracy in percent, as its authors or we measured it; None if nobody did.
        ijb_c: Share of mated pairs found at FMR 1e-4 on IJB-C in percent, as its authors measured it.
        by_group: The same at FMR 1e-6 of each group of people in MR-ALL.
        hardest: The group of people that its calibration is hardest for; empty if that is not known.
        measured_on: What its calibration was measured on.
        faces_per_second: From a photo of ten people to their templates, here and now; None if it is not here.
    """

    id: str
    use: Use
    missing: tuple[str, ...]
    size: int
    lfw: float | None
    ijb_c: float | None
    by_group: tuple[tuple[str, float], ...]
    hardest: str
    measured_on: str
    faces_per_second: float | None = None


def recommend(needs: Needs, *, progress: Progress = SILENT) -> list[Option]:
    """The pairs that can be used, the best first: those that are as accurate as others but not here, later.

    Args:
        needs: What they must fulfil.
        progress: Told how far it is; a model that was never used is compiled first.

    Raises:
        WeightsError: A model that is here cannot be read.
    """
    allowed = [option for option in _options() if _allows(option, needs)]
    measured = [
        replace(option, faces_per_second=None if option.missing else _measure(option.id, progress))
        for option in each(allowed, "measuring", progress)
    ]
    enough = [
        option
        for option in measured
        if option.faces_per_second is None or option.faces_per_second >= needs.min_speed
    ]
    return sorted(enough, key=_by_speed if needs.fast else _by_accuracy)


def _options() -> Iterator[Option]:
    """Every embedder with its usual detector, and where that is less free, with one that is free."""
    for model_id in dict.fromkeys((*EMBEDDERS, *installed_ids(), *PUBLISHED)):
        model = find_model(model_id)
        if isinstance(model, EmbedderSpec | PublishedModel):
            usual = _option(model_id, model, model.detector)
            yield usual
            if usual.use is not _use(model):
                yield _option(f"{model_id}{AND}{FREE_DETECTOR}", model, FREE_DETECTOR)


def _option(pair_id: str, model: EmbedderSpec | PublishedModel, detector_id: str) -> Option:
    detector = find_model(detector_id)
    calibration = find_calibration(pair_id)
    published = PUBLISHED.get(model.id)
    return Option(
        id=pair_id,
        use=max(_use(model), _use(detector), key=_ORDER.index),
        missing=_missing(model, detector),
        size=_size(model) + (0 if _has_inside(model, detector) else _size(detector)),
        lfw=_percent(model.lfw),
        ijb_c=published.ijb_c if published else None,
        by_group=published.by_group if published else (),
        hardest=calibration.verification_policy().group if len(calibration.comparisons.tails) > 1 else "",
        measured_on=calibration.measured_on,
    )


def _missing(model: EmbedderSpec | PublishedModel, detector: ModelSpec) -> tuple[str, ...]:
    if isinstance(model, PublishedModel) and model.detector == detector.id:
        return (model.id,)
    return tuple(one.id for one in (model, detector) if isinstance(one, _Published))


def _has_inside(model: EmbedderSpec | PublishedModel, detector: ModelSpec) -> bool:
    """Whether an embedder's file is a zip that has this detector too."""
    return (
        isinstance(model, PublishedModel) and bool(model.files[0].members) and model.detector == detector.id
    )


def _use(model: ModelSpec) -> Use:
    return model.license.use if isinstance(model, _Published) else model.use


def _size(model: ModelSpec) -> int:
    if isinstance(model, _Published):
        return model.files[0].size
    return sum(weights.size for weights in weights_of(model))


def _percent(text: str) -> float | None:
    """The number with which a figure of the catalogue begins: 99.83 of "99.83 % by its authors"."""
    number = re.match(r"([\d.]+) %", text)
    return float(number[1]) if number else None


def _allows(option: Option, needs: Needs) -> bool:
    is_free_enough = option.use is Use.ANY or not needs.commercial
    return is_free_enough and (not needs.max_size or option.size <= needs.max_size)


def _measure(pair_id: str, progress: Progress) -> float:
    """Faces a second, of a photo of ten people from pixels to templates."""
    recognizer = Recognizer.from_pretrained(pair_id, progress=progress)
    image = load_image(GROUP_PHOTO)
    recognizer.analyze(image)  # the first time is slower
    faces, started = 0, time.perf_counter()
    while time.perf_counter() - started < _SECONDS:
        faces += len(recognizer.analyze(image))
    return faces / (time.perf_counter() - started)


def _by_accuracy(option: Option) -> tuple[float, float, bool, float]:
    """What is here before what is not, where they are alike; of those the fastest."""
    speed = option.faces_per_second or 0.0
    return -(option.lfw or 0.0), -(option.ijb_c or 0.0), bool(option.missing), -speed


def _by_speed(option: Option) -> tuple[float, int]:
    """What is not here was not measured, and comes last, the smallest first."""
    return -(option.faces_per_second or 0.0), option.size
