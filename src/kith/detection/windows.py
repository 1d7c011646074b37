"""Windows that are cut out of an image for a network to look at."""

import cv2
import numpy as np

from kith.records import FloatArray, Image


def cut_windows(image: Image, boxes: np.ndarray, size: int) -> FloatArray:
    """Cut square windows out of an image, all at one size, by bilinear sampling.

    A window's first and last pixels are samples at the box's edges; outside the image everything
    is middle gray (TensorFlow's `crop_and_resize`, on which these weights were evaluated).

    Args:
        image: (h, w, 3) uint8
        boxes: (n, 4)
        size: Side of a window in pixels.

    Returns:
        (n, size, size, 3) float32, pixel values 0 to 255.
    """
    height, width = image.shape[:2]
    steps = np.linspace(0, 1, size, dtype=np.float32)
    scale = np.array([(width - 1) / width, (height - 1) / height] * 2, np.float32)
    x1, y1, x2, y2 = (boxes.astype(np.float32) * scale).T[:, :, np.newaxis]
    columns = np.broadcast_to((x1 + (x2 - x1) * steps)[:, np.newaxis, :], (len(boxes), size, size))
    rows = np.broadcast_to((y1 + (y2 - y1) * steps)[:, :, np.newaxis], (len(boxes), size, size))
    windows = np.empty((len(boxes), size, size, 3), np.uint8)
    at_once = 32_000 // size  # OpenCV takes at most 32,767 rows
    for start in range(0, len(boxes), at_once):
        part = slice(start, start + at_once)
        windows[part] = cv2.remap(
            image,
            columns[part].reshape(-1, size),
            rows[part].reshape(-1, size),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(127, 127, 127),
        ).reshape(-1, size, size, 3)
    return windows.astype(np.float32)
