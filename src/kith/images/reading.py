"""Anything that holds a picture -> an (h, w, 3) uint8 RGB array.

Pillow's classes for each format are called themselves, not by `PIL.Image.open`: that has a limit of its own
for what a file may announce, and tries one format after the other.
"""

import ctypes
import hashlib
import io
import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    _imaging,
)
from PIL import Image as PillowImage

from kith.errors import ImageError, ImageWarning, InvalidArgument, InvalidImage
from kith.images.arrays import to_image
from kith.images.formats import AVIF, HEAD, HEIF, formats_read, picture_format
from kith.images.limits import (
    MAX_METADATA,
    Prepared,
    UnboundedPicture,
    prepare_picture,
    require_pixels,
)
from kith.records import Image

ImageSource = str | os.PathLike[str] | bytes | bytearray | BinaryIO | np.ndarray

MAX_PIXELS = 50_000_000
"""A larger picture is made smaller while it is read; no face on it is too small to be found for that."""

MAX_BYTES = 256 * 2**20

_NO_END = "its end is missing; what is there was used"
_BAND_PIXELS = 4_000_000  # of a decoded picture, converted at a time
_TRUNCATED = "truncated"  # in all that Pillow says where it would read on

_READERS: Mapping[str, Callable[[BinaryIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    AVIF: AvifImagePlugin.AvifImageFile,
}

# EXIF orientation -> what makes the image (h, w, 3) upright
_UPRIGHT: Mapping[int, Callable[[Image], Image]] = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: image[::-1, ::-1].transpose(1, 0, 2),
    8: lambda image: np.rot90(image),
}


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A picture that was read.

    Attributes:
        image: (h, w, 3) uint8 RGB, upright, contiguous.
        scale: How many pixels of the file one pixel of the image stands for, in each direction; 1.0 unless
            the picture was too large.
        flaw: What is wrong with the file, in a few words; empty if nothing is.
        file_hash: SHA-256 of the file, in hexadecimal: the photo's name. Empty of an array, which is named
            by its pixels, see `content_hash`.
    """

    image: Image
    scale: float = 1.0
    flaw: str = ""
    file_hash: str = ""


def load_image(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read a picture upright, as RGB.

    The format is told by the content, never by the name. EXIF orientation is applied; gray,
    palette, CMYK and 16-bit pictures are converted; transparency is laid over white; of several pictures
    the first is taken. A picture with more than `max_pixels` is made smaller by a whole number; `read_photo`
    says by which. Of a file whose end is missing, what is there is used, with a warning.

    Args:
        source: A path, the file's bytes, a binary file, or an array: (h, w), (h, w, 1), (h, w, 3)
            or (h, w, 4), of uint8, uint16 or bool; an array's channels are taken for RGB.
        max_pixels: How many pixels the image has at most.

    Returns:
        (h, w, 3) uint8, RGB, contiguous.

    Raises:
        ImageError: The file is missing, empty, damaged, of another format, or too large.
        InvalidImage: The source is no picture, or the array has no shape or type of one.
        InvalidArgument: No pixel is allowed.
    """
    return _warned(source, read_photo(source, max_pixels=max_pixels)).image


def load_photo(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a picture as `load_image` does, with its warning, and with its name and its scale beside it."""
    return _warned(source, read_photo(source, max_pixels=max_pixels))


def _warned(source: ImageSource, photo: Photo) -> Photo:
    if photo.flaw:
        name = os.fspath(source) if isinstance(source, str | os.PathLike) else "picture"
        warnings.warn(f"{name}: {photo.flaw}", ImageWarning, stacklevel=3)
    return photo


def read_photo(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a picture as `load_image` does, and say what there is to say of it; warns of nothing."""
    if not max_pixels >= 1:
        raise InvalidArgument(f"max_pixels must be 1 or more, got {max_pixels}")
    if isinstance(source, np.ndarray):
        return Photo(to_image(source))
    name, data = _read(source)
    kind = _require_format(name, data)
    file_hash = hashlib.sha256(data).hexdigest()
    try:
        prepared = prepare_picture(kind, data)
        del data  # which may be as large as what is made of it
        photo = (_decode_heif if kind == HEIF else _decode)(kind, prepared, max_pixels)
    except (UnboundedPicture, PillowImage.DecompressionBombError) as error:
        raise ImageError(f"{name}: {_one_line(error)}") from None
    except MemoryError:
        raise ImageError(f"{name}: not enough memory to decode the picture; make it smaller") from None
    except Exception as error:  # on damaged files decoders raise whatever they run into
        raise ImageError(f"{name}: the picture is damaged, copy it again ({_one_line(error)})") from None
    if photo.flaw and _is_flat(photo.image):  # nothing of it was there
        raise ImageError(f"{name}: the picture is damaged, copy it again (its end is missing)")
    return replace(photo, file_hash=file_hash)


def content_hash(image: Image) -> str:
    """A name for a picture's pixels: of an array, and of a photo enrolled before its file named it."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def _read(source: str | os.PathLike[str] | bytes | bytearray | BinaryIO) -> tuple[str, bytes]:
    """What to call a picture in messages, and its file's content."""
    if isinstance(source, bytes | bytearray):
        return "picture", bytes(source)
    if isinstance(source, str | os.PathLike):
        if not os.fspath(source).strip():
            raise ImageError("an empty path names no picture")
        return os.fspath(source), _read_path(Path(source))
    if not hasattr(source, "read"):
        raise InvalidImage(f"expected a path, bytes, a binary file or an array, got {type(source).__name__}")
    name = str(getattr(source, "name", "picture"))
    return name, _read_file(name, source)


def _read_path(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ImageError(f"{path}: is a folder, not a picture")
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            raise ImageError(f"{path}: is not a regular file")
        with path.open("rb") as file:
            return _read_file(str(path), file)
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be read ({_one_line(error)})") from None


def _read_file(name: str, file: BinaryIO) -> bytes:
    data = file.read(MAX_BYTES + 1)
    if not isinstance(data, bytes):
        raise InvalidImage("the file must be opened in binary mode")
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name}: the file is too large (limit {MAX_BYTES // 2**20} MiB); make it smaller")
    return data


def _require_format(name: str, data: bytes) -> str:
    """The format of a file that can be read here."""
    if not data:
        raise ImageError(f"{name}: the file is empty; copy it again")
    kind, known = picture_format(data[:HEAD]), formats_read()
    if kind in known:
        return kind
    if kind == HEIF:
        raise ImageError(f"{name}: is HEIC; it is read after: pip install 'kith[heif]'")
    what = f"is {kind}, not a picture" if kind else "not a picture"
    raise ImageError(f"{name}: {what} Kith reads ({', '.join(known)}); convert it to JPEG")


def _decode(kind: str, file: Prepared, max_pixels: int) -> Photo:
    """Decode a picture with Pillow."""
    with _silent, _READERS[kind](io.BytesIO(file.data)) as picture:
        require_pixels(kind, *picture.size)
        if kind == "TIFF":
            _silence_libtiff()
        scale = _draft(picture, max_pixels) if kind == "JPEG" else 1
        is_whole = _load(picture, is_whole=file.is_whole)
        factor = _factor(picture.size, max_pixels)
        image = _reduce(
            lambda top, bottom: picture.crop((0, top, picture.width, bottom)), picture.size, factor
        )
        image = np.ascontiguousarray(_UPRIGHT[_orientation(picture)](image))
        return Photo(image, float(scale * factor), "" if is_whole else _NO_END)


def _decode_heif(kind: str, file: Prepared, max_pixels: int) -> Photo:
    """Decode a HEIC; its decoder turns it, so that its EXIF orientation is not to be looked at."""
    import pillow_heif  # here: few pictures need it, and it need not be installed

    picture = pillow_heif.open_heif(file.data)
    require_pixels(kind, *picture.size)
    pixels = np.asarray(picture)
    height, width = pixels.shape[:2]
    require_pixels(kind, width, height)  # the header may have said another size
    factor = _factor((width, height), max_pixels)
    image = _reduce(lambda top, bottom: PillowImage.fromarray(pixels[top:bottom]), (width, height), factor)
    return Photo(image, float(factor))


def _is_flat(image: Image) -> bool:
    """Whether all pixels are alike."""
    first = image[0]
    return bool((first == first[0]).all()) and bool((image == first).all())


def _draft(picture: ImageFile.ImageFile, max_pixels: int) -> int:
    """Have a JPEG decoded at 1, 1/2, 1/4 or 1/8, whichever is the first to be small enough: 1, 2, 4 or 8."""
    wanted = _factor(picture.size, max_pixels)
    scale = min((scale for scale in (1, 2, 4, 8) if scale >= wanted), default=8)
    width, height = picture.size
    picture.draft(None, (max(width // scale, 1), max(height // scale, 1)))
    return round(max(width / picture.width, height / picture.height))


def _factor(size: tuple[int, int], max_pixels: int) -> int:
    """By which whole number a picture is made smaller."""
    factor = 1
    while -(-size[0] // factor) * -(-size[1] // factor) > max(max_pixels, 1):
        factor += 1
    return factor


def _load(picture: ImageFile.ImageFile, *, is_whole: bool) -> bool:
    """Decode the pixels, as far as there are any; returns whether they were all there.

    Pillow's own switch for this, `LOAD_TRUNCATED_IMAGES`, is the whole program's, in all its threads.
    """
    try:
        picture.load()
    except Exception as error:
        if is_whole and _TRUNCATED not in str(error):
            raise
        picture.tile = []  # nothing more is to be decoded: what was decoded is the picture
        return False
    return is_whole


def _reduce(rows: Callable[[int, int], PillowImage.Image], size: tuple[int, int], factor: int) -> Image:
    """Make RGB of a decoded picture, and make it smaller: band by band, as it is in memory once already.

    Args:
        rows: Gives the rows from one to before another.
        size: w, h.
        factor: Each square of this side becomes one pixel.

    Returns:
        (h / factor, w / factor, 3) uint8, rounded up.
    """
    width, height = size
    image = np.empty((-(-height // factor), -(-width // factor), 3), np.uint8)
    step = factor * max(1, _BAND_PIXELS // (width * factor))
    for top in range(0, height, step):
        band = _to_rgb(rows(top, min(top + step, height)), factor)
        image[top // factor :][: len(band)] = band
    return image


def _to_rgb(picture: PillowImage.Image, factor: int) -> Image:
    """A picture of any kind of pixels, made smaller, as (h, w, 3) over white."""
    if picture.mode.startswith("I"):
        picture = PillowImage.fromarray(to_image(_sixteen_bit(np.asarray(picture))))
    picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    if factor > 1:
        picture = picture.reduce(factor)
    if picture.mode == "RGBA":
        white = PillowImage.new("RGBA", picture.size, "white")
        picture = PillowImage.alpha_composite(white, picture).convert("RGB")
    return np.asarray(picture)


def _orientation(picture: PillowImage.Image) -> int:
    """How the picture lies, by EXIF or XMP; 1 is upright, and a TIFF has been turned by loading it."""
    metadata = (picture.info.get(name, b"") for name in ("exif", "Raw profile type exif"))
    if any(len(data) > MAX_METADATA for data in metadata):
        return 1
    orientation = None
    with suppress(Exception):  # damaged metadata do not make the picture unreadable
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    return orientation if isinstance(orientation, int) and orientation in _UPRIGHT else 1


def _sixteen_bit(values: np.ndarray) -> np.ndarray:
    """Gray of more than 8 bits, whatever Pillow's mode made of it, as uint16."""
    return np.asarray(np.clip(values, 0, 65535), np.uint16)


class _Silent:
    """Pillow's warnings, of damaged metadata and the like, are not shown while a picture is decoded.

    `warnings.catch_warnings` alone leaves them off for good where two threads overlap: the second begins
    with the filters of the first and puts them back last. So only the first to come and the last to go
    touch the filters.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._before = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._before.__exit__(None, None, None)


_silent = _Silent()


@cache
def _silence_libtiff() -> None:
    """Have libtiff write no lines of its own to standard error.

    Pillow raises what goes wrong anyway, and turns libtiff's warnings off itself, but not its errors. To
    redirect the file descriptor instead would swallow what other threads write. Where Pillow was built with
    libtiff inside, the function is not to be found, and the lines stay.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


def _one_line(error: BaseException) -> str:
    text = str(getattr(error, "strerror", None) or error) or type(error).__name__
    return " ".join(text.split())
