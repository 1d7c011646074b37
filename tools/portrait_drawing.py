"""Draw what a blended face needs to look like somebody: hair, ears, a neck, clothes, and a place to stand in.

Everything here is drawn by code; no pixel comes from a photograph. A head is drawn on a canvas of its
own, (HEIGHT, WIDTH), in a frame whose origin lies between the eyes and whose unit is the distance
between them. Outlines are given by their right half and mirrored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kith.records import FloatArray

UNIT = 62.0  # pixels between the eyes
WIDTH, HEIGHT = 520, 960
ORIGIN = np.array([WIDTH / 2, 190.0])  # between the eyes
SKULL = np.array([0.0, -0.45])  # its center
LIGHT = np.array([-0.5, -0.86])  # where light comes from

Field = Callable[[np.ndarray], np.ndarray]
"""Where hair at points (n, 2) is combed to: directions (n, 2)."""


@dataclass(frozen=True, slots=True)
class Layer:
    """An opaque picture and where it covers what lies below.

    Attributes:
        pixels: (h, w, 3) float32
        mask: (h, w) float32, 0 to 1
    """

    pixels: FloatArray
    mask: FloatArray


def lay(below: np.ndarray, above: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """One picture over another where a mask (h, w) is 1."""
    return below + (above - below) * mask[..., np.newaxis]


def place(points: np.ndarray) -> np.ndarray:
    """Points (n, 2) of a head's frame on its canvas, in pixels."""
    return np.asarray(points, float) * UNIT + ORIGIN


def mirrored(right: Sequence[tuple[float, float]]) -> np.ndarray:
    """A closed, smooth outline from its right half, top to bottom: (n, 2)."""
    half = smooth(np.array(right, float))
    return np.concatenate([half, half[::-1] * (-1, 1)])


def smooth(points: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Cut the corners of a line (n, 2), keeping its ends (Chaikin)."""
    for _ in range(rounds):
        first, last = points[:1], points[-1:]
        near, far = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        points = np.concatenate([first, np.stack([near, far], axis=1).reshape(-1, 2), last])
    return points


def filled(outline: np.ndarray, blur: float = 1.2) -> FloatArray:
    """The inside of an outline (n, 2) of a head's frame, its edge softened: (HEIGHT, WIDTH), 0 to 1."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.fillPoly(mask, [np.rint(place(outline) * 16).astype(np.int32)], 1, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (0, 0), blur)


def rounded(mask: np.ndarray, width: float) -> FloatArray:
    """Shade a flat shape (h, w) as if it bulged: about 1 where it faces the light, less on the far side."""
    height = cv2.GaussianBlur(mask, (0, 0), width)
    slope = np.stack(np.gradient(height)[::-1], axis=2) * width * 2.2
    facing = -(slope @ LIGHT)
    return np.clip(0.62 + 0.4 * height - 0.3 * facing, 0.3, 1.25).astype(np.float32)


def grain(shape: tuple[int, int], size: tuple[float, float], rng: np.random.Generator) -> FloatArray:
    """Smooth noise (h, w) of unit spread, its spots as large as size (across, down)."""
    coarse = max(1, int(min(size) / 2))  # large spots are drawn small and enlarged
    small = rng.normal(size=(-(-shape[0] // coarse), -(-shape[1] // coarse))).astype(np.float32)
    small = cv2.GaussianBlur(small, (0, 0), sigmaX=size[0] / coarse, sigmaY=size[1] / coarse)
    noise = cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return noise / noise.std()


# ------------------------------------------------------------------------------------------------ hair


@dataclass(frozen=True, slots=True)
class HairStyle:
    """How hair lies.

    Attributes:
        outer: Its outline, the right half.
        inner: Where it ends toward the face, the right half, from the top.
        length: Of a strand.
        comb: Where it is combed to.
        strands: How many.
        curl: How far a strand sways.
        behind: Outline of what hangs behind neck and face, the right half; empty if nothing does.
        gloss: How strongly it shines.
    """

    outer: Sequence[tuple[float, float]]
    inner: Sequence[tuple[float, float]]
    length: float
    comb: Field
    strands: int = 2600
    curl: float = 0.0
    behind: Sequence[tuple[float, float]] = ()
    gloss: float = 0.5


def unit(vectors: np.ndarray) -> np.ndarray:
    """Directions (n, 2) of unit length."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def brushed(parting: float, lift: float) -> Field:
    """Short hair: away from a point of the hairline, up and to the sides; down at the temples."""

    def comb(points: np.ndarray) -> np.ndarray:
        away = unit(points - (parting, -0.55))
        down = np.clip((points[:, 1:] + 0.75) * 2, 0, 1) * (np.abs(points[:, :1]) > 0.6)
        side = np.stack([np.sign(points[:, 0] - parting) * 0.5, np.zeros(len(points))], axis=1)
        return unit((away * lift + side) * (1 - down) + down * np.array([0.15, 1]) * [1, 1])

    return comb


def parted(parting: float, wave: float = 0.0, tuck: float = 0.0) -> Field:
    """Long hair: from a parting round the skull, then down."""

    def comb(points: np.ndarray) -> np.ndarray:
        side = np.where(points[:, 0] >= parting, 1.0, -1.0)[:, np.newaxis]
        from_skull = unit(points - SKULL - (parting * 0.5, 0))
        along = side * np.stack([-from_skull[:, 1], from_skull[:, 0]], axis=1)
        down = np.stack(
            [side[:, 0] * tuck + wave * np.sin(points[:, 1] * 4.2 + side[:, 0]), np.ones(len(points))], axis=1
        )
        share = np.clip((points[:, 1:] + 0.7) / 0.7, 0, 1)
        return unit(along * (1 - share) + down * share)

    return comb


def curly(points: np.ndarray) -> np.ndarray:
    """Tight curls: anywhere."""
    angle = np.sin(points[:, 0] * 41.0) * 3 + np.cos(points[:, 1] * 37.0) * 3
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def draw_hair(
    outline: np.ndarray,
    opening: np.ndarray | None,
    style: HairStyle,
    color: np.ndarray,
    rng: np.random.Generator,
    light: float = 1.0,
) -> Layer:
    """Hair, strand by strand.

    Args:
        outline: (n, 2) of the head's frame.
        opening: (m, 2) what of it is face; None for nothing.
        style: How it lies.
        color: (3,)
        rng: Makes every strand another.
        light: How bright it is.
    """
    shape = filled(outline)
    if opening is not None:
        shape = shape * (1 - filled(opening, 3.0))
    pixels = np.ones((HEIGHT, WIDTH, 3), np.float32) * color * 0.55 * light
    mask = shape.copy()
    reach = cv2.GaussianBlur(cv2.dilate(shape, np.ones((7, 7))), (0, 0), 4)  # how far strands may stick out
    inside = np.argwhere(shape > 0.6)[:, ::-1]
    roots = (inside[rng.integers(len(inside), size=style.strands)] - ORIGIN) / UNIT
    roots = roots[np.argsort(-np.linalg.norm(roots - (0, -0.2), axis=1), kind="stable")]
    lines = strands(roots, style, rng)
    middle = lines[:, lines.shape[1] // 2]
    from_skull = (middle - SKULL) / (1.25, 1.5)
    ring = np.exp(-(((np.linalg.norm(from_skull, axis=1) - 0.72) / 0.16) ** 2))
    facing = unit(from_skull) @ LIGHT
    shine = style.gloss * ring * np.clip(0.55 + 0.6 * facing, 0, 1)
    depth = cv2.GaussianBlur(shape, (0, 0), 7)
    where = np.clip(np.rint(place(roots)).astype(int), 0, [WIDTH - 1, HEIGHT - 1])
    deep = depth[where[:, 1], where[:, 0]]
    brightness = light * (0.5 + 0.35 * deep + rng.normal(0, 0.11, len(roots)) + shine)
    for line, bright, root in zip(lines, brightness, deep, strict=True):
        corners = [np.rint(place(line) * 16).astype(np.int32)]
        tint = color * bright + 14 * max(bright - 0.9, 0)
        cv2.polylines(pixels, corners, False, tuple(map(float, tint)), 1, cv2.LINE_AA, 4)
        if root < 0.97:  # only near the edge can it reach out
            cv2.polylines(mask, corners, False, 0.85, 1, cv2.LINE_AA, 4)
    return Layer(cv2.GaussianBlur(pixels, (0, 0), 0.7), np.clip(np.minimum(mask, reach), 0, 1))


def strands(roots: np.ndarray, style: HairStyle, rng: np.random.Generator, steps: int = 9) -> np.ndarray:
    """Follow the comb from roots (n, 2): lines (n, steps, 2)."""
    length = style.length * rng.uniform(0.5, 1.15, (len(roots), 1))
    stray = rng.normal(0, 0.16, len(roots))
    phase = rng.uniform(0, 6.3, len(roots))
    turn = np.stack([np.cos(stray), np.sin(stray)], axis=1)
    points, line = roots, [roots]
    for step in range(1, steps):
        way = style.comb(points)
        way = np.stack(
            [
                way[:, 0] * turn[:, 0] - way[:, 1] * turn[:, 1],
                way[:, 0] * turn[:, 1] + way[:, 1] * turn[:, 0],
            ],
            axis=1,
        )
        sway = style.curl * np.sin(phase + 1.3 * step)[:, np.newaxis]
        points = points + (way + sway * np.stack([-way[:, 1], way[:, 0]], axis=1)) * length / steps
        line.append(points)
    return np.stack(line, axis=1)


_SHORT = [(0, -1.94), (0.55, -1.88), (0.96, -1.62), (1.19, -1.15), (1.2, -0.6), (1.17, -0.1), (1.1, 0.12)]
_HAIRLINE = [(0, -0.95), (0.45, -0.96), (0.78, -0.88), (0.93, -0.66), (1.0, -0.45), (1.02, 0.14)]

STYLES = {
    "short": HairStyle(_SHORT, _HAIRLINE, 0.5, brushed(-0.45, 1.0)),
    "side": HairStyle(
        [(0, -2.02), (0.6, -1.97), (1.02, -1.7), (1.22, -1.2), (1.21, -0.6), (1.15, -0.1), (1.1, 0.12)],
        [(0, -1.02), (0.5, -0.93), (0.8, -0.84), (0.94, -0.64), (1.0, -0.45), (1.02, 0.14)],
        0.7,
        brushed(0.5, 0.7),
        gloss=0.7,
    ),
    "receding": HairStyle(
        [(0, -1.84), (0.5, -1.78), (0.92, -1.54), (1.16, -1.1), (1.19, -0.6), (1.15, -0.1), (1.1, 0.16)],
        [(0, -1.4), (0.35, -1.5), (0.8, -1.35), (0.98, -0.9), (1.03, -0.5), (1.03, 0.18)],
        0.4,
        brushed(0.0, 1.0),
    ),
    "cropped": HairStyle(
        [(0, -1.86), (0.55, -1.8), (0.95, -1.55), (1.18, -1.1), (1.2, -0.6), (1.14, -0.2), (1.08, 0.0)],
        [(0, -1.08), (0.5, -1.08), (0.82, -1.02), (0.9, -0.8), (1.0, -0.55), (1.03, 0.02)],
        0.13,
        curly,
        strands=4200,
        gloss=0.25,
    ),
    "long": HairStyle(
        [
            (0, -2.08),
            (0.6, -2.02),
            (1.12, -1.72),
            (1.4, -1.1),
            (1.5, -0.3),
            (1.52, 0.6),
            (1.58, 1.6),
            (1.45, 2.5),
            (1.05, 2.9),
        ],
        [
            (0, -1.38),
            (0.3, -1.3),
            (0.72, -0.98),
            (0.95, -0.5),
            (1.0, 0.2),
            (0.98, 0.9),
            (0.92, 1.6),
            (0.8, 2.3),
            (0.9, 2.9),
        ],
        1.3,
        parted(0.15, 0.12),
        strands=3600,
        behind=[
            (0, -1.9),
            (0.9, -1.7),
            (1.35, -1.0),
            (1.45, 0.4),
            (1.5, 1.8),
            (1.2, 2.6),
            (0.6, 2.7),
            (0, 2.6),
        ],
        gloss=0.75,
    ),
    "bob": HairStyle(
        [
            (0, -2.1),
            (0.62, -2.05),
            (1.15, -1.75),
            (1.45, -1.1),
            (1.56, -0.3),
            (1.6, 0.5),
            (1.55, 1.15),
            (1.3, 1.5),
            (1.0, 1.45),
        ],
        [
            (0, -1.3),
            (0.4, -1.25),
            (0.75, -0.98),
            (0.95, -0.5),
            (1.0, 0.2),
            (0.98, 0.8),
            (0.9, 1.25),
            (1.0, 1.45),
        ],
        1.1,
        parted(-0.35, 0.0, -0.12),
        strands=3400,
        behind=[(0, -1.9), (0.9, -1.7), (1.4, -1.0), (1.48, 0.4), (1.42, 1.2), (1.0, 1.45), (0, 1.5)],
        gloss=0.75,
    ),
    "wavy": HairStyle(
        [
            (0, -2.15),
            (0.65, -2.1),
            (1.2, -1.75),
            (1.55, -1.1),
            (1.7, -0.3),
            (1.75, 0.5),
            (1.72, 1.4),
            (1.5, 2.0),
            (1.1, 2.3),
        ],
        [
            (0, -1.3),
            (0.35, -1.25),
            (0.72, -0.98),
            (0.93, -0.5),
            (0.99, 0.2),
            (0.97, 0.9),
            (0.95, 1.5),
            (1.0, 2.3),
        ],
        0.8,
        parted(0.3, 0.55),
        strands=4200,
        curl=0.7,
        behind=[(0, -1.9), (0.9, -1.7), (1.45, -1.0), (1.6, 0.4), (1.6, 1.5), (1.2, 2.2), (0, 2.3)],
        gloss=0.55,
    ),
    "tied": HairStyle(
        [(0, -2.0), (0.58, -1.95), (1.02, -1.68), (1.25, -1.15), (1.25, -0.55), (1.17, -0.1), (1.12, 0.15)],
        [(0, -1.22), (0.4, -1.2), (0.78, -1.0), (0.95, -0.6), (1.02, -0.2), (1.05, 0.18)],
        0.8,
        parted(-0.2),
        gloss=0.8,
    ),
}


# ------------------------------------------------------------------------------------- neck and clothes

NECKS = {"male": (0.84, 0.92), "female": (0.62, 0.66)}  # half widths under the jaw and at the collar
SHOULDERS = {"male": 3.15, "female": 2.6}  # half width


def draw_neck(sex: str, chin: float, skin: np.ndarray, rng: np.random.Generator) -> Layer:
    """A neck down into the collar, in the chin's shadow at the top.

    Args:
        sex: "male" or "female"; it decides how wide.
        chin: How far below the eyes the chin is.
        skin: (3,) color of the face.
        rng: For the skin's grain.
    """
    top, bottom = NECKS[sex]
    outline = mirrored(
        [
            (0, chin - 0.9),
            (top, chin - 0.9),
            (top, chin),
            (bottom, chin + 0.38),
            (bottom + 0.6, chin + 0.66),
            (bottom + 1.0, chin + 1.7),
            (0, chin + 2.0),
        ]
    )
    mask = filled(outline)
    x, y = ((grid() - ORIGIN) / UNIT).transpose(2, 0, 1)
    round_ = 1 - 0.34 * np.clip(np.abs(x + 0.12) / (bottom + 0.15), 0, 1) ** 2.2
    shadow = 0.62 + 0.32 * ramp(y - 0.16 * np.abs(x), chin - 0.1, chin + 0.75)
    tendons = 1 - 0.07 * np.exp(-(((np.abs(x) - 0.42 + 0.22 * (y - chin)) / 0.07) ** 2)) * ramp(
        y, chin + 0.1, chin + 0.6
    )
    shade = round_ * shadow * tendons * (1 + 0.012 * grain(x.shape, (2, 2), rng))
    tint = np.stack([shade**0.92, shade, shade**1.06], axis=2)  # shadows on skin are warm
    return Layer((skin * tint).astype(np.float32), mask)


def draw_ears(half_face: float, skin: np.ndarray) -> Layer:
    """Two ears, seen from the front."""
    outline = np.array(
        [(0.9, -0.18), (1.08, -0.3), (1.2, -0.22), (1.21, 0.05), (1.13, 0.35), (1.04, 0.58), (0.94, 0.55)],
        float,
    )
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    rim = np.zeros_like(mask)
    for side in (-1, 1):
        ear = smooth(np.concatenate([outline, outline[:1]])) + (half_face - 1.02, 0)
        mask = np.maximum(mask, filled(ear * (side, 1)))
        inner = (ear - ear.mean(axis=0)) * (0.5, 0.62) + ear.mean(axis=0) + (0.02, -0.03)
        rim = np.maximum(rim, filled(inner * (side, 1), 2.0))
    shade = rounded(mask, 5) * 0.88 * (1 - 0.32 * rim)
    return Layer(skin * (1.05, 0.94, 0.9) * shade[..., np.newaxis], mask)


def draw_clothes(
    kind: str, sex: str, chin: float, colors: Sequence[np.ndarray], rng: np.random.Generator
) -> list[Layer]:
    """What a person wears, from the inside out.

    Args:
        kind: "crew", "vee", "scoop", "shirt" (with a collar) or "jacket" (over a shirt).
        sex: "male" or "female"; it decides how wide the shoulders are.
        chin: How far below the eyes the chin is.
        colors: (3,) each, of the outermost first.
        rng: For folds.
    """
    wide, neck, base = SHOULDERS[sex], NECKS[sex][1], chin + 0.45
    open_ = {"crew": 0.25, "vee": 1.25, "scoop": 0.75, "shirt": 0.75, "jacket": 2.3}[kind]
    spread = {"crew": 0.04, "vee": 0.2, "scoop": 0.55, "shirt": 0.12, "jacket": 0.1}[kind]

    def torso(opening: float, spread: float, grow: float = 0.0) -> np.ndarray:
        top = neck + spread
        drop = 0.28 * spread
        outside = [
            (top, base - 0.06 - grow + drop),
            (top + 0.45, base + 0.12 - grow + drop * 0.6),
            (wide * 0.62, base + 0.36 - grow),
            (wide * 0.9, base + 0.62 - grow),
            (wide + grow, base + 1.25),
            (wide + 0.2 + grow, base + 2.6),
            (wide + 0.25 + grow, 20),
        ]
        vee = kind in ("vee", "shirt", "jacket")
        collar = [
            (top, base - 0.06 - grow + drop),
            (top * (0.75 if vee else 0.9), base + opening * (0.3 if vee else 0.55)),
            (top * (0.35 if vee else 0.55), base + opening * (0.7 if vee else 0.93)),
            (0, base + opening),
        ]
        right = np.concatenate([smooth(np.array(collar, float))[::-1], smooth(np.array(outside, float))])
        return np.concatenate([right, right[::-1] * (-1, 1)])

    folds = 1 + 0.035 * grain((HEIGHT, WIDTH), (9, 34), rng) + 0.02 * grain((HEIGHT, WIDTH), (1.2, 1.2), rng)

    def cloth(outline: np.ndarray, color: np.ndarray, width: float = 22) -> Layer:
        mask = filled(outline)
        return Layer((color * (rounded(mask, width) * folds)[..., np.newaxis]).astype(np.float32), mask)

    layers = []
    if kind == "jacket":
        layers.append(cloth(torso(0.75, 0.03), colors[1]))
        if sex == "male" and len(colors) > 2:
            tie = mirrored(
                [
                    (0, base + 0.5),
                    (0.17, base + 0.52),
                    (0.12, base + 0.85),
                    (0.24, base + 2.0),
                    (0.3, base + 4),
                ]
            )
            layers.append(cloth(tie, colors[2], 6))
    layers.append(cloth(torso(open_, spread, 0.06 if kind == "jacket" else 0.0), colors[0]))
    if kind in ("shirt", "jacket"):
        shirt = colors[1] if kind == "jacket" else colors[0]
        for side in (1, -1):
            flap = smooth(
                np.array(
                    [
                        (neck - 0.03, base - 0.42),
                        (neck + 0.13, base - 0.16),
                        (neck + 0.1, base + 0.32),
                        (neck - 0.28, base + 0.62),
                        (0.04, base + 0.42),
                        (neck - 0.2, base + 0.12),
                        (neck - 0.03, base - 0.42),
                    ]
                ),
                1,
            )
            layers.append(cloth(flap * (side, 1), shirt * 1.06, 5))
    if kind == "jacket":
        for side in (1, -1):
            lapel = np.array(
                [
                    (neck + 0.1, base - 0.2),
                    (neck + 0.42, base + 0.1),
                    (neck + 0.62, base + 0.75),
                    (neck + 0.3, base + 0.85),
                    (neck + 0.38, base + 1.05),
                    (0.05, base + 2.4),
                    (neck - 0.3, base + 0.9),
                ]
            )
            layers.append(cloth(lapel * (side, 1), colors[0] * 1.1, 4))
    return layers


def grid() -> np.ndarray:
    """Each canvas pixel's own place: (HEIGHT, WIDTH, 2) float32."""
    return np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), axis=2).astype(np.float32)


def ramp(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 up to the start, 1 from the end, smooth between."""
    share = np.clip((values - start) / (end - start), 0, 1)
    return (share * share * (3 - 2 * share)).astype(np.float32)


# ------------------------------------------------------------------------------------------- the person


@dataclass(frozen=True, slots=True)
class Look:
    """How someone looks beside his face.

    Attributes:
        sex: "male" or "female".
        style: A key of `STYLES`.
        hair: (3,) its color.
    """

    sex: str
    style: str
    hair: tuple[float, float, float]


def draw_face(
    pixels: np.ndarray, chin: float, half_face: float, rng: np.random.Generator
) -> tuple[Layer, np.ndarray]:
    """A blended face, its rim and forehead turned to plain skin: hair and backgrounds of photos lay there.

    Args:
        pixels: (HEIGHT, WIDTH, 3) the blend, on the canvas.
        chin: How far below the eyes the chin is.
        half_face: Half width of the face at the eyes.
        rng: For the skin's grain.

    Returns:
        The face, and the color of its skin (3,).
    """
    x, y = ((grid() - ORIGIN) / UNIT).transpose(2, 0, 1)
    outline = mirrored(
        [
            (0, -1.75),
            (0.62, -1.62),
            (half_face * 0.98, -0.95),
            (half_face * 1.0, -0.3),
            (half_face * 0.98, 0.45),
            (half_face * 0.88, 0.62 * chin),
            (half_face * 0.66, 0.86 * chin),
            (half_face * 0.36, 0.99 * chin),
            (0, 1.02 * chin),
        ]
    )
    cheeks = ((np.abs(x) > 0.28) & (np.abs(x) < 0.72) & (y > 0.3) & (y < 0.75)) | (
        (np.abs(x) < 0.55) & (y > -0.85) & (y < -0.6)
    )
    skin = np.median(pixels[cheeks], axis=0)
    like_skin = np.exp(-((np.linalg.norm((pixels - skin) * (1, 1.2, 1.2), axis=2) / 45) ** 2))
    weight = like_skin * (((x / 0.85) ** 2 + ((y - 0.35) / 1.25) ** 2) < 1) + 1e-4
    wide = 0.3 * UNIT
    base = (
        cv2.GaussianBlur(pixels * weight[..., np.newaxis], (0, 0), wide)
        / cv2.GaussianBlur(weight, (0, 0), wide)[..., np.newaxis]
    )
    base = 0.6 * base + 0.4 * skin
    shade = 1.04 - 0.3 * np.clip(np.hypot(x / (half_face * 1.06), (y - 0.1) / 1.9), 0, 1.1) ** 3
    base = base * (shade * (1 + 0.012 * grain(x.shape, (1.3, 1.3), rng)))[..., np.newaxis]
    down = np.where(y > 0.35, (y - 0.35) / (chin - 0.35), (0.35 - y) / 1.22)
    rim = np.hypot(x / half_face, down)
    around_eyes = (np.abs(x) < 0.8) & (np.abs(y + 0.1) < 0.42)
    where_foreign = ((np.abs(x) > 0.6) | (y < -0.52)) & ~around_eyes
    foreign = cv2.GaussianBlur((1 - like_skin) * where_foreign, (0, 0), 2.5)
    near = ramp(rim - np.where(y > 0.35, 0.12, 0.03), 0.74, 0.93)
    trusted = (1 - near) * (1 - np.clip(1.6 * cv2.dilate(foreign, np.ones((5, 5))), 0, 1))
    trusted = cv2.GaussianBlur(trusted.astype(np.float32), (0, 0), 2.5)
    face = lay(base, pixels, trusted)
    return Layer(face.astype(np.float32), filled(outline, 1.6)), skin


def draw_person(
    pixels: np.ndarray,
    chin: float,
    half_face: float,
    look: Look,
    clothes: tuple[str, Sequence[np.ndarray]],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Somebody from the head down: pixels (HEIGHT, WIDTH, 3) float32 and their mask (HEIGHT, WIDTH)."""
    style = STYLES[look.style]
    face, skin = draw_face(pixels, chin, half_face, rng)
    hair = np.array(look.hair)
    wider = (half_face / 1.02, 1)
    layers = []
    if style.behind:
        layers.append(draw_hair(mirrored(style.behind) * wider, None, style, hair, rng, 0.62))
    layers.append(draw_neck(look.sex, chin, skin, rng))
    layers += draw_clothes(clothes[0], look.sex, chin, clothes[1], rng)
    layers += [draw_ears(half_face, skin), face]
    canvas, mask = np.zeros((HEIGHT, WIDTH, 3), np.float32), np.zeros((HEIGHT, WIDTH), np.float32)
    for layer in layers:
        canvas = lay(canvas, layer.pixels, layer.mask)
        mask = np.maximum(mask, layer.mask)
    top = draw_hair(mirrored(style.outer) * wider, face_opening(style) * wider, style, hair, rng)
    shadow = cv2.GaussianBlur(np.roll(top.mask, (5, 3), axis=(0, 1)), (0, 0), 5)
    canvas = canvas * (1 - 0.35 * shadow[..., np.newaxis] * np.array([0.9, 1.0, 1.05]))
    return lay(canvas, top.pixels, top.mask), np.maximum(mask, top.mask)


def face_opening(style: HairStyle) -> np.ndarray:
    """What hair leaves free, closed at its lower end: (n, 2)."""
    half = smooth(np.array(style.inner, float))
    right = np.concatenate([half, [(half[-1, 0], 12.0)]])
    return np.concatenate([right, right[::-1] * (-1, 1)])


# ------------------------------------------------------------------------------------------- the place


def draw_bokeh(
    size: tuple[int, int], tints: Sequence[np.ndarray], lights: int, rng: np.random.Generator
) -> np.ndarray:
    """Something far behind, out of focus: (h, w, 3) float.

    Args:
        size: (w, h)
        tints: (3,) colors at the top, in the middle and at the bottom.
        lights: How many round spots of light are there.
        rng: Where they are.
    """
    width, height = size
    rows = np.linspace(0, len(tints) - 1, height)
    column = np.stack(
        [np.interp(rows, range(len(tints)), [tint[c] for tint in tints]) for c in range(3)], axis=1
    )
    unit_ = height / 10
    clouds = 0.5 * grain((height, width), (unit_, unit_), rng) + 0.35 * grain(
        (height, width), (unit_ / 3, unit_ / 3), rng
    )
    picture = column[:, np.newaxis] * (1 + 0.13 * clouds)[..., np.newaxis]
    for _ in range(lights):
        center = np.rint(rng.uniform((0, 0), (width, height * 0.75))).astype(int)
        radius = rng.uniform(0.12, 0.42) * unit_
        spot = np.zeros((height, width), np.float32)
        cv2.circle(spot, tuple(map(int, center)), max(round(radius), 2), 1, -1, cv2.LINE_AA)
        spot = cv2.GaussianBlur(spot, (0, 0), 1.2 + radius * 0.08)
        color = np.array([255, 226, 170]) + rng.uniform(-25, 25, 3)
        picture = lay(picture, color, spot * rng.uniform(0.12, 0.45))
    return picture


def draw_garland(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two strings of glowing bulbs across the top of a picture (h, w, 3)."""
    height, width = picture.shape[:2]
    for top, sag, phase in ((0.02, 0.09, 0.0), (0.1, 0.07, 0.5)):
        x = np.linspace(0, 1, 60)
        y = top + sag * np.abs(np.sin(np.pi * (1.5 * x + phase)))
        line = np.stack([x * width, y * height], axis=1)
        wire = np.zeros((height, width), np.float32)
        cv2.polylines(wire, [np.rint(line).astype(np.int32)], False, 1, 2, cv2.LINE_AA)
        picture = lay(picture, np.array([40.0, 42, 40]), cv2.GaussianBlur(wire, (0, 0), 1.5) * 0.8)
        for bulb in line[2::5]:
            spot = np.zeros((height, width), np.float32)
            cv2.circle(spot, tuple(map(int, bulb + (0, 9))), 8, 1, -1, cv2.LINE_AA)
            halo = np.clip(cv2.GaussianBlur(spot, (0, 0), 16) * 3.5, 0, 0.6)
            picture = lay(picture, np.array([255.0, 200, 120]), halo)
            picture = lay(picture, np.array([255.0, 240, 205]), cv2.GaussianBlur(spot, (0, 0), 2))
    return picture


def stand(picture: np.ndarray, person: tuple[np.ndarray, np.ndarray], transform: np.ndarray) -> np.ndarray:
    """Put somebody, (pixels, mask), into a picture (h, w, 3), with a soft shadow on what is behind."""
    size = picture.shape[1::-1]
    pixels = cv2.warpAffine(person[0], transform, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    mask = np.clip(cv2.warpAffine(person[1], transform, size, flags=cv2.INTER_LINEAR), 0, 1)
    shadow = cv2.GaussianBlur(mask, (0, 0), 14)
    return lay(picture * (1 - 0.3 * shadow[..., np.newaxis]), pixels, mask)


def developed(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture as a camera would show it: a little soft, a little grainy: (h, w, 3) uint8."""
    soft = cv2.GaussianBlur(picture, (0, 0), 0.55)
    noisy = soft + rng.normal(0, 2.0, picture.shape[:2])[..., np.newaxis]
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
