"""A foreign network is tried where time and memory have bounds; what is wrong is one line of ours."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from write_onnx import add_sum, write_onnx, write_onnx_with

from kith.errors import UnsupportedFile, WeightsError
from kith.runtime import trial
from kith.runtime.session import Session
from kith.runtime.trial import adopt_in_bounds

node = helper.make_node
BOUNDED = pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")


def adopt(data: bytes) -> tuple[bytes, int]:
    return adopt_in_bounds(data, 32, blue_first=False)


def test_an_embedder(capfd: pytest.CaptureFixture[str]) -> None:
    content, length = adopt(write_onnx())
    assert length == 16
    inputs = np.random.default_rng(0).normal(size=(3, 32, 32, 3)).astype(np.float32)
    assert Session(content).run(inputs)[0].shape == (3, 16)
    assert capfd.readouterr() == ("", "")


def test_an_embedder_in_half_precision() -> None:
    model = onnx.load_from_string(write_onnx())
    weight = numpy_helper.to_array(model.graph.initializer[0])
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight.astype(np.float16), "weight"))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    content, length = adopt(model.SerializeToString())
    inputs = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)
    (expected,) = Session(adopt(write_onnx())[0]).run(inputs)
    (found,) = Session(content).run(inputs)
    assert (length, found.dtype) == (16, np.float32)
    np.testing.assert_allclose(found, expected, atol=0.02)


LARGE = np.array([2**31])
TOO_LARGE: dict[str, tuple[Sequence[onnx.NodeProto], dict[str, Any]]] = {
    "folded while it is loaded": (
        [node("ConstantOfShape", ["large"], ["all"]), *add_sum("all")],
        {"large": LARGE},
    ),
    "expanded while it runs": (
        [node("Expand", ["mean", "large"], ["all"]), *add_sum("all")],
        {"large": np.array([2**25, 1, 1])},
    ),
    "drawn": ([node("RandomNormal", [], ["all"], shape=[2**31]), *add_sum("all")], {}),
}


@BOUNDED
@pytest.mark.parametrize("case", TOO_LARGE)
def test_billions_of_numbers(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    nodes, weights = TOO_LARGE[case]
    with pytest.raises(UnsupportedFile, match="ONNX file: it takes more memory than its size allows"):
        adopt(write_onnx_with(nodes, **weights))
    assert capfd.readouterr() == ("", ""), "what ONNX Runtime says reaches nobody"


@BOUNDED
def test_billions_of_numbers_for_eight_images_only() -> None:
    count = [node("Shape", ["data"], ["shape"]), node("Slice", ["shape", "zero", "one"], ["n"])]
    powers = [node("Mul", [source, source], [to]) for source, to in zip("nabc", "abcd", strict=True)]
    with pytest.raises(UnsupportedFile, match="more memory"):
        adopt(
            write_onnx_with(
                [*count, *powers, node("ConstantOfShape", ["d"], ["all"]), *add_sum("all")],
                zero=np.array([0]),
                one=np.array([1]),
            )
        )


def test_endless_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions that take minutes."""
    monkeypatch.setattr(trial, "_SECONDS", 1.0)
    monkeypatch.setattr(trial, "_START", 8.0)  # where the system cannot end the process, we do
    names = ["data", *(f"x{number}" for number in range(400))]
    nodes = [
        node("Conv", [source, "kernel"], [to], kernel_shape=[31, 31], pads=[15] * 4)
        for source, to in zip(names, names[1:], strict=False)
    ]
    wide = [node("Tile", ["data", "tiles"], ["x0"]), *nodes[1:]]
    kernel = np.ones((48, 48, 31, 31), np.float32)
    with pytest.raises(UnsupportedFile, match="not read and run within . seconds, as embedders are"):
        adopt(write_onnx_with([*wide, *add_sum(names[-1])], kernel=kernel, tiles=np.array([1, 16, 1, 1])))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\x08\x07nonsense", "damaged, or no ONNX file"),
        (b"", "it has 0 inputs|damaged"),
        (write_onnx(batch=1), "cannot be run on several faces at once; export it with a free batch size"),
        (write_onnx(pixels=64), "not an image of 32 pixels"),
        (
            write_onnx_with([node("ReduceMean", ["mean"], ["fc1"], keepdims=1)]),
            r"its output has shape \(1, 1\)",
        ),
        (write_onnx_with([node("Nothing", ["mean"], ["fc1"])]), "damaged"),
        (
            write_onnx_with([node("If", ["mean"], ["fc1"], then_branch=onnx.GraphProto())]),
            "a loop or a branch",
        ),
    ],
)
def test_what_is_no_embedder(data: bytes, complaint: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnsupportedFile, match=f"ONNX file: .*({complaint})") as caught:
        adopt(data)
    assert len(str(caught.value).splitlines()) == 1
    assert capfd.readouterr() == ("", "")


def program(folder: Path, script: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
@pytest.mark.parametrize("script", ["kill -SEGV $$", "kill -KILL $$", "exit 1"])
def test_a_file_that_ends_the_process(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path, script))
    with pytest.raises(UnsupportedFile, match="ends the process"):
        adopt(write_onnx())


def test_no_process_to_try_it_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    with pytest.raises(WeightsError, match="cannot start a process"):
        adopt(write_onnx())
