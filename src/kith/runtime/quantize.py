"""float32 ONNX -> int8 ONNX, with a calibration set and an accuracy gate.

Static quantization by ONNX Runtime's own tool: activations unsigned with ranges seen on the
calibration inputs, weights signed with one scale a filter.

Weights get 7 bits of their 8. x86 processors without VNNI multiply unsigned by signed bytes and add
two products in 16 bits: 255 * 127 twice overflows there, 255 * 64 twice does not. So the same file
gives the same numbers on every processor, by its fastest kernels. A filter's largest weights are
clipped where its others gain more by the finer scale. Dense layers stay float32: the last one costs
next to nothing, and a third of the error came from it.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kith.errors import WeightsError
from kith.runtime.session import Session

MIN_COSINE = 0.999
"""Mean cosine between the embeddings of both precisions below which int8 is refused."""

_BATCH = 8
_OPSET = 17
_LARGEST = 64  # whole number that a weight of 7 bits may be
_CLIPS = np.linspace(0.8, 1, 21)  # of a filter's largest weight


def quantize(model: bytes, inputs: np.ndarray) -> bytes:
    """Make an int8 network of a float32 one and prove that its embeddings are the same.

    Args:
        model: The float32 ONNX file.
        inputs: (n, s, s, 3) float32, n of at least 8: real inputs of the network, scaled. Every
            other one calibrates, the rest are the gate.

    Returns:
        The int8 ONNX file.

    Raises:
        WeightsError: The mean cosine of the gate's embeddings is below `MIN_COSINE`; or it is somebody
            else's network, and is quantized already, or is not one that ONNX Runtime can quantize.
    """
    if len(inputs) < 8:
        raise ValueError(f"quantization needs at least 8 inputs, got {len(inputs)}")
    try:
        quantized = _quantize_static(_ready(model), inputs[::2])
    except WeightsError:
        raise
    except Exception as error:  # whatever the tools stumble over in somebody else's graph
        raise WeightsError(
            "int8 is refused: ONNX Runtime cannot quantize this network; use float32"
        ) from error
    gate = inputs[1::2]
    (expected,) = Session(model).run(gate)
    (actual,) = Session(quantized).run(gate)
    cosine = float(np.mean(_row_cosines(expected, actual)))
    if not cosine >= MIN_COSINE:
        raise WeightsError(
            f"int8 is refused: its embeddings have a mean cosine of {cosine:.4f} to float32, "
            f"less than {MIN_COSINE}; use float32"
        )
    return quantized


def _ready(model: bytes) -> bytes:
    """A network in operators of a version that can have one scale a filter, as a foreign one may not be."""
    import onnx
    from onnx import version_converter

    read = onnx.load_from_string(model)
    if any("Quantize" in node.op_type or node.op_type.startswith("QLinear") for node in read.graph.node):
        raise WeightsError("int8 is refused: the network is quantized already")
    (version,) = (opset.version for opset in read.opset_import if opset.domain in ("", "ai.onnx"))
    if version >= _OPSET:
        return model
    content: bytes = version_converter.convert_version(read, _OPSET).SerializeToString()
    return content


class _Batches:
    """Calibration inputs in the form that ONNX Runtime's tool asks for."""

    def __init__(self, inputs: np.ndarray, at_once: int) -> None:
        batches = (inputs[start : start + at_once] for start in range(0, len(inputs), at_once))
        self._feeds: Iterator[dict[str, np.ndarray]] = ({"input_0": batch} for batch in batches)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)

    def set_range(self, start_index: int, end_index: int) -> None:
        raise NotImplementedError("all inputs are read at once")


def _quantize_static(model: bytes, inputs: np.ndarray) -> bytes:
    # here: a compiled model runs without the quantizer and what it imports
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    CalibrationDataReader.register(_Batches)
    try:
        with tempfile.TemporaryDirectory(prefix="kith-") as folder:
            source, prepared, target = (Path(folder) / name for name in ("f32", "prepared", "int8"))
            source.write_bytes(model)
            quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
            batch = _clip_filters(prepared)
            quantize_static(
                str(prepared),
                str(target),
                _Batches(inputs, batch or _BATCH),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=[
                    "Conv",
                    "Add",
                    "Relu",
                    "MaxPool",
                    "AveragePool",
                    "Concat",
                    "Pad",
                ],
            )
            return target.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"cannot write to the temporary folder: {error.strerror or error}; set TMPDIR to one with room"
        ) from None


def _clip_filters(path: Path) -> int:
    """Clip the filters of an ONNX file, in place; answers how many images it takes at once, 0 for any."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    filters = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    for weights in model.graph.initializer:
        if weights.name in filters:
            clipped = clip_filters(numpy_helper.to_array(weights))
            weights.CopyFrom(numpy_helper.from_array(clipped, weights.name))
    onnx.save(model, path)
    return int(model.graph.input[0].type.tensor_type.shape.dim[0].dim_value)


def clip_filters(filters: np.ndarray) -> np.ndarray:
    """Clip each filter where that, and then rounding to 7 bits, changes it least.

    Args:
        filters: (n, ...) float32, one a row.

    Returns:
        The same shape; the largest weight of each row now sets the best scale for that row.
    """
    rows = filters.reshape(len(filters), -1)
    limits = _CLIPS[:, np.newaxis] * np.abs(rows).max(axis=1)
    errors = [np.sum((_round(rows, limit[:, np.newaxis]) - rows) ** 2, axis=1) for limit in limits]
    best = np.take_along_axis(limits, np.argmin(errors, axis=0)[np.newaxis], axis=0).T
    return np.asarray(np.clip(rows, -best, best).reshape(filters.shape), filters.dtype)


def _round(rows: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """What is left of rows (n, m) in 7 bits, if their largest weights become limits (n, 1)."""
    scales = np.maximum(limits, np.finfo(np.float32).tiny) / _LARGEST
    return np.asarray(np.clip(np.round(rows / scales), -_LARGEST, _LARGEST) * scales)


def _row_cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray(np.sum(a * b, axis=1) / norms)
