"""Photographs -> embeddings with their quality, for evaluating: long work that can be kept and resumed.

A kept file is a line of JSON that says what made it, and then one record of fixed length a photo, appended
as it is done. What a killed process left of its last record is cut off by the next.
"""

import errno
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import cast
from zlib import crc32

import numpy as np

from kith.detection import central_face
from kith.errors import EvaluationError, ImageError
from kith.files import PRIVATE, digest_of_code
from kith.images.reading import read_photo
from kith.progress import SILENT, Progress, counted
from kith.recognizer import Recognizer
from kith.records import Face, FloatArray, Image, Quality
from kith.workflows.pipeline import Analyzed, analyze_photos
from kith.workflows.side_by_side import Outcome

_MEASURES = Quality.__slots__


@dataclass(frozen=True, slots=True, eq=False)
class Acquired:
    """What was made of photographs.

    Attributes:
        photos: n files.
        embeddings: (n, d) of unit length; zero where no face was found.
        acquired: (n,) bool, whether one was.
        qualities: n of them; None where no face was found.
    """

    photos: tuple[Path, ...]
    embeddings: FloatArray
    acquired: np.ndarray
    qualities: tuple[Quality | None, ...]

    @property
    def failures(self) -> int:
        """How many photos gave no face."""
        return int(np.sum(~self.acquired))


def acquire(
    recognizer: Recognizer,
    photos: Sequence[Path],
    *,
    keep: Path | None = None,
    progress: Progress = SILENT,
) -> Acquired:
    """Find, align and embed the central face of each photo.

    A photo that cannot be read, or that shows no face, is a failure to acquire: told, and counted.

    Args:
        recognizer: Does it.
        photos: n files.
        keep: A file for the embeddings: what is in it already is not made again.
        progress: Told how far it is; and which photo failed, and why.

    Raises:
        EvaluationError: The file to keep is of another model, or is none, or cannot be written.
    """
    size = recognizer.spec.embedding_size
    made_by = {
        "kith": "acquired",
        "version": 3,
        "recipe": recognizer.recipe,
        "measures": _recipe_of_measures(recognizer),
        "size": size,
    }
    with _Kept(keep, made_by) as kept:
        outcomes = analyze_photos(recognizer, photos, partial(_read, kept), _central)
        rows = [
            _record(outcome, kept, progress)
            for outcome in counted(outcomes, len(photos), "embedding", progress)
        ]
    records = np.array(rows, kept.dtype)
    acquired = records["acquired"].astype(bool)
    qualities = [
        Quality(*map(float, measures)) if found else None
        for measures, found in zip(records["quality"], acquired, strict=True)
    ]
    return Acquired(tuple(photos), records["embedding"].copy(), acquired, tuple(qualities))


def _recipe_of_measures(recognizer: Recognizer) -> str:
    """Other where qualities are measured otherwise; recognizability is what the calibration says it is."""
    calibration = recognizer.calibration
    parts = (calibration.unrecognizable, calibration.usual_distance, digest_of_code("quality.py"))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def pick_face(recognizer: Recognizer, image: Image) -> Face:
    """The face that a labelled photo is of: the large one near the middle.

    Raises:
        NoFaceFound: There is none.
    """
    return central_face(recognizer.detect(image), image.shape)


@dataclass(frozen=True, slots=True)
class _Read:
    """A photo that was read.

    Attributes:
        key: SHA-256 of its file; None where that could not be read.
        image: What is to be looked at; None where there is nothing, or it is kept already.
        said: What is wrong with it, in one line.
    """

    key: bytes | None
    image: Image | None = None
    said: str = ""


def _read(kept: "_Kept", photo: Path) -> _Read:
    try:
        content = photo.read_bytes()
    except OSError as error:
        return _Read(None, said=f"{photo}: {error.strerror}")
    key = hashlib.sha256(content).digest()
    if key in kept.records:
        return _Read(key)
    try:
        read = read_photo(content)
    except ImageError as error:
        return _Read(key, said=str(error).replace("picture", str(photo), 1))
    return _Read(key, read.image, f"{photo}: {read.flaw}" if read.flaw else "")


def _central(_: Path, image: Image, faces: Sequence[Face]) -> list[Face]:
    """Only the large face near the middle, if there is any."""
    return [central_face(faces, image.shape)] if faces else []


def _record(outcome: Outcome[Path, Analyzed[_Read]], kept: "_Kept", progress: Progress) -> np.void:
    photo, looked = outcome.item, outcome.get()
    key, image, said = looked.read.key, looked.read.image, looked.read.said
    if said:
        progress.say(said)
    if key is None:
        return kept.empty()
    record = kept.records.get(key)
    if record is None:
        record = kept.empty()
        record["key"] = np.frombuffer(key, np.uint8)
        for sample in looked.samples:
            record["embedding"] = sample.template.embedding
            record["quality"] = [getattr(sample.quality, name) for name in _MEASURES]
            record["acquired"] = 1
        kept.add(key, record)
    if not record["acquired"] and (image is not None or not said):
        progress.say(f"{photo}: no face found")
    return record


class _Kept:
    """The records of a file, and the file opened to append to; or of no file."""

    def __init__(self, path: Path | None, made_by: dict[str, object]) -> None:
        self.dtype = np.dtype(
            [
                ("key", np.uint8, 32),
                ("acquired", np.uint8),
                ("quality", "<f4", len(_MEASURES)),
                ("embedding", "<f4", (made_by["size"],)),
                ("check", "<u4"),
            ]
        )
        self.records: dict[bytes, np.void] = {}
        self._path = path
        self._head = (json.dumps(made_by, sort_keys=True) + "\n").encode()
        self._file: FileIO | None = None

    def empty(self) -> np.void:
        """A record of a photo without a face."""
        return cast(np.void, np.zeros((), self.dtype)[()])

    def __enter__(self) -> "_Kept":
        if self._path is not None:
            try:
                self._open(self._path)
            except OSError as error:
                raise EvaluationError(f"{self._path}: {error.strerror}") from None
        return self

    def _open(self, path: Path) -> None:
        # not buffered: else what did not fit is tried again when it is closed
        self._file = FileIO(path, "a+", opener=lambda name, flags: os.open(name, flags, PRIVATE))
        self._file.seek(0)
        content = self._file.read()
        whole = 0
        if content and not content.startswith(self._head):
            self._file.close()
            raise EvaluationError(
                f"{path}: was made otherwise (model, precision, detection, or version of Kith); "
                "choose another file to keep"
            )
        if content:
            whole = self._read(content)
        else:
            self._write(self._head)
            whole = len(self._head)
        os.truncate(path, whole)

    def _read(self, content: bytes) -> int:
        """Take what is whole, and say how many bytes that is."""
        start = len(self._head)
        count = (len(content) - start) // self.dtype.itemsize
        for number, record in enumerate(np.frombuffer(content, self.dtype, count, start)):
            if record["check"] != _check(record):
                return start + number * self.dtype.itemsize
            self.records[record["key"].tobytes()] = record
        return start + count * self.dtype.itemsize

    def add(self, key: bytes, record: np.void) -> None:
        """Keep one more.

        Raises:
            EvaluationError: The file cannot be written.
        """
        record["check"] = _check(record)
        self.records[key] = record
        if self._file is None:
            return
        try:
            self._write(record.tobytes())
        except OSError as error:
            raise EvaluationError(
                f"{self._path}: {error.strerror}; what was kept before stays, run it again to go on"
            ) from None

    def _write(self, data: bytes) -> None:
        if self._file is not None and self._file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()


def _check(record: np.void) -> int:
    return crc32(record.tobytes()[: -np.dtype("<u4").itemsize])
