"""Claim: our MTCNN is at least 6 times faster than PyPI mtcnn (TensorFlow), and finds as many faces.

Same weights, same photos, defaults of both (smallest face 20 pixels). Photos of 640 pixels: LFW
photos scaled up, and collages of twelve LFW photos each. Recall counts the faces at the places where
they were put, for detections with a score above 0.9 in both.

    python benchmarks/detection.py --lfw ../shared/data/lfw
    python benchmarks/detection.py photo.jpg ...        # time only, at 640 pixels
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from photos import Photo, collage, found, sample, single
from timing import exit_code, interleave, report, verdict

from kith.detection import MTCNN

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import mtcnn

SCORE = 0.9


def main() -> int:
    """Run it; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--lfw", type=Path)
    parser.add_argument("--count", type=int, default=40, help="LFW photos; half as many collages")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if not options.lfw and not options.photos:
        parser.error("give photos, or --lfw DIR")

    ours = MTCNN.from_pretrained()
    peer = mtcnn.MTCNN()
    if options.photos:
        photos = [single(file) for file in options.photos]
        return exit_code([compare("photos at 640 px", photos, ours, peer, options.rounds)])
    files = sample(options.lfw, options.count + 6 * options.count)
    singles = [single(file) for file in files[: options.count]]
    groups = [
        collage(files[start : start + 12], start) for start in range(options.count, len(files) - 11, 12)
    ]
    met = []
    for what, photos in (("LFW at 640 px", singles), ("collages 640 x 480", groups)):
        met.append(compare(what, photos, ours, peer, options.rounds))
        met.append(compare_recall(what, photos, ours, peer))
    return exit_code(met)


def compare(what: str, photos: list[Photo], ours: MTCNN, peer: mtcnn.MTCNN, rounds: int) -> bool:
    """Time both, photo by photo in turn."""
    seconds = np.array(
        [
            interleave(lambda: ours.detect(image), lambda: peer.detect_faces(image), rounds)  # noqa: B023
            for image, _, _ in photos
        ]
    ).mean(axis=0)
    return report(f"detection, {what}", *seconds, "mtcnn", per="photo", target=6)


def compare_recall(what: str, photos: list[Photo], ours: MTCNN, peer: mtcnn.MTCNN) -> bool:
    """Count the faces that both find, and what else they report."""
    total = sum(len(photo.sides) for photo in photos)
    hits, boxes = np.zeros(2, int), np.zeros(2, int)
    for photo in photos:
        for index, found_boxes in enumerate((our_boxes(ours, photo), peer_boxes(peer, photo))):
            hits[index] += found(photo, found_boxes)
            boxes[index] += len(found_boxes)
    others = boxes - hits
    met = bool(hits[0] >= hits[1])
    print(
        f"recall, {what}, score > {SCORE}: kith {hits[0]}/{total} and {others[0]} other boxes, "
        f"mtcnn {hits[1]}/{total} and {others[1]}; at least equal: {verdict(met)}",
        flush=True,
    )
    return met


def our_boxes(detector: MTCNN, photo: Photo) -> np.ndarray:
    """(n, 4) x1, y1, x2, y2."""
    return np.array([face.box for face in detector.detect(photo.image) if face.detection_score > SCORE])


def peer_boxes(detector: mtcnn.MTCNN, photo: Photo) -> np.ndarray:
    """(n, 4) x1, y1, x2, y2."""
    faces = detector.detect_faces(photo.image, box_format="xyxy")
    return np.array([face["box"] for face in faces if face["confidence"] > SCORE])


if __name__ == "__main__":
    sys.exit(main())
