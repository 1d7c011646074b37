"""Photos -> samples, many photos side by side.

    read -> detect -> align -> crops -> embed, the faces of several photos at once -> assess -> samples

Several photos are read and looked at beside one another, and others embedded; whoever takes the samples
decides on them meanwhile. The samples are those that one photo after the other gives, to the bit: a run of a
network takes one thread instead of all, and what it makes of a face does not depend on the faces beside it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from kith.detection import Detector
from kith.recognizer import Recognizer
from kith.records import Face, Image, Sample
from kith.runtime.cores import available_cores
from kith.runtime.device import PROVIDERS
from kith.workflows.side_by_side import Outcome, Together, Weight, side_by_side

_PIXELS = 25_000_000  # that are there at once, for each thread: two photos of a phone


class ReadPhoto(Protocol):
    """What was read of a photo."""

    @property
    def image(self) -> Image | None:
        """(h, w, 3) uint8 RGB; None where the photo need not be looked at."""
        ...


Item = TypeVar("Item")
Read = TypeVar("Read", bound=ReadPhoto)
Choose = Callable[[Item, Image, list[Face]], Sequence[Face]]


def _no_crops() -> np.ndarray:
    return np.empty((0, 0, 0, 3), np.uint8)


@dataclass(slots=True)
class Analyzed(Generic[Read]):
    """What was made of a photo.

    Attributes:
        read: What was read of it.
        samples: Of the faces that were chosen; none where it need not be looked at.
        faces: These faces.
        crops: (n, s, s, 3) uint8 of them, until they are embedded.
    """

    read: Read
    samples: list[Sample] = field(default_factory=list)
    faces: Sequence[Face] = ()
    crops: np.ndarray = field(default_factory=_no_crops)


def analyze_photos(
    recognizer: Recognizer,
    items: Sequence[Item],
    read: Callable[[Item], Read],
    choose: Choose[Item] | None = None,
) -> Iterator[Outcome[Item, Analyzed[Read]]]:
    """Read photos and analyze their faces; give what became of each, in their order, as soon as it is known.

    Args:
        recognizer: Does it; it may use a thread a core unless its settings allow fewer.
        items: What the photos are known by, such as paths.
        read: Reads one, in any thread. What it raises is the outcome of that photo.
        choose: Says which of the faces that were found in an item's image are embedded, in any thread; all
            of them if None.
    """
    workers = _workers(len(items), recognizer.threads)
    one = recognizer.side_by_side() if workers > 1 else recognizer

    def look(item: Item) -> Analyzed[Read]:
        photo = read(item)
        if photo.image is None:
            return Analyzed(photo)
        found = one.detect(photo.image)
        faces = found if choose is None else choose(item, photo.image, found)
        return Analyzed(photo, faces=faces, crops=one.align(photo.image, faces))

    def embed(photos: Sequence[Analyzed[Read]]) -> None:
        with_faces = [photo for photo in photos if len(photo.faces)]
        embeddings = one.embed(np.concatenate([photo.crops for photo in with_faces]))
        for photo in with_faces:
            own, embeddings = np.split(embeddings, [len(photo.faces)])
            if photo.read.image is not None:  # as it is where faces were found
                photo.samples = one.to_samples(photo.read.image, photo.faces, photo.crops, own.copy())
            photo.crops = _no_crops()

    then = Together(embed, lambda photo: len(photo.faces), PROVIDERS[one.device].at_once)
    return side_by_side(items, look, workers=workers, weight=_WEIGHT, then=then)


def detect_photos(
    detector: Detector, items: Sequence[Item], read: Callable[[Item], Read], *, threads: int = 0
) -> Iterator[Outcome[Item, Analyzed[Read]]]:
    """Read photos and find their faces only, likewise.

    Args:
        detector: Does it, best with one thread a run.
        items: What the photos are known by, such as paths.
        read: Reads one, in any thread. What it raises is the outcome of that photo.
        threads: How many threads it may use; 0 means one per core.
    """

    def look(item: Item) -> Analyzed[Read]:
        photo = read(item)
        return Analyzed(photo, faces=() if photo.image is None else detector.detect(photo.image))

    return side_by_side(items, look, workers=_workers(len(items), threads), weight=_WEIGHT)


def _pixels(photo: Analyzed[Read]) -> int:
    return 0 if photo.read.image is None else photo.read.image.shape[0] * photo.read.image.shape[1]


def _workers(photos: int, threads: int) -> int:
    return max(min(photos, threads or available_cores()), 1)


_WEIGHT: Weight[Analyzed[Any]] = Weight(_pixels, _PIXELS)
