"""WeightsSpec -> file -> arrays -> Keras -> ONNX -> session: the one path to a network that runs.

What was compiled once lies in the cache under a name made of everything that went into it, so a
changed file, network or compiler never meets an old result. Files appear whole or not at all: two
processes that compile at once write the same bytes, and a killed one leaves nothing behind that
would be taken for a model. Each is sealed: one that was damaged since is made again. Where none can
be kept, as on a full disk, what was made runs all the same.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kith.catalogue.builtin import DEFAULT_EMBEDDER
from kith.catalogue.files import CACHE_VARIABLE, cache_folder, keep, read_weights, remove_stale_partials
from kith.catalogue.installed import find_embedder
from kith.catalogue.spec import ONNX, WeightsSpec
from kith.errors import UnsupportedFile, WeightsError
from kith.files import digest_of_code
from kith.progress import SILENT, Progress
from kith.runtime.sealing import is_sealed, seal, unsealed
from kith.runtime.session import Session
from kith.runtime.workshop import workshop
from kith.weights.shapes import require_shapes

if TYPE_CHECKING:
    import keras


CODE_OF_NETWORKS = (
    "networks/*.py",
    "weights/*.py",
    "runtime/compile.py",
    "runtime/quantize.py",
    "runtime/session.py",
)
"""The code that turns a file into a network: readers, networks, compiler, quantizer."""


class Precision(StrEnum):
    """How a network's numbers are kept; AUTO is int8 where that keeps the embeddings."""

    AUTO = "auto"
    FLOAT32 = "float32"
    INT8 = "int8"


def prepare(spec: WeightsSpec, *, threads: int = 0, progress: Progress = SILENT) -> Session:
    """The network of a weights file, in float32.

    Args:
        spec: Which file, read by which reader into which network.
        threads: How many threads one run may use; 0 means one per core.
        progress: Told when the network must be compiled first.

    Raises:
        WeightsError: The file is missing, is not the published one, or does not fit the network.
    """
    path = _cache_path(spec, Precision.FLOAT32)
    return Session(_cached(path, lambda: _compile(spec, progress)), threads=threads)


def prepare_int8(
    spec: WeightsSpec,
    inputs: Callable[[], np.ndarray],
    *,
    inputs_key: str,
    threads: int = 0,
    progress: Progress = SILENT,
) -> Session:
    """The network of a weights file, in int8.

    Args:
        spec: Which file, read by which reader into which network.
        inputs: Called only when the network must be quantized first; returns (n, s, s, 3) float32
            real inputs of the network, scaled, for calibration and for the accuracy gate.
        inputs_key: Other for other inputs: a network calibrated on those is made anew.
        threads: How many threads one run may use; 0 means one per core.
        progress: Told when the network must be compiled or quantized first.

    Raises:
        WeightsError: As `prepare`; also if int8 would change the embeddings.
    """

    def make() -> bytes:
        with workshop() as shop:
            model = _cached(_cache_path(spec, Precision.FLOAT32), lambda: _compile(spec, progress))
            calibration = inputs()
            progress.begin(f"first run: quantizing {spec.network} to int8")
            content = model if isinstance(model, bytes) else unsealed(model.read_bytes())
            return shop.quantize(content, calibration)

    return Session(_cached(_cache_path(spec, Precision.INT8, inputs_key), make), threads=threads)


def forget(spec: WeightsSpec) -> None:
    """Delete all that was compiled of a weights file.

    Raises:
        WeightsError: A file cannot be deleted.
    """
    for path in _compiled_folder().glob(f"{_stem(spec)}-*.onnx"):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise WeightsError(f"cannot delete {path}: {error.strerror or error}") from None


def keras_model(model_id: str = DEFAULT_EMBEDDER) -> "keras.Model":
    """A model as a Keras 3 model with its weights: to look at, to train further, to save as `.keras`.

    Its inputs are crops with their pixels scaled, as `kith models show` tells; its outputs are not
    brought to unit length yet.

    Args:
        model_id: An embedder of `kith models list` that is here.

    Raises:
        WeightsError: It is not here, cannot be read, or was imported as ONNX.
    """
    spec = find_embedder(model_id)
    if spec.weights.network == ONNX:
        raise UnsupportedFile(f"{model_id} was imported as a compiled network; it has no Keras form")
    return load_keras(spec.weights)


def load_keras(spec: WeightsSpec) -> "keras.Model":
    """The Keras model of a weights file, with its weights.

    Raises:
        WeightsError: The file is missing, is not the published one, or does not fit the network.
    """
    return build(spec.network, _read_arrays(spec), spec.embedding_size, spec.input_size)


def build(
    network: str,
    arrays: Mapping[str, np.ndarray],
    embedding_size: int | None = None,
    input_size: int | None = None,
) -> "keras.Model":
    """The Keras model of a network with these variables.

    Args:
        network: The function in `kith.networks`.
        arrays: The variables by their names.
        embedding_size: For a network that has more than one.
        input_size: Side of its input, if not the network's own.

    Raises:
        UnsupportedFile: The variables do not fit the network.
    """
    from kith import networks

    wanted = {"embedding_size": embedding_size, "crop_size": input_size}
    sizes = {name: size for name, size in wanted.items() if size is not None}
    model: keras.Model = getattr(networks, network)(initializer="zeros", **sizes)
    assign(model, arrays)
    return model


def assign(model: "keras.Model", arrays: Mapping[str, np.ndarray]) -> None:
    """Put arrays into a model's variables by name; every variable and every array must find its own.

    Raises:
        UnsupportedFile: A name is missing or left over, or a shape differs.
    """
    # not model.variables: those include the state of dropout's random numbers
    variables = {variable.path: variable for variable in model.weights}
    require_shapes(model.name, {name: tuple(variable.shape) for name, variable in variables.items()}, arrays)
    for name, variable in variables.items():
        variable.assign(arrays[name])


def _compile(spec: WeightsSpec, progress: Progress) -> bytes:
    if spec.network == ONNX:
        return read_weights(spec)
    progress.begin(f"first run: reading {Path(spec.file.path).name}")
    arrays = _read_arrays(spec)
    progress.begin(f"first run: compiling {spec.network}")
    with workshop() as shop:
        return shop.compile(spec.network, arrays, spec.embedding_size, spec.input_size)


def _read_arrays(spec: WeightsSpec) -> dict[str, np.ndarray]:
    from kith.weights.registry import READERS  # here: a compiled model needs none

    return READERS[spec.reader](read_weights(spec))


def _cached(path: Path, make: Callable[[], bytes]) -> Path | bytes:
    """Where a model lies in the cache, made if it is missing or damaged; the model, if it cannot be kept."""
    try:
        if is_sealed(path.read_bytes()):
            return path
    except OSError:
        pass  # what is in the way is said when the file is written
    model = make()
    try:
        keep(path, seal(model))
    except WeightsError:
        _tell_once(path.parent)
        return model
    remove_stale_partials(path.parent)
    return path


@cache
def _tell_once(folder: Path) -> None:
    logging.getLogger("kith").warning(
        "kith: %s cannot be written, or is full; set %s to a folder with room, "
        "for until then models are prepared anew at every start",
        folder,
        CACHE_VARIABLE,
    )


def _cache_path(spec: WeightsSpec, precision: Precision, inputs_key: str = "") -> Path:
    parts = (
        spec.sha256,
        spec.reader,
        spec.network,
        f"{spec.embedding_size} {spec.input_size}",
        inputs_key,
        digest_of_code(*CODE_OF_NETWORKS),
    )
    key = hashlib.sha256("\n".join(parts).encode())
    return _compiled_folder() / f"{_stem(spec)}-{precision}-{key.hexdigest()[:16]}.onnx"


def _compiled_folder() -> Path:
    return cache_folder() / "compiled"


def _stem(spec: WeightsSpec) -> str:
    """How all that was compiled of a weights file begins."""
    return f"{spec.network}-{spec.sha256[:16]}"
