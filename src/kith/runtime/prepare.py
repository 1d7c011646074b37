"""WeightsSpec -> file -> arrays -> Keras -> ONNX -> session: the one path to a network that runs.

What was compiled once lies in the cache under a name made of everything that went into it, so a
changed file, network or compiler never meets an old result. Files appear whole or not at all: two
processes that compile at once write the same bytes, and a killed one leaves nothing behind that
would be taken for a model. Each is sealed: one that was damaged since is made again. Where none can
be kept, as on a full disk, what was made runs all the same.
"""

import hashlib
import logging
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np

from kith.catalogue.files import CACHE_VARIABLE, cache_folder, keep, read_weights, remove_stale_partials
from kith.catalogue.spec import ONNX, WeightsSpec
from kith.errors import WeightsError
from kith.files import digest_of_code
from kith.progress import SILENT, Progress
from kith.runtime.device import Device
from kith.runtime.keras_models import read_arrays
from kith.runtime.sealing import is_sealed, seal, unsealed
from kith.runtime.session import Session
from kith.runtime.workshop import workshop

CODE_OF_NETWORKS = (
    "networks/*.py",
    "weights/*.py",
    "runtime/compile.py",
    "runtime/device.py",
    "runtime/quantize.py",
    "runtime/session.py",
)
"""The code that turns a file into a network: readers, networks, compiler, quantizer."""

_log = logging.getLogger("kith")


class Precision(StrEnum):
    """How a network's numbers are kept; AUTO is int8 where that keeps the embeddings."""

    AUTO = "auto"
    FLOAT32 = "float32"
    INT8 = "int8"


def prepare(
    spec: WeightsSpec, *, threads: int = 0, device: Device = Device.CPU, progress: Progress = SILENT
) -> Session:
    """The network of a weights file, in float32.

    Args:
        spec: Which file, read by which reader into which network.
        threads: How many threads one run may use; 0 means one per core.
        device: Where it runs.
        progress: Told when the network must be compiled first.

    Raises:
        WeightsError: The file is missing, is not the published one, or does not fit the network.
        MissingExtra, DeviceError: It cannot be run on that device.
    """
    path = _cache_path(spec, Precision.FLOAT32)
    return Session(_cached(path, lambda: _compile(spec, progress)), threads=threads, device=device)


def prepare_int8(
    spec: WeightsSpec,
    inputs: Callable[[], np.ndarray],
    *,
    inputs_key: str,
    threads: int = 0,
    progress: Progress = SILENT,
) -> Session:
    """The network of a weights file, in int8, which is for processors.

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
            _log.info("kith: quantizing %s to int8", spec.network)
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


def _compile(spec: WeightsSpec, progress: Progress) -> bytes:
    if spec.network == ONNX:
        return read_weights(spec)
    progress.begin(f"first run: reading {Path(spec.file.path).name}")
    arrays = read_arrays(spec)
    progress.begin(f"first run: compiling {spec.network}")
    _log.info("kith: compiling %s of %s", spec.network, Path(spec.file.path).name)
    with workshop() as shop:
        return shop.compile(spec.network, arrays, spec.embedding_size, spec.input_size)


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
    _log.warning(
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
