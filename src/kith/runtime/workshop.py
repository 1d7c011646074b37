"""Where models are compiled and quantized: a process of its own.

Keras, JAX and the quantizer obey settings, environment variables and files that belong to the whole
process or to all of a user's projects: another backend, half precision, a GPU that is not here. In a
process of its own Kith has its own, and the program that uses Kith keeps its own: also its memory, its
logging, its temporary folder, and the right to fork.

One JSON line with the task and its settings and then its arrays go in; one JSON line and the new model
come out. Where no process can be started, as in a program that brings Python within itself, the same
is done in this one.
"""

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from kith import errors
from kith.errors import KithError, WeightsError
from kith.folders import CACHE_VARIABLE, scratch_folder

_FOREIGN = ("JAX_", "KERAS_", "LIBTPU_", "TF_", "TPU_", "XLA_")
_BEGIN = (
    "import sys; here, *others = sys.argv[1:]; sys.path.insert(0, here);"
    " sys.path += [path for path in others if path not in sys.path];"
    " from kith.runtime.workshop import serve; serve()"
)
_READY = b"ready\n"


@contextmanager
def workshop() -> Iterator["Workshop"]:
    """The workshop of the `with` around this one, if there is one, else one that closes at the end."""
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    with Workshop() as own:
        token = _current.set(own)
        try:
            yield own
        finally:
            _current.reset(token)


class Workshop:
    """A process that makes models, started when the first one is wanted."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._started = False
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def compile(
        self,
        network: str,
        arrays: Mapping[str, np.ndarray],
        embedding_size: int | None = None,
        input_size: int | None = None,
    ) -> bytes:
        """Make an ONNX file of a network's variables.

        Args:
            network: The function in `kith.networks`.
            arrays: The variables by their names.
            embedding_size: For a network that has more than one.
            input_size: Side of its input, if not the network's own.

        Raises:
            UnsupportedFile: The variables do not fit the network.
            WeightsError: The process ended before it was done.
        """
        sizes = {"embedding_size": embedding_size, "input_size": input_size}
        return self._make("compile", {"network": network, **sizes}, arrays)

    def save(
        self, network: str, arrays: Mapping[str, np.ndarray], embedding_size: int | None = None
    ) -> bytes:
        """Make a `.keras` file, a whole Keras 3 model, of a network's variables.

        Raises:
            UnsupportedFile: The variables do not fit the network.
            WeightsError: The process ended before it was done.
        """
        return self._make("save", {"network": network, "embedding_size": embedding_size}, arrays)

    def quantize(self, model: bytes, inputs: np.ndarray) -> bytes:
        """Make an int8 ONNX file of a float32 one, as `kith.runtime.quantize` does.

        Args:
            model: The float32 ONNX file.
            inputs: (n, s, s, 3) float32 real inputs of the network.

        Raises:
            WeightsError: It would change the embeddings, there is no room for temporary files, or the
                process ended before it was done.
        """
        return self._make("quantize", {}, {"model": np.frombuffer(model, np.uint8), "inputs": inputs})

    def _make(self, task: str, settings: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
        if not self._started:
            self._started = True
            self._process = _start(self._open)
        if self._process is None:
            return _TASKS[task](arrays, **settings)
        try:
            _send(self._process.stdin, {"task": task, "settings": settings}, _pack(arrays))
            answer, content = _receive(self._process.stdout)
        except (OSError, EOFError):
            code = self._process.wait()
            raise WeightsError(
                f"the process that prepares models ended before it was done (exit code {code}); "
                "is there enough memory?"
            ) from None
        if "error" in answer:
            raise _error(**answer)
        return content


_current: ContextVar[Workshop | None] = ContextVar("workshop", default=None)


def _start(stack: ExitStack) -> "subprocess.Popen[bytes] | None":
    """A process that is ready to serve, ended with the stack; None where there can be none."""
    if not Path(sys.executable or "").name.lower().startswith(("python", "pypy")):
        return None  # a program that brings Python within itself
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    with suppress(OSError):
        folder = stack.enter_context(scratch_folder())
        environment |= dict.fromkeys((CACHE_VARIABLE, "TMPDIR", "TEMP", "TMP"), str(folder))
    environment |= {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}  # no accelerator is looked for
    here = str(Path(__file__).parents[2])
    others = [path for path in sys.path if Path(path).is_absolute()]
    flags = ["-I", *(["-B"] if sys.dont_write_bytecode else [])]
    try:
        process = subprocess.Popen(
            [sys.executable, *flags, "-c", _BEGIN, here, *others],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    stack.callback(_end, process)
    return process if process.stdout is not None and process.stdout.readline() == _READY else None


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    with suppress(OSError):  # what was not sent yet
        process.communicate()


def serve() -> None:
    """What the process does: one task after the other, until nobody asks any more."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    for needless in ("matplotlib", "sklearn"):  # which Keras imports, for seconds, to draw and to be wrapped
        sys.modules[needless] = None  # type: ignore[assignment]
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints something does not print it into an answer
    answers.write(_READY)
    answers.flush()
    with suppress(EOFError):
        while True:
            request, content = _receive(requests)
            try:
                made = _TASKS[request["task"]](_unpack(content), **request["settings"])
            except KithError as error:
                _send(answers, {"error": type(error).__name__, "text": str(error)})
            except OSError as error:  # a disk that is full
                _send(answers, {"error": "OSError", "text": error.strerror, "number": error.errno})
            except Exception:
                _send(answers, {"error": "", "text": traceback.format_exc()})
            else:
                _send(answers, {}, made)


def _compile(
    arrays: Mapping[str, np.ndarray], network: str, embedding_size: int | None, input_size: int | None
) -> bytes:
    from kith.networks.settings import full_precision
    from kith.runtime.compile import compile_model
    from kith.runtime.keras_models import build

    with full_precision():
        return compile_model(build(network, arrays, embedding_size, input_size))


def _save(arrays: Mapping[str, np.ndarray], network: str, embedding_size: int | None) -> bytes:
    from kith.networks.nn4_layers import without_own_layers
    from kith.networks.settings import full_precision
    from kith.runtime.keras_models import build

    with full_precision(), tempfile.TemporaryDirectory(prefix="kith-") as folder:
        path = Path(folder) / "model.keras"
        without_own_layers(build(network, arrays, embedding_size)).save(path)
        return path.read_bytes()


def _quantize(arrays: Mapping[str, np.ndarray]) -> bytes:
    from kith.runtime.quantize import quantize

    return quantize(arrays["model"].tobytes(), arrays["inputs"])


_TASKS: dict[str, Callable[..., bytes]] = {"compile": _compile, "quantize": _quantize, "save": _save}


def _error(error: str, text: str, number: int = 0, **_: int) -> Exception:
    """What was raised in the process; an error that is not one of Kith's own with its traceback."""
    if error == "OSError":
        return OSError(number, text)
    found: Exception = getattr(errors, error)(text) if error else RuntimeError(text)
    return found


def _pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    from safetensors import numpy

    content: bytes = numpy.save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    return content


def _unpack(content: bytes) -> dict[str, np.ndarray]:
    from safetensors import numpy

    arrays: dict[str, np.ndarray] = numpy.load(content)
    return arrays


def _send(file: IO[bytes] | None, message: dict[str, Any], content: bytes = b"") -> None:
    assert file is not None  # noqa: S101 (for the type checker)
    file.write(json.dumps(message | {"bytes": len(content)}).encode() + b"\n")
    file.write(content)
    file.flush()


def _receive(file: IO[bytes] | None) -> tuple[dict[str, Any], bytes]:
    """A message and its content.

    Raises:
        EOFError: The other side is gone.
    """
    assert file is not None  # noqa: S101 (for the type checker)
    line = file.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    message: dict[str, Any] = json.loads(line)
    content = file.read(message["bytes"])
    if len(content) < message["bytes"]:
        raise EOFError
    return message, content
