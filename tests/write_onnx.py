"""Writes an ONNX embedder, small and of ArcFace's form; and such that are none."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_onnx(*, batch: int | str = "n", pixels: int = 32, channels_first: bool = True) -> bytes:
    """A convolution and a mean: small, and of an embedder's form."""
    rng = np.random.default_rng(0)
    weight = numpy_helper.from_array(rng.normal(size=(16, 3, 3, 3)).astype(np.float32), "weight")
    nodes = [
        helper.make_node("Conv", ["data", "weight"], ["features"], kernel_shape=[3, 3]),
        helper.make_node("ReduceMean", ["features"], ["fc1"], axes=[2, 3], keepdims=0),
    ]
    if batch == 1:  # as exporters write it: the batch is a constant inside
        shape_of_one = numpy_helper.from_array(np.array([1, 16]), "shape")
        nodes[-1].output[0] = "mean"
        nodes.append(helper.make_node("Reshape", ["mean", "shape"], ["fc1"]))
    shape: list[int | str] = [batch, 3, pixels, pixels]
    if not channels_first:
        shape = [batch, pixels, pixels, 3]
        nodes.insert(0, helper.make_node("Transpose", ["image"], ["data"], perm=(0, 3, 1, 2)))
    source = "data" if channels_first else "image"
    graph = helper.make_graph(
        nodes,
        "arcface",
        [helper.make_tensor_value_info(source, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [batch, 16])],
        [weight, shape_of_one] if batch == 1 else [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def write_onnx_with(nodes: Sequence[onnx.NodeProto], **weights: Any) -> bytes:
    """That embedder with more in it: its embeddings are "mean", and the nodes make "fc1" of them."""
    model = onnx.load_from_string(write_onnx())
    model.graph.node[-1].output[0] = "mean"
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()
    )
    return model.SerializeToString()


def add_sum(of: str) -> list[onnx.NodeProto]:
    """Nodes that add the sum of a tensor to the embeddings."""
    return [
        helper.make_node("ReduceSum", [of], ["sum"], keepdims=0),
        helper.make_node("Add", ["mean", "sum"], ["fc1"]),
    ]
