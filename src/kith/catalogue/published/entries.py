"""What is known of a published model: its files, license, figures, and how faces are prepared for it."""

from dataclasses import dataclass

from kith.catalogue.builtin import DEFAULT_DETECTOR
from kith.catalogue.licenses import License
from kith.catalogue.spec import DetectorKind


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file of a published model.

    Attributes:
        name: As it was published.
        urls: Where it can be had, the official place first; none if only `import` can bring it.
        sha256: Empty if the publisher gives none.
        md5: Given by publishers of old; checked where there is no SHA-256.
        size: In bytes, about; to see whether there is room.
        members: What is read from it, if it is a zip: the embedder's file, and its detector's.
    """

    name: str
    urls: tuple[str, ...] = ()
    sha256: str = ""
    md5: str = ""
    size: int = 0
    members: tuple["PublishedFile", ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """An embedder that its authors published.

    Attributes:
        id: Its name here.
        family: Its entry in `families.FAMILIES`.
        files: The first is pulled; all are recognized when imported.
        license: Of the weights.
        training_data: What they were trained on.
        lfw: The author's LFW accuracy.
        ijb_c: Share of mated pairs found at FMR 1e-4 on IJB-C in percent, by the author; None if not told.
        by_group: The same at FMR 1e-6 of each group of people in MR-ALL, by the author; empty if not told.
        figures: The author's other figures; empty if there are none.
        detector: The name of its usual detector, which is pulled with it.
    """

    id: str
    family: str
    files: tuple[PublishedFile, ...]
    license: License
    training_data: str
    lfw: str
    ijb_c: float | None = None
    by_group: tuple[tuple[str, float], ...] = ()
    figures: str = ""
    detector: str = DEFAULT_DETECTOR


@dataclass(frozen=True, slots=True)
class PublishedDetector:
    """A detector that its authors published.

    Attributes:
        id: Its name here.
        kind: How it looks at an image.
        summary: One line for a person.
        files: The first is pulled; all are recognized when imported.
        license: Of the weights.
        training_data: What they were trained on.
        figures: The author's: average precision on WIDER FACE, easy, medium and hard.
    """

    id: str
    kind: DetectorKind
    summary: str
    files: tuple[PublishedFile, ...]
    license: License
    training_data: str
    figures: str
