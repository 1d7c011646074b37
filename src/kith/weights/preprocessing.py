"""How an image becomes a network's input: fields of the weights, never guessed from a file."""

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SimilarityCrop:
    """The five landmarks are turned, scaled and shifted onto a template (least squares).

    Attributes:
        size: Side of the square crop in pixels.
        template: Where eye, eye, nose, mouth corner, mouth corner come to lie, (x, y) in pixels of
            the crop; image left first.
    """

    size: int
    template: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class FixedScaling:
    """(pixel - mean) / divisor.

    Attributes:
        mean: Of red, green and blue.
        divisor: The same for all three.
    """

    mean: tuple[float, float, float]
    divisor: float


CropRule = SimilarityCrop
PixelRule = FixedScaling

MTCNN_PIXELS = FixedScaling(mean=(127.5, 127.5, 127.5), divisor=128.0)
"""What the three networks of MTCNN were trained on."""

DLIB_CHIP = SimilarityCrop(
    size=150,
    template=((46.8, 44.9), (100.5, 44.8), (73.4, 76.3), (49.6, 103.4), (97.5, 103.4)),
)
"""dlib's 150-pixel chip with a padding of 0.25, said of MTCNN's landmarks: their mean position in the
chips that dlib itself cuts (`tools/measure_dlib_template.py`, on people who are in none of LFW's pairs)."""


def magnify(crop: SimilarityCrop, size: int) -> SimilarityCrop:
    """The same part of the face at more pixels."""
    factor = size / crop.size
    middle, new_middle = (crop.size - 1) / 2, (size - 1) / 2
    points = tuple(
        ((x - middle) * factor + new_middle, (y - middle) * factor + new_middle) for x, y in crop.template
    )
    return SimilarityCrop(size, points)


DLIB_CROP = magnify(DLIB_CHIP, 159)
"""dlib's chip at 159 pixels, so that the network can look at it whole and at the middle 150 pixels."""

DLIB_PIXELS = FixedScaling(mean=(122.782, 117.001, 104.298), divisor=256.0)
