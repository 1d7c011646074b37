"""What takes minutes or gigabytes is told by a file's structure, and what programs write is not refused."""

import io
import struct
import time
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as PillowImage

from kith.errors import ImageError
from kith.images.limits import UnboundedPicture, prepare_picture, require_pixels
from kith.images.reading import read_photo

SECONDS = 20  # each took minutes; a busy machine is given time


def encode(kind: str, picture: PillowImage.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (picture or PillowImage.linear_gradient("L").convert("RGB")).save(buffer, kind, **options)
    return buffer.getvalue()


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def after_start(jpeg: bytes, inserted: bytes) -> bytes:
    return jpeg[:2] + inserted + jpeg[2:]


def after_header(png: bytes, inserted: bytes) -> bytes:
    return png[:33] + inserted + png[33:]


def scans(number: int, side: int = 256) -> bytes:
    """A progressive JPEG whose last scan is there again and again."""
    jpeg = encode("JPEG", PillowImage.new("L", (side, side)), progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * number + b"\xff\xd9"


def tags(*entries: tuple[int, int, int, int], more: bytes = b"") -> bytes:
    return (
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *e) for e in entries)
        + more
    )


OVERLAPPING = tags(*((tag, 7, 1_000_000, 10) for tag in range(1000, 1600)), more=bytes(1_000_000))
RLE = encode("BMP", PillowImage.new("P", (64, 64)))


def rle(width: int, height: int, coded: bytes) -> bytes:
    return RLE[:18] + struct.pack("<ii", width, height) + RLE[26:30] + b"\1\0\0\0" + RLE[34:1078] + coded


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "thousands of scans": (lambda: scans(3000), "too many scans"),
    "scans of a large picture": (lambda: scans(30, 8000), "too many scans"),
    "a million segments": (lambda: after_start(encode("JPEG"), segment(0xE5, b"") * 1_000_000), "10000 segments"),
    "a million chunks": (lambda: after_header(encode("PNG"), chunk(b"tEXt", b"a\0b") * 1_000_000), "100000 chunks"),
    "a million comments": (
        lambda: b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + b"!\xfe" + b"\x01a" * 1_000_000, "too many comments",
    ),
    "a million extensions": (
        lambda: b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + b"!\xfe\x01a\0" * 1_000_000, "too many comments",
    ),
    "tags that overlap": (lambda: OVERLAPPING, "tags are too large"),
    "a tag of numbers": (lambda: tags((273, 4, 300_000, 20), more=bytes(1_200_100)), "tags are too large"),
    "tags without end": (lambda: b"II+\0\x08\0\0\0\x10" + bytes(7) + struct.pack("<Q", 2**60), "too many tags"),
    "a large run-length encoded bitmap": (lambda: rle(64, 64, b"\0\0" * 600_000), "run-length"),
    "a wide run-length encoded bitmap": (lambda: rle(3_000_000, 1, b"\0\2\0\xff"), "run-length"),
    "a canvas": (
        lambda: b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X\x0a\0\0\0\2\0\0\0\xff\x3f\0\xff\x3f\0" + bytes(8),
        "16384x16384 = 268 megapixels, limit of WEBP 50",
    ),
    "a million chunks of a WebP": (
        lambda: b"RIFF" + struct.pack("<I", 8_000_004) + b"WEBP" + b"ABCD\0\0\0\0" * 1_000_000, "100000 chunks",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_bound_is_refused_at_once(name: str) -> None:
    make, said = REFUSED[name]
    data = make()
    started = time.process_time()
    with pytest.raises(ImageError, match=said) as raised:
        read_photo(data)
    assert "\n" not in str(raised.value)
    assert time.process_time() - started < SECONDS


USED: dict[str, Callable[[], bytes]] = {
    "metadata that are joined": lambda: after_start(encode("JPEG"), segment(0xE1, b"Exif\0\0" + bytes(60_000)) * 2000),
    "unknown segments": lambda: after_start(encode("JPEG"), segment(0xF0, bytes(60_000)) * 1000),
    "bytes between segments": lambda: after_start(encode("JPEG"), segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + bytes(50_000_000)),
    "profiles that swell": lambda: after_header(
        encode("PNG"), chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1_000_000))) * 5000
    ),
    "tags in a PNG that overlap": lambda: after_header(encode("PNG"), chunk(b"eXIf", OVERLAPPING)),
    "texts that swell": lambda: after_header(encode("PNG"), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000))) * 200),
    "an animation that is none": lambda: after_header(encode("PNG"), chunk(b"acTL", bytes(8)) * 3),
}  # fmt: skip


@pytest.mark.parametrize("name", USED)
def test_what_makes_no_pixels_does_not_reach_the_decoder(name: str) -> None:
    started = time.process_time()
    photo = read_photo(USED[name]())
    assert time.process_time() - started < SECONDS
    assert not photo.flaw
    assert abs(int(photo.image[200, 100, 0]) - 200) < 3


def test_a_tall_stack_of_usual_segments_is_fine() -> None:
    jpeg = after_start(
        encode("JPEG", progressive=True), segment(0xE2, b"ICC_PROFILE\0" + bytes(60_000)) * 255
    )
    assert not read_photo(jpeg).flaw
    assert not read_photo(scans(100)).flaw
    assert not read_photo(after_header(encode("PNG"), chunk(b"IDAT", b"") * 20_000)).flaw


@pytest.mark.parametrize("name", ["eXIf", "zTXt", "iTXt"])
def test_a_pngs_orientation_reaches_the_decoder(name: str) -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = 3
    raw = exif.tobytes()
    content = {
        "eXIf": raw[6:],
        "zTXt": b"Raw profile type exif\0\0" + zlib.compress(f"\nexif\n{len(raw):8}\n{raw.hex()}\n".encode()),
        "iTXt": b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="3"/>',
    }[name]
    image = read_photo(after_header(encode("PNG"), chunk(name.encode(), content))).image
    assert abs(int(image[200, 100, 0]) - 55) < 3, "upside down"


def test_where_a_jpegs_scanned_data_look_like_markers() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (256, 256, 3), np.uint8)
    for options in (
        {},
        {"progressive": True},
        {"restart_marker_blocks": 1},
        {"quality": 100, "subsampling": 0},
    ):
        data = encode("JPEG", PillowImage.fromarray(noise), **options)
        prepared = prepare_picture("JPEG", data + b"\xff\xd8\xff\xe0 a second picture")
        assert prepared.is_whole
        np.testing.assert_array_equal(read_photo(data).image, np.asarray(PillowImage.open(io.BytesIO(data))))
        assert prepared.data.endswith(data[-1000:])


def test_a_marker_at_the_edge_of_what_is_looked_at_in_one_go() -> None:
    for length in range(2**14 - 8, 2**14 + 8):
        data = b"\xff\xd8" + segment(0xDB, b"") + segment(0xDA, b"") + b"\1" * length + b"\xff\xd9" + b"after"
        assert prepare_picture("JPEG", data).data.endswith(b"\1\xff\xd9")


def test_sizes() -> None:
    require_pixels("JPEG", 16_320, 12_240)
    require_pixels("PNG", 12_000, 9000)
    require_pixels("HEIC", 12_000, 9000)
    require_pixels("WEBP", 7000, 7000)
    for kind, width, height in (("JPEG", 65_500, 65_500), ("PNG", 13_000, 13_000), ("AVIF", 12_000, 9000)):
        with pytest.raises(UnboundedPicture, match=f"too large; make it smaller .*limit of {kind}"):
            require_pixels(kind, width, height)


def test_a_progressive_jpeg_of_gigabytes() -> None:
    data = bytearray(encode("JPEG", progressive=True))
    frame = data.index(b"\xff\xc2")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 19_000, 19_000)
    with pytest.raises(UnboundedPicture, match=r"too large for a progressive JPEG \(361 megapixels\)"):
        prepare_picture("JPEG", bytes(data))
