import numpy as np
import pytest

from kith.detection import central_face, foremost_faces, main_face
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


def test_only_fit_faces_count_as_others() -> None:
    poor, good, other = face(0, 0, 100), face(200, 0, 90), face(400, 0, 60)
    assert main_face([poor, good, other], [False, True, False]) is good
    with pytest.raises(SeveralFacesFound, match="2 faces of similar size"):
        main_face([poor, good, other], [False, True, True])
    with pytest.raises(SeveralFacesFound, match="3 faces of similar size"):
        main_face([poor, good, other])


def test_where_no_face_is_fit_the_largest_is_the_main_one() -> None:
    assert main_face([face(0, 0, 80), large := face(200, 0, 90)], [False, False]) is large


def test_a_fit_face_far_behind_is_never_the_main_one() -> None:
    poor, behind = face(0, 0, 100), face(200, 0, 30)
    assert main_face([behind, poor], [True, False]) is poor


def test_foremost_faces_have_a_third_of_the_largest_area() -> None:
    small, large, middle = face(0, 0, 57), face(100, 0, 100), face(300, 0, 58)
    assert foremost_faces([small, large, middle]) == [large, middle]
    with pytest.raises(NoFaceFound):
        foremost_faces([])


def test_no_face_at_all() -> None:
    with pytest.raises(NoFaceFound):
        main_face([])
    with pytest.raises(NoFaceFound):
        central_face([], (100, 100, 3))


def test_central_face_prefers_the_middle_to_a_slightly_larger_one_at_the_edge() -> None:
    middle, edge = face(90, 90, 70), face(0, 0, 80)
    assert central_face([edge, middle], (250, 250, 3)) is middle
