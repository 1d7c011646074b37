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

from kith.errors import Remedy, UnsupportedFile, WeightsError
from kith.runtime import trial
from kith.runtime.session import Session
from kith.runtime.trial import adopt_in_bounds

node = helper.make_node
IMAGES = np.random.default_rng(1).normal(size=(3, 32, 32, 3)).astype(np.float32)
BOUNDED = pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")


adopt = adopt_in_bounds


def test_an_embedder(capfd: pytest.CaptureFixture[str]) -> None:
    adopted = adopt(write_onnx())
    assert (adopted.size, adopted.embedding_size, adopted.scales_pixels) == (32, 16, False)
    assert Session(adopted.content).run(IMAGES)[0].shape == (3, 16)
    assert capfd.readouterr() == ("", "")


def test_an_embedder_in_half_precision() -> None:
    model = onnx.load_from_string(write_onnx())
    weight = numpy_helper.to_array(model.graph.initializer[0])
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight.astype(np.float16), "weight"))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    adopted = adopt(model.SerializeToString())
    (expected,) = Session(adopt(write_onnx()).content).run(IMAGES)
    (found,) = Session(adopted.content).run(IMAGES)
    assert (adopted.embedding_size, found.dtype) == (16, np.float32)
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
    with pytest.raises(UnsupportedFile, match="not read and run within . seconds, as such networks are"):
        adopt(write_onnx_with([*wide, *add_sum(names[-1])], kernel=kernel, tiles=np.array([1, 16, 1, 1])))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\x08\x07nonsense", "damaged, or no ONNX file"),
        (b"", "it has 0 inputs|damaged"),
        (
            write_onnx(batch=3),
            "cannot be run on 2 faces at once; export it with a free batch size, or a batch of 1",
        ),
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


def test_a_batch_of_one_is_run_one_by_one() -> None:
    adopted = adopt(write_onnx(batch=1))
    (expected,) = Session(adopt(write_onnx()).content).run(IMAGES)
    np.testing.assert_allclose(Session(adopted.content).run(IMAGES)[0], expected, atol=1e-5)


def test_a_batch_of_one_that_only_the_input_states_is_none() -> None:
    model = onnx.load_from_string(write_onnx())
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    adopted = adopt(model.SerializeToString())
    assert (
        onnx.load_from_string(adopted.content).graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"
    )


def mixing(batch: int | str) -> bytes:
    """Adds the mean of all embeddings to each."""
    model = onnx.load_from_string(
        write_onnx_with(
            [node("ReduceMean", ["mean"], ["all"], axes=[0]), node("Add", ["mean", "all"], ["fc1"])]
        )
    )
    if isinstance(batch, int):
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    return model.SerializeToString()


def test_embeddings_that_depend_on_one_another() -> None:
    """Taken alone each is right: where the file says one image at a time, it is run so."""
    with pytest.raises(UnsupportedFile, match="of a face depends on the faces beside it"):
        adopt(mixing("n"))
    (expected,) = Session(adopt(write_onnx()).content).run(IMAGES)
    (found,) = Session(adopt(mixing(1)).content).run(IMAGES)
    np.testing.assert_allclose(found, 2 * expected, atol=1e-5)


def test_any_size_of_image() -> None:
    data = write_onnx(pixels="side")
    assert adopt(data, size=48).size == 48
    with pytest.raises(UnsupportedFile, match="it takes images of any size") as caught:
        adopt(data)
    assert caught.value.remedy is Remedy.SIZE_OF_ONNX


def test_the_embedding_among_other_outputs() -> None:
    data = write_onnx(others={"norm": [1, 1], "landmarks": [1, 5, 2], "map": [1, 8, 4, 4]})
    assert adopt(data).embedding_size == 16
    two = write_onnx(others={"classes": [1, 100]})
    with pytest.raises(
        UnsupportedFile, match="several .* could be the embedding: 'classes', 'fc1'"
    ) as caught:
        adopt(two)
    assert caught.value.remedy is Remedy.OUTPUT_OF_ONNX
    assert adopt(two, output="fc1").embedding_size == 16
    with pytest.raises(UnsupportedFile, match="it has no output 'fc2'; it has 'classes', 'fc1'"):
        adopt(two, output="fc2")


def test_an_embedding_with_axes_of_one() -> None:
    data = write_onnx_with([node("Unsqueeze", ["mean", "axes"], ["fc1"])], axes=np.array([2, 3]))
    assert adopt(data).embedding_size == 16


DETECTORS = {
    "YuNet": {"cls_8": [1, 6400, 1], "obj_8": [1, 6400, 1], "bbox_8": [1, 6400, 4]},
    "SCRFD": {"446": [12800, 1], "449": [12800, 4], "452": [12800, 10]},
}


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_detectors_graph(kind: str) -> None:
    model = onnx.load_from_string(write_onnx(others=DETECTORS[kind]))
    del model.graph.output[-1]
    with pytest.raises(UnsupportedFile, match=r"none of its 3 outputs is one embedding a face: is it a det"):
        adopt(model.SerializeToString())


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        ([1, 3, 32, 48], "an image of 48 x 32 pixels, not a square as an embedder's"),
        ([1, 1, 32, 32], "not that of an image of three colours"),
        ([1, 3, 32], "not that of an image of three colours"),
    ],
)
def test_what_is_no_image_of_a_face(shape: list[int], complaint: str) -> None:
    model = onnx.load_from_string(write_onnx())
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("data", TensorProto.FLOAT, shape))
    with pytest.raises(UnsupportedFile, match=complaint):
        adopt(model.SerializeToString())
