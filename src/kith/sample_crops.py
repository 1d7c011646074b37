"""The sample people's faces, cut out as an embedder wants them: what every new model is first measured on.

Where they are is looked for once in a process by each detector.
"""

import numpy as np

from kith.alignment import align
from kith.catalogue.preprocessing import CropRule
from kith.detection import Detector
from kith.images.reading import load_image
from kith.records import Face
from kith.sample_people import photos_of_people

_found: dict[str, list[list[Face]]] = {}
"""Recipe of a detector -> the largest face of each photo, if it found one."""


def sample_crops(detector: Detector, rule: CropRule) -> tuple[np.ndarray, np.ndarray]:
    """Cut out the largest face of each of the sample people's photos.

    Args:
        detector: Finds them.
        rule: How they are cut out.

    Returns:
        (n, s, s, 3) uint8 crops, and whom each shows, (n,) int.
    """
    photos = [
        (photo, person) for person, photos in enumerate(photos_of_people().values()) for photo in photos
    ]
    images = [load_image(photo) for photo, _ in photos]
    if detector.recipe not in _found:
        _found[detector.recipe] = [detector.detect(image)[:1] for image in images]
    faces = _found[detector.recipe]
    crops = np.concatenate([align(image, face, rule) for image, face in zip(images, faces, strict=True)])
    people = [person for (_, person), face in zip(photos, faces, strict=True) for _ in face]
    return crops, np.array(people)
