"""`kith demo`: the main job, on the people that ship with Kith."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.catalogue.pair import find_pair
from kith.cli.console import note, print_json, print_line, print_table
from kith.cli.identify import answer_of
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_MODEL, DetectorId, DeviceName, Json, ModelId, PrecisionName
from kith.cli.progress import track
from kith.gallery import Gallery
from kith.images.reading import load_image
from kith.presentation.annotate import annotate_photo, annotated_paths
from kith.presentation.certainty import how_sure
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.sample_people import GROUP_PHOTO, photos


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the annotated picture goes.")] = Path(
        "kith-demo.jpg"
    ),
    model: ModelId = DEFAULT_MODEL,
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    as_json: Json = False,
) -> None:
    """Enroll the sample people and name them in a group photo with two strangers.

    The sample people are composites of many faces; none of them exists.
    """
    annotated = annotated_paths(output, [GROUP_PHOTO])[GROUP_PHOTO].absolute()
    recognizer = load_recognizer(find_pair(model, detector).id, precision, device=device)
    with (
        tempfile.TemporaryDirectory(prefix="kith-demo-") as folder,
        Gallery.open(Path(folder) / "gallery.db", model_id=recognizer.model_id) as gallery,
    ):
        for photo in track(photos(), "enrolling"):
            recognizer.enroll(photo.parent.name, load_image(photo), gallery, source=str(photo))
        image = load_image(GROUP_PHOTO)
        found = recognizer.identify(image, gallery)
        people = len(gallery.subjects())
        sure = [how_sure(decision) for _, decision in found]
    answers = [answer_of(*item) for item in found]
    annotate_photo(image, [answer.label for answer in answers], annotated)
    if as_json:
        answer: dict[str, Any] = {
            "image": str(GROUP_PHOTO),
            "people": people,
            "annotated": str(annotated),
            "faces": [answer.json | {"how_sure": words} for answer, words in zip(answers, sure, strict=True)],
        }
        print_json(answer)
        return
    note(f"{people} sample people enrolled from {len(photos())} photos; who is on {GROUP_PHOTO.name}?")
    rows = [(*answer.cells[:2], words) for answer, words in zip(answers, sure, strict=True)]
    print_table(("face", "who", "how sure"), rows)
    print_line(f"annotated picture: {annotated}")
