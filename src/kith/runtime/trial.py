"""A foreign ONNX file is read and tried in a process of its own, whose time and memory have bounds.

What the process answers is a network that has embedded one image, two and eight; nothing of the file reaches
this one before. What ONNX Runtime says of the file on standard error reaches nobody.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from kith.catalogue.preprocessing import ColorOrder
from kith.catalogue.spec import DetectorKind
from kith.errors import Remedy, UnsupportedFile, WeightsError
from kith.runtime.adopt import Foreign, adopt, read_foreign, show_outputs
from kith.runtime.adopt_detector import AdoptedDetector, adopt_detector
from kith.runtime.cores import available_cores
from kith.runtime.foreign import KIND
from kith.runtime.session import Session
from kith.weights.quoting import quoted

_SECONDS = 5.0
_SECONDS_A_MEGABYTE = 0.04
_SPARE = 700 << 20  # bytes of memory
_COPIES = 5  # of the file in memory: as bytes, parsed, changed, written again, and in the session
_START = 30.0  # seconds until Python and ONNX Runtime are loaded on the slowest machine
_FEW, _MANY = 2, 8  # images at once; eight is what an embedder runs at most
_SIZES = range(8, 8193)  # of an embedding
_SAME = 0.01  # of the largest number: the most by which an embedding may differ beside another
_REFUSED = 3
_NAMED = 4  # outputs that a message tells of


@dataclass(frozen=True, slots=True)
class Adopted:
    """A foreign network that has become one of ours.

    Attributes:
        content: The new file, with an input_0 (n, size, size, 3) and an output_0 (n, embedding_size).
        size: Side of its image in pixels.
        embedding_size: Length of an embedding.
        scales_pixels: Whether it scales pixels of 0 to 255 itself.
    """

    content: bytes
    size: int
    embedding_size: int
    scales_pixels: bool


def adopt_in_bounds(
    data: bytes,
    *,
    size: int | None = None,
    color: ColorOrder = ColorOrder.RGB,
    output: str | None = None,
) -> Adopted:
    """Adopt a network, see `kith.runtime.adopt`, and try it.

    Args:
        data: The ONNX file.
        size: Side of the image; needed where the graph takes any.
        color: The order of the colours that the network wants.
        output: Which output is the embedding; needed where several could be.

    Raises:
        UnsupportedFile: It is no embedder, or takes more time or memory than its size allows.
    """
    head, content = _in_bounds(data, {"size": size, "color": color, "output": output})
    return Adopted(content=content, **head)


def adopt_detector_in_bounds(data: bytes) -> AdoptedDetector:
    """Adopt a detector, see `kith.runtime.adopt_detector`, which tries it.

    Args:
        data: The ONNX file.

    Raises:
        UnsupportedFile: It is no detector, or takes more time or memory than its size allows.
    """
    head, content = _in_bounds(data, None)
    return AdoptedDetector(content, DetectorKind(head["kind"]), head["side"])


def _in_bounds(data: bytes, embedder: Mapping[str, Any] | None) -> tuple[dict[str, Any], bytes]:
    """What is told of an adopted network, and its file.

    Args:
        data: The ONNX file.
        embedder: What was stated of an embedder; None for a detector.

    Raises:
        UnsupportedFile: It is no such network, or takes more time or memory than its size allows.
    """
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    bounded = {"PYTHONPATH": paths, "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}
    seconds = _SECONDS + _SECONDS_A_MEGABYTE * len(data) / 1e6
    stated = json.dumps({"embedder": embedder, "seconds": seconds})
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-m", "kith.runtime.trial", stated],
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
        raise _refused(json.loads(child.stdout))
    if child.returncode == -getattr(signal, "SIGALRM", 0):
        raise _too_long(seconds)
    if child.returncode:
        raise UnsupportedFile(f"{KIND}: reading or running it ends the process, or takes too much memory")
    head, _, content = child.stdout.partition(b"\n")
    return json.loads(head), content


def _too_long(seconds: float) -> UnsupportedFile:
    return UnsupportedFile(f"{KIND}: not read and run within {seconds:.0f} seconds, as such networks are")


def _refused(answer: dict[str, str]) -> UnsupportedFile:
    remedy = Remedy(answer["remedy"]) if answer["remedy"] else None
    return UnsupportedFile(f"{KIND}: {answer['text']}", remedy=remedy)


def main() -> None:
    """The process: a file on standard input, the answer on standard output."""
    stated = json.loads(sys.argv[1])
    seconds, embedder = stated["seconds"], stated["embedder"]
    data = sys.stdin.buffer.read()
    _bound_memory(_SPARE + _COPIES * len(data))
    _bound_time(seconds)
    try:
        adopted = _adopt_detector(data) if embedder is None else asdict(_adopt(data, seconds, **embedder))
    except UnsupportedFile as error:
        _refuse(str(error).removeprefix(f"{KIND}: "), error.remedy)
    except MemoryError:
        _refuse("it takes more memory than its size allows")
    _bound_time(0)  # the answer may be large, and its reader slow
    content = adopted.pop("content")
    sys.stdout.buffer.write(json.dumps(adopted).encode() + b"\n" + content)


def _refuse(text: str, remedy: Remedy | None = None) -> NoReturn:
    sys.stdout.write(json.dumps({"text": text, "remedy": remedy}))
    sys.exit(_REFUSED)


def _adopt_detector(data: bytes) -> dict[str, Any]:
    return adopt_detector(data)._asdict()


def _adopt(data: bytes, seconds: float, size: int | None, color: str, output: str | None) -> Adopted:
    foreign = read_foreign(data, size)
    output = _embedding_of(foreign, output)
    order = ColorOrder(color)
    content = adopt(foreign, output, order)
    try:
        length = _try(content, foreign, seconds)
    except UnsupportedFile:
        if foreign.batch != 1:
            raise
        _bound_time(seconds)
        content = adopt(foreign, output, order, batch=1)  # a session then runs images one by one
        length = _try(content, foreign, seconds)
    return Adopted(content, foreign.size, length, foreign.scales_pixels)


def _embedding_of(foreign: Foreign, wanted: str | None) -> str:
    """Which output is the embedding: the one that was named, or the only one that can be."""
    if wanted is not None:
        if wanted not in foreign.outputs:
            raise UnsupportedFile(f"it has no output {quoted(wanted)}; it has {_list(foreign.outputs)}")
        return wanted
    if len(foreign.outputs) == 1:
        return foreign.outputs[0]
    shapes = [output.shape for output in _run(_open(show_outputs(foreign)), _noise(foreign, 1))]
    fitting = [name for name, shape in zip(foreign.outputs, shapes, strict=True) if _is_embedding(shape)]
    if len(fitting) > 1:
        raise UnsupportedFile(
            f"several of its outputs could be the embedding: {_list(fitting)}", remedy=Remedy.OUTPUT_OF_ONNX
        )
    if not fitting:
        raise UnsupportedFile(
            f"none of its {len(shapes)} outputs is one embedding a face: is it a detector? "
            f"{quoted(foreign.outputs[0])} has shape {shapes[0]}"
        )
    return fitting[0]


def _is_embedding(shape: Sequence[int], count: int = 1) -> bool:
    """Whether an output is (n, d), or (n, d, 1, 1)."""
    return (
        len(shape) in (2, 4)
        and shape[0] == count
        and shape[1] in _SIZES
        and all(axis == 1 for axis in shape[2:])
    )


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(quoted, names[:_NAMED])) + more


def _try(content: bytes, foreign: Foreign, seconds: float) -> int:
    """Run a network on a few images, and on as many as will ever be run at once."""
    session = _open(content)
    images = _noise(foreign, _MANY)
    before = time.monotonic()
    few = _embeddings(session, images[:_FEW])
    alone = np.concatenate([_embeddings(session, image[np.newaxis]) for image in images[:_FEW]])
    _bound_time(min(max(1.0, _MANY / _FEW * (time.monotonic() - before)), seconds))
    many = _embeddings(session, images)
    if not few.shape[1] == many.shape[1] == alone.shape[1]:
        raise UnsupportedFile("its embeddings have another length for another number of faces")
    with np.errstate(all="ignore"):
        allowed = _SAME * np.abs(alone[np.isfinite(alone)]).max(initial=0)
        same = np.allclose([few, many[:_FEW]], alone, rtol=0, atol=allowed, equal_nan=True)
    if not same:
        raise UnsupportedFile("its embedding of a face depends on the faces beside it")
    return int(alone.shape[1])


def _noise(foreign: Foreign, count: int) -> np.ndarray:
    shape = (count, foreign.size, foreign.size, 3)
    lowest, highest = (0, 255) if foreign.scales_pixels else (-1, 1)
    return np.random.default_rng(0).uniform(lowest, highest, shape).astype(np.float32)


def _open(content: bytes) -> Session:
    try:
        return Session(content, threads=min(available_cores(), 4))
    except UnsupportedFile as error:
        if "alloc" in str(error):
            raise MemoryError from None
        raise


def _run(session: Session, images: np.ndarray) -> list[np.ndarray]:
    try:
        return session.run(images)
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        if "alloc" in str(error):
            raise MemoryError from None
        many = "" if len(images) == 1 else f" on {len(images)} faces at once"
        raise UnsupportedFile(
            f"it cannot be run{many}; export it with a free batch size, or a batch of 1"
        ) from None


def _embeddings(session: Session, images: np.ndarray) -> np.ndarray:
    """An embedder gives each image its own row."""
    (outputs,) = _run(session, images)
    if outputs.ndim != 2 or len(outputs) != len(images) or outputs.shape[1] not in _SIZES:
        raise UnsupportedFile(f"its output has shape {outputs.shape}, not one embedding a face")
    return outputs


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
