"""Graphs that stand in for published embedders: their inputs and outputs, and nothing in between.

Those of detectors are in `write_detector`.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def sface() -> bytes:
    """It scales pixels itself, and sees one face at once."""
    model = onnx.load_from_string(embedder(128, batch=1))
    for name, value in (("mean", 127.5), ("factor", 0.0078125)):
        model.graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), name))
    model.graph.node[0].input[0] = "scaled"
    for node in (
        helper.make_node("Mul", ["centred", "factor"], ["scaled"]),
        helper.make_node("Sub", ["data", "mean"], ["centred"]),
    ):
        model.graph.node.insert(0, node)
    content: bytes = model.SerializeToString()
    return content


def embedder(length: int, *, batch: int | str = "n", pixels: int = 112) -> bytes:
    """An embedder as ArcFace's, AdaFace's and EdgeFace's are: (batch, 3, s, s) to (batch, length)."""
    small = pixels // 16
    weight = np.random.default_rng(length).normal(size=(length, 3 * small * small)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["data"], ["small"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Flatten", ["small"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "weight"], ["fc1"], transB=1),
    ]
    return _model(
        nodes,
        helper.make_tensor_value_info("data", TensorProto.FLOAT, [batch, 3, pixels, pixels]),
        [helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [batch, length])],
        {"weight": weight},
    )


def _model(
    nodes: list[onnx.NodeProto],
    image: onnx.ValueInfoProto,
    outputs: list[onnx.ValueInfoProto],
    weights: dict[str, np.ndarray],
) -> bytes:
    tensors = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "stand-in", [image], outputs, tensors)
    opset = [helper.make_opsetid("", 17)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    return content
