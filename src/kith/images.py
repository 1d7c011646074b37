"""Anything that holds a picture -> an (h, w, 3) uint8 RGB array."""

import hashlib
import io
import os
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, UnidentifiedImageError
from PIL import Image as PillowImage

from kith.errors import ImageError
from kith.records import Image

ImageSource = str | os.PathLike[str] | bytes | bytearray | BinaryIO | np.ndarray

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
MAX_PIXELS = 50_000_000
MAX_BYTES = 256 * 2**20

# EXIF orientation -> what makes the picture upright
_UPRIGHT = {
    2: PillowImage.Transpose.FLIP_LEFT_RIGHT,
    3: PillowImage.Transpose.ROTATE_180,
    4: PillowImage.Transpose.FLIP_TOP_BOTTOM,
    5: PillowImage.Transpose.TRANSPOSE,
    6: PillowImage.Transpose.ROTATE_270,
    7: PillowImage.Transpose.TRANSVERSE,
    8: PillowImage.Transpose.ROTATE_90,
}


def load_image(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read a picture upright, as RGB.

    The format is told by the content, never by the name. EXIF orientation is applied; gray,
    palette, CMYK and 16-bit pictures are converted; transparency is laid over white; of a TIFF
    or GIF the first picture is taken.

    Args:
        source: A path, the file's bytes, a binary file, or an array: (h, w), (h, w, 1), (h, w, 3)
            or (h, w, 4), of uint8, uint16 or bool; an array's channels are taken for RGB.
        max_pixels: A picture whose header announces more is refused before it is decoded. Pillow's own
            limit, twice `PIL.Image.MAX_IMAGE_PIXELS`, holds as well.

    Returns:
        (h, w, 3) uint8, RGB, contiguous.

    Raises:
        ImageError: The file is missing, empty, damaged, of another format, or too large.
        ValueError, TypeError: The array has no shape or type of a picture.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    name, data = _read(source)
    if not data:
        raise ImageError(f"{name}: the file is empty; copy it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata, and of sizes within our own limit
            with PillowImage.open(io.BytesIO(data), formats=FORMATS) as picture:
                _require_size(name, picture.size, max_pixels)
                return _to_rgb(_upright(picture))
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(
            f"{name}: not a picture Kith reads ({', '.join(FORMATS)}); convert it to JPEG"
        ) from None
    except PillowImage.DecompressionBombError:
        limit = min(max_pixels, 2 * (PillowImage.MAX_IMAGE_PIXELS or max_pixels))
        raise ImageError(
            f"{name}: the picture is too large; make it smaller (limit {limit / 1e6:g} megapixels)"
        ) from None
    except MemoryError:
        raise ImageError(f"{name}: not enough memory to decode the picture; make it smaller") from None
    except Exception as error:  # on damaged files Pillow's decoders raise whatever they run into
        raise ImageError(f"{name}: the picture is damaged, copy it again ({_one_line(error)})") from None


def content_hash(image: Image) -> str:
    """A name for a picture's pixels: the same photo has the same, whatever its file is called."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def find_images(folder: str | os.PathLike[str]) -> list[Path]:
    """All files under a folder whose names look like pictures, sorted; what is hidden is left out.

    Raises:
        ImageError: The folder, or one in it, does not exist or cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise ImageError(f"{error.filename}: the folder cannot be read ({_one_line(error)})")

    found: list[Path] = []
    for path, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(path, name) for name in names if is_image_name(name)]
    return sorted(found)


def is_image_name(name: str) -> bool:
    """Whether a file of this name is taken for a picture where a folder is searched."""
    return Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")


def _read(source: str | os.PathLike[str] | bytes | bytearray | BinaryIO) -> tuple[str, bytes]:
    """What to call a picture in messages, and its file's content."""
    if isinstance(source, bytes | bytearray):
        return "picture", bytes(source)
    if isinstance(source, str | os.PathLike):
        return os.fspath(source), _read_path(Path(source))
    if not hasattr(source, "read"):
        raise TypeError(f"expected a path, bytes, a binary file or an array, got {type(source).__name__}")
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
        raise TypeError("the file must be opened in binary mode")
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name}: the file is too large (limit {MAX_BYTES // 2**20} MiB); make it smaller")
    return data


def _require_size(name: str, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: the picture is too large; make it smaller "
            f"({width}x{height} = {width * height / 1e6:.0f} megapixels, limit {max_pixels / 1e6:g})"
        )


def _upright(picture: PillowImage.Image) -> PillowImage.Image:
    # not ImageOps.exif_transpose: it writes the metadata anew, and fails where Pillow cannot
    picture.load()  # a TIFF is turned by this, and then says so
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damaged metadata do not make the picture unreadable
        orientation = None
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _to_rgb(picture: PillowImage.Image) -> Image:
    if picture.mode.startswith("I"):
        return _from_array(_sixteen_bit(np.asarray(picture)))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = PillowImage.new("RGBA", picture.size, "white")
        picture = PillowImage.alpha_composite(white, picture)
    return np.array(picture.convert("RGB"))


def _sixteen_bit(values: np.ndarray) -> np.ndarray:
    """Gray of more than 8 bits, whatever Pillow's mode made of it, as uint16."""
    return np.asarray(np.clip(values, 0, 65535), np.uint16)


def _from_array(array: np.ndarray) -> Image:
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise TypeError(f"an image array must be uint8, uint16 or bool, got {array.dtype}")
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ValueError(
            f"an image array must be (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), got {array.shape}"
        )
    if array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    elif array.shape[2] == 4:
        alpha = array[:, :, 3:].astype(np.float32) / 255
        array = np.rint(array[:, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.ascontiguousarray(array)


def _one_line(error: BaseException) -> str:
    text = str(getattr(error, "strerror", None) or error) or type(error).__name__
    return " ".join(text.split())
