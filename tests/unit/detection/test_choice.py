import numpy as np
import pytest

from kith.detection import central_face, main_face
from kith.errors import NoFaceFound, SeveralFacesFound
from kith.records import Face


def face(x: float, y: float, side: float) -> Face:
    return Face(np.array([x, y, x + side, y + side], np.float32), np.zeros((5, 2), np.float32), 0.9)


def test_main_face_is_the_only_one() -> None:
    only = face(0, 0, 10)
    assert main_face([only]) is only


def test_main_face_may_have_much_smaller_ones_behind() -> None:
    large, small = face(0, 0, 100), face(200, 0, 30)
    assert main_face([small, large]) is large


def test_no_main_face_among_equals() -> None:
    with pytest.raises(SeveralFacesFound, match="2 faces of similar size"):
        main_face([face(0, 0, 100), face(200, 0, 90), face(400, 0, 10)])


def test_no_face_at_all() -> None:
    with pytest.raises(NoFaceFound):
        main_face([])
    with pytest.raises(NoFaceFound):
        central_face([], (100, 100, 3))


def test_central_face_prefers_the_middle_to_a_slightly_larger_one_at_the_edge() -> None:
    middle, edge = face(90, 90, 70), face(0, 0, 80)
    assert central_face([edge, middle], (250, 250, 3)) is middle
