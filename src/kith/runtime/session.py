"""ONNX Runtime, behind one small class; the only module that imports it for running."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime

from kith.errors import UnsupportedFile

SATURATION_PROBE = (
    b'\x08\x08:\x85\x01\n%\n\x04left\n\x05right\x12\x07product"\rMatMulInteger\x12\x10saturation_probe'
    b"Z\x16\n\x04left\x12\x0e\n\x0c\x08\x02\x12\x08\n\x02\x08\x10\n\x02\x08@Z\x17\n\x05right\x12\x0e\n\x0c"
    b"\x08\x03\x12\x08\n\x02\x08@\n\x02\x08\x10b\x19\n\x07product\x12\x0e\n\x0c\x08\x06\x12\x08\n\x02\x08\x10"
    b"\n\x02\x08\x10B\x04\n\x00\x10\r"
)
"""An ONNX file of one MatMulInteger, (16, 64) uint8 by (64, 16) int8; written out here because
importing onnx to make it would cost every start 0.2 s. A test makes it again."""


class Session:
    """A compiled network, ready to run; safe to use from many threads.

    Args:
        model: The ONNX file, or its bytes.
        threads: How many threads one run may use; 0 means one per core.

    Raises:
        UnsupportedFile: The file is not a network that ONNX Runtime can run.
    """

    def __init__(self, model: Path | bytes, *, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.log_severity_level = 3
        # Waiting threads sleep: with several sessions and a process pool, spinning ones steal cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = False  # the pyramid asks for ever new shapes: a plan for each is kept
        # Slower 8-bit kernels that do not saturate; a no-op where the fast ones are exact.
        options.add_session_config_entry("session.x64quantprecision", "1")
        source = model if isinstance(model, bytes) else os.fspath(model)
        try:
            self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own exceptions share no public base class
            name = "the model" if isinstance(model, bytes) else str(model)
            raise UnsupportedFile(f"{name} cannot be run: {_first_line(error)}") from None

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run the network on float32 arrays, channels last, in the order of its inputs."""
        feed = {f"input_{index}": value for index, value in enumerate(inputs)}
        results: list[np.ndarray] = self._session.run(None, feed)
        return results


def available_cores() -> int:
    """The cores this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def int8_is_exact() -> bool:
    """Whether this processor's 8-bit products are summed without overflow.

    x86 before VNNI adds two products of unsigned and signed bytes in 16 bits, which saturates.
    Asked of the processor itself, by a product that would: 255 * 127 + 255 * 127.
    """
    session = onnxruntime.InferenceSession(SATURATION_PROBE, providers=["CPUExecutionProvider"])
    left = np.full((16, 64), 255, np.uint8)
    right = np.full((64, 16), 127, np.int8)
    (product,) = session.run(None, {"left": left, "right": right})
    return bool((product == 64 * 255 * 127).all())


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
