"""Crop rules, said of the landmarks and boxes of another kind of detector."""

import numpy as np
import pytest

from kith.alignment import align
from kith.catalogue.builtin import EMBEDDERS
from kith.catalogue.families import FAMILIES
from kith.catalogue.landmarks import FRAMES, LANDMARKS, crop_for
from kith.catalogue.pair import Pair, find_pair
from kith.catalogue.preprocessing import (
    ARCFACE_CROP,
    DLIB_CHIP,
    DLIB_CROP,
    AffineCrop,
    CropRule,
    MarginCrop,
    MarginUnit,
    SimilarityCrop,
    resize_template,
)
from kith.catalogue.spec import DetectorKind, DetectorSpec
from kith.records import Face

OTHERS = [DetectorKind.YUNET, DetectorKind.SCRFD]
IMAGE = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)


@pytest.mark.parametrize(
    "crop", [DLIB_CHIP, DLIB_CROP, FAMILIES["openface"].crop, FAMILIES["sandberg-2018"].crop]
)
def test_with_the_detector_that_it_was_measured_with_a_crop_stays_as_it_is(crop: CropRule) -> None:
    assert crop_for(crop, DetectorKind.MTCNN) is crop


@pytest.mark.parametrize("kind", DetectorKind)
def test_a_crop_that_is_meant_for_all_detectors_stays_as_it_is(kind: DetectorKind) -> None:
    for crop in (ARCFACE_CROP, resize_template(ARCFACE_CROP, 224)):
        assert crop_for(crop, kind) is crop


@pytest.mark.parametrize("kind", OTHERS)
def test_in_dlibs_chip_it_is_what_was_measured(kind: DetectorKind) -> None:
    crop = crop_for(DLIB_CHIP, kind)
    np.testing.assert_allclose(crop.template, LANDMARKS[kind], atol=1e-3)
    assert (crop.size, crop.seen_by) == (150, kind)
    assert crop_for(crop, kind) is crop, "said of it already"


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("crop", [DLIB_CROP, FAMILIES["openface"].crop])
def test_the_same_face_is_cut_out_alike(crop: SimilarityCrop | AffineCrop, kind: DetectorKind) -> None:
    """Of a face whose landmarks each detector sees as it usually does."""
    points = {one: np.array(LANDMARKS[one], np.float32) + 25 for one in (DetectorKind.MTCNN, kind)}
    box = np.array([30, 20, 170, 180], np.float32)
    before, after = (
        align(IMAGE, [Face(box, points[one], 1.0)], crop_for(crop, one)).astype(float)
        for one in (DetectorKind.MTCNN, kind)
    )
    assert np.abs(before - after).mean() < 3, "noise: half a pixel off, it would differ by 20"
    untold = align(IMAGE, [Face(box, points[kind], 1.0)], crop).astype(float)
    assert np.abs(before - untold).mean() > 3 * np.abs(before - after).mean()


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("unit", MarginUnit)
def test_a_margin_is_around_what_mtcnns_box_would_be(kind: DetectorKind, unit: MarginUnit) -> None:
    crop = MarginCrop(160, 14, unit)
    box = np.array([40, 30, 140, 160], np.float32)
    left, top, right, bottom = FRAMES[kind]
    within = np.array([40 + 100 * left, 30 + 130 * top, 40 + 100 * right, 30 + 130 * bottom], np.float32)
    points = np.zeros((5, 2), np.float32)
    points[3:, 1] = 10
    (ours,) = align(IMAGE, [Face(box, points, 1.0)], crop_for(crop, kind))
    (theirs,) = align(IMAGE, [Face(within, points, 1.0)], crop)
    np.testing.assert_array_equal(ours, theirs)


def test_a_pair_has_the_crop_of_its_detector() -> None:
    detector = DetectorSpec("yunet-s", "", DetectorKind.YUNET, {}, "", "")
    embedder = EMBEDDERS["dlib-resnet29"]
    assert Pair(embedder, detector).spec.crop == crop_for(embedder.crop, DetectorKind.YUNET)
    assert find_pair("dlib-resnet29").spec.crop is embedder.crop
