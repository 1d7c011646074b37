"""Graphs that do other work for other images, or that are not what they say, are refused before they run."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from write_onnx import add_sum, write_onnx, write_onnx_with

from kith.errors import UnsupportedFile
from kith.runtime.foreign import require_predictable

node = helper.make_node


def check(nodes: Sequence[onnx.NodeProto], **weights: Any) -> None:
    require_predictable(onnx.load_from_string(write_onnx_with(nodes, **weights)))


def branch() -> onnx.GraphProto:
    return helper.make_graph(
        [node("Identity", ["mean"], ["out"])],
        "branch",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
    )


def test_an_embedder() -> None:
    require_predictable(onnx.load_from_string(write_onnx()))


@pytest.mark.parametrize(("kind", "names"), [("Loop", ["body"]), ("Scan", ["body"]), ("If", ["then_branch"])])
def test_loops_and_branches(kind: str, names: list[str]) -> None:
    graphs = {name: branch() for name in names}
    with pytest.raises(UnsupportedFile, match=rf"a loop or a branch \({kind}\).*onnxsim"):
        check([node(kind, ["mean"], ["fc1"], **graphs)])


def test_a_list_of_graphs() -> None:
    with pytest.raises(UnsupportedFile, match="a loop or a branch"):
        check([node("SequenceMap", ["mean"], ["fc1"], bodies=[branch()])])


def test_operators_of_its_own() -> None:
    with pytest.raises(UnsupportedFile, match=r"evil\.\\x1bEvil is no operator of the ONNX standard"):
        check([node("\x1bEvil", ["mean"], ["fc1"], domain="evil")])


def test_what_onnx_runtime_itself_writes() -> None:
    check([node("QLinearAdd", ["mean"], ["fc1"], domain="com.microsoft")])
    with pytest.raises(UnsupportedFile, match="CropAndResize is no operator"):
        check([node("CropAndResize", ["mean"], ["fc1"], domain="com.microsoft")])


def test_functions_of_its_own() -> None:
    model = onnx.load_from_string(write_onnx())
    opset = [helper.make_opsetid("", 17)]
    model.functions.append(
        helper.make_function("own", "F", ["x"], ["y"], [node("Relu", ["x"], ["y"])], opset)
    )
    with pytest.raises(UnsupportedFile, match="functions of its own"):
        require_predictable(model)


SIZED = [
    node("ConstantOfShape", ["size"], ["large"]),
    node("Expand", ["weight", "size"], ["large"]),
    node("Pad", ["weight", "size"], ["large"]),
    node("Range", ["zero", "size", "one"], ["large"]),
    node("Resize", ["weight", "", "", "size"], ["large"]),
    node("Tile", ["weight", "size"], ["large"]),
    node("NonZero", ["size"], ["large"]),
    node("Compress", ["weight", "size"], ["large"]),
]


@pytest.mark.parametrize("sized", SIZED, ids=lambda sized: sized.op_type)
@pytest.mark.parametrize("source", ["mean", "data"])
def test_sizes_that_pixels_decide(sized: onnx.NodeProto, source: str) -> None:
    size = [node("ReduceSum", [source], ["some"]), node("Cast", ["some"], ["size"], to=TensorProto.INT64)]
    with pytest.raises(
        UnsupportedFile, match=f"how large {sized.op_type} gets depends on what an image shows"
    ):
        check([*size, sized, *add_sum("large")])


@pytest.mark.parametrize("sized", SIZED, ids=lambda sized: sized.op_type)
def test_sizes_that_pixels_do_not_decide(sized: onnx.NodeProto) -> None:
    """As exporters write a network that takes any number of images."""
    check([node("Shape", ["mean"], ["size"]), sized, *add_sum("large")])
    check([sized, *add_sum("large")], size=np.array([2, 2]))


def test_weights_that_are_listed_as_inputs() -> None:
    """As files of before 2019 have it: a size among them is no pixel."""
    model = onnx.load_from_string(
        write_onnx_with([node("Tile", ["mean", "size"], ["fc1"])], size=np.array([1, 2]))
    )
    model.graph.input.append(helper.make_tensor_value_info("size", TensorProto.INT64, [2]))
    require_predictable(model)


def external() -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "secret")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="passwd")
    return tensor


def add_initializer(graph: onnx.GraphProto) -> None:
    graph.initializer.append(external())


def add_sparse_initializer(graph: onnx.GraphProto) -> None:
    graph.sparse_initializer.append(onnx.SparseTensorProto(values=external()))


def add_constant(graph: onnx.GraphProto) -> None:
    graph.node.append(node("Constant", [], ["secret"], value=external()))


def add_sparse_constant(graph: onnx.GraphProto) -> None:
    constant = onnx.SparseTensorProto(values=external())
    graph.node.append(node("Constant", [], ["secret"], sparse_value=constant))


@pytest.mark.parametrize("add", [add_initializer, add_sparse_initializer, add_constant, add_sparse_constant])
def test_weights_in_another_file(add: Callable[[onnx.GraphProto], None]) -> None:
    model = onnx.load_from_string(write_onnx())
    add(model.graph)
    with pytest.raises(UnsupportedFile, match="its weights are in another file"):
        require_predictable(model)
