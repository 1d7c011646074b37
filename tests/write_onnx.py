"""Writes an ONNX embedder, small and of ArcFace's form; and such that are none."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_onnx(
    *,
    batch: int | str = "n",
    pixels: int | str = 32,
    channels_first: bool = True,
    scaled: bool = False,
    length: int = 16,
    others: Mapping[str, Sequence[int]] | None = None,
) -> bytes:
    """A convolution and a mean: small, and of an embedder's form.

    Args:
        batch: How many images it takes; a name for any number.
        pixels: Side of its image; a name for any.
        channels_first: Whether its image has its colours first.
        scaled: Whether it scales pixels itself, as MXNet's files do.
        length: Of an embedding.
        others: More outputs, which come first: name and shape of each.
    """
    rng = np.random.default_rng(0)
    weights = [numpy_helper.from_array(rng.normal(size=(length, 3, 3, 3)).astype(np.float32), "weight")]
    nodes = [
        helper.make_node("Conv", ["data", "weight"], ["features"], kernel_shape=[3, 3]),
        helper.make_node("ReduceMean", ["features"], ["fc1"], axes=[2, 3], keepdims=0),
    ]
    if isinstance(batch, int):  # as exporters write it: the batch is a constant inside
        weights.append(numpy_helper.from_array(np.array([1, length]), "shape"))
        nodes[-1].output[0] = "mean"
        nodes.append(helper.make_node("Reshape", ["mean", "shape"], ["fc1"]))
    if scaled:
        weights += [numpy_helper.from_array(np.float32(one), str(one)) for one in (127.5, 1 / 128)]
        nodes[0].input[0] = "scaled"
        nodes[:0] = [
            helper.make_node("Sub", ["data", "127.5"], ["signed"]),
            helper.make_node("Mul", ["signed", str(1 / 128)], ["scaled"]),
        ]
    outputs = [helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [batch, length])]
    for name, extent in (others or {}).items():
        weights.append(numpy_helper.from_array(np.ones(extent, np.float32), f"{name} values"))
        nodes.append(helper.make_node("Identity", [f"{name} values"], [name]))
        outputs.insert(-1, helper.make_tensor_value_info(name, TensorProto.FLOAT, extent))
    shape: list[int | str] = [batch, 3, pixels, pixels]
    if not channels_first:
        shape = [batch, pixels, pixels, 3]
        nodes.insert(0, helper.make_node("Transpose", ["image"], ["data"], perm=(0, 3, 1, 2)))
    source = "data" if channels_first else "image"
    graph = helper.make_graph(
        nodes,
        "arcface",
        [helper.make_tensor_value_info(source, TensorProto.FLOAT, shape)],
        outputs,
        weights,
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
