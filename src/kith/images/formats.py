"""What kind of file this is, told by its first bytes and never by its name."""

from importlib.util import find_spec

from PIL import features

HEAD = 64
"""How many of a file's first bytes are looked at."""

READ = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
"""Formats that are always read. Pictures in MPO and JFIF files are JPEG."""

HEIF = "HEIC"
AVIF = "AVIF"
SUFFIXES_READ = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".tif", ".tiff", ".gif")
)
"""Suffixes of the formats that are always read."""

SUFFIXES = SUFFIXES_READ | {".heic", ".heif", ".hif", ".avif"}
"""The same with those that can be read: of a file with one of these a picture is expected."""

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),  # BigTIFF
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"%PDF-", "PDF"),
)
_BMP_HEADERS = frozenset((12, 40, 52, 56, 64, 108, 124))  # their possible lengths
_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))


def picture_format(head: bytes) -> str:
    """The format of a file.

    Args:
        head: Its first `HEAD` bytes, or all if there are fewer.

    Returns:
        A name, such as "JPEG", also of well-known formats that are not read; "" if it is none of these.
    """
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    return ""


def formats_read() -> tuple[str, ...]:
    """The formats that can be read here: AVIF and HEIC need what not every installation has."""
    avif = (AVIF,) if features.check("avif") else ()
    heif = (HEIF,) if find_spec("pillow_heif") else ()
    return READ + avif + heif


def _of_brands(head: bytes) -> str:
    """What an ISO base media file says it is: AVIF, HEIC, or something with sound."""
    length = int.from_bytes(head[:4], "big")
    brands = {head[start : start + 4] for start in (8, *range(16, min(length, len(head)) - 3, 4))}
    if brands & _AVIF_BRANDS:
        return AVIF
    if brands & _HEIF_BRANDS:
        return HEIF
    return "video"
