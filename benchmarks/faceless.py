"""Photos without faces, drawn by code: textures, documents and drawings, the same each time."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np

WIDTH, HEIGHT = 400, 300
_WORDS = ("the", "people", "of", "a", "gallery", "are", "found", "by", "what", "others", "measured", "before")


def faceless(count: int, seed: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """What each is, and the image (300, 400, 3) uint8 RGB; every kind in turn."""
    for index in range(count):
        kind = _KINDS[index % len(_KINDS)]
        draw = np.random.default_rng([seed, index])
        image = kind(draw)
        yield kind.__name__, cv2.GaussianBlur(image, (0, 0), draw.uniform(0.3, 1.2))


def clouds(draw: np.random.Generator) -> np.ndarray:
    """Noise of many sizes, each colour partly its own."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for size in (3, 6, 12, 25, 50, 100):
        noise = draw.uniform(-1, 1, (size, size, 3)).astype(np.float32)
        noise = noise.mean(axis=2, keepdims=True) + draw.uniform(0, 1) * noise
        image += cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) / size**0.7
    return _stretch(image)


def waves(draw: np.random.Generator) -> np.ndarray:
    """Stripes that bend: wood, cloth, water."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    bent = x * draw.uniform(0.02, 0.3) + y * draw.uniform(0.02, 0.3)
    for _ in range(3):
        bent += draw.uniform(1, 6) * np.sin(x / draw.uniform(15, 90) + y / draw.uniform(15, 90))
    colours = draw.uniform(0, 255, (2, 3)).astype(np.float32)
    share = (np.sin(bent)[:, :, np.newaxis] + 1) / 2
    return (colours[0] * share + colours[1] * (1 - share)).astype(np.uint8)


def bricks(draw: np.random.Generator) -> np.ndarray:
    """A wall, each brick of its own shade."""
    image = np.full((HEIGHT, WIDTH, 3), draw.integers(0, 256, 3), np.uint8)
    wide, tall = draw.integers(15, 90), draw.integers(10, 50)
    colour = draw.integers(40, 216, 3)
    for row, top in enumerate(range(0, HEIGHT, tall)):
        for left in range(-(row % 2) * wide // 2, WIDTH, wide):
            shade = np.clip(colour + draw.integers(-40, 41), 0, 255).tolist()
            cv2.rectangle(image, (left + 2, top + 2), (left + wide - 2, top + tall - 2), shade, -1)
    return image


def document(draw: np.random.Generator) -> np.ndarray:
    """Lines of words, a heading, a table or a stamp."""
    image = np.full((HEIGHT, WIDTH, 3), draw.integers(215, 256), np.uint8)
    ink = draw.integers(0, 90, 3).tolist()
    size, top = draw.uniform(0.3, 0.8), 24
    while top < HEIGHT:
        text = " ".join(draw.choice(_WORDS, 12))
        cv2.putText(
            image, text, (int(draw.integers(5, 30)), top), draw.integers(0, 8), size, ink, 1, cv2.LINE_AA
        )
        top += int(36 * size + draw.integers(2, 8))
    for _ in range(draw.integers(0, 4)):
        left, upper = draw.integers(0, WIDTH), draw.integers(0, HEIGHT)
        cv2.rectangle(image, (left, upper), (left + 90, upper + 50), draw.integers(0, 256, 3).tolist(), 2)
    return image


def shapes(draw: np.random.Generator) -> np.ndarray:
    """Circles, boxes, triangles and lines, one over the other."""
    image = np.full((HEIGHT, WIDTH, 3), draw.integers(0, 256, 3), np.uint8)
    for _ in range(draw.integers(10, 60)):
        colour, places = draw.integers(0, 256, 3).tolist(), draw.integers(0, WIDTH, (3, 2))
        way, line = draw.integers(0, 4), int(draw.choice([-1, 1, 3]))
        if way == 0:
            cv2.circle(image, places[0].tolist(), int(draw.integers(4, 70)), colour, line, cv2.LINE_AA)
        elif way == 1:
            cv2.rectangle(image, places[0].tolist(), places[1].tolist(), colour, line)
        elif way == 2:
            cv2.fillPoly(image, [places.astype(np.int32)], colour, cv2.LINE_AA)
        else:
            cv2.line(image, places[0].tolist(), places[1].tolist(), colour, abs(line), cv2.LINE_AA)
    return image


def street(draw: np.random.Generator) -> np.ndarray:
    """Houses with windows before a sky, and trees."""
    sky = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, np.newaxis, np.newaxis]
    image = (sky * draw.uniform(120, 255, 3) + (1 - sky) * draw.uniform(60, 200, 3)).repeat(WIDTH, 1)
    image = np.ascontiguousarray(image.astype(np.uint8))
    left = 0
    while left < WIDTH:
        wide, top = int(draw.integers(40, 130)), int(draw.integers(30, 200))
        wall, pane = draw.integers(60, 220, 3).tolist(), draw.integers(0, 256, 3).tolist()
        cv2.rectangle(image, (left, top), (left + wide, HEIGHT), wall, -1)
        step = int(draw.integers(14, 40))
        for x in range(left + step // 3, left + wide - step // 2, step):
            for y in range(top + step // 2, HEIGHT, step):
                cv2.rectangle(image, (x, y), (x + step // 2, y + step // 2), pane, -1)
        left += wide
    for _ in range(draw.integers(0, 5)):
        foot = (int(draw.integers(0, WIDTH)), HEIGHT - 20)
        cv2.line(image, (foot[0], HEIGHT), foot, (90, 60, 40), 6)
        cv2.circle(image, (foot[0], foot[1] - 30), int(draw.integers(15, 45)), (40, 110, 50), -1, cv2.LINE_AA)
    return image


def leaves(draw: np.random.Generator) -> np.ndarray:
    """Thousands of small ellipses of like colours: leaves, gravel, fur."""
    colour = draw.integers(30, 200, 3)
    image = np.full((HEIGHT, WIDTH, 3), colour // 2, np.uint8)
    axes = draw.integers(3, 16, 2).tolist()
    for _ in range(1500):
        shade = np.clip(colour + draw.integers(-60, 61), 0, 255).tolist()
        middle = (int(draw.integers(0, WIDTH)), int(draw.integers(0, HEIGHT)))
        cv2.ellipse(image, middle, axes, float(draw.uniform(0, 180)), 0, 360, shade, -1, cv2.LINE_AA)
    return image


def _stretch(image: np.ndarray) -> np.ndarray:
    """Values of any range -> 0 to 255."""
    image = image - image.min()
    return (image * (255 / max(float(image.max()), 1e-6))).astype(np.uint8)


_KINDS: tuple[Callable[[np.random.Generator], np.ndarray], ...] = (
    clouds,
    waves,
    bricks,
    document,
    shapes,
    street,
    leaves,
)
