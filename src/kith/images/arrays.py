"""Arrays that people hand in for images: what is none is refused with a sentence that says what to do."""

import os
from collections.abc import Sized

import numpy as np

from kith.errors import InvalidImage
from kith.records import Image


def require_image(image: object, name: str = "image") -> None:
    """Raise unless this is an (h, w, 3) uint8 array that holds at least one pixel.

    A detector looks at anything with numbers in it and finds nobody; so this stands at every door.

    Args:
        image: What was given.
        name: What to call it.

    Raises:
        InvalidImage: It is something else; the text says how to make an image of it.
    """
    if not isinstance(image, np.ndarray):
        raise InvalidImage(f"the {name} must be an (h, w, 3) uint8 array, got {_no_array(image)}")
    if hint := _wrong_type(image) or _wrong_shape(image):
        raise InvalidImage(
            f"the {name} must be an (h, w, 3) uint8 array, got {image.dtype} of shape {image.shape}; {hint}"
        )


def require_crops(crops: object) -> None:
    """Raise unless these are crops: an (n, s, s, 3) uint8 array; none at all, with n = 0, are fine.

    Raises:
        InvalidImage: They are something else; the text says how to make crops of it.
    """
    wanted = "crops must be an (n, s, s, 3) uint8 array"
    if isinstance(crops, list | tuple):
        raise InvalidImage(f"{wanted}, got a {type(crops).__name__}; join them with numpy.stack(crops)")
    if not isinstance(crops, np.ndarray):
        raise InvalidImage(f"{wanted}, got {_no_array(crops)}")
    hint = _wrong_type(crops)
    if not hint and crops.ndim == 3:
        hint = "a single crop is given as crop[numpy.newaxis]"
    elif not hint and (crops.ndim != 4 or crops.shape[3] != 3):
        hint = "make them with Recognizer.align"
    if hint:
        raise InvalidImage(f"{wanted}, got {crops.dtype} of shape {crops.shape}; {hint}")


def to_image(array: np.ndarray) -> Image:
    """An image of an array of pixels.

    Args:
        array: (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), of uint8, uint16 or bool. Channels are taken
            for RGB, and transparency is laid over white.

    Returns:
        (h, w, 3) uint8, contiguous.

    Raises:
        InvalidImage: It has no shape or type of a picture.
    """
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise InvalidImage(
            f"an image array must be uint8, uint16 or bool, got {array.dtype}; {_wrong_type(array)}"
        )
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise InvalidImage(
            f"an image array must be (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), got {array.shape}"
        )
    if array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    elif array.shape[2] == 4:
        alpha = array[:, :, 3:].astype(np.float32) / 255
        array = np.rint(array[:, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.ascontiguousarray(array)


def _no_array(given: object) -> str:
    """What was given instead of an array, and what to do."""
    kind = type(given)
    package = kind.__module__.partition(".")[0]
    if given is None:
        return "None; cv2.imread gives None where it cannot read a file, kith.load_image says why"
    if isinstance(given, str | os.PathLike):
        return f"the path {os.fspath(given)!r}; load it with kith.load_image"
    if isinstance(given, bytes | bytearray | memoryview) or hasattr(given, "read"):
        return f"{kind.__name__}; load it with kith.load_image"
    if package == "PIL":
        return "a Pillow image; give numpy.asarray(picture.convert('RGB'))"
    if hasattr(given, "__array__") or hasattr(given, "__dlpack__"):  # tensors of any library
        return (
            f"{package}.{kind.__name__}; make a NumPy array of it, with its colors last and values 0 to 255"
        )
    if isinstance(given, Sized):
        return f"a {kind.__name__}; give one NumPy array, and several images one after the other"
    return kind.__name__


def _wrong_type(array: np.ndarray) -> str:
    """How to make uint8 of an array's numbers; empty if they are."""
    if array.dtype == np.uint8:
        return ""
    if array.dtype == np.uint16:
        return "convert it with (image >> 8).astype(numpy.uint8)"
    if array.dtype == np.bool_:
        return "convert it with image.astype(numpy.uint8) * 255"
    if array.dtype.kind == "f":
        from_zero_to_one = bool((array <= 1).all())
        return f"convert it with {'(image * 255)' if from_zero_to_one else 'image'}.astype(numpy.uint8)"
    if array.dtype.kind in "iu":
        return "if its values are 0 to 255, convert it with image.astype(numpy.uint8)"
    return "load the picture with kith.load_image"


def _wrong_shape(array: np.ndarray) -> str:
    """How to make an image of an array of another shape; empty if it has the right one."""
    shape = array.shape
    if array.size == 0:
        return "it is empty"
    if len(shape) == 3 and shape[2] == 3:
        return ""
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 4)):
        return "make RGB of gray or RGBA with kith.load_image(image)"
    if len(shape) == 3 and shape[0] == 3:
        return "its colors come first: give numpy.moveaxis(image, 0, 2)"
    if len(shape) == 4:
        return "give one image at a time"
    return "load the picture with kith.load_image"
