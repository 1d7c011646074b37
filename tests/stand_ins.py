"""Graphs that stand in for published networks: their inputs and outputs, and nothing in between."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_STRIDES = (8, 16, 32)


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


def yunet() -> bytes:
    """Its twelve outputs: two scores, a box and landmarks of each cell, at three strides."""
    return _detector({"cls": 1, "obj": 1, "bbox": 4, "kps": 10}, anchors=1)


def scrfd() -> bytes:
    """Its nine outputs: a score, a box and landmarks of each of two anchors of each cell, at three strides."""
    return _detector({"score": 1, "bbox": 4, "kps": 10}, anchors=2)


def _detector(heads: dict[str, int], anchors: int) -> bytes:
    nodes: list[onnx.NodeProto] = []
    outputs: list[onnx.ValueInfoProto] = []
    weights: dict[str, np.ndarray] = {}
    for head, length in heads.items():
        weights[f"shape_{head}"] = np.array([1, -1, length])
        for stride in _STRIDES:
            name = f"{head}_{stride}"
            weights[f"{name}_kernel"] = np.full((anchors * length, 3, 1, 1), 1e-4, np.float32)
            nodes += [
                helper.make_node("Conv", ["input", f"{name}_kernel"], [f"{name}_map"], strides=[stride] * 2),
                helper.make_node("Transpose", [f"{name}_map"], [f"{name}_last"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}_last", f"shape_{head}"], [f"{name}_rows"]),
                helper.make_node("Sigmoid" if length == 1 else "Identity", [f"{name}_rows"], [name]),
            ]
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, length]))
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "height", "width"])
    return _model(nodes, image, outputs, weights)


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
