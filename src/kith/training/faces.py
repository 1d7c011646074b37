"""Photos -> aligned crops, found once and kept.

    CACHE/training/KEY.npy   crops (n, s, s, 3) uint8
    CACHE/training/KEY.json  which photos they are of; written last

Photos fall into buckets by their names, and a bucket's key is made of its photos' names, sizes and times of
change, of the crop rule and the detector. So a run that was killed goes on where it was, and one photo more
or other makes one bucket anew. Crops are mapped from disk, not read: they may be more than fit in memory.
"""

import hashlib
import io
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kith.alignment import align
from kith.assembly import recipe_of_crops
from kith.catalogue.files import cache_folder
from kith.catalogue.preprocessing import CropRule
from kith.detection import Detector, central_face
from kith.errors import ImageError, NoFaceFound, TrainingError
from kith.files import write_private
from kith.images.reading import read_photo
from kith.progress import SILENT, Progress, each
from kith.runtime.cores import available_cores
from kith.workflows.people_folders import PersonPhoto
from kith.workflows.side_by_side import side_by_side

_BUCKETS = 64
_TOLD = 5  # photos that could not be used


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Aligned faces of known people.

    Attributes:
        crops: (s, s, 3) uint8 by position.
        photos: The photo of each, with its person.
        unusable: Photos that gave no crop, and why.
        key: Other for other crops.
    """

    crops: Sequence[np.ndarray]
    photos: tuple[PersonPhoto, ...]
    unusable: tuple[tuple[Path, str], ...]
    key: str

    @property
    def labels(self) -> np.ndarray:
        """(n,) int64: whose each crop is; people are numbered in the order of their names."""
        _, labels = np.unique([photo.person for photo in self.photos], return_inverse=True)
        return np.asarray(labels, np.int64)

    def subset(self, positions: np.ndarray) -> "FaceSet":
        """Some of the faces, in this order."""
        return FaceSet(_Chosen(self.crops, positions), tuple(self.photos[i] for i in positions), (), self.key)


def prepare_faces(
    photos: Sequence[PersonPhoto], rule: CropRule, detector: Detector, progress: Progress = SILENT
) -> FaceSet:
    """Find and cut out the central face of every photo, or take it from the cache.

    Args:
        photos: What to prepare.
        rule: How a face is cut out.
        detector: Finds faces, of several photos at once; best with one thread a run.
        progress: Told how far it is.

    Raises:
        TrainingError: No photo shows a face, or the cache cannot be written.
    """
    folder = cache_folder() / "training"
    buckets: dict[int, list[PersonPhoto]] = defaultdict(list)
    for photo in photos:
        buckets[zlib.crc32(str(photo.path).encode()) % _BUCKETS].append(photo)
    keys = {number: _key(bucket, rule, detector) for number, bucket in buckets.items()}
    missing = [number for number in buckets if not _card(folder, keys[number]).is_file()]
    for number in each(missing, "finding faces", progress):
        _make_bucket(folder, keys[number], buckets[number], rule, detector)
    found, unusable, maps = [], [], []
    for number, bucket in sorted(buckets.items()):
        card = json.loads(_card(folder, keys[number]).read_bytes())
        maps.append(np.load(_crops(folder, keys[number]), mmap_mode="r", allow_pickle=False))
        found += [(bucket[i], (len(maps) - 1, row)) for row, i in enumerate(card["photos"])]
        unusable += [(bucket[i].path, reason) for i, reason in card["unusable"]]
    if not found:
        raise TrainingError(f"none of {len(photos)} photos shows a face that can be used")
    found.sort(key=lambda item: (item[0].person, str(item[0].path)))
    key = hashlib.sha256("\n".join(sorted(keys.values())).encode()).hexdigest()[:16]
    places = [place for _, place in found]
    return FaceSet(_Mapped(maps, places), tuple(photo for photo, _ in found), tuple(sorted(unusable)), key)


class _Mapped(Sequence[np.ndarray]):
    """Crops in several files."""

    def __init__(self, maps: Sequence[np.ndarray], places: Sequence[tuple[int, int]]) -> None:
        self._maps, self._places = maps, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, position: Any) -> Any:
        file, row = self._places[position]
        return self._maps[file][row]


class _Chosen(Sequence[np.ndarray]):
    """Some crops of others."""

    def __init__(self, crops: Sequence[np.ndarray], positions: np.ndarray) -> None:
        self._crops, self._positions = crops, positions

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, position: Any) -> Any:
        return self._crops[self._positions[position]]


def _make_bucket(
    folder: Path, key: str, photos: Sequence[PersonPhoto], rule: CropRule, detector: Detector
) -> None:
    crops = np.zeros((len(photos), rule.size, rule.size, 3), np.uint8)
    used: list[int] = []
    unusable: list[tuple[int, str]] = []
    for index, result in enumerate(_cut(photos, rule, detector)):
        if isinstance(result, str):
            unusable.append((index, result))
        else:
            crops[len(used)] = result
            used.append(index)
    buffer = io.BytesIO()
    np.save(buffer, crops[: len(used)])
    try:
        write_private(_crops(folder, key), buffer.getvalue())
        write_private(_card(folder, key), json.dumps({"photos": used, "unusable": unusable}).encode())
    except OSError as error:
        raise TrainingError(
            f"cannot write {error.filename}: {error.strerror}; set KITH_CACHE to a folder with room"
        ) from None


def _cut(photos: Sequence[PersonPhoto], rule: CropRule, detector: Detector) -> Iterator[np.ndarray | str]:
    """The crop of each photo, or why there is none."""

    def cut(photo: PersonPhoto) -> np.ndarray:
        image = read_photo(photo.path).image
        (crop,) = align(image, [central_face(detector.detect(image), image.shape)], rule)
        return np.asarray(crop)

    for outcome in side_by_side(photos, cut, workers=available_cores()):
        try:
            yield outcome.get()
        except ImageError as error:
            yield str(error)
        except NoFaceFound:
            yield f"{outcome.item.path}: no face found"


def _key(photos: Sequence[PersonPhoto], rule: CropRule, detector: Detector) -> str:
    lines = [f"central face by {recipe_of_crops(detector, rule)}"]
    for photo in photos:
        try:
            status = photo.path.stat()
            lines.append(f"{photo.path.absolute()} {status.st_size} {status.st_mtime_ns}")
        except OSError:
            lines.append(f"{photo.path.absolute()} missing")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:24]


def _crops(folder: Path, key: str) -> Path:
    return folder / f"{key}.npy"


def _card(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def describe(faces: FaceSet) -> str:
    """How many faces of how many people."""
    return f"{len(faces.crops):,} photos of {len(np.unique(faces.labels)):,} people"


def tell_unusable(faces: FaceSet, progress: Progress) -> None:
    """Tell which photos gave no crop: the first few, and how many more."""
    for _, reason in faces.unusable[:_TOLD]:
        progress.say(f"left out: {reason}")
    if len(faces.unusable) > _TOLD:
        progress.say(f"left out: {len(faces.unusable) - _TOLD} more photos without a usable face")
