"""From a folder with one folder per person to figures: one call a measurement.

    from kith.workflows import evaluating

    print(evaluating.verification("people").result.eer)

Each reads the folder, embeds the central face of each photo and measures. The parts are in
`evaluating_pairs`, `evaluating_searches`, `evaluating_clusters`, `evaluating_transfer` and
`calibrating`.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kith.catalogue.calibrations import read_calibration
from kith.decisions.calibration import VERIFICATION_FMR, Calibration
from kith.decisions.rates import require_rate
from kith.decisions.scoring import ClassifierKind
from kith.evaluation.groups import labels_of, read_groups
from kith.evaluation.pairs import PairsProtocol, all_pairs, read_pairs
from kith.progress import SILENT, Progress
from kith.recognizer import Recognizer
from kith.workflows.acquiring import Acquired, acquire
from kith.workflows.calibrating import fit_calibration
from kith.workflows.evaluating_clusters import Clustered, evaluate_clustering
from kith.workflows.evaluating_pairs import Verified, evaluate_verification
from kith.workflows.evaluating_searches import Identified, draw_searches, evaluate_identification
from kith.workflows.evaluating_transfer import FPIR, Promise, evaluate_transfer
from kith.workflows.first_calibration import embed_unrecognizable
from kith.workflows.people_folders import read_people

Folder = str | os.PathLike[str]


def verification(
    folder: Folder,
    recognizer: Recognizer | None = None,
    *,
    pairs: Folder | None = None,
    groups: Folder | None = None,
    keep: Path | None = None,
    progress: Progress = SILENT,
) -> Verified:
    """Measure how often comparisons of two faces are wrong (1:1).

    Args:
        folder: With one folder per person.
        recognizer: The default one if None.
        pairs: A file of pairs; all pairs if None, see `kith.evaluation.pairs`.
        groups: A CSV of person or photo and group, to measure each group too.
        keep: A file for the embeddings: what is in it already is not made again.
        progress: Told how far it is, and what is left out.

    Raises:
        ImageError: The folder cannot be read, or no photo in it is any person's.
        EvaluationError: There are too few people or photos, or a file does not fit.
    """
    protocol = pairs_of(folder, pairs, progress=progress)
    labels = labels_of_photos(protocol.photos, folder, groups)
    recognizer, acquired = _acquire(recognizer, protocol.photos, keep, progress)
    return evaluate_verification(recognizer.calibration, protocol, acquired, labels)


def identification(
    folder: Folder,
    recognizer: Recognizer | None = None,
    *,
    people: int | None = None,
    references: int = 1,
    strangers: int | None = None,
    classifier: ClassifierKind | str = ClassifierKind.NORMALIZED,
    seed: int = 0,
    keep: Path | None = None,
    progress: Progress = SILENT,
) -> Identified:
    """Measure how often searches are wrong (1:N, open set): some are enrolled, everyone is searched.

    Args:
        folder: With one folder per person.
        recognizer: The default one if None.
        people: How many to enroll; half of those with enough photos by default.
        references: Photos to enroll of each.
        strangers: How many strangers, one photo each; all photos of all others by default.
        classifier: Who decides.
        seed: Of what is drawn.
        keep: A file for the embeddings: what is in it already is not made again.
        progress: Told how far it is, and what is left out.

    Raises:
        ImageError, EvaluationError: As `verification`.
    """
    labelled = read_people(folder, progress=progress)
    protocol = draw_searches(labelled, people=people, references=references, strangers=strangers, seed=seed)
    recognizer, acquired = _acquire(recognizer, labelled.photos, keep, progress)
    return evaluate_identification(recognizer.calibration, labelled, acquired, protocol, classifier)


def clusters(
    folder: Folder,
    recognizer: Recognizer | None = None,
    *,
    keep: Path | None = None,
    progress: Progress = SILENT,
) -> Clustered:
    """Measure whether the faces of one person, and only those, are put together.

    Args:
        folder: With one folder per person.
        recognizer: The default one if None.
        keep: A file for the embeddings: what is in it already is not made again.
        progress: Told how far it is, and what is left out.

    Raises:
        ImageError, EvaluationError: As `verification`.
    """
    labelled = read_people(folder, progress=progress)
    recognizer, acquired = _acquire(recognizer, labelled.photos, keep, progress)
    return evaluate_clustering(recognizer.calibration, labelled, acquired)


def calibration(
    folder: Folder,
    recognizer: Recognizer | None = None,
    *,
    groups: Folder | None = None,
    keep: Path | None = None,
    progress: Progress = SILENT,
) -> Calibration:
    """Measure what a model's scores mean on your own people; `keep_calibration` has it used from then on.

    Args:
        folder: With one folder per person.
        recognizer: The default one if None.
        groups: A CSV of person or photo and group, such as the person's sex: what is promised then holds
            within each group.
        keep: A file for the embeddings: what is in it already is not made again.
        progress: Told how far it is, and what is left out.

    Raises:
        ImageError, EvaluationError: As `verification`.
    """
    labelled = read_people(folder, progress=progress)
    labels = labels_of_photos(labelled.photos, folder, groups)
    recognizer, acquired = _acquire(recognizer, labelled.photos, keep, progress)
    return fit_calibration(
        acquired.embeddings[acquired.acquired],
        labelled.subjects[acquired.acquired],
        Path(folder).resolve().name,
        groups=None if labels is None else labels[acquired.acquired],
        unrecognizable=embed_unrecognizable(recognizer),
    )


def transfer(
    folder: Folder,
    recognizer: Recognizer | None = None,
    *,
    calibrated_on: Folder | None = None,
    groups: Folder | None = None,
    fmr: float = VERIFICATION_FMR,
    fpir: float = FPIR,
    seed: int = 0,
    keep: Path | None = None,
    progress: Progress = SILENT,
) -> tuple[Promise, ...]:
    """Measure whether promised rates hold on people who are not those a calibration was measured on.

    Args:
        folder: With one folder per person: where promises are put to the test.
        recognizer: The default one if None.
        calibrated_on: Another such folder, or a calibration's file; a random half of the folder's people if
            None, and the other half is put to the test.
        groups: A CSV of person or photo and group, for both folders: rates are promised and measured within
            each group.
        fmr: False match rate asked for.
        fpir: False positive identification rate asked for.
        seed: Of what is drawn.
        keep: A file for the embeddings of the folder: what is in it already is not made again.
        progress: Told how far it is, and what is left out.

    Raises:
        ImageError, EvaluationError: As `verification`.
        UnsupportedFile: The calibration's file is damaged.
        InvalidArgument: A rate is none.
    """
    require_rate("fmr", fmr)
    require_rate("fpir", fpir)
    labelled = read_people(folder, progress=progress)
    labels = labels_of_photos(labelled.photos, folder, groups)
    recognizer, acquired = _acquire(recognizer, labelled.photos, keep, progress)
    tested = acquired.acquired
    if calibrated_on is None:
        half = np.random.default_rng(seed).permutation(len(labelled.names)) * 2 < len(labelled.names)
        known = tested & half[labelled.subjects]
        tested = tested & ~known
        promised = fit_calibration(
            acquired.embeddings[known],
            labelled.subjects[known],
            f"half of {Path(folder).resolve().name}",
            groups=None if labels is None else labels[known],
            seed=seed,
        )
    elif Path(calibrated_on).is_file():
        promised = read_calibration(Path(calibrated_on))
    else:
        promised = calibration(calibrated_on, recognizer, groups=groups, progress=progress)
    return evaluate_transfer(
        promised,
        acquired.embeddings[tested],
        labelled.subjects[tested],
        None if labels is None else labels[tested],
        fmr=fmr,
        fpir=fpir,
        seed=seed,
    )


def pairs_of(folder: Folder, pairs: Folder | None = None, *, progress: Progress = SILENT) -> PairsProtocol:
    """The pairs of a file, or all pairs of a folder with one folder per person.

    Raises:
        ImageError, EvaluationError: As `verification`.
    """
    return all_pairs(read_people(folder, progress=progress)) if pairs is None else read_pairs(folder, pairs)


def labels_of_photos(photos: Sequence[Path], folder: Folder, groups: Folder | None) -> np.ndarray | None:
    """The group of each photo (n,), empty where it has none; None without a file of groups.

    Raises:
        EvaluationError: The file cannot be read, or no photo has a group.
    """
    return None if groups is None else np.array(labels_of(photos, Path(folder), read_groups(groups)))


def _acquire(
    recognizer: Recognizer | None, photos: Sequence[Path], keep: Path | None, progress: Progress
) -> tuple[Recognizer, Acquired]:
    recognizer = recognizer or Recognizer.from_pretrained(progress=progress)
    return recognizer, acquire(recognizer, photos, keep=keep, progress=progress)
