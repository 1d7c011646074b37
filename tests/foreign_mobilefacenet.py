"""insightface's MobileFaceNet as an ONNX file of somebody else's: what MXNet's exporter makes of it.

One image at a time, pixels scaled within, weights listed as inputs, operators of version 11, PRelu and
BatchNormalization as they are.
"""

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kith.weights.mxnet import read_mxnet

OPSET = 11


def write_foreign_mobilefacenet(weights: Path) -> bytes:
    """The graph of `mobilefacenet_y1-symbol.json`, with the values of the file beside it.

    Args:
        weights: The folder of both.
    """
    nodes = json.loads((weights / "mobilefacenet_y1-symbol.json").read_text())["nodes"]
    arrays = read_mxnet((weights / "mobilefacenet_y1-0000.params").read_bytes())
    made: list[onnx.NodeProto] = []
    for node in nodes:
        if node["op"] == "null":
            continue
        inputs = [nodes[source]["name"] for source, *_ in node["inputs"]]
        made += _node(node["op"], node["name"], inputs, node.get("attrs") or {}, arrays)
    tensors = [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in arrays.items()]
    listed = [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in tensors]
    image = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 112, 112])
    embedding = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, 128])
    graph = helper.make_graph(made, "mobilefacenet", [image, *listed], [embedding], tensors)
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=3).SerializeToString()


def _node(
    kind: str, name: str, inputs: list[str], options: dict[str, str], arrays: dict[str, np.ndarray]
) -> list[onnx.NodeProto]:
    def node(operator: str, sources: list[str], **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(operator, sources, [name], name=name, **attributes)

    match kind:
        case "_minus_scalar" | "_mul_scalar":
            arrays[f"{name}_scalar"] = np.float32(options["scalar"])
            return [node("Sub" if "minus" in kind else "Mul", [*inputs, f"{name}_scalar"])]
        case "Convolution":
            sides = {key: list(ast.literal_eval(options[key])) for key in ("kernel", "stride", "pad")}
            shape = {"kernel_shape": sides["kernel"], "strides": sides["stride"], "pads": 2 * sides["pad"]}
            return [node("Conv", inputs, group=int(options["num_group"]), **shape)]
        case "BatchNorm":
            if options["fix_gamma"] == "True":
                arrays[inputs[1]] = np.ones_like(arrays[inputs[1]])
            return [node("BatchNormalization", inputs, epsilon=float(options.get("eps", 1e-3)))]
        case "LeakyReLU":
            arrays[inputs[1]] = arrays[inputs[1]].reshape(-1, 1, 1)
            return [node("PRelu", inputs)]
        case "elemwise_add":
            return [node("Add", inputs)]
        case "FullyConnected":
            flat = helper.make_node("Flatten", inputs[:1], [f"{name}_flat"])
            return [flat, node("Gemm", [f"{name}_flat", *inputs[1:]], transB=1)]
    raise ValueError(kind)
