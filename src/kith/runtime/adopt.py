"""Somebody else's ONNX embedder -> a network with the inputs and outputs that ours have."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kith.errors import UnsupportedFile
from kith.runtime.adopt_detector import kind_of_detector
from kith.runtime.foreign import KIND, read_graph

_NUMBERS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE}


def adopt_onnx(data: bytes, size: int, *, blue_first: bool) -> bytes:
    """Give a network an input_0 (n, size, size, 3) of red, green and blue, and an output_0 (n, d).

    The file is anybody's: to be called where time and memory have bounds, see `kith.runtime.trial`.

    Args:
        data: The ONNX file: one image in, channels first or last, one embedding out.
        size: Side of the image.
        blue_first: Whether the network wants blue, green, red.

    Returns:
        The new file.

    Raises:
        UnsupportedFile: It is damaged, refers to other files, or is no such network.
    """
    model = read_graph(data)
    graph = model.graph
    if detector := kind_of_detector(graph):
        raise UnsupportedFile(f"{KIND}: it is a detector, as {detector} is, and no embedder")
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1 or not graph.output:
        raise UnsupportedFile(f"{KIND}: it has {len(inputs)} inputs, an embedder has one")
    channels_first = _channels_first(inputs[0], size)
    _free_names(graph)
    _lead_in(graph, inputs[0], size, channels_first=channels_first, blue_first=blue_first)
    _lead_out(graph)
    content: bytes = model.SerializeToString()
    return content


def _free_names(graph: onnx.GraphProto) -> None:
    """Give values that have our inputs' and outputs' names other ones: a file may be one of ours."""
    taken = {"input_0": "kith_input", "output_0": "kith_output"}
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [taken.get(name, name) for name in names]
    for value in (*graph.input, *graph.output):
        value.name = taken.get(value.name, value.name)


def _channels_first(value: onnx.ValueInfoProto, size: int) -> bool:
    if value.type.tensor_type.elem_type not in _NUMBERS:
        raise UnsupportedFile(f"{KIND}: its input is not an image of floating-point numbers")
    shape = [axis.dim_value for axis in value.type.tensor_type.shape.dim]
    if len(shape) == 4 and shape[1] == 3 and set(shape[2:]) <= {0, size}:
        return True
    if len(shape) == 4 and shape[3] == 3 and set(shape[1:3]) <= {0, size}:
        return False
    raise UnsupportedFile(
        f"{KIND}: its input has shape {shape[:6]}, not an image of {size} pixels, as was said"
    )


def _lead_in(
    graph: onnx.GraphProto, value: onnx.ValueInfoProto, size: int, *, channels_first: bool, blue_first: bool
) -> None:
    """Put in front of the network what turns our input into its own."""
    source, nodes = "input_0", []
    if blue_first:
        order = numpy_helper.from_array(np.array([2, 1, 0]), "kith_blue_first")
        graph.initializer.append(order)
        nodes.append(helper.make_node("Gather", [source, order.name], ["kith_bgr"], axis=3))
        source = "kith_bgr"
    if channels_first:
        nodes.append(helper.make_node("Transpose", [source], ["kith_chw"], perm=(0, 3, 1, 2)))
        source = "kith_chw"
    kind = value.type.tensor_type.elem_type  # half precision, perhaps
    nodes.append(helper.make_node("Cast", [source], [value.name], to=kind))
    ours = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(ours)
    graph.input.remove(value)
    graph.input.append(helper.make_tensor_value_info("input_0", TensorProto.FLOAT, ["n", size, size, 3]))


def _lead_out(graph: onnx.GraphProto) -> None:
    first = graph.output[0].name
    graph.node.append(helper.make_node("Cast", [first], ["kith_float32"], to=TensorProto.FLOAT))
    graph.node.append(helper.make_node("Flatten", ["kith_float32"], ["output_0"], axis=1))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("output_0", TensorProto.FLOAT, ["n", None]))
    del graph.value_info[:]  # may state a batch of one
