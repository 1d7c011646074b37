"""ONNX Runtime, behind one small class: the only module that imports it, but for its quantizer."""

import io
import os
from collections.abc import Collection
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from threading import Lock

import numpy as np
import onnxruntime

from kith.errors import DeviceError, UnsupportedFile
from kith.runtime.cores import available_cores
from kith.runtime.device import PROVIDERS, Device, Provider, require_provider
from kith.runtime.per_process import PerProcess


def available_providers() -> Collection[str]:
    """The names of the providers that this build of ONNX Runtime has, whether they work or not."""
    names: list[str] = onnxruntime.get_available_providers()
    return names


class Session:
    """A compiled network, ready to run; safe to use from many threads, and in forked children.

    Args:
        model: The ONNX file, or its bytes.
        threads: How many threads one run may use; 0 means one per core.
        device: Where it runs: any but AUTO.

    Raises:
        UnsupportedFile: The file is not a network that ONNX Runtime can run.
        MissingExtra: ONNX Runtime has no provider for the device.
        DeviceError: It has, but that does not work here.
    """

    def __init__(self, model: Path | bytes, *, threads: int = 0, device: Device = Device.CPU) -> None:
        self._device = device
        self._turn = nullcontext() if PROVIDERS[device].concurrent else Lock()
        self._session = PerProcess(lambda: _open(model, threads, device))

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run the network on float32 arrays, channels last, in the order of its inputs.

        A network that takes one image at a time is run on one after the other.

        Raises:
            DeviceError: The device failed.
        """
        session = self._session.get()
        if len(inputs[0]) > 1 and session.get_inputs()[0].shape[0] == 1:  # of a foreign network
            each = [self.run(*(value[i : i + 1] for value in inputs)) for i in range(len(inputs[0]))]
            return [np.concatenate(outputs) for outputs in zip(*each, strict=True)]
        feed = {f"input_{index}": value for index, value in enumerate(inputs)}
        try:
            with self._turn:
                results: list[np.ndarray] = session.run(None, feed)
        except Exception as error:  # ONNX Runtime's own exceptions share no public base class
            if self._device is Device.CPU:
                raise
            raise DeviceError(f"{self._device}: a network could not be run: {_first_line(error)}") from None
        return results


def _open(model: Path | bytes, threads: int, device: Device) -> onnxruntime.InferenceSession:
    provider = require_provider(device, available_providers())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.log_severity_level = 3
    # Threads spin while a run lasts, which saves a tenth of it, and sleep between runs: with several
    # sessions and a process pool they would steal cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.enable_mem_pattern = False  # the pyramid asks for ever new shapes: a plan for each is kept
    source = model if isinstance(model, bytes) else os.fspath(model)
    chosen = [provider] if device is Device.CPU else [provider, PROVIDERS[Device.CPU]]
    if device is not Device.CPU:
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    if device is Device.CUDA:
        _load_cuda()
    try:
        session = onnxruntime.InferenceSession(
            source,
            options,
            providers=[(each.name, dict(each.options)) for each in chosen],
            enable_fallback=0,  # ONNX Runtime would tell of it on standard output
        )
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        if device is not Device.CPU:
            raise DeviceError(f"{device}: does not work here: {_first_line(error)}") from None
        name = "the model" if isinstance(model, bytes) else str(model)
        raise UnsupportedFile(f"{name} cannot be run: {_first_line(error)}") from None
    if device is not Device.CPU and not _runs_on(session, provider):
        raise DeviceError(f"{device}: does not work here; a driver or a library may be missing")
    return session


def _runs_on(session: onnxruntime.InferenceSession, provider: Provider) -> bool:
    """Whether any part of a network runs on a provider.

    ONNX Runtime leaves out a provider that it cannot load, and raises nothing. And one that it has loaded and
    lists may take no part of a network: all of it then runs on the processor.
    """
    return any(part.ep_name == provider.name for part in session.get_provider_graph_assignment_info())


def _load_cuda() -> None:
    """Load CUDA and cuDNN where they were installed as Python packages."""
    with redirect_stdout(io.StringIO()):  # which is the answers'
        onnxruntime.preload_dlls()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
