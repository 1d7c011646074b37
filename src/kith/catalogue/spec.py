"""What a model is: its file, and everything that must be done to a face before and after.

One `WeightsSpec` per weights file, one `EmbedderSpec` or `DetectorSpec` per model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kith.catalogue.licenses import Use
from kith.catalogue.preprocessing import CropRule, PixelRule


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file that an installed PyPI package brings; the package itself is never imported."""

    package: str
    path: str

    def __str__(self) -> str:
        return f"{self.path} of the package {self.package}"


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """A file of a model that was pulled or imported."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


ONNX = "onnx"
"""The network of a weights file that is a compiled network itself."""


@dataclass(frozen=True, slots=True)
class WeightsSpec:
    """One weights file.

    Attributes:
        network: The function in `kith.networks` that builds the network, or `ONNX`.
        reader: The entry in `kith.weights.registry.READERS` that reads the file.
        file: Where the file is.
        sha256: Of the file.
        size: Of the file, in bytes.
        embedding_size: Given to the function that builds the network; None if it has only one size.
        input_size: Side of its input in pixels, given likewise; None for the network's own.
    """

    network: str
    reader: str
    file: PackageFile | InstalledFile
    sha256: str
    size: int
    embedding_size: int | None = None
    input_size: int | None = None


@dataclass(frozen=True, slots=True)
class EmbedderSpec:
    """An embedder: its weights, and everything that must be done to a face before and after.

    Attributes:
        id: The model's name, stored with every template.
        summary: One line for a person.
        weights: The file.
        embedding_size: Length of an embedding.
        crop: How a face is cut out.
        pixels: How a crop's pixels are scaled.
        input_size: Side of what the network sees, in pixels.
        mirrored: Whether the network sees the mirror image too, and the two embeddings are summed.
        license: Of the weights, in plain words.
        training_data: What they were trained on.
        lfw: Published or measured LFW accuracy, with its source.
        int8: Whether int8 was shown to keep its embeddings.
        detector: The name of the detector that it is used with unless another is asked for.
        use: What it may be used for, in one word.
    """

    id: str
    summary: str
    weights: WeightsSpec
    embedding_size: int
    crop: CropRule
    pixels: PixelRule
    input_size: int
    mirrored: bool
    license: str
    training_data: str
    lfw: str
    int8: bool
    detector: str = "mtcnn"
    use: Use = Use.UNCLEAR


class DetectorKind(StrEnum):
    """How a detector looks at an image, and how its networks' outputs are read."""

    MTCNN = "mtcnn"
    YUNET = "yunet"
    SCRFD = "scrfd"


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """A face detector: its kind, and the weights of its networks.

    Attributes:
        id: The detector's name.
        summary: One line for a person.
        kind: How it looks at an image.
        weights: A file for each of its networks, by the network's name.
        license: Of the weights, in plain words.
        training_data: What they were trained on.
        use: What it may be used for, in one word.
    """

    id: str
    summary: str
    kind: DetectorKind
    weights: Mapping[str, WeightsSpec]
    license: str
    training_data: str
    use: Use = Use.UNCLEAR
