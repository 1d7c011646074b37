"""Damaged pictures of every format, read in a process that may take no more than it should.

    python tests/mutate_pictures.py --per-format 300

For each format a child process reads that many mutated files. None of them may take more than five seconds
of the processor or one gigabyte beside what the process begins with, and it is to write nothing but its own
line. Exit code 1 if a child crashed, hung, raised something else than an ImageError, or wrote anything.
"""

import argparse
import faulthandler
import io
import json
import os
import random
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import features

from kith.errors import ImageError
from kith.images.formats import formats_read
from kith.images.reading import read_photo

SECONDS = 5
PATIENCE = 60  # seconds on a clock, on a machine that does other things too
BYTES = 2**30


@dataclass
class Outcome:
    """What became of a format's files."""

    format: str
    read: int = 0
    flawed: int = 0
    refused: int = 0
    slowest: float = 0.0


def whole_files(kind: str) -> list[bytes]:
    """Sound files of a format, each of another kind."""
    rows, columns = np.mgrid[:48, :64]
    wave = (128 + 100 * np.sin(rows / 5) * np.cos(columns / 7)).astype(np.uint8)
    rgb = PillowImage.fromarray(np.stack([wave, wave.T.reshape(wave.shape), 255 - wave], axis=2))
    rgba = rgb.convert("RGBA")
    rgba.putalpha(PillowImage.fromarray(wave))
    sixteen = PillowImage.fromarray(wave.astype(np.uint16) << 8)
    palette = rgb.quantize(16)
    exif = PillowImage.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    with_exif = {"exif": exif}
    several = {"save_all": True, "append_images": [rgba, rgb]}
    pictures: dict[str, list[tuple[PillowImage.Image, dict[str, object]]]] = {
        "JPEG": [
            (rgb, with_exif),
            (rgb, {"progressive": True}),
            (rgb.convert("CMYK"), {}),
            (rgb.convert("L"), {}),
        ],
        "MPO": [(rgb, {**with_exif, "save_all": True, "append_images": [rgb]})],
        "PNG": [(rgb, with_exif), (rgba, {}), (palette, {"transparency": 1}), (sixteen, {}), (rgb, several)],
        "WEBP": [(rgb, with_exif), (rgba, {"lossless": True}), (rgba, {}), (rgb, several)],
        "BMP": [(rgb, {}), (rgba, {}), (palette, {}), (rgb.convert("1"), {})],
        "TIFF": [
            (rgb, with_exif),
            *(
                (rgb, {"compression": name})
                for name in ("tiff_lzw", "jpeg", "packbits", "tiff_adobe_deflate")
            ),
            (rgb.convert("1"), {"compression": "group4"}),
            (sixteen, {}),
            (rgb, {"big_tiff": True}),
        ],
        "GIF": [
            (palette, {}),
            (palette, {"save_all": True, "append_images": [rgb, rgba], "comment": b"hello"}),
        ],
        "AVIF": [(rgb, with_exif), (rgba, {}), (rgb, several)],
        "HEIC": [(rgb, with_exif), (rgba, {})],
    }
    return [_encode(picture, kind, options) for picture, options in pictures[kind]]


def _encode(picture: PillowImage.Image, kind: str, options: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    if kind == "HEIC":
        import pillow_heif

        pillow_heif.from_pillow(picture).save(buffer)
    else:
        picture.save(buffer, kind, **options)
    return buffer.getvalue()


def mutate(whole: bytes, choose: random.Random) -> bytes:
    """A file that is damaged in a few places, as by a bad disk, a bad copy, or on purpose."""
    data = bytearray(whole)
    for _ in range(choose.choice((1, 1, 1, 2, 5, 20))):
        if not data:
            break
        place = choose.randrange(min(len(data), choose.choice((40, 250, len(data)))))
        length = choose.choice((1, 2, 4, 16, 512))
        match choose.randrange(6):
            case 0:
                data[place] ^= 1 << choose.randrange(8)
            case 1:
                data[place : place + 4] = choose.choice((0, 1, 2**31 - 1, 2**32 - 1)).to_bytes(4, "big")
            case 2:
                data[place : place + length] = bytes(length)
            case 3:
                data[place:place] = data[place : place + length] * choose.choice((1, 2, 100))
            case 4:
                del data[place : place + length]
            case 5:
                data[place : place + length] = choose.randbytes(length)
    if choose.random() < 0.2:
        del data[choose.randrange(len(data) + 1) :]
    return bytes(data)


def read_mutated(kind: str, number: int) -> Outcome:
    """Read that many mutated files of a format."""
    choose = random.Random(f"{kind} {number}")
    files = whole_files(kind)
    for file in files:
        assert not read_photo(file).flaw
    outcome = Outcome(kind)
    for index in range(number):
        data = mutate(files[index % len(files)], choose)
        started = time.process_time()
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        try:
            photo = read_photo(data)
            assert photo.image.ndim == 3 and photo.image.dtype == np.uint8
            outcome.read += 1
            outcome.flawed += bool(photo.flaw)
        except ImageError as error:
            assert "\n" not in str(error)
            outcome.refused += 1
        faulthandler.cancel_dump_traceback_later()
        outcome.slowest = max(outcome.slowest, time.process_time() - started)
        assert outcome.slowest < SECONDS
    return outcome


def run_child(kind: str, number: int) -> Outcome:
    """Have a process of its own read them.

    Raises:
        RuntimeError: It crashed, hung, or wrote something.
    """
    command = [sys.executable, __file__, "--per-format", str(number), "--child", kind]
    child = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE + SECONDS * number)
    if child.returncode or child.stderr or child.stdout.count("\n") != 1:
        raise RuntimeError(f"{kind}: exit code {child.returncode}\n{child.stdout}{child.stderr}")
    return Outcome(**json.loads(child.stdout))


def limit_memory() -> None:
    """Allow this process one gigabyte more than it has; where the system has no such limit, all there is."""
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def formats() -> list[str]:
    """What can be mutated here."""
    names = [name for name in (*formats_read(), "MPO") if name != "AVIF" or features.check("avif")]
    return sorted(names)


def main() -> None:
    """Print a line for each format."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--per-format", type=int, default=300)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        limit_memory()
        print(json.dumps(asdict(read_mutated(arguments.child, arguments.per_format))))
        return
    for kind in formats():
        try:
            print(run_child(kind, arguments.per_format), flush=True)
        except RuntimeError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
