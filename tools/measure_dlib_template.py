"""Where a detector's five landmarks lie in the chips that dlib cuts: the template of the default embedder.

The network was trained on dlib's chips. The template is therefore measured, not guessed: dlib finds and
cuts the faces, a detector of Kith looks at the chips, and the mean position of each landmark is the template.
Where MTCNN's box lies in the detector's is measured too, for embedders that were trained on MTCNN's boxes.
Only people who appear in no LFW pair are used, so the pairs stay unseen.

    pip install dlib-bin    # beside kith; only this tool needs it
    python tools/measure_dlib_template.py LFW_DIR PAIRS_FILE yunet-s scrfd-500m
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import dlib
import numpy as np

from kith import load_image
from kith.catalogue.builtin import DEFAULT_DETECTOR
from kith.catalogue.files import find_package_file
from kith.catalogue.spec import PackageFile
from kith.detection import Detector, load_detector
from kith.records import Face

CHIP = 150
PADDING = 0.25
SEEN = 250  # the chip with 50 more pixels around it at the same scale, so that the detector sees context
SEEN_PADDING = ((1 + 2 * PADDING) * SEEN / CHIP - 1) / 2
MARGIN = (SEEN - CHIP) / 2
MODELS = "face_recognition_models"
PHOTOS = 1000


def main() -> None:
    """Print each detector's template and box, and the spread of both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lfw", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("detectors", nargs="*", default=[DEFAULT_DETECTOR])
    arguments = parser.parse_args()
    photos = photos_outside_pairs(arguments.lfw, arguments.pairs)[:PHOTOS]
    names = list(dict.fromkeys([DEFAULT_DETECTOR, *arguments.detectors]))
    detectors = {name: load_detector(name) for name in names}
    faces = [faces for chip in chips(photos) if (faces := look(chip, detectors.values()))]
    print(f"{len(faces)} chips of {len(photos)} photos")
    for name, own in zip(names, zip(*faces, strict=True), strict=True):
        landmarks = np.array([face.landmarks for face in own]) - MARGIN
        frames = np.array([box_in(usual.box, face.box) for (usual, *_), face in zip(faces, own, strict=True)])
        print(name, "template", landmarks.mean(axis=0).round(1).tolist())
        print(name, "spread  ", landmarks.std(axis=0).round(1).tolist())
        print(name, f"{DEFAULT_DETECTOR}'s box in its own", np.median(frames, axis=0).round(3).tolist())
        print(name, "spread  ", frames.std(axis=0).round(3).tolist())


def look(chip: np.ndarray, detectors: Iterable[Detector]) -> list[Face]:
    """The face that a chip was cut for, as each detector finds it; none if one does not."""
    found = []
    for detector in detectors:
        middle = [face for face in detector.detect(chip) if is_in_the_middle(face.box)]
        if not middle:
            return []
        found.append(middle[0])
    return found


def box_in(box: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A box (4,) in parts of another's width and height, from that one's upper left corner."""
    return np.asarray((box - np.tile(other[:2], 2)) / np.tile(other[2:] - other[:2], 2))


def photos_outside_pairs(lfw: Path, pairs: Path) -> list[Path]:
    """The first photo of everyone who appears in no pair."""
    words = [line.split("\t") for line in pairs.read_text(encoding="utf-8").splitlines()[1:]]
    seen = {line[0] for line in words} | {line[2] for line in words if len(line) == 4}
    return sorted(
        folder / f"{folder.name}_0001.jpg"
        for folder in lfw.iterdir()
        if folder.is_dir() and folder.name not in seen
    )


def chips(photos: list[Path]) -> Iterator[np.ndarray]:
    """dlib's chip of each photo in which dlib finds a face, with more of the photo around it."""
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(
        str(find_package_file(PackageFile(MODELS, "models/shape_predictor_5_face_landmarks.dat")))
    )
    for photo in photos:
        image = load_image(photo)
        boxes = detector(image, 0)
        if boxes:
            largest = max(boxes, key=lambda box: box.area())
            yield dlib.get_face_chip(image, predictor(image, largest), size=SEEN, padding=SEEN_PADDING)


def is_in_the_middle(box: np.ndarray) -> bool:
    """Whether the face is the one that the chip was cut for."""
    centre = (box[:2] + box[2:]) / 2
    return bool(np.abs(centre - SEEN / 2).max() < 40)


if __name__ == "__main__":
    main()
