"""Claim: YuNet is at least 3 times faster than our MTCNN at 250 pixels, 2 times at 640, and finds as much.

Every detector that is here is asked for the faces of LFW's photos, of tight crops of faces and of the group
photo of the sample people, and for faces in photos that have none (textures, documents and drawings made by
code). Then photos of LFW at 250, 640 and 1280 pixels are timed in turn: MTCNN, YuNet, and OpenCV's
FaceDetectorYN with the same file, if it is named; that one may take as many threads as there are cores.

    kith models import face_detection_yunet_2023mar.onnx
    python benchmarks/detectors.py --lfw ../shared/data/lfw --crops ../shared/data/five_celebrities \\
        --file ../shared/data/weights/yunet_s_640_640.onnx
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from faceless import faceless
from photos import sample, single
from timing import exit_code, interleave, report, verdict

import kith
from kith.catalogue.builtin import DEFAULT_DETECTOR
from kith.catalogue.installed import installed_detectors
from kith.detection import DetectionSettings, Detector, load_detector
from kith.sample_people import GROUP_PHOTO

SIDES = {250: 3.0, 640: 2.0, 1280: None}
"""Pixels of a photo's longest side, and how much faster than MTCNN a YuNet must be."""

IN_THE_GROUP = 10


def main() -> int:
    """Run it; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lfw", type=Path, required=True)
    parser.add_argument("--crops", type=Path, help="a folder of tight crops of faces")
    parser.add_argument("--file", type=Path, help="the YuNet that OpenCV is given")
    parser.add_argument("--detectors", nargs="*", help="those that are here, if not given")
    parser.add_argument(
        "--count", type=int, default=500, help="photos of LFW, 0 for all; photos without faces"
    )
    parser.add_argument("--timed", type=int, default=20, help="photos of LFW that are timed; 0 for none")
    options = parser.parse_args()
    names = options.detectors or [DEFAULT_DETECTOR, *installed_detectors()]
    met = []
    for name in names:
        met += look(name, load_detector(name), options)
    photos = sample(options.lfw, options.timed)
    for side, target in SIDES.items() if photos else ():
        images = [single(photo, side).image for photo in photos]
        met += compare([name for name in names if name != DEFAULT_DETECTOR], images, options.file, target)
    return exit_code(met)


def look(name: str, detector: Detector, options: argparse.Namespace) -> list[bool]:
    """What a detector finds, and what it takes for a face."""
    lfw = sample(options.lfw, options.count or 10**6)
    met = [tell(name, "LFW's photos with a face", with_face(detector, lfw), len(lfw))]
    if options.crops:
        crops = sorted(path for path in options.crops.rglob("*") if path.is_file())
        met.append(tell(name, "tight crops with a face", with_face(detector, crops), len(crops)))
    met.append(
        tell(
            name, "faces of the group photo", len(detector.detect(kith.load_image(GROUP_PHOTO))), IN_THE_GROUP
        )
    )
    false: Counter[str] = Counter()
    scores = []
    for kind, image in faceless(options.count or 500):
        found = detector.detect(image)
        false[kind] += len(found)
        scores += [face.detection_score for face in found]
    highest = f", scores up to {max(scores):.3f}" if scores else ""
    print(
        f"{name}: {false.total()} false detections in {options.count or 500} photos without faces "
        f"{dict(+false)}{highest}",
        flush=True,
    )
    return met if name.startswith("yunet") else []


def tell(name: str, what: str, found: int, of: int) -> bool:
    """Print a count; whether it is all of them."""
    print(f"{name}: {found:,} of {of:,} {what}: {verdict(found == of)}", flush=True)
    return found == of


def with_face(detector: Detector, photos: list[Path]) -> int:
    """In how many photos a face is found."""
    return sum(bool(detector.detect(kith.load_image(photo))) for photo in photos)


def compare(
    names: list[str], images: list[np.ndarray], file: Path | None, target: float | None
) -> list[bool]:
    """Time detectors beside MTCNN and OpenCV, photo by photo in turn.

    The claims are made where both find what their originals find; beside it, as we use them.
    """
    side = max(images[0].shape)
    met = []
    for name in names:
        is_claimed = name.startswith("yunet")
        for settings, how in ((DetectionSettings(thorough=False), "as the originals"), (None, "as used")):
            usual, detector = (load_detector(one, settings) for one in (DEFAULT_DETECTOR, name))
            what, wanted = f"{name}, {side} px, {how}", target if is_claimed and settings else None
            met.append(time(what, detector.detect, usual.detect, "MTCNN", images, wanted))
            if is_claimed and file:
                peer, wanted = opencv_with(file, side), 1.0 if settings else None
                met.append(time(what, detector.detect, peer, f"OpenCV's {file.stem}", images, wanted))
    return met


def opencv_with(file: Path, side: int) -> Callable[[np.ndarray], object]:
    """OpenCV's detector with a YuNet."""
    opencv = cv2.FaceDetectorYN.create(str(file), "", (side, side), 0.7, 0.3, 5000)

    def detect(image: np.ndarray) -> object:
        opencv.setInputSize(image.shape[1::-1])
        return opencv.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))

    return detect


def time(
    what: str,
    ours: Callable[[np.ndarray], object],
    peer: Callable[[np.ndarray], object],
    peer_name: str,
    images: list[np.ndarray],
    target: float | None,
) -> bool:
    """Time both; whether ours is so much faster."""
    seconds = np.array(
        [interleave(lambda: ours(image), lambda: peer(image), 5) for image in images]  # noqa: B023
    ).mean(axis=0)
    return report(what, *seconds, peer_name, per="photo", target=target)


if __name__ == "__main__":
    sys.exit(main())
