import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from write_onnx import write_onnx

from kith.errors import DeviceError, MissingExtra, UnsupportedFile
from kith.runtime import session
from kith.runtime.device import PROVIDERS, Device
from kith.runtime.session import Session


def doubling() -> bytes:
    shape = ["n", 3]
    graph = helper.make_graph(
        [helper.make_node("Add", ["input_0", "input_0"], ["output_0"])],
        "doubling",
        [helper.make_tensor_value_info("input_0", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output_0", TensorProto.FLOAT, shape)],
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def test_runs_bytes_and_files(tmp_path: Path) -> None:
    path = tmp_path / "doubling.onnx"
    path.write_bytes(doubling())
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    for model in (doubling(), path):
        (result,) = Session(model).run(values)
        assert (result == 2 * values).all()


def test_one_session_serves_many_threads() -> None:
    network = Session(doubling(), threads=1)
    inputs = [np.full((1, 3), value, np.float32) for value in range(64)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda values: network.run(values)[0], inputs))
    assert [float(result[0, 0]) for result in results] == [2.0 * value for value in range(64)]


@pytest.mark.parametrize("content", [b"", b"no model at all", doubling()[:40]])
def test_a_damaged_model_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.onnx"
    path.write_bytes(content)
    with pytest.raises(UnsupportedFile, match="damaged.onnx cannot be run"):
        Session(path)


@pytest.mark.parametrize(("threads", "wanted"), [(3, 3), (1, 1), (0, 5)])
def test_threads_are_as_many_as_wanted(threads: int, wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    make = session.onnxruntime.InferenceSession

    def record(model: object, options: object, **more: object) -> object:
        seen.append(options.intra_op_num_threads)
        return make(model, options, **more)

    monkeypatch.setattr(session.onnxruntime, "InferenceSession", record)
    monkeypatch.setattr(session, "available_cores", lambda: 5)
    Session(doubling(), threads=threads).run(np.zeros((1, 3), np.float32))
    assert seen == [wanted]


def test_a_network_of_one_image_at_a_time_is_run_on_each() -> None:
    images = np.random.default_rng(0).normal(size=(3, 3, 32, 32)).astype(np.float32)
    one, many = (Session(renamed(write_onnx(batch=batch))) for batch in (1, "n"))
    np.testing.assert_allclose(one.run(images)[0], many.run(images)[0], atol=1e-5)
    np.testing.assert_allclose(one.run(images[:1])[0], many.run(images[:1])[0], atol=1e-5)


def renamed(data: bytes) -> bytes:
    """With the names of our inputs."""
    model = onnx.load_from_string(data)
    model.graph.node[0].input[0] = model.graph.input[0].name = "input_0"
    return model.SerializeToString()


class FakeSession:
    """ONNX Runtime's: what it was opened with.

    It loads the providers that work, and leaves out the others; of them the idle ones take no part of a network.
    """

    works: set[str] = set()
    idle: set[str] = set()
    opened: list["FakeSession"] = []
    fails: Exception | None = None

    def __init__(self, model: object, options: object, *, providers: list, enable_fallback: int) -> None:
        self.providers, self.enable_fallback = providers, enable_fallback
        self.opened.append(self)
        self.most = self._inside = 0

    def get_providers(self) -> list[str]:
        return [name for name, _ in self.providers if name in self.works | {CPU}]

    def get_provider_graph_assignment_info(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(ep_name=name) for name in self.get_providers() if name not in self.idle]

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(shape=["n", 3])]

    def run(self, names: object, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        self._inside += 1
        self.most = max(self.most, self._inside)
        time.sleep(0.001)
        self._inside -= 1
        if self.fails is not None:
            raise self.fails
        return list(feed.values())


CPU = PROVIDERS[Device.CPU].name
OFF_THE_PROCESSOR = [device for device in PROVIDERS if device is not Device.CPU]


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> type[FakeSession]:
    """An ONNX Runtime with every provider, all of which work."""
    names = [provider.name for provider in PROVIDERS.values()]
    kind = type("Sessions", (FakeSession,), {"works": set(names), "idle": set(), "opened": []})
    monkeypatch.setattr(session.onnxruntime, "get_available_providers", lambda: names)
    monkeypatch.setattr(session.onnxruntime, "InferenceSession", kind)
    monkeypatch.setattr(session.onnxruntime, "preload_dlls", lambda: print("loading"))
    return kind


@pytest.mark.parametrize("device", PROVIDERS)
def test_the_device_comes_first_and_the_processor_last(device: Device, runtime: type[FakeSession]) -> None:
    Session(b"", device=device)
    (opened,) = runtime.opened
    assert [name for name, _ in opened.providers] == list(dict.fromkeys([PROVIDERS[device].name, CPU]))
    assert opened.providers[0][1] == PROVIDERS[device].options
    assert opened.enable_fallback == 0, "it would be said on standard output, and be silent else"


def test_answers_are_not_mixed_with_what_onnxruntime_prints(
    runtime: type[FakeSession], capsys: pytest.CaptureFixture[str]
) -> None:
    Session(b"", device=Device.CUDA)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("device", OFF_THE_PROCESSOR)
def test_a_provider_that_was_left_out_is_an_error(device: Device, runtime: type[FakeSession]) -> None:
    """As ONNX Runtime does where the driver or a library is missing: the session is there, on the processor."""
    runtime.works.discard(PROVIDERS[device].name)
    with pytest.raises(DeviceError, match=f"{device}: does not work here"):
        Session(b"", device=device)


@pytest.mark.parametrize("device", OFF_THE_PROCESSOR)
def test_a_provider_that_takes_no_part_is_an_error(device: Device, runtime: type[FakeSession]) -> None:
    """As OpenVINO does with device_type AUTO: `get_providers` lists it, and the processor runs everything."""
    runtime.idle.add(PROVIDERS[device].name)
    with pytest.raises(DeviceError, match=f"{device}: does not work here"):
        Session(b"", device=device)


@pytest.mark.parametrize("device", OFF_THE_PROCESSOR)
def test_a_device_that_fails_is_told_in_a_line(device: Device, runtime: type[FakeSession]) -> None:
    network = Session(b"", device=device)
    runtime.fails = RuntimeError("CUDA failure 2: out of memory\nand more")
    with pytest.raises(DeviceError, match="out of memory$"):
        network.run(np.zeros((1, 3), np.float32))


def test_a_device_that_cannot_be_opened_is_told_in_a_line(
    runtime: type[FakeSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise RuntimeError("CUDA failure 35: driver version is insufficient\nand more")

    monkeypatch.setattr(session.onnxruntime, "InferenceSession", refuse)
    with pytest.raises(DeviceError, match="cuda: does not work here: CUDA failure 35: .* insufficient$"):
        Session(b"", device=Device.CUDA)


@pytest.mark.parametrize("device", [Device.DIRECTML, Device.CUDA])
def test_what_does_not_run_concurrently_runs_in_turn(device: Device, runtime: type[FakeSession]) -> None:
    network = Session(b"", device=device)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(network.run, [np.zeros((1, 3), np.float32)] * 20))
    (opened,) = runtime.opened
    assert (opened.most == 1) == (not PROVIDERS[device].concurrent)


@pytest.mark.skipif("CUDAExecutionProvider" in session.available_providers(), reason="a GPU's build is here")
def test_a_build_without_the_provider_names_the_extra() -> None:
    with pytest.raises(MissingExtra, match=r"kith\[gpu\]"):
        Session(doubling(), device=Device.CUDA)
