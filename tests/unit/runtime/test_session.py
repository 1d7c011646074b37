from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from write_onnx import write_onnx

from kith.errors import UnsupportedFile
from kith.runtime import session
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
