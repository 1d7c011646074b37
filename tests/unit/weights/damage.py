"""Reads damaged files under a small memory limit; run as a program by `test_damaged_files.py`.

Its argument is a folder with one small intact file for each format. Prints, for each format, how
many damaged files were refused, how many were read, and the seconds of the slowest; whatever a
reader raises but UnsupportedFile ends the program with a traceback.
"""

import json
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from kith.catalogue.preprocessing import ColorOrder
from kith.errors import UnsupportedFile
from kith.runtime.adopt import adopt, read_foreign
from kith.weights import sorted_table
from kith.weights.keras_archive import read_keras_archive
from kith.weights.keras_h5 import read_keras_h5
from kith.weights.recognize import recognize, recognize_file

COUNT = 200
MEMORY = 2**30
ABSURD = (
    b"\xff" * 8,
    b"\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0\0\x01\0\0",
    b"\x80" * 8,
    b"\0" * 16,
)


def damage(data: bytes, dice: random.Random) -> bytes:
    """One to five bits flipped, or cut off, or absurd numbers in some places, or bytes left out."""
    changed = bytearray(data)
    kind = dice.randrange(4)
    if kind == 0:
        for _ in range(dice.randint(1, 5)):
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del changed[dice.randrange(len(changed)) :]
    elif kind == 2:
        for _ in range(dice.randint(1, 3)):
            number = dice.choice(ABSURD)
            at = dice.randrange(len(changed))
            changed[at : at + len(number)] = number
    else:
        at = dice.randrange(len(changed))
        del changed[at : at + dice.randint(1, 64)]
    return bytes(changed)


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sorted_table._verify = lambda *_: None  # whoever damages a file on purpose repairs its checksums
    report = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".h5":  # a whole network's many groups would take too long
            report[path.name] = torture(path, read_keras_h5)
        elif path.suffix == ".keras":
            report[path.name] = torture(path, read_keras_archive)
        elif path.suffix == ".onnx":
            report[path.name] = torture(path, adopt_onnx)
        elif ".ckpt." in path.name:
            report[path.name] = torture(path, lambda data, path=path: recognize_checkpoint(path, data))
        else:
            report[path.name] = torture(path, recognize)
    sys.stdout.write(json.dumps(report))


def adopt_onnx(data: bytes) -> None:
    foreign = read_foreign(data)
    adopt(foreign, foreign.outputs[0], ColorOrder.RGB)


def recognize_checkpoint(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    recognize_file(path)


def torture(path: Path, read: Callable[[bytes], object]) -> dict[str, float]:
    """Of each format the damage is the same in every run."""
    intact = path.read_bytes()
    read(intact)
    dice = random.Random(path.name)
    refused, slowest = 0, 0.0
    for _ in range(COUNT):
        start = time.monotonic()
        try:
            read(damage(intact, dice))
        except UnsupportedFile as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 300, error
        slowest = max(slowest, time.monotonic() - start)
    path.write_bytes(intact)
    return {"refused": refused, "read": COUNT - refused, "slowest": slowest}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
