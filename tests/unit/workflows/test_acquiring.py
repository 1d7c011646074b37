from pathlib import Path
from types import SimpleNamespace

from witness import Witness

from kith.sample_people import photos
from kith.workflows.acquiring import acquire


def test_a_photo_without_its_end_is_used_and_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(photos()[0].read_bytes()[:-2])
    seen = []

    def detect(image: object) -> list[object]:
        seen.append(image)
        return []

    recognizer = SimpleNamespace(
        spec=SimpleNamespace(embedding_size=4), recipe="fake", detect=detect, analyze=None
    )
    told = Witness()
    acquire(recognizer, [path], progress=told)
    assert len(seen) == 1
    assert told.said == [f"{path}: its end is missing; what is there was used", f"{path}: no face found"]
