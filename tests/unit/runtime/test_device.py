"""Which device networks run on, and what is said where one does not work. ONNX Runtime's providers are made up."""

import logging
from importlib import metadata

import pytest

from kith.errors import DeviceError, MissingExtra
from kith.runtime import device as device_module
from kith.runtime.device import PROVIDERS, Device, on_device, require_provider

CPU = {"CPUExecutionProvider"}
EVERYTHING = {provider.name for provider in PROVIDERS.values()}
OFF_THE_PROCESSOR = [device for device in PROVIDERS if device is not Device.CPU]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The packages that are installed."""
    packages = {"onnxruntime"}

    def version(package: str) -> str:
        if package not in packages:
            raise metadata.PackageNotFoundError(package)
        return "1"

    monkeypatch.setattr(device_module.metadata, "version", version)
    device_module._tell_once.cache_clear()
    return packages


def test_every_device_but_auto_has_a_provider() -> None:
    assert {Device.AUTO, *PROVIDERS} == set(Device)


@pytest.mark.parametrize("device", PROVIDERS)
def test_a_provider_that_is_there_is_taken(device: Device) -> None:
    assert require_provider(device, EVERYTHING) is PROVIDERS[device]


@pytest.mark.parametrize(
    ("device", "package", "extra"),
    [
        (Device.CUDA, "onnxruntime-gpu", "gpu"),
        (Device.OPENVINO, "onnxruntime-openvino", "openvino"),
        (Device.DIRECTML, "onnxruntime-directml", "directml"),
    ],
)
def test_one_that_is_not_installed_is_told_with_its_extra(device: Device, package: str, extra: str) -> None:
    with pytest.raises(MissingExtra) as raised:
        require_provider(device, CPU)
    assert str(raised.value) == f"this needs {package}; install it with: pip install 'kith[{extra}]'"


def test_one_over_which_another_build_lies_is_told_as_that(installed: set[str]) -> None:
    installed.add("onnxruntime-gpu")
    with pytest.raises(DeviceError, match="cuda: onnxruntime-gpu is installed, but another build") as raised:
        require_provider(Device.CUDA, CPU)
    assert "\n" not in str(raised.value)


def test_one_that_no_build_for_this_system_has() -> None:
    with pytest.raises(DeviceError, match="coreml: ONNX Runtime has no provider for it on this system"):
        require_provider(Device.COREML, CPU)


def tried(wanted: Device, available: set[str], *broken: Device) -> tuple[Device, list[Device]]:
    """The device that something was made on, and all that were tried."""
    seen: list[Device] = []

    def make(device: Device) -> Device:
        seen.append(device)
        require_provider(device, available)
        if device in broken:
            raise DeviceError(f"{device}: does not work here")
        return device

    return on_device(wanted, available, make), seen


def test_auto_is_the_processor_where_nothing_else_was_installed(caplog: pytest.LogCaptureFixture) -> None:
    assert tried(Device.AUTO, CPU) == (Device.CPU, [Device.CPU])
    assert caplog.records == []


def test_auto_does_not_take_what_came_unasked() -> None:
    """Every Mac's ONNX Runtime has CoreML."""
    assert tried(Device.AUTO, CPU | {"CoreMLExecutionProvider"})[1] == [Device.CPU]


def test_auto_takes_the_best() -> None:
    assert tried(Device.AUTO, EVERYTHING) == (Device.CUDA, [Device.CUDA])
    assert tried(Device.AUTO, EVERYTHING - {"CUDAExecutionProvider"})[0] is Device.DIRECTML
    assert tried(Device.AUTO, {"OpenVINOExecutionProvider", *CPU})[0] is Device.OPENVINO


def test_auto_goes_on_where_the_best_does_not_work_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "kith"):
        for _ in range(2):
            assert tried(Device.AUTO, EVERYTHING, Device.CUDA)[0] is Device.DIRECTML
    assert [record.getMessage() for record in caplog.records] == [
        "kith: cuda: does not work here; another device is used instead"
    ]


def test_auto_ends_with_the_processor() -> None:
    made, seen = tried(Device.AUTO, EVERYTHING, *OFF_THE_PROCESSOR)
    assert made is Device.CPU
    assert seen == [Device.CUDA, Device.DIRECTML, Device.OPENVINO, Device.CPU]


def test_auto_says_that_a_build_is_hidden(installed: set[str], caplog: pytest.LogCaptureFixture) -> None:
    """Somebody installed it, and would take the processor's speed for a GPU's."""
    installed.add("onnxruntime-gpu")
    assert tried(Device.AUTO, CPU) == (Device.CPU, [Device.CUDA, Device.CPU])
    assert "another build of ONNX Runtime lies over it" in caplog.text


@pytest.mark.parametrize("device", OFF_THE_PROCESSOR)
def test_a_device_that_was_asked_for_is_never_another(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DeviceError, match=f"{device}: does not work here"):
        tried(device, EVERYTHING, device)
    with pytest.raises((DeviceError, MissingExtra)):
        tried(device, CPU)
    assert caplog.records == []


def test_the_processor_failing_is_an_error() -> None:
    with pytest.raises(DeviceError):
        tried(Device.AUTO, CPU, Device.CPU)
