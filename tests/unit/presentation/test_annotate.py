from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from kith.errors import ImageError
from kith.images.reading import load_image
from kith.presentation import annotate
from kith.presentation.annotate import Label, annotate_photo, annotated_paths
from kith.records import Face

GRAY = np.full((200, 300, 3), 128, np.uint8)


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system with Pillow's own font only."""
    monkeypatch.setattr(annotate, "_FONTS", ())


def face_at(left: float, top: float, right: float, bottom: float) -> Face:
    return Face(np.array([left, top, right, bottom], np.float32), np.zeros((5, 2), np.float32), 0.9)


def draw(path: Path, *labels: Label, image: np.ndarray = GRAY) -> np.ndarray:
    annotate_photo(image, labels, path)
    return load_image(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.png", "a.webp", "folder/deep/a.png", "사진.png"])
def test_the_faces_are_drawn(tmp_path: Path, name: str, face: Face) -> None:
    image = draw(tmp_path / name, Label(face, "Ada", known=True))
    assert image.shape == GRAY.shape
    changed = np.abs(image.astype(int) - 128).max(axis=2) > 40
    assert changed[60, 9:12].any(), "the left edge of the box"
    assert changed[111:135, 10:60].mean() > 0.5, "the label under it"
    assert not changed[:, 200:].any()
    assert (GRAY == 128).all(), "the photo itself is not drawn into"


def test_known_and_unknown_differ(tmp_path: Path, face: Face) -> None:
    known = draw(tmp_path / "known.png", Label(face, "Ada", known=True))
    unknown = draw(tmp_path / "unknown.png", Label(face, "Ada", known=False))
    assert (known != unknown).any()


def test_a_photo_without_faces_is_copied(tmp_path: Path) -> None:
    np.testing.assert_array_equal(draw(tmp_path / "a.png"), GRAY)


@pytest.mark.parametrize("box", [(-20, -30, 400, 260), (250, 150, 299, 199), (5, 5, 6, 6), (290, -5, 310, 3)])
@pytest.mark.parametrize("text", ["Ada", "x" * 200, "", " "])
def test_any_box_and_any_text_can_be_drawn(tmp_path: Path, box: tuple[float, ...], text: str) -> None:
    assert draw(tmp_path / "a.png", Label(face_at(*box), text, known=True)).shape == GRAY.shape


@pytest.mark.usefixtures("no_fonts")
@pytest.mark.parametrize("name", ["김민수", "Ada 山田", "محمد", "🙂", "हिन्दी"])
def test_what_no_font_can_write_becomes_a_number(tmp_path: Path, face: Face, name: str) -> None:
    other = face_at(150, 20, 250, 140)
    written = draw(tmp_path / "name.png", Label(other, "Ada", known=True), Label(face, name, known=True))
    numbered = draw(tmp_path / "number.png", Label(other, "Ada", known=True), Label(face, "#2", known=True))
    np.testing.assert_array_equal(written, numbered)


@pytest.mark.usefixtures("no_fonts")
@pytest.mark.parametrize("name", ["Ada", "Lovelace-King", "O'Brien, Q. (2)"])
def test_what_the_font_can_write_is_written(tmp_path: Path, face: Face, name: str) -> None:
    written = draw(tmp_path / "name.png", Label(face, name, known=True))
    numbered = draw(tmp_path / "number.png", Label(face, "#1", known=True))
    assert (written != numbered).any()


def test_a_font_of_the_system_is_taken_where_it_has_the_letters(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, face: Face
) -> None:
    """Pillow's font stands in for one of the system, its default for one without letters."""
    capable = ImageFont.load_default(20)
    monkeypatch.setattr(annotate, "_FONTS", ("missing.ttf", "capable.ttf"))
    monkeypatch.setattr(annotate, "_font", lambda name, height: capable if name == "capable.ttf" else None)
    monkeypatch.setattr(annotate, "_can_write", lambda font, text: font is capable)
    written = draw(tmp_path / "name.png", Label(face, "Ada", known=True))
    monkeypatch.setattr(annotate, "_can_write", lambda font, text: False)
    numbered = draw(tmp_path / "number.png", Label(face, "Ada", known=True))
    assert (written != numbered).any()


def test_a_picture_too_large_for_its_format_is_told(tmp_path: Path) -> None:
    wide = np.zeros((1, 20_000, 3), np.uint8)
    with pytest.raises(ImageError, match=r"a\.webp: a picture of 20000x1 cannot be saved so"):
        annotate_photo(wide, [], tmp_path / "a.webp")
    assert list(tmp_path.iterdir()) == []


def test_one_photo_goes_to_the_file() -> None:
    assert annotated_paths(Path("out.png"), [Path("a.jpg")]) == {Path("a.jpg"): Path("out.png")}
    assert annotated_paths(None, [Path("a.jpg")]) == {}


def test_photos_go_to_a_folder_each_to_its_own_file() -> None:
    photos = [Path("a.jpg"), Path("b.jpg"), Path("x/a.jpg"), Path("x/A.png"), Path("a.jpg")]
    assert annotated_paths(Path("out"), photos) == {
        Path("a.jpg"): Path("out/a-annotated.jpg"),
        Path("b.jpg"): Path("out/b-annotated.jpg"),
        Path("x/a.jpg"): Path("out/a-annotated-2.jpg"),
        Path("x/A.png"): Path("out/A-annotated-3.jpg"),
    }


@pytest.mark.parametrize("name", ["out.bmp", "out.gif", "out.tiff"])
def test_formats_that_are_not_written_are_refused(name: str) -> None:
    with pytest.raises(ImageError, match=r"an annotated photo is \.jpg, \.png or \.webp"):
        annotated_paths(Path(name), [Path("a.jpg")])


def test_several_photos_do_not_go_into_one_file() -> None:
    with pytest.raises(ImageError, match="is one picture for 2 photos; name a folder"):
        annotated_paths(Path("out.jpg"), [Path("a.jpg"), Path("b.jpg")])


def test_no_photo_is_overwritten(tmp_path: Path) -> None:
    photo, link = tmp_path / "a.jpg", tmp_path / "link.jpg"
    photo.touch()
    link.symlink_to(photo)
    for wanted in (photo, link):
        with pytest.raises(ImageError, match="would be overwritten; name another"):
            annotated_paths(wanted, [photo])
    (tmp_path / "b-annotated.jpg").touch()
    with pytest.raises(ImageError, match="would be overwritten"):
        annotated_paths(tmp_path, [tmp_path / "b.jpg", tmp_path / "b-annotated.jpg"])


def test_a_file_of_another_kind_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ImageError, match="neither a picture nor a folder"):
        annotated_paths(tmp_path / "notes.txt", [Path("a.jpg")])
