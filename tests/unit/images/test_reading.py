import io
import os
import random
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageFile, features

from kith.errors import ImageError, ImageWarning
from kith.images import reading as images
from kith.images.reading import content_hash, load_image, read_photo

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
    with pytest.raises(ImageError, match=r"not a picture Kith reads \(JPEG, .*GIF.*\); convert it to JPEG"):
        load_image(encode(PillowImage.fromarray(rgb), kind))


def test_jfif_and_mpo_are_jpeg(rgb: np.ndarray) -> None:
    picture = PillowImage.fromarray(rgb)
    white = PillowImage.new("RGB", picture.size, "white")
    photo = read_photo(encode(picture, "MPO", save_all=True, append_images=[white]))
    assert close(photo.image, rgb)
    assert not photo.flaw


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
@pytest.mark.parametrize("orientation", [1, 6])
def test_avif(orientation: int, rgb: np.ndarray) -> None:
    stored = PillowImage.fromarray(np.ascontiguousarray(rgb if orientation == 1 else np.rot90(rgb)))
    exif = PillowImage.Exif()
    exif[ORIENTATION] = orientation
    assert close(load_image(encode(stored, "AVIF", exif=exif)), rgb)


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


def test_heic_says_what_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kith.images.formats.find_spec", lambda name: None)
    with pytest.raises(ImageError, match=r"picture: is HEIC; .*pip install 'kith\[heif\]'"):
        load_image(HEIC)


def test_heic(rgb: np.ndarray) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")

    def encoded(picture: PillowImage.Image, **options: object) -> bytes:
        buffer = io.BytesIO()
        pillow_heif.from_pillow(picture).save(buffer, quality=90, **options)
        return buffer.getvalue()

    data = encoded(PillowImage.fromarray(rgb))
    assert close(load_image(data), rgb)
    exif = PillowImage.Exif()
    exif[ORIENTATION] = 6
    turned = encoded(PillowImage.fromarray(np.ascontiguousarray(np.rot90(rgb))), exif=exif.tobytes())
    assert close(load_image(turned), rgb), "turned once, by its decoder"
    small = read_photo(data, max_pixels=32 * 16)
    assert small.scale == 2
    assert close(small.image, rgb[::2, ::2])
    with pytest.raises(ImageError, match="damaged"):
        load_image(HEIC)


def test_pillow_heif_is_not_looked_for_without_need() -> None:
    code = "import sys, kith.images.reading as i, numpy as n; i.read_photo(n.zeros((2, 2, 3), n.uint8)); print('pillow_heif' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


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


# sizes


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (13_000, 13_000), (1, 2**31 - 1)])
def test_the_size_is_checked_before_decoding(width: int, height: int) -> None:
    with pytest.raises(ImageError, match=r"too large; make it smaller .*limit of PNG 128\)"):
        load_image(one_bit_png(width, height))


def test_a_bomb_is_refused() -> None:
    side = 13_000
    bomb = one_bit_png(side, side, bytes((side // 8 + 1) * side))
    assert len(bomb) < 50_000
    with pytest.raises(ImageError, match="13000x13000 = 169 megapixels, limit of PNG 128"):
        load_image(bomb)
    assert load_image(one_bit_png(80, 80, bytes(11 * 80))).shape == (80, 80, 3), "else this test cannot fail"


def jpeg_of_size(width: int, height: int) -> bytes:
    """A plain gray JPEG of that size, white, made of one row of blocks written again and again."""
    data = encode(PillowImage.new("L", (width, 8), 255), "JPEG", restart_marker_rows=1)
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    row = scan + 2 + int.from_bytes(data[scan + 2 : scan + 4], "big")
    head = bytearray(data[:row])
    head[frame + 5 : frame + 7] = height.to_bytes(2, "big")
    coded = data[row:-2]
    rows = (coded + bytes((0xFF, 0xD0 + index % 8)) for index in range(-(-height // 8)))
    return bytes(head) + b"".join(rows)[:-2] + b"\xff\xd9"


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(8160, 6144, 2), (12000, 9000, 2), (16320, 12240, 2), (7000, 7000, 1)]
)
def test_a_phones_jpeg_is_decoded_smaller(width: int, height: int, scale: int) -> None:
    photo = read_photo(jpeg_of_size(width, height))
    assert photo.image.shape == (height // scale, width // scale, 3)
    assert photo.scale == scale
    assert not photo.flaw
    assert (photo.image[-1] > 250).all(), "decoded to the last row"


def test_a_large_png_is_made_smaller() -> None:
    width, height = 12_000, 9000  # what a phone has 108 megapixels of
    photo = read_photo(
        one_bit_png(width, height, b"\0" + b"\xff" * (width // 8) + bytes(1501 * (height - 1)))
    )
    assert photo.image.shape == (4500, 6000, 3)
    assert photo.scale == 2
    assert (photo.image[0] == 128).all(), "the mean of a white row and a black one"
    assert not photo.image[1:].any()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("most", [64 * 32, 64 * 32 - 1, 300, 128, 1])
def test_the_limit_can_be_set(kind: str, most: int, rgb: np.ndarray) -> None:
    photo = read_photo(encode(PillowImage.fromarray(rgb), kind), max_pixels=most)
    height, width = photo.image.shape[:2]
    assert width * height <= most
    assert (height, width) == (-(-32 // photo.scale), -(-64 // photo.scale))
    assert (photo.scale == 1) == (most == 64 * 32)


def test_a_smaller_picture_is_upright_too(rgb: np.ndarray) -> None:
    exif = PillowImage.Exif()
    exif[ORIENTATION] = 6
    stored = PillowImage.fromarray(np.ascontiguousarray(np.rot90(rgb).repeat(8, 0).repeat(8, 1)))
    photo = read_photo(encode(stored, "JPEG", exif=exif), max_pixels=64 * 32)
    assert photo.scale == 8
    assert close(photo.image, rgb)


def test_pillows_own_limit_does_not_matter(monkeypatch: pytest.MonkeyPatch, rgb: np.ndarray) -> None:
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 100)
    assert close(load_image(encode(PillowImage.fromarray(rgb), "JPEG")), rgb)


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


@pytest.mark.parametrize("source", ["", " ", "\t\n", Path()])
def test_an_empty_path_is_no_folder_and_no_picture(source: str) -> None:
    with pytest.raises(ImageError, match="an empty path names no picture|is a folder"):
        load_image(source)


@pytest.mark.parametrize("source", [None, 7, ["a.jpg"]])
def test_other_sources_are_a_mistake(source: object) -> None:
    with pytest.raises(TypeError, match="expected a path, bytes, a binary file or an array"):
        load_image(source)


def test_a_text_file_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="binary mode"):
        load_image(io.StringIO("text"))


@pytest.mark.parametrize(
    "name", ["사진 1.jpg", "фото.JPG", "写真.png", "a b  c.jpg", "🙂.jpg", "[x].jpg", "%20?#.jpg"]
)
def test_names_in_any_script(name: str, rgb: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(encode(PillowImage.fromarray(rgb), "PNG"))
    np.testing.assert_array_equal(load_image(tmp_path / name), rgb)


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


# what lacks its end


def noise() -> np.ndarray:
    """(96, 96, 3), and no two rows alike."""
    coarse = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return coarse.repeat(8, 0).repeat(8, 1)


@pytest.mark.parametrize("missing", [1, 2, 12, 0.03, 0.3])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"restart_marker_rows": 1}),
        ("PNG", {}),
        ("GIF", {"interlace": 0}),
        ("BMP", {}),
        ("TIFF", {}),
        ("WEBP", {}),
    ],
)
def test_what_is_there_of_a_truncated_picture_is_used(
    kind: str, options: dict[str, object], missing: float
) -> None:
    data = encode(PillowImage.fromarray(noise()), kind, **options)
    whole = read_photo(data)
    assert whole.flaw == ""
    length = missing if isinstance(missing, int) else round(missing * len(data))
    photo = read_photo(data[:-length])
    assert photo.flaw == "its end is missing; what is there was used" or (kind == "GIF" and missing in (1, 2))
    assert photo.image.shape == (96, 96, 3)
    rows = slice(56, None) if kind == "BMP" else slice(40)  # a BMP begins at its bottom
    difference = np.abs(photo.image[rows].astype(int) - whole.image[rows])
    assert np.mean(difference > 60) < (0.5 if "progressive" in options else 0.01)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_of_which_nothing_is_there_is_damaged(kind: str) -> None:
    data = encode(PillowImage.fromarray(noise()), kind)
    for length in (20, 40, 60):
        with pytest.raises(ImageError, match="damaged|not a picture"):
            load_image(data[:length])


def test_a_truncated_picture_is_warned_of_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(encode(PillowImage.fromarray(noise()), "JPEG")[:-2])
    with pytest.warns(ImageWarning, match=r"cut\.jpg: its end is missing; what is there was used"):
        load_image(path)


def test_a_picture_damaged_in_its_middle_is_still_refused() -> None:
    data = bytearray(encode(PillowImage.fromarray(noise()), "PNG"))
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    with pytest.raises(ImageError, match="damaged"):
        load_image(bytes(data))


def test_a_progressive_picture_cut_within_its_tables_is_used() -> None:
    data = encode(PillowImage.fromarray(noise()), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xc4")
    assert read_photo(data[: last + 7]).flaw
    assert np.mean(np.abs(read_photo(data[: last + 7]).image.astype(int) - noise())) < 20


def test_pillows_switch_for_truncated_pictures_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    load = ImageFile.ImageFile.load

    def spy(self: ImageFile.ImageFile) -> object:
        seen.append(ImageFile.LOAD_TRUNCATED_IMAGES)
        return load(self)

    monkeypatch.setattr(ImageFile.ImageFile, "load", spy)
    read_photo(encode(PillowImage.fromarray(noise()), "GIF")[:-100])
    assert seen and not any(seen)


def test_pillows_warnings_are_silent_and_others_come_back() -> None:
    tiff = encode(PillowImage.fromarray(noise()), "TIFF", tiffinfo={270: "a description of some length"})
    damaged = tiff.replace(struct.pack("<HHI", 270, 2, 29), struct.pack("<HHI", 270, 2, 2**31))
    assert damaged != tiff
    before = warnings.filters[:]
    go_on = threading.Barrier(2)

    def read() -> None:
        for _ in range(20):
            go_on.wait()
            read_photo(damaged)  # warnings are errors in tests

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before
    with pytest.warns(UserWarning, match="still here"):
        warnings.warn("still here", stacklevel=1)


def test_libtiff_writes_no_lines_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(encode(PillowImage.fromarray(noise()), "TIFF", compression="tiff_lzw"))
    data[20:1000] = bytes(980)
    with pytest.raises(ImageError):
        load_image(bytes(data))
    assert capfd.readouterr().err == ""


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
            assert is_image(read_photo(bytes(data)).image)
        except ImageError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 30
    assert capfd.readouterr().err == "", "libtiff must not speak for itself"
