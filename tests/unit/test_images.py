import io
import os
import random
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from kith import images
from kith.errors import ImageError
from kith.images import content_hash, load_image

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "TIFF": "tif", "GIF": "gif"}
ORIENTATION = 0x0112


@pytest.fixture
def rgb() -> np.ndarray:
    """A picture of four flat quarters, each of another color, twice as wide as high."""
    image = np.zeros((32, 64, 3), np.uint8)
    image[:16, :32], image[:16, 32:] = (200, 30, 30), (30, 200, 30)
    image[16:, :32], image[16:, 32:] = (30, 30, 200), (220, 220, 40)
    return image


def encode(picture: PillowImage.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def close(actual: np.ndarray, expected: np.ndarray, within: int = 12) -> bool:
    """Whether the middles of the quarters agree; compression blurs their edges."""
    if actual.shape != expected.shape:
        return False
    height, width = actual.shape[:2]
    points = [(y, x) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return all(
        np.abs(actual[point].astype(int) - expected[point].astype(int)).max() <= within for point in points
    )


def is_image(array: np.ndarray) -> bool:
    return array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8 and array.flags["C_CONTIGUOUS"]


def one_bit_png(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A PNG whose header announces this size, with these pixels or too few."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


# formats and kinds of pixels


@pytest.mark.parametrize("kind", FORMATS)
def test_formats_are_told_by_content(kind: str, rgb: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "picture.txt"
    path.write_bytes(encode(PillowImage.fromarray(rgb), kind))
    image = load_image(path)
    assert is_image(image)
    assert close(image, rgb)


@pytest.mark.parametrize("kind", ["ICO", "PPM", "TGA", "JPEG2000", "PDF"])
def test_other_formats_are_refused(kind: str, rgb: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"not a picture Kith reads \(JPEG, .*GIF\); convert it to JPEG"):
        load_image(encode(PillowImage.fromarray(rgb), kind))


def test_gray(rgb: np.ndarray) -> None:
    gray = PillowImage.fromarray(rgb).convert("L")
    image = load_image(encode(gray, "PNG"))
    np.testing.assert_array_equal(image, np.repeat(np.asarray(gray)[:, :, None], 3, axis=2))


def test_one_bit() -> None:
    bits = np.array([[True, False, True], [False, False, True]])
    image = load_image(encode(PillowImage.fromarray(bits), "PNG"))
    np.testing.assert_array_equal(image[:, :, 0], np.where(bits, 255, 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_gray_keeps_its_range(kind: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    image = load_image(encode(PillowImage.fromarray(ramp), kind))
    np.testing.assert_array_equal(image[:, :, 1], ramp >> 8)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palette(kind: str, rgb: np.ndarray) -> None:
    assert close(load_image(encode(PillowImage.fromarray(rgb).quantize(8), kind)), rgb)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(kind: str, rgb: np.ndarray) -> None:
    assert close(load_image(encode(PillowImage.fromarray(rgb).convert("CMYK"), kind)), rgb)


def test_transparency_lies_over_white(rgb: np.ndarray) -> None:
    picture = PillowImage.fromarray(rgb).convert("RGBA")
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    alpha[:, 32:] = 0
    picture.putalpha(PillowImage.fromarray(alpha))
    for kind in ("PNG", "WEBP", "TIFF"):
        image = load_image(encode(picture, kind))
        assert (image[:, 40:] == 255).all(), kind
        assert close(image[:, :32].repeat(2, axis=1), rgb[:, :32].repeat(2, axis=1)), kind
    palette = PillowImage.new("P", (2, 1), 0)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    image = load_image(encode(palette, "PNG", transparency=1))
    assert image.tolist() == [[[10, 20, 30], [255, 255, 255]]]


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG"])
def test_of_several_pictures_the_first(kind: str, rgb: np.ndarray) -> None:
    first = PillowImage.fromarray(rgb)
    others = [PillowImage.new("RGB", first.size, "white"), PillowImage.new("RGB", first.size, "black")]
    assert close(load_image(encode(first, kind, save_all=True, append_images=others)), rgb)


# EXIF


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(kind: str, orientation: int, rgb: np.ndarray) -> None:
    # what the file holds of the upright picture, by the EXIF standard's table of row 0 and column 0
    stored = {
        1: rgb,
        2: rgb[:, ::-1],
        3: rgb[::-1, ::-1],
        4: rgb[::-1],
        5: rgb.transpose(1, 0, 2),
        6: np.rot90(rgb, 1),
        7: rgb[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(rgb, -1),
    }[orientation]
    exif = PillowImage.Exif()
    exif[ORIENTATION] = orientation
    picture = PillowImage.fromarray(np.ascontiguousarray(stored))
    assert close(load_image(encode(picture, kind, exif=exif)), rgb)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_passed_over(orientation: int, rgb: np.ndarray) -> None:
    exif = PillowImage.Exif()
    exif[ORIENTATION] = orientation
    assert close(load_image(encode(PillowImage.fromarray(rgb), "JPEG", exif=exif)), rgb)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*" + b"\xff" * 60]
)
def test_damaged_metadata_leave_the_picture_readable(exif: bytes, rgb: np.ndarray) -> None:
    assert close(load_image(encode(PillowImage.fromarray(rgb), "JPEG", exif=exif)), rgb)


def test_metadata_that_pillow_cannot_write_do_not_matter(rgb: np.ndarray) -> None:
    # orientation 6, and a resolution that is text, as some programs write
    entries = struct.pack("<HHHIHH", 2, ORIENTATION, 3, 1, 6, 0) + struct.pack(
        "<HHII", 0x011A, 2, 2, ord("9")
    )
    exif = b"Exif\0\0II*\0\x08\0\0\0" + entries + bytes(4)
    stored = PillowImage.fromarray(np.ascontiguousarray(np.rot90(rgb, 1)))
    assert close(load_image(encode(stored, "JPEG", exif=exif)), rgb)


# limits


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (60_000, 1000), (1, 2**31 - 1)])
def test_the_size_is_checked_before_decoding(width: int, height: int) -> None:
    with pytest.raises(ImageError, match="too large; make it smaller .*limit 50"):
        load_image(one_bit_png(width, height))


def test_a_bomb_is_refused() -> None:
    side = 13_000
    bomb = one_bit_png(side, side, bytes((side // 8 + 1) * side))
    assert len(bomb) < 50_000
    with pytest.raises(ImageError, match="13000x13000 = 169 megapixels, limit 50"):
        load_image(bomb)
    assert load_image(one_bit_png(80, 80, bytes(11 * 80))).shape == (80, 80, 3), "else this test cannot fail"


def test_the_limit_can_be_set(rgb: np.ndarray) -> None:
    data = encode(PillowImage.fromarray(rgb), "PNG")
    assert load_image(data, max_pixels=32 * 64).shape == (32, 64, 3)
    with pytest.raises(ImageError, match="64x32"):
        load_image(data, max_pixels=32 * 64 - 1)


def test_pillows_own_limit_is_named_where_it_is_the_lower() -> None:
    with pytest.raises(ImageError, match=r"limit 178\.957 megapixels"):
        load_image(one_bit_png(20_000, 20_000), max_pixels=10**9)


def test_a_large_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 2**20)
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(2**20 + 1)
    with path.open("rb") as file:
        for source in (path, file):
            with pytest.raises(ImageError, match=r"large\.jpg: the file is too large \(limit 1 MiB\)"):
                load_image(source)
    (tmp_path / "fits.jpg").write_bytes(bytes(2**20))
    with pytest.raises(ImageError, match="not a picture"):
        load_image(tmp_path / "fits.jpg")


# sources


def test_every_source_gives_the_same_picture(rgb: np.ndarray, tmp_path: Path) -> None:
    data = encode(PillowImage.fromarray(rgb), "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    sources = [path, str(path), data, bytearray(data), io.BytesIO(data), rgb, rgb[::-1][::-1]]
    with path.open("rb") as file:
        loaded = [load_image(source) for source in [*sources, file]]
    for image in loaded:
        assert is_image(image)
        np.testing.assert_array_equal(image, rgb)
    assert len({content_hash(image) for image in loaded}) == 1
    assert content_hash(rgb.reshape(64, 32, 3)) != content_hash(rgb)


def test_arrays() -> None:
    gray = np.arange(6, dtype=np.uint8).reshape(2, 3)
    expected = np.repeat(gray[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(load_image(gray), expected)
    np.testing.assert_array_equal(load_image(gray[:, :, None]), expected)
    np.testing.assert_array_equal(load_image(gray.astype(np.uint16) << 8), expected)
    np.testing.assert_array_equal(load_image(gray > 2), np.where(expected > 2, 255, 0))
    half = np.array([[[100, 0, 0, 255], [100, 0, 0, 0], [100, 0, 0, 128]]], np.uint8)
    assert load_image(half).tolist() == [[[100, 0, 0], [255, 255, 255], [177, 127, 127]]]


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), (2, 2, 5), (1, 2, 2, 3), (0, 4, 3), (4, 0)])
def test_arrays_of_another_shape_are_a_mistake(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="an image array must be"):
        load_image(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.complex64, object])
def test_arrays_of_another_type_are_a_mistake(dtype: type) -> None:
    with pytest.raises(TypeError, match="must be uint8, uint16 or bool"):
        load_image(np.zeros((2, 2, 3), dtype))


@pytest.mark.parametrize("source", [None, 7, ["a.jpg"]])
def test_other_sources_are_a_mistake(source: object) -> None:
    with pytest.raises(TypeError, match="expected a path, bytes, a binary file or an array"):
        load_image(source)  # type: ignore[arg-type]


def test_a_text_file_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="binary mode"):
        load_image(io.StringIO("text"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["사진 1.jpg", "фото.JPG", "写真.png", "a b  c.jpg", "🙂.jpg", "[x].jpg", "%20?#.jpg"]
)
def test_names_in_any_script(name: str, rgb: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(encode(PillowImage.fromarray(rgb), "PNG"))
    np.testing.assert_array_equal(load_image(tmp_path / name), rgb)
    assert find_images(tmp_path) == [tmp_path / name]


def test_a_name_that_is_no_utf8(rgb: np.ndarray, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    try:
        path.write_bytes(encode(PillowImage.fromarray(rgb), "PNG"))
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    np.testing.assert_array_equal(load_image(path), rgb)


# what cannot be read


def test_missing_empty_folder_and_pipe(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "missing.jpg", "missing.jpg: no such file"),
        (tmp_path, "is a folder, not a picture"),
        (tmp_path / "nul\0.jpg", "cannot be read"),
    ):
        with pytest.raises(ImageError, match=message):
            load_image(path)
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(ImageError, match=r"empty\.jpg: the file is empty; copy it again"):
        load_image(tmp_path / "empty.jpg")
    with pytest.raises(ImageError, match="picture: the file is empty"):
        load_image(b"")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    raised: list[str] = []

    def load() -> None:
        try:
            load_image(tmp_path / "pipe.jpg")
        except ImageError as error:
            raised.append(str(error))

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    thread.join(20)
    assert raised and "is not a regular file" in raised[0]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_truncated_picture_is_damaged(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    data = encode(PillowImage.fromarray(noise), kind)
    with pytest.raises(ImageError, match=r"damaged|not a picture"):
        load_image(data[: len(data) // 2])


@pytest.mark.parametrize("kind", FORMATS)
def test_damage_brings_out_image_errors_only(
    kind: str, rgb: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    exif = PillowImage.Exif()
    exif[ORIENTATION], exif[0x010E] = 6, "a description"
    options = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP", "TIFF") else {}
    whole = encode(PillowImage.fromarray(rgb), kind, **options)
    choose = random.Random(kind)
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(choose.choice((1, 2, 5, 20))):
            data[choose.randrange(min(len(data), 250))] = choose.choice((0, 255, choose.randrange(256)))
        if choose.random() < 0.2:
            del data[choose.randrange(1, len(data)) :]
        try:
            assert is_image(load_image(bytes(data)))
        except ImageError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 30
    capfd.readouterr()  # libtiff speaks for itself


# folders


def test_find_images(tmp_path: Path) -> None:
    for name in (
        "b.JPG",
        "a/2.png",
        "a/10.webp",
        "a/deep/x.tiff",
        "c.txt",
        ".hidden.jpg",
        ".thumbs/y.jpg",
        "a/._z.jpg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["a/10.webp", "a/2.png", "a/deep/x.tiff", "b.JPG"]


def test_find_images_goes_in_no_circles(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert find_images(tmp_path) == [tmp_path / "a.jpg"]


def test_find_images_of_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    for path in (tmp_path / "missing", tmp_path / "a.jpg"):
        with pytest.raises(ImageError, match=rf"{path.name}: the folder cannot be read"):
            find_images(path)
