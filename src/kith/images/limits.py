"""What a picture file may ask of a decoder, found out before a decoder sees it.

A decoder believes what a file says: that there are a million chunks, thousands of scans, or tags that each
hold the whole file, and nothing can interrupt it. Each format's structure is therefore walked first; that
takes a fraction of a second for the largest file there may be. The bounds are far above what programs
write, and keep every picture within five seconds and one gigabyte.
"""

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from kith.images.formats import AVIF, HEIF

MAX_PIXELS = {
    # Decoded at half, a quarter or an eighth; phones write 200 megapixels, some cameras 400.
    "JPEG": 400_000_000,
    # Pillow takes four bytes a pixel, so that this is half a gigabyte beside a file of a quarter.
    "PNG": 128_000_000,
    "TIFF": 64_000_000,  # the same twice, where it is turned upright
    "BMP": 128_000_000,
    "GIF": 128_000_000,
    HEIF: 128_000_000,  # the decoder's planes and the image: four and a half bytes a pixel
    # Their decoders hold the picture three times: twelve bytes a pixel and more.
    "WEBP": 50_000_000,
    AVIF: 50_000_000,
}
"""How many pixels a picture of each format may announce."""

_MAX_SCANS = 200  # ten are usual
_MAX_SCANNED = 1_200_000_000  # pixels, all scans together: ten of 108 megapixels
_MAX_SEGMENTS = 10_000  # of a JPEG; a few hundred hold the largest metadata
_MAX_COEFFICIENTS = 400 * 2**20  # bytes, all in memory at once: 108 megapixels with color at half of that
MAX_METADATA = 128 * 2**10  # bytes of EXIF or XMP; a JPEG holds 64 KiB
_MAX_CHUNKS = 100_000  # of a PNG or WebP; a file of the largest size in pieces of 4 KiB has 65,536
_FLAT = 2**16  # zeros, enough for many pixels
_MAX_BLOCKS = 4096  # of 255 bytes, before a GIF's first picture
_MAX_RLE_PIXELS = 4_000_000  # of a BMP: Pillow's decoder for these is written in Python
_MAX_RLE_BYTES = 1_000_000
_MAX_TAGS_BYTES = 256 * 2**20  # read for all tags of a TIFF together
_MAX_TAGS = 20_000  # in one directory; a hundred are many
_MAX_DIRECTORIES = 32
_MAX_NUMBERS = 200_000  # in one tag; a strip for each row of pixels is common

_BLOCK = 2**14  # bytes looked at in one go
_IS_MARKER = ~np.isin(np.arange(256), (0x00, *range(0xD0, 0xD8), 0xFF))
_SOS, _EOI = 0xDA, 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_TABLES = frozenset((0xC4, 0xCC, 0xDB, 0xDD))  # of Huffman and arithmetic codes, quantization, restarts
_APP0, _APP1, _APP14 = 0xE0, 0xE1, 0xEE  # how colors are meant; metadata; how colors are meant
_ALONE = frozenset((0x01, 0xD8, _EOI))  # markers that nothing follows

_PNG_PIXELS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
_PNG_TEXTS = frozenset((b"iTXt", b"zTXt", b"tEXt"))
_PNG_METADATA = frozenset(
    (b"eXIf", b"iTXtXML:com.adobe.xmp", b"zTXtRaw profile type ", b"tEXtRaw profile type ")
)

_NUMBER_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_OF_BYTES = frozenset((1, 2, 6, 7))
_DIRECTORIES = frozenset((34665, 34853, 40965))  # tags that point to more tags
_TIFF = re.compile(rb"II\*\0|MM\0\*")


class UnboundedPicture(Exception):
    """The file asks for more than a decoder may do; the text says of what."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file as it is given to a decoder.

    Attributes:
        data: Its content, without what is not needed, and with an end if it had none.
        is_whole: False if its end was found to be missing.
    """

    data: bytes
    is_whole: bool = True


def prepare_picture(kind: str, data: bytes) -> Prepared:
    """Make sure that a file can be given to a decoder.

    Args:
        kind: Its format.
        data: Its content.

    Raises:
        UnboundedPicture: Decoding it could take minutes or gigabytes.
    """
    if kind == "JPEG":
        return _prepare_jpeg(data)
    if kind == "PNG":
        return _prepare_png(data)
    if kind == "WEBP":
        return _prepare_webp(data)
    if kind == "GIF":
        _require_few_blocks(data)
    elif kind == "BMP":
        _require_small_rle(data)
    elif kind == "TIFF":
        _require_honest_tags(memoryview(data))
    elif kind == AVIF:
        for number, header in enumerate(_TIFF.finditer(data)):  # metadata, wherever they are
            if number == _MAX_DIRECTORIES:
                raise UnboundedPicture("the picture has too many metadata; save it anew")
            _require_honest_tags(memoryview(data)[header.start() :])
    return Prepared(data)


def require_pixels(kind: str, width: int, height: int) -> None:
    """Raise UnboundedPicture if a picture of this format may not be as large as this."""
    limit = MAX_PIXELS[kind]
    if width * height > limit:
        raise UnboundedPicture(
            f"the picture is too large; make it smaller ({width}x{height} = "
            f"{width * height / 1e6:.0f} megapixels, limit of {kind} {limit / 1e6:g})"
        )


def _prepare_jpeg(data: bytes) -> Prepared:
    """What makes the pixels, and the first segments that tell of colors and orientation.

    Pillow joins all segments of metadata, which it does in quadratic time, and reads what it does not know
    byte by byte; so it gets nothing else.
    """
    kept: list[bytes | memoryview] = [data[:2]]
    seen = set[bytes]()
    scans = first_scan = pixels = coefficients = 0
    progressive = False
    end = len(data)
    for number, (marker, start, stop) in enumerate(_segments(data)):
        if number == _MAX_SEGMENTS:
            raise UnboundedPicture(f"the picture has more than {_MAX_SEGMENTS} segments; save it anew")
        if stop > len(data):
            end = start  # a segment without its end is nothing
            break
        if marker == _EOI and scans:
            return Prepared(b"".join([*kept, memoryview(data)[first_scan:stop]]))
        if marker in _FRAMES and not pixels:
            pixels, coefficients = _size_of_frame(data[start:stop])
            progressive = marker in _PROGRESSIVE
        if marker == _SOS:
            first_scan = first_scan or start
            scans += 1
            _require_few_scans(scans, pixels, coefficients if progressive or scans > 1 else 0)
        elif not scans and _is_needed(marker, segment := data[start:stop], seen):
            kept.append(segment)
    if scans:
        kept.append(memoryview(data)[first_scan:end])
    return Prepared(b"".join([*kept, b"\xff\xd9"]), is_whole=False)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each segment of a JPEG: its marker, where it starts, and where it stops, which may be past the end."""
    position = 2
    while (start := _next_marker(data, position)) is not None:
        marker, stop = data[start + 1], start + 2
        if marker not in _ALONE:
            stop += max(int.from_bytes(data[stop : stop + 2], "big"), 2)
        yield marker, start, stop
        position = stop


def _next_marker(data: bytes, position: int) -> int | None:
    """Where the next marker begins: 255, and then what is neither a 255 of scanned data nor a restart."""
    if (
        data[position : position + 1] == b"\xff"
        and _IS_MARKER[int.from_bytes(data[position + 1 : position + 2])]
    ):
        return position  # as a rule, one follows another
    for start in range(position, len(data) - 1, _BLOCK):
        block = np.frombuffer(data, np.uint8, min(_BLOCK + 1, len(data) - start), start)
        hits = np.flatnonzero((block[:-1] == 0xFF) & _IS_MARKER[block[1:]])
        if len(hits):
            return start + int(hits[0])
    return None


def _is_needed(marker: int, segment: bytes, seen: set[bytes]) -> bool:
    """Whether a segment before the first scan makes pixels, or is the first of its kind to tell of them."""
    if marker in _FRAMES | _TABLES:
        return True
    kind = segment[:10] if marker == _APP1 else segment[:2]  # Exif or XMP
    kind = kind[:2] + kind[4:]  # without the length
    if marker not in (_APP0, _APP1, _APP14) or kind in seen:
        return False
    seen.add(kind)
    return True


def _size_of_frame(segment: bytes) -> tuple[int, int]:
    """Pixels of a JPEG's frame, and the bytes of all its coefficients."""
    try:
        height, width, count = struct.unpack_from(">HHB", segment, 5)
        factors = [divmod(segment[11 + 3 * index], 16) for index in range(count)]
        most = [max(factor) for factor in zip(*factors, strict=True)]
        blocks = sum(
            -(-width * across // (8 * most[0])) * -(-height * down // (8 * most[1]))
            for across, down in factors
        )
    except (struct.error, IndexError, ZeroDivisionError):
        return 0, 0  # the decoder will say that it is damaged
    return width * height, 128 * blocks


def _require_few_scans(scans: int, pixels: int, coefficients: int) -> None:
    """Each scan is a walk over the whole picture, be it as short as a byte."""
    if scans > _MAX_SCANS or (scans > 1 and scans * pixels > _MAX_SCANNED):
        raise UnboundedPicture(f"the picture has too many scans ({scans} and more); save it anew")
    if coefficients > _MAX_COEFFICIENTS:
        raise UnboundedPicture(
            f"the picture is too large for a progressive JPEG ({pixels / 1e6:.0f} megapixels); "
            "save it as a plain one"
        )


def _prepare_png(data: bytes) -> Prepared:
    """The chunks that make the pixels of the first picture, and the first with an orientation.

    Pillow unpacks profiles and texts, a thousandfold larger than they are in the file, and wants an
    animation sound; so it gets nothing else.
    """
    kept: list[bytes | memoryview] = [data[:8]]
    seen = set[bytes]()
    position = 8
    for _ in range(_MAX_CHUNKS):
        start = position
        if start + 8 > len(data):
            return Prepared(b"".join(kept), is_whole=False)
        length, name = struct.unpack_from(">I4s", data, start)
        position += 12 + length
        kind = name + data[start + 8 : start + 25] if name in _PNG_TEXTS else name
        if name in _PNG_PIXELS or (kind in _PNG_METADATA and kind not in seen and length <= MAX_METADATA):
            kept.append(memoryview(data)[start:position])
            seen.add(kind)
        if name == b"IEND" or position > len(data):
            return Prepared(b"".join(kept), is_whole=position <= len(data))
    raise UnboundedPicture(f"the picture has more than {_MAX_CHUNKS} chunks; save it anew")


def _prepare_webp(data: bytes) -> Prepared:
    """A WebP; without its end, what there is of its pixels, in a file of their own and with zeros after them.

    Its decoder wants all or nothing. Of a lossy picture it takes zeros for flat color.
    """
    size = _size_of_webp(data)
    if size:
        require_pixels("WEBP", *size)
    end = int.from_bytes(data[4:8], "little") + 8
    position = 12
    for _ in range(_MAX_CHUNKS):
        if position + 8 > min(end, len(data)):
            break
        name, length = struct.unpack_from("<4sI", data, position)
        if name == b"VP8 " and end > len(data):
            pixels = data[position + 8 :][:length]
            if len(pixels) < 10 + (int.from_bytes(pixels[:3], "little") >> 5):
                break  # not even what its blocks are like is there, which comes before the first pixel
            pixels += bytes(_FLAT + len(pixels) % 2)
            chunk = struct.pack("<4s4sI", b"WEBP", name, len(pixels)) + pixels
            return Prepared(struct.pack("<4sI", b"RIFF", len(chunk)) + chunk, is_whole=False)
        position += 8 + length + length % 2
    else:
        raise UnboundedPicture(f"the picture has more than {_MAX_CHUNKS} chunks; save it anew")
    return Prepared(data, is_whole=end <= len(data))


def _size_of_webp(data: bytes) -> tuple[int, int] | None:
    """Width and height of the canvas: two tables of the decoder are as large."""
    kind, bits = data[12:16], int.from_bytes(data[20:30], "little")
    if kind == b"VP8X":
        return (bits >> 32 & 0xFFFFFF) + 1, (bits >> 56 & 0xFFFFFF) + 1
    if kind == b"VP8L":
        return (bits >> 8 & 0x3FFF) + 1, (bits >> 22 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return bits >> 48 & 0x3FFF, bits >> 64 & 0x3FFF
    return None


def _require_few_blocks(data: bytes) -> None:
    """Count what comes before a GIF's first picture; Pillow joins comments in quadratic time."""
    flags = data[10] if len(data) > 10 else 0
    position = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    blocks = 0
    while data[position : position + 1] == b"!":
        position += 2
        while position < len(data) and data[position]:
            position += 1 + data[position]
            blocks += 1
            if blocks > _MAX_BLOCKS:
                raise UnboundedPicture("the picture has too many comments; save it anew")
        position += 1
        blocks += 1


def _require_small_rle(data: bytes) -> None:
    """A BMP whose rows are run-length encoded must be small."""
    if len(data) < 34 or int.from_bytes(data[30:34], "little") not in (1, 2):
        return
    width, height = (abs(value) for value in struct.unpack_from("<ii", data, 18))
    if max(width, height) > 0xFFFF or width * height > _MAX_RLE_PIXELS or len(data) > _MAX_RLE_BYTES:
        raise UnboundedPicture("the picture is too large for a run-length encoded BMP; save it as a PNG")


def _require_honest_tags(data: memoryview) -> None:
    """A TIFF's tags must not hold more than a file can: Pillow reads each of them, though they overlap."""
    order = "<" if bytes(data[:2]) == b"II" else ">"
    big = 43 in data[2:4].tolist()
    first, count, entry = ("Q", "Q", "HHQQ") if big else ("I", "H", "HHII")
    total = 0
    with suppress(struct.error):  # the end is missing; the decoder will say so
        waiting = list(struct.unpack_from(order + first, data, 8 if big else 4))
        for directory in waiting:  # which grows
            (tags,) = struct.unpack_from(order + count, data, directory)
            if tags > _MAX_TAGS or len(waiting) > _MAX_DIRECTORIES:
                raise UnboundedPicture("the picture has too many tags; save it anew")
            start = directory + struct.calcsize(order + count)
            for index in range(tags):
                at = start + index * struct.calcsize(order + entry)
                tag, kind, number, value = struct.unpack_from(order + entry, data, at)
                unit = _NUMBER_SIZES.get(kind, 1)
                held = min(number * unit, max(len(data) - value, 0))
                total += held
                if total > _MAX_TAGS_BYTES or (kind not in _OF_BYTES and held > unit * _MAX_NUMBERS):
                    raise UnboundedPicture("the picture's tags are too large; save it anew")
                if tag in _DIRECTORIES:
                    waiting.append(value)
