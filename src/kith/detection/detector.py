"""What every face detector offers, and which there are."""

from collections.abc import Mapping
from typing import Protocol

from kith.catalogue.builtin import DEFAULT_DETECTOR
from kith.catalogue.installed import find_detector
from kith.catalogue.spec import DetectorKind
from kith.detection.mtcnn import MTCNN
from kith.detection.scrfd import SCRFD
from kith.detection.settings import DetectionSettings
from kith.detection.yunet import YuNet
from kith.images.reading import load_image
from kith.progress import SILENT, Progress
from kith.records import Face, Image
from kith.runtime.device import Device, on_device
from kith.runtime.session import available_providers
from kith.sample_people import photos


class Detector(Protocol):
    """Finds faces in an image; safe to use from many threads."""

    @property
    def recipe(self) -> str:
        """What decides which faces are found, and where: other where others may be found."""
        ...

    def detect(self, image: Image) -> list[Face]:
        """Find the faces, the largest first.

        Args:
            image: (h, w, 3) uint8 RGB.
        """
        ...


class Load(Protocol):
    """Loads a kind of detector."""

    def __call__(
        self,
        detector_id: str,
        settings: DetectionSettings | None,
        *,
        threads: int,
        device: Device,
        progress: Progress,
    ) -> Detector:
        """Load one of them, as `load_detector`."""
        ...


_LOADERS: Mapping[DetectorKind, Load] = {
    DetectorKind.MTCNN: MTCNN.from_pretrained,
    DetectorKind.YUNET: YuNet.from_pretrained,
    DetectorKind.SCRFD: SCRFD.from_pretrained,
}
"""How each kind of detector is loaded."""


def load_detector(
    detector_id: str = DEFAULT_DETECTOR,
    settings: DetectionSettings | None = None,
    *,
    threads: int = 0,
    device: Device = Device.CPU,
    progress: Progress = SILENT,
) -> Detector:
    """Load a detector; the first time it is compiled, which takes seconds.

    Args:
        detector_id: Which, of `kith models list`.
        settings: What to look for.
        threads: How many threads it may use; 0 means one per core.
        device: Where its networks run; of AUTO the best that is installed and works.
        progress: Told what is being done while it is compiled.

    Raises:
        WeightsError: There is none of this name, or it cannot be had or read.
        MissingExtra, DeviceError: It cannot be run on that device.
    """
    load = _LOADERS[find_detector(detector_id).kind]

    def load_on(device: Device) -> Detector:
        detector = load(detector_id, settings, threads=threads, device=device, progress=progress)
        if device is not Device.CPU:  # what a device cannot do is known before anyone relies on it
            detector.detect(load_image(photos()[0]))
        return detector

    return on_device(device, available_providers(), load_on)
