"""Anything that holds a picture -> an (h, w, 3) uint8 RGB array."""

import hashlib
import io
import os
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from kith.errors import ImageError
from kith.records import Image

ImageSource = str | os.PathLike[str] | bytes | bytearray | BinaryIO | np.ndarray

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
MAX_PIXELS = 50_000_000
MAX_BYTES = 256 * 2**20


def load_image(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read a picture upright, as RGB.

    The format is told by the content, never by the name. EXIF orientation is applied; gray,
    palette, CMYK and 16-bit pictures are converted; transparency is laid over white; of a TIFF
    or GIF the first picture is taken.

    Args:
        source: A path, the file's bytes, a binary file, or an array: (h, w), (h, w, 1), (h, w, 3)
            or (h, w, 4), of uint8, uint16 or bool; an array's channels are taken for RGB.
        max_pixels: A picture whose header announces more is refused before it is decoded.

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
        raise ImageError(f"{name}: the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own size limit is looser than ours below
            with PillowImage.open(io.BytesIO(data), formats=FORMATS) as picture:
                _require_size(name, picture.size, max_pixels)
                return _to_rgb(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not a picture Kith reads ({', '.join(FORMATS)})") from None
    except PillowImage.DecompressionBombError:
        raise ImageError(
            f"{name}: the picture is too large (limit {max_pixels / 1e6:g} megapixels)"
        ) from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        ArithmeticError,
    ) as error:
        # Pillow's decoders raise all of these on damaged files
        raise ImageError(f"{name}: the picture is damaged ({_one_line(error)})") from None
    except MemoryError:
        raise ImageError(f"{name}: not enough memory to decode the picture") from None


def content_hash(image: Image) -> str:
    """A name for a picture's pixels: the same photo has the same, whatever its file is called."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def find_images(folder: str | os.PathLike[str]) -> list[Path]:
    """All files under a folder whose names look like pictures, sorted; hidden files are left out.

    Raises:
        ImageError: The folder does not exist or cannot be read.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ImageError(f"{root}: no such folder")
    try:
        found = [
            path
            for path in root.rglob("*")
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        ]
    except OSError as error:
        raise ImageError(f"{root}: {error.strerror or error}") from None
    return sorted(found)


def read_bytes(source: str | os.PathLike[str]) -> bytes:
    """The content of a picture's file.

    Raises:
        ImageError: The file is missing, is no file, is not readable, or is larger than 256 MiB.
    """
    path = Path(source)
    try:
        if path.is_dir():
            raise ImageError(f"{path}: is a folder, not a picture")
        if path.exists() and not path.is_file():
            raise ImageError(f"{path}: is not a regular file")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ImageError(f"{path}: the file is too large ({size / 2**20:.0f} MiB, limit 256)")
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be read ({_one_line(error)})") from None


def _read(source: str | os.PathLike[str] | bytes | bytearray | BinaryIO) -> tuple[str, bytes]:
    if isinstance(source, bytes | bytearray):
        return "picture", bytes(source)
    if isinstance(source, str | os.PathLike):
        return os.fspath(source), read_bytes(source)
    if not hasattr(source, "read"):
        raise TypeError(f"expected a path, bytes, a binary file or an array, got {type(source).__name__}")
    data = source.read(MAX_BYTES + 1)
    if not isinstance(data, bytes):
        raise TypeError("the file must be opened in binary mode")
    name = str(getattr(source, "name", "picture"))
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name}: the file is too large (limit 256 MiB)")
    return name, data


def _require_size(name: str, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: the picture is too large "
            f"({width}x{height} = {width * height / 1e6:.0f} megapixels, limit {max_pixels / 1e6:g})"
        )


def _to_rgb(picture: PillowImage.Image) -> Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        return _from_array(_sixteen_bit(np.asarray(picture)))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = PillowImage.new("RGBA", picture.size, "white")
        picture = PillowImage.alpha_composite(white, picture)
    return np.array(picture.convert("RGB"))


def _sixteen_bit(values: np.ndarray) -> np.ndarray:
    """Gray of more than 8 bits, whatever Pillow's mode made of it, as uint16."""
    return np.clip(values, 0, 65535).astype(np.uint16)


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
