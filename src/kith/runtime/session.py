"""ONNX Runtime, behind one small class: the only module that imports it, but for its quantizer."""

import os
from pathlib import Path

import numpy as np
import onnxruntime

from kith.errors import UnsupportedFile
from kith.runtime.cores import available_cores
from kith.runtime.per_process import PerProcess


class Session:
    """A compiled network, ready to run; safe to use from many threads, and in forked children.

    Args:
        model: The ONNX file, or its bytes.
        threads: How many threads one run may use; 0 means one per core.

    Raises:
        UnsupportedFile: The file is not a network that ONNX Runtime can run.
    """

    def __init__(self, model: Path | bytes, *, threads: int = 0) -> None:
        self._session = PerProcess(lambda: _open(model, threads))

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run the network on float32 arrays, channels last, in the order of its inputs.

        A network that takes one image at a time is run on one after the other.
        """
        session = self._session.get()
        if len(inputs[0]) > 1 and session.get_inputs()[0].shape[0] == 1:  # of a foreign network
            each = [self.run(*(value[i : i + 1] for value in inputs)) for i in range(len(inputs[0]))]
            return [np.concatenate(outputs) for outputs in zip(*each, strict=True)]
        feed = {f"input_{index}": value for index, value in enumerate(inputs)}
        results: list[np.ndarray] = session.run(None, feed)
        return results


def _open(model: Path | bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.log_severity_level = 3
    # Threads spin while a run lasts, which saves a tenth of it, and sleep between runs: with several
    # sessions and a process pool they would steal cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.enable_mem_pattern = False  # the pyramid asks for ever new shapes: a plan for each is kept
    source = model if isinstance(model, bytes) else os.fspath(model)
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        name = "the model" if isinstance(model, bytes) else str(model)
        raise UnsupportedFile(f"{name} cannot be run: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
