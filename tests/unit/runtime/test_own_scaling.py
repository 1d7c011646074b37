"""Whether a graph scales pixels itself, told from its first operators."""

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from kith.runtime.own_scaling import scales_pixels

node = helper.make_node
CONV = node("Conv", ["x", "kernel"], ["features"])
WEIGHTS = {
    "mean": np.full((1, 3, 1, 1), 127.5, np.float32),
    "divisor": np.float32(128),
    "factor": np.float32(1 / 128),
    "minus": np.full((1, 3, 1, 1), -0.9961, np.float32),
    "kernel": np.ones((8, 3, 3, 3), np.float32),
    "swap": np.array([2, 1, 0]),
    "ones": np.ones(3, np.float32),
    "zeros": np.zeros(3, np.float32),
    "means": np.full(3, 127.5, np.float32),
    "variances": np.full(3, 5000, np.float32),
    "nan": np.float32(np.nan),
}


def scales(*nodes: onnx.NodeProto, more: Sequence[onnx.NodeProto] = ()) -> bool:
    image = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 8, 8])
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in WEIGHTS.items()]
    graph = helper.make_graph([*nodes, CONV, *more], "graph", [image], [], weights)
    return scales_pixels(graph, "data")


SCALED = {
    "as MXNet's files do": [node("Sub", ["data", "mean"], ["a"]), node("Mul", ["a", "factor"], ["x"])],
    "by a division": [node("Sub", ["data", "mean"], ["a"]), node("Div", ["a", "divisor"], ["x"])],
    "factor first": [node("Mul", ["data", "factor"], ["a"]), node("Add", ["a", "minus"], ["x"])],
    "by a normalization": [
        node("BatchNormalization", ["data", "ones", "zeros", "means", "variances"], ["x"], epsilon=1e-5)
    ],
    "behind a turn, a cast and another order of colours": [
        node("Transpose", ["data"], ["a"], perm=[0, 3, 1, 2]),
        node("Cast", ["a"], ["b"], to=TensorProto.FLOAT),
        node("Gather", ["b", "swap"], ["c"], axis=1),
        node("Sub", ["c", "mean"], ["d"]),
        node("Mul", ["d", "factor"], ["x"]),
    ],
    "by a constant that is a node": [
        node("Constant", [], ["k"], value=numpy_helper.from_array(np.float32(0.0078))),
        node("Mul", ["data", "k"], ["x"]),
    ],
}
NOT_SCALED = {
    "nothing before the convolution": [node("Identity", ["data"], ["x"])],
    "a normalization of what was scaled before": [
        node("BatchNormalization", ["data", "ones", "zeros", "zeros", "ones"], ["x"])
    ],
    "only shifted": [node("Sub", ["data", "mean"], ["x"])],
    "by something that is no constant": [node("Mul", ["data", "data"], ["x"])],
    "by no number": [node("Mul", ["data", "nan"], ["x"])],
    "turned over": [node("Sub", ["factor", "data"], ["a"]), node("Mul", ["a", "factor"], ["x"])],
    "only behind another operator": [node("Relu", ["data"], ["a"]), node("Mul", ["a", "factor"], ["x"])],
}


@pytest.mark.parametrize("how", SCALED)
def test_scaled(how: str) -> None:
    assert scales(*SCALED[how])


@pytest.mark.parametrize("how", NOT_SCALED)
def test_not_scaled(how: str) -> None:
    assert not scales(*NOT_SCALED[how])


def test_pixels_that_are_read_twice_are_followed_no_further() -> None:
    scaled = node("Mul", ["data", "factor"], ["x"])
    assert scales(scaled, more=[node("Relu", ["x"], ["y"])]), "what is read twice behind it is scaled already"
    assert not scales(scaled, more=[node("Relu", ["data"], ["y"])])


def test_a_damaged_constant() -> None:
    damaged = numpy_helper.from_array(np.float32([1, 2]), "damaged")
    damaged.dims[0] = 3
    assert not scales(node("Constant", [], ["k"], value=damaged), node("Mul", ["data", "k"], ["x"]))
