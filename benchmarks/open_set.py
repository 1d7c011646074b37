"""The tutorial's task, and strangers: how many get a name.

Claim: with the tutorial's five celebrities enrolled, every test photo is named rightly by every
classifier, and of 1,000 people who are not enrolled at most 1 % get a name. Beside it, the tutorial's
own way: a linear SVM that always answers, and the same with a threshold on its probability.

    python benchmarks/open_set.py FIVE_CELEBRITIES_DIR LFW_DIR
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from kith import Gallery, Recognizer, load_image
from kith.catalogue.calibrations import find_calibration
from kith.decisions.scoring import ClassifierKind, rule_for
from kith.decisions.svm import LinearSVM
from kith.detection import central_face
from kith.errors import AcquisitionError
from kith.images.photo_files import find_photos
from kith.records import Outcome, Template
from kith.search.identify import identify
from kith.search.people import People
from kith.search.ranking import rank
from kith.search.view import view_of

STRANGERS = 1000


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("celebrities", type=Path)
    parser.add_argument("lfw", type=Path)
    arguments = parser.parse_args()
    recognizer = Recognizer.from_pretrained(precision="float32")
    strangers = embed_strangers(recognizer, arguments.lfw)
    with (
        tempfile.TemporaryDirectory() as folder,
        Gallery.open(Path(folder) / "gallery.db", model_id=recognizer.model_id) as gallery,
    ):
        enroll(recognizer, arguments.celebrities / "train", gallery)
        for kind in ClassifierKind:
            print_classifier(recognizer, gallery, kind, arguments.celebrities / "test", strangers)
        print_tutorial(gallery, strangers)


def enroll(recognizer: Recognizer, folder: Path, gallery: Gallery) -> None:
    """Enroll one folder per person; photos without a usable face are left out."""
    left_out = 0
    photos = find_photos(folder).photos
    for photo in photos:
        try:
            recognizer.enroll(photo.parent.name, load_image(photo), gallery)
        except AcquisitionError:
            left_out += 1
    print(f"enrolled {len(photos) - left_out} of {len(photos)} photos of {len(gallery.subjects())} people")


def embed_strangers(recognizer: Recognizer, lfw: Path) -> np.ndarray:
    """Embeddings (n, d) of the first photos of people spread evenly over the alphabet."""
    folders = sorted(path for path in lfw.iterdir() if path.is_dir())
    chosen = [folders[index] for index in np.linspace(0, len(folders) - 1, STRANGERS).astype(int)]
    rows = []
    for folder in chosen:
        image = load_image(folder / f"{folder.name}_0001.jpg")
        face = central_face(recognizer.detect(image), image.shape)
        (sample,) = recognizer.analyze(image, [face])
        rows.append(sample.template.embedding)
    return np.array(rows)


def print_classifier(
    recognizer: Recognizer, gallery: Gallery, kind: ClassifierKind, test: Path, strangers: np.ndarray
) -> None:
    """Test photos named rightly, cross-validated accuracy, and strangers named at all."""
    photos = find_photos(test).photos
    right = 0
    for photo in photos:
        decisions = [
            decision for _, decision in recognizer.identify(load_image(photo), gallery, classifier=kind)
        ]
        right += [decision.subject.name for decision in decisions if decision.subject] == [photo.parent.name]
    templates = [Template(row, recognizer.model_id) for row in strangers]
    named = sum(
        identify([template], gallery, recognizer.calibration, classifier=kind)[0].outcome
        is not Outcome.UNKNOWN
        for template in templates
    )
    print(
        f"{kind}: {right} of {len(photos)} test photos right; five-fold {cross_validate(gallery, kind):.1%}; "
        f"{named} of {len(strangers)} strangers named"
    )


def cross_validate(gallery: Gallery, kind: ClassifierKind) -> float:
    """Accuracy of five folds over the enrolled photos, closed set."""
    everyone = view_of(gallery).people()
    X, y = everyone.references, everyone.owners
    fold = np.zeros(len(y), int)
    for label in np.unique(y):
        fold[y == label] = np.arange(np.sum(y == label)) % 5
    calibration, right = find_calibration(gallery.model_id), []
    for k in range(5):
        people = People.of(X[fold != k], y[fold != k])
        svm = LinearSVM().fit(X[fold != k], y[fold != k]) if kind is ClassifierKind.SVM else None
        rule = rule_for(calibration, kind, people=len(people), references=len(people.references))
        ranked = rank(X[fold == k], people, rule, svm=svm)
        right += [one[0].subject.id == owner for one, owner in zip(ranked, y[fold == k], strict=True)]
    return float(np.mean(right))


def print_tutorial(gallery: Gallery, strangers: np.ndarray) -> None:
    """The SVM without a gate."""
    people = view_of(gallery).people()
    svm = LinearSVM().fit(people.references, people.owners)
    sure = svm.predict_proba(strangers).max(axis=1)
    print(f"the tutorial's SVM without a gate: {len(strangers)} of {len(strangers)} strangers named")
    for threshold in (0.5, 0.9):
        print(f"the same, with its probability above {threshold}: {np.sum(sure > threshold)} strangers named")


if __name__ == "__main__":
    main()
