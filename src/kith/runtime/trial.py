"""A foreign ONNX file is read and tried in a process of its own, whose time and memory have bounds.

What the process answers is a network that has embedded two images and eight; nothing of the file reaches
this one before. What ONNX Runtime says of the file on standard error reaches nobody.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from kith.catalogue.spec import DetectorKind
from kith.errors import UnsupportedFile, WeightsError
from kith.runtime.adopt import adopt_onnx
from kith.runtime.adopt_detector import AdoptedDetector, adopt_detector
from kith.runtime.cores import available_cores
from kith.runtime.foreign import KIND
from kith.runtime.session import Session

_SECONDS = 5.0
_SECONDS_A_MEGABYTE = 0.04
_SPARE = 700 << 20  # bytes of memory
_COPIES = 4  # of the file in memory: as bytes, parsed, written again, and in the session
_START = 30.0  # seconds until Python and ONNX Runtime are loaded on the slowest machine
_FEW, _MANY = 2, 8  # images at once; eight is what an embedder runs at most
_REFUSED = 3
_DETECTOR = "detector"


def adopt_in_bounds(data: bytes, size: int, *, blue_first: bool) -> tuple[bytes, int]:
    """Adopt an embedder, see `adopt_onnx`, and try it.

    Args:
        data: The ONNX file.
        size: Side of the image.
        blue_first: Whether the network wants blue, green, red.

    Returns:
        The new file, and how many numbers an embedding has.

    Raises:
        UnsupportedFile: It is no embedder, or takes more time or memory than its size allows.
    """
    length, _, content = _in_bounds(data, str(size), str(int(blue_first))).partition(b"\n")
    return content, int(length)


def adopt_detector_in_bounds(data: bytes) -> AdoptedDetector:
    """Adopt a detector, see `adopt_detector`, which tries it.

    Args:
        data: The ONNX file.

    Raises:
        UnsupportedFile: It is no detector, or takes more time or memory than its size allows.
    """
    line, _, content = _in_bounds(data, _DETECTOR).partition(b"\n")
    kind, side = line.decode().split()
    return AdoptedDetector(content, DetectorKind(kind), int(side) or None)


def _in_bounds(data: bytes, *arguments: str) -> bytes:
    """What the process answers that is given a file.

    Raises:
        UnsupportedFile: It refuses the file, or was ended.
    """
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    bounded = {"PYTHONPATH": paths, "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}
    seconds = _SECONDS + _SECONDS_A_MEGABYTE * len(data) / 1e6
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-m", "kith.runtime.trial", str(seconds), *arguments],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | bounded,
            timeout=2 * seconds + _START,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_long(seconds) from None
    except OSError as error:
        raise WeightsError(f"cannot start a process to try the network in: {error.strerror}") from None
    if child.returncode == _REFUSED:
        raise UnsupportedFile(f"{KIND}: {child.stdout.decode()}")
    if child.returncode == -getattr(signal, "SIGALRM", 0):
        raise _too_long(seconds)
    if child.returncode:
        raise UnsupportedFile(f"{KIND}: reading or running it ends the process, or takes too much memory")
    return child.stdout


def _too_long(seconds: float) -> UnsupportedFile:
    return UnsupportedFile(f"{KIND}: not read and run within {seconds:.0f} seconds, as such networks are")


def main() -> None:
    """The process: a file on standard input, the answer on standard output."""
    seconds, arguments = float(sys.argv[1]), sys.argv[2:]
    data = sys.stdin.buffer.read()
    _bound_memory(_SPARE + _COPIES * len(data))
    _bound_time(seconds)
    try:
        answer = _adopt_detector(data) if arguments == [_DETECTOR] else _adopt(data, seconds, *arguments)
    except UnsupportedFile as error:
        sys.stdout.write(str(error).removeprefix(f"{KIND}: "))
        sys.exit(_REFUSED)
    except MemoryError:
        sys.stdout.write("it takes more memory than its size allows")
        sys.exit(_REFUSED)
    _bound_time(0)  # the answer may be large, and its reader slow
    sys.stdout.buffer.write(answer)


def _adopt(data: bytes, seconds: float, size: str, blue_first: str) -> bytes:
    content = adopt_onnx(data, int(size), blue_first=bool(int(blue_first)))
    return b"%d\n" % _try(content, int(size), seconds) + content


def _adopt_detector(data: bytes) -> bytes:
    adopted = adopt_detector(data)
    return f"{adopted.kind} {adopted.side or 0}\n".encode() + adopted.content


def _try(content: bytes, size: int, seconds: float) -> int:
    """Run a network on a few images, and on as many as will ever be run at once."""
    try:
        session = Session(content, threads=min(available_cores(), 4))
    except UnsupportedFile as error:
        if "alloc" in str(error):
            raise MemoryError from None
        raise
    before = time.monotonic()
    length = _embedding_size(session, _FEW, size)
    _bound_time(min(max(1.0, 2 * _MANY / _FEW * (time.monotonic() - before)), seconds))
    if _embedding_size(session, _MANY, size) != length:
        raise UnsupportedFile("its embeddings have another length for another number of faces")
    return length


def _embedding_size(session: Session, count: int, size: int) -> int:
    """An embedder gives each image its own row."""
    noise = np.random.default_rng(0).uniform(-1, 1, (count, size, size, 3)).astype(np.float32)
    try:
        (outputs,) = session.run(noise)
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        if "alloc" in str(error):
            raise MemoryError from None
        raise UnsupportedFile(
            "it cannot be run on several faces at once; export it with a free batch size"
        ) from None
    if outputs.ndim != 2 or len(outputs) != count or not 8 <= outputs.shape[1] <= 8192:
        raise UnsupportedFile(f"its output has shape {outputs.shape}, not one embedding a face")
    return int(outputs.shape[1])


def _bound_memory(more: int) -> None:
    """Let this process take so many bytes more than it has; where the system cannot, time must do."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        pages = int(Path("/proc/self/statm").read_text().split()[0])  # not on macOS
        wanted = pages * resource.getpagesize() + more
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        unlimited = most == resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_AS, (wanted if unlimited else min(wanted, most), most))


def _bound_time(seconds: float) -> None:
    """Let the system end this process after so many seconds, whatever it does then; 0 for no more bound."""
    if hasattr(signal, "setitimer"):  # not on Windows, where the parent's patience must do
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main()
