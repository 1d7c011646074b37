"""float32 ONNX -> int8 ONNX, with a calibration set and an accuracy gate.

Static quantization by ONNX Runtime's own tool: activations unsigned with ranges seen on the
calibration inputs, weights signed with one scale a filter.

Weights get 7 bits of their 8. x86 processors without VNNI multiply unsigned by signed bytes and add
two products in 16 bits: 255 * 127 twice overflows there, 255 * 64 twice does not. So the same file
gives the same numbers on every processor, by its fastest kernels. Dense layers stay float32: the
last one costs next to nothing, and a third of the error came from it.
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


def quantize(model: bytes, inputs: np.ndarray) -> bytes:
    """Make an int8 network of a float32 one and prove that its embeddings are the same.

    Args:
        model: The float32 ONNX file.
        inputs: (n, s, s, 3) float32, n of at least 8: real inputs of the network, scaled. Every
            other one calibrates, the rest are the gate.

    Returns:
        The int8 ONNX file.

    Raises:
        WeightsError: The mean cosine of the gate's embeddings is below `MIN_COSINE`.
    """
    if len(inputs) < 8:
        raise ValueError(f"quantization needs at least 8 inputs, got {len(inputs)}")
    quantized = _quantize_static(model, inputs[::2])
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


class _Batches:
    """Calibration inputs in the form that ONNX Runtime's tool asks for."""

    def __init__(self, inputs: np.ndarray) -> None:
        batches = (inputs[start : start + _BATCH] for start in range(0, len(inputs), _BATCH))
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
            quantize_static(
                str(prepared),
                str(target),
                _Batches(inputs),
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


def _row_cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray(np.sum(a * b, axis=1) / norms)
