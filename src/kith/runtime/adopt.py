"""Somebody else's ONNX embedder -> a network with the inputs and outputs that ours have."""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kith.errors import UnsupportedFile
from kith.runtime.session import Session

_KIND = "ONNX file"


def adopt_onnx(data: bytes, size: int, *, blue_first: bool) -> tuple[bytes, int]:
    """Give a network an input_0 (n, size, size, 3) of red, green and blue, and an output_0 (n, d).

    Args:
        data: The ONNX file: one image in, channels first or last, one embedding out.
        size: Side of the image.
        blue_first: Whether the network wants blue, green, red.

    Returns:
        The new file, and d.

    Raises:
        UnsupportedFile: It is damaged, refers to other files, or is no such network.
    """
    try:
        model = onnx.load_from_string(data)
        onnx.checker.check_model(model)
    except Exception:  # protobuf's and onnx's own exceptions share no public base class
        raise UnsupportedFile(f"{_KIND}: damaged, or no ONNX file") from None
    graph = model.graph
    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in _tensors(graph)):
        raise UnsupportedFile(f"{_KIND}: its weights are in another file; export it as one file")
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1 or not graph.output:
        raise UnsupportedFile(f"{_KIND}: it has {len(inputs)} inputs, an embedder has one")
    channels_first = _channels_first(inputs[0], size)
    _free_names(graph)
    _lead_in(graph, inputs[0], size, channels_first=channels_first, blue_first=blue_first)
    _lead_out(graph)
    content = model.SerializeToString()
    return content, _embedding_size(content, size)


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every tensor that a graph holds, those in its nodes and their graphs as well."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from _tensors(inner)


def _free_names(graph: onnx.GraphProto) -> None:
    """Give values that have our inputs' and outputs' names other ones: a file may be one of ours."""
    taken = {"input_0": "kith_input", "output_0": "kith_output"}
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [taken.get(name, name) for name in names]
    for value in (*graph.input, *graph.output):
        value.name = taken.get(value.name, value.name)


def _channels_first(value: onnx.ValueInfoProto, size: int) -> bool:
    shape = [axis.dim_value for axis in value.type.tensor_type.shape.dim]
    if len(shape) == 4 and shape[1] == 3 and set(shape[2:]) <= {0, size}:
        return True
    if len(shape) == 4 and shape[3] == 3 and set(shape[1:3]) <= {0, size}:
        return False
    raise UnsupportedFile(
        f"{_KIND}: its input has shape {shape}, not an image of {size} pixels; see --crop-size"
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
        nodes.append(helper.make_node("Transpose", [source], [value.name], perm=(0, 3, 1, 2)))
    else:
        nodes.append(helper.make_node("Identity", [source], [value.name]))
    ours = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(ours)
    graph.input.remove(value)
    graph.input.append(helper.make_tensor_value_info("input_0", TensorProto.FLOAT, ["n", size, size, 3]))


def _lead_out(graph: onnx.GraphProto) -> None:
    first = graph.output[0].name
    graph.node.append(helper.make_node("Flatten", [first], ["output_0"], axis=1))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("output_0", TensorProto.FLOAT, ["n", None]))
    del graph.value_info[:]  # may state a batch of one


def _embedding_size(content: bytes, size: int) -> int:
    """Run it on two images: an embedder gives each its own row."""
    noise = np.random.default_rng(0).uniform(-1, 1, (2, size, size, 3)).astype(np.float32)
    try:
        (outputs,) = Session(content).run(noise)
    except UnsupportedFile as error:
        raise UnsupportedFile(f"{_KIND}: {error}") from None
    except Exception:  # ONNX Runtime's own exceptions share no public base class
        raise UnsupportedFile(
            f"{_KIND}: it does not take several faces at once; export it with a free batch size"
        ) from None
    if outputs.ndim != 2 or len(outputs) != 2 or not 8 <= outputs.shape[1] <= 8192:
        raise UnsupportedFile(f"{_KIND}: its output has shape {outputs.shape}, not one embedding a face")
    return int(outputs.shape[1])
