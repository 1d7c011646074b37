from collections.abc import Callable

import numpy as np
import pytest
from made_up_calibration import calibration_of

from kith.decisions.tail import Tail
from kith.gallery import Gallery, NewReference
from kith.records import Face, Template
from kith.search.lookalikes import lookalikes

CALIBRATION = calibration_of(Tail((0.5, 1e-3, 1e-6), (0.1, 0.6, 0.8)))


@pytest.fixture
def ids(gallery: Gallery, face: Face) -> dict[str, int]:
    """Ada, Grace and Ada's twin, two photos of each."""
    random = np.random.default_rng(0)
    ada, grace = random.standard_normal((2, 16))
    found = {}
    for name, centre in (("Ada", ada), ("Grace", grace), ("Ada's twin", ada)):
        references = []
        for number in range(2):
            row = centre + 0.1 * random.standard_normal(16)
            template = Template((row / np.linalg.norm(row)).astype(np.float32), "test-model")
            references.append(NewReference(template, face, f"{name} {number}.jpg", f"{name} {number}"))
        found[name] = gallery.enroll(name, references).id
    return found


@pytest.mark.parametrize("asked", [["Ada"], ["Ada's twin"], ["Ada", "Grace", "Ada's twin"]])
def test_people_who_would_be_taken_for_one_another_are_told_once(
    gallery: Gallery, ids: dict[str, int], asked: list[str]
) -> None:
    (found,) = lookalikes(gallery, CALIBRATION, [ids[name] for name in asked])
    assert {found.subject.name, found.other.name} == {"Ada", "Ada's twin"}
    assert found.subject.name in asked
    assert found.score > 0.9


def test_who_is_like_nobody_is_not_told(gallery: Gallery, ids: dict[str, int]) -> None:
    assert lookalikes(gallery, CALIBRATION, [ids["Grace"], 999]) == []


def test_alone(gallery: Gallery, face: Face, make_template: Callable[[int], Template]) -> None:
    subject = gallery.enroll("Ada", [NewReference(make_template(1), face, "1.jpg", "1")])
    assert lookalikes(gallery, CALIBRATION, [subject.id]) == []
