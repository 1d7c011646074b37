"""What networks can run on: the processor, and what else ONNX Runtime has a provider for.

Off the processor networks compute in float32, and providers that would take fewer digits, because that is
quicker, are told not to. So an embedding is the same, but for rounding, whichever device made it, and nothing
that is kept of it names the device: int8 is for processors, and is in its recipe as the precision.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import metadata
from typing import TypeVar

from kith.errors import DeviceError, MissingExtra

Made = TypeVar("Made")

_log = logging.getLogger("kith")


class Device(StrEnum):
    """Where networks run; AUTO is the best that is installed and works, and else the processor."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    OPENVINO = "openvino"
    COREML = "coreml"
    DIRECTML = "directml"


@dataclass(frozen=True, slots=True)
class Provider:
    """What ONNX Runtime runs networks by on a device.

    Attributes:
        name: As ONNX Runtime calls it.
        package: The build of ONNX Runtime that brings it.
        extra: Of Kith's, that installs this build; empty where it is the usual build.
        at_once: How many faces are worth embedding in one run.
        options: ONNX Runtime's for it.
        concurrent: Whether several threads may run a network at the same time.
    """

    name: str
    package: str
    extra: str
    at_once: int
    options: Mapping[str, str] = field(default_factory=dict)
    concurrent: bool = True


PROVIDERS: Mapping[Device, Provider] = {
    # larger batches are no faster on a processor, and cost memory
    Device.CPU: Provider("CPUExecutionProvider", "onnxruntime", "", at_once=4),
    Device.CUDA: Provider(
        "CUDAExecutionProvider",
        "onnxruntime-gpu",
        "gpu",
        at_once=32,
        options={
            "use_tf32": "0",  # which has 10 binary digits
            "cudnn_conv_algo_search": "HEURISTIC",  # else each new size of a photo is tried out for seconds
            "arena_extend_strategy": "kSameAsRequested",
        },
    ),
    Device.OPENVINO: Provider(
        "OpenVINOExecutionProvider",
        "onnxruntime-openvino",
        "openvino",
        at_once=4,
        # its AUTO leaves every network to ONNX Runtime's own kernels; and else it may take bfloat16
        options={"device_type": "CPU", "precision": "ACCURACY"},
    ),
    Device.COREML: Provider(
        "CoreMLExecutionProvider",
        "onnxruntime",
        "",
        at_once=32,
        options={"ModelFormat": "MLProgram", "MLComputeUnits": "CPUAndGPU"},  # the others know float16 only
    ),
    Device.DIRECTML: Provider(
        "DmlExecutionProvider", "onnxruntime-directml", "directml", at_once=32, concurrent=False
    ),
}

_BEST_FIRST = (Device.CUDA, Device.DIRECTML, Device.OPENVINO)
"""What AUTO tries: what someone has installed for it. CoreML comes with every Mac's ONNX Runtime, so that its
being there says nothing; it must be asked for."""


def on_device(wanted: Device, available: Collection[str], make: Callable[[Device], Made]) -> Made:
    """Make something on a device; of AUTO on the best that is installed and works, and else on the processor.

    Args:
        wanted: The device.
        available: The providers that ONNX Runtime has, by their names.
        make: Makes it on any device but AUTO.

    Raises:
        MissingExtra, DeviceError: What is made cannot be run on the device that is wanted.
    """
    *first, last = _to_try(wanted, available)
    for device in first:
        try:
            return make(device)
        except DeviceError as error:
            _tell_once(str(error))
    return make(last)


def _to_try(wanted: Device, available: Collection[str]) -> Sequence[Device]:
    if wanted is not Device.AUTO:
        return (wanted,)
    installed = (
        device
        for device in _BEST_FIRST
        if PROVIDERS[device].name in available or _is_installed(PROVIDERS[device].package)
    )
    return (*installed, Device.CPU)


@cache
def _tell_once(what: str) -> None:
    _log.warning("kith: %s; another device is used instead", what)


def require_provider(device: Device, available: Collection[str]) -> Provider:
    """The provider of a device, if ONNX Runtime has it; whether it works is not known by that.

    Args:
        device: Any but AUTO.
        available: The providers that ONNX Runtime has, by their names.

    Raises:
        MissingExtra: The build of ONNX Runtime that has it is not installed.
        DeviceError: It is installed, but another build lies over it; or no build for this system has it.
    """
    provider = PROVIDERS[device]
    if provider.name in available:
        return provider
    if not provider.extra:
        raise DeviceError(f"{device}: ONNX Runtime has no provider for it on this system")
    if _is_installed(provider.package):
        raise DeviceError(
            f"{device}: {provider.package} is installed, but another build of ONNX Runtime lies over it; "
            f"uninstall all of them, and install {provider.package} alone"
        )
    raise MissingExtra(provider.package, provider.extra)


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
