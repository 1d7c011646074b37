"""Looking at an image in other turns: exact places, and whose word counts, with a detector made of marks."""

from collections.abc import Sequence

import numpy as np
import pytest

from kith.detection.upright import turn_back, turn_upright
from kith.records import Face

SIZES = [(40, 40), (31, 48), (47, 30)]
# a face of marks: eye, eye, nose, mouth corner, mouth corner, in a patch of 9 x 7 pixels
MARKS = {1: (2, 1), 2: (2, 5), 3: (4, 3), 4: (6, 2), 5: (7, 5)}
SURE, POOR = 0.999, 0.6


def patch(name: int) -> np.ndarray:
    pixels = np.zeros((9, 7, 3), np.uint8)
    for mark, (row, column) in MARKS.items():
        pixels[row, column] = (mark, name, 0)
    return pixels


def painted(size: tuple[int, int], *faces: tuple[int, int, int, int]) -> np.ndarray:
    """An image with faces: name, left, top, and by how many quarter turns each lies turned clockwise."""
    image = np.zeros((*size, 3), np.uint8)
    for name, left, top, turned in faces:
        part = np.rot90(patch(name), -turned)
        image[top : top + part.shape[0], left : left + part.shape[1]] = part
    return image


def marks_of(image: np.ndarray, name: int) -> np.ndarray:
    """Where the marks of a face lie: (5, 2) x and y."""
    places = [np.argwhere((image[:, :, 0] == mark) & (image[:, :, 1] == name))[0] for mark in MARKS]
    return np.array(places, np.float32)[:, ::-1]


def lies_turned(marks: np.ndarray) -> int:
    x, y = marks[3:].mean(axis=0) - marks[:2].mean(axis=0)
    return round(np.degrees(np.arctan2(-x, y)) / 90) % 4


class Eyes:
    """Finds marked faces; those in `mistaken` it takes for upright ones in any turn, and poorly."""

    def __init__(self, mistaken: Sequence[int] = (), score: float = SURE) -> None:
        self.mistaken = mistaken
        self.score = score
        self.looks = 0

    def look(self, image: np.ndarray) -> list[Face]:
        self.looks += 1
        return self.find(image)

    def find(self, image: np.ndarray) -> list[Face]:
        faces = []
        for name in sorted({int(value) for value in np.unique(image[:, :, 1])} - {0}):
            marks = marks_of(image, name)
            box = np.concatenate([marks.min(axis=0), marks.max(axis=0) + 1]).astype(np.float32)
            if lies_turned(marks) == 0:
                faces.append(Face(box, marks, self.score))
            elif name in self.mistaken:
                faces.append(Face(box + 1, np.sort(marks, axis=0), POOR))
        return faces

    def judge(self, image: np.ndarray, faces: Sequence[Face]) -> np.ndarray:
        odds = np.full((len(faces), 4), -4, np.float32)
        for row, face in zip(odds, faces, strict=True):
            x, y = face.box[:2].astype(int)
            name = image[y : y + 6, x : x + 6, 1].max()
            row[lies_turned(marks_of(image, name))] = 6
        return odds

    def upright(self, image: np.ndarray) -> list[Face]:
        return turn_upright(image, self.find(image), self.look, self.judge)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_face_of_a_turned_image_is_told_in_the_pixels_of_the_image(
    size: tuple[int, int], turns: int
) -> None:
    height, width = size
    face = Face(np.array([3, 5, 9, 18], np.float32), np.arange(10, dtype=np.float32).reshape(5, 2) + 4, 0.9)
    numbers = np.arange(height * width).reshape(size)  # every pixel has its own
    back = turn_back(face, turns, size)
    turned = np.rot90(numbers, turns)
    for (x, y), (back_x, back_y) in zip(face.landmarks.astype(int), back.landmarks.astype(int), strict=True):
        assert turned[y, x] == numbers[back_y, back_x]
    left, top, right, bottom = back.box.astype(int)
    assert set(numbers[top:bottom, left:right].flat) == set(turned[5:18, 3:9].flat)
    assert back.box.dtype == back.landmarks.dtype == np.float32
    assert back.detection_score == 0.9


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("turned", [1, 2, 3])
def test_a_face_that_lies_on_its_side_or_head_is_found(size: tuple[int, int], turned: int) -> None:
    image = painted(size, (7, 4, 17, turned))
    eyes = Eyes()
    (face,) = eyes.upright(image)
    marks = marks_of(image, 7)
    assert (face.landmarks == marks).all()
    assert (face.box == [*marks.min(axis=0), *(marks.max(axis=0) + 1)]).all()
    assert face.turned == 90 * turned
    assert face.uprightness > 0.99
    assert eyes.looks == 3


def test_nothing_is_looked_at_twice_where_all_is_sure() -> None:
    eyes = Eyes()
    found = eyes.upright(painted((40, 40), (1, 2, 2, 0), (2, 20, 20, 0)))
    assert [face.turned for face in found] == [0, 0]
    assert eyes.looks == 0


def test_an_image_without_faces_is_looked_at_in_all_turns() -> None:
    eyes = Eyes()
    assert eyes.upright(np.zeros((9, 7, 3), np.uint8)) == []
    assert eyes.looks == 3


@pytest.mark.parametrize("turned", [1, 2, 3])
def test_of_an_image_that_lies_turned_only_the_faces_of_its_turn_are_taken(turned: int) -> None:
    """The second is taken for a face as it lies as well, elsewhere and poorly."""
    image = painted((40, 40), (1, 2, 2, turned), (2, 20, 20, turned))
    found = Eyes(mistaken=[2]).upright(image)
    assert [face.turned for face in found] == [90 * turned] * 2
    assert (found[1].landmarks == marks_of(image, 2)).all()


def test_one_who_lies_among_upright_people_is_looked_at_in_the_turn_preferred() -> None:
    image = painted((60, 40), (1, 2, 2, 0), (2, 20, 20, 3), (3, 2, 40, 0))
    eyes = Eyes(mistaken=[2])
    found = eyes.upright(image)
    assert [face.turned for face in found] == [0, 270, 0]
    for name, face in enumerate(found, start=1):
        assert (face.landmarks == marks_of(image, name)).all()
    assert eyes.looks == 1


def test_two_doubtful_faces_of_one_place_become_one() -> None:
    image = painted((60, 40), (1, 2, 2, 0), (2, 20, 20, 2))
    eyes = Eyes(mistaken=[2])
    sure, doubtful = eyes.find(image)
    found = turn_upright(image, [sure, doubtful, doubtful], eyes.look, eyes.judge)
    assert [face.turned for face in found] == [0, 180]


def test_a_face_that_no_turn_shows_better_stays_and_is_told_not_to_be_upright() -> None:
    image = painted((40, 40), (1, 2, 2, 2))
    eyes = Eyes(mistaken=[1])
    (face,) = turn_upright(image, eyes.find(image), lambda turned: [], eyes.judge)
    assert face.detection_score == POOR
    assert face.uprightness < 0.01


def test_what_another_turn_shows_must_be_likely() -> None:
    image = painted((40, 40), (1, 2, 2, 2))
    assert Eyes(score=0.4).upright(image) == []
    assert len(Eyes(score=0.9).upright(image)) == 1


def test_another_turn_must_show_a_face_much_surer() -> None:
    """A face that lies slanted is found about as well in two turns."""
    image = np.zeros((20, 20, 3), np.uint8)
    box, marks = np.array([5, 5, 15, 15], np.float32), np.ones((5, 2), np.float32)
    odds = np.array([[4, 3, -4, 3]], np.float32)
    for score, turned in ((0.95, False), (0.9999, True)):
        (face,) = turn_upright(
            image,
            [Face(box, marks, 0.9)],
            lambda image, score=score: [Face(box, marks + 1, score)],
            lambda image, faces: np.repeat(odds, len(faces), axis=0),
        )
        assert (face.landmarks != marks).all() == turned


def test_what_looks_like_a_face_in_no_turn_is_not_sure() -> None:
    face = Face(np.array([0, 0, 9, 9], np.float32), np.ones((5, 2), np.float32), 0.95)
    odds = np.array([[-1, -9, -9, -9]], np.float32)
    (told,) = turn_upright(
        np.zeros((9, 9, 3), np.uint8), [face], lambda turned: [], lambda image, faces: odds
    )
    assert told.uprightness == pytest.approx(1 / (1 + np.exp(3) / 19))  # 19 to 1, and 3 log-odds less
