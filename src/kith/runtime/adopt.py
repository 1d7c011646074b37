"""Somebody else's ONNX embedder -> a network with the inputs and outputs that ours have."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kith.catalogue.preprocessing import ColorOrder
from kith.errors import Remedy, UnsupportedFile
from kith.runtime.adopt_detector import kind_of_detector
from kith.runtime.foreign import KIND, read_graph
from kith.runtime.own_scaling import scales_pixels

_NUMBERS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE}
_OLDEST_IR = 4  # the first in which weights need not be listed as inputs


@dataclass(frozen=True, slots=True)
class Foreign:
    """A foreign network, read; `adopt` makes one of ours of it.

    Attributes:
        model: The file.
        source: The name of its image.
        size: Side of the image in pixels.
        channels_first: Whether colours are the image's first axis.
        batch: How many images it takes at once; 0 for any number.
        outputs: The names of all its outputs.
        scales_pixels: Whether it scales pixels of 0 to 255 itself.
    """

    model: onnx.ModelProto
    source: str
    size: int
    channels_first: bool
    batch: int
    outputs: tuple[str, ...]
    scales_pixels: bool


def read_foreign(data: bytes, size: int | None = None) -> Foreign:
    """Read somebody's ONNX file: one image in, channels first or last.

    The file is anybody's: to be called where time and memory have bounds, see `kith.runtime.trial`.

    Args:
        data: The ONNX file.
        size: Side of the image, which must be the graph's; needed where that takes any.

    Raises:
        UnsupportedFile: It is damaged, refers to other files, or takes no image of this size.
    """
    model = read_graph(data)
    graph = model.graph
    if detector := kind_of_detector(graph):
        raise UnsupportedFile(f"{KIND}: it is a detector, as {detector} is, and no embedder")
    _unlist_weights(model)
    if len(graph.input) != 1 or not graph.output:
        raise UnsupportedFile(f"{KIND}: it has {len(graph.input)} inputs, an embedder has one")
    _free_names(graph)
    image = graph.input[0]
    batch, channels_first, side = _image(image, size)
    outputs = tuple(value.name for value in graph.output)
    scaled = scales_pixels(graph, image.name)
    return Foreign(model, image.name, side, channels_first, batch, outputs, scaled)


def adopt(foreign: Foreign, output: str, color: ColorOrder, *, batch: int = 0) -> bytes:
    """A network with an input_0 (n, size, size, 3) of red, green and blue, and an output_0 (n, d).

    Args:
        foreign: The network, which stays as it is.
        output: Which of its outputs.
        color: The order of the colours that it wants.
        batch: How many images it takes at once from now on; 0 for any number.

    Returns:
        The ONNX file.
    """
    model = onnx.ModelProto()
    model.CopyFrom(foreign.model)
    _lead_in(model.graph, foreign, color, batch or "n")
    _lead_out(model.graph, output, batch or "n")
    content: bytes = model.SerializeToString()
    return content


def show_outputs(foreign: Foreign) -> bytes:
    """The network with all its outputs as they are, output_0, output_1 ..., and one image a run."""
    model = onnx.ModelProto()
    model.CopyFrom(foreign.model)
    _lead_in(model.graph, foreign, ColorOrder.RGB, 1)
    del model.graph.output[:]
    for index, name in enumerate(foreign.outputs):
        model.graph.node.append(helper.make_node("Identity", [name], [f"output_{index}"]))
        model.graph.output.append(onnx.ValueInfoProto(name=f"output_{index}"))
    content: bytes = model.SerializeToString()
    return content


def _unlist_weights(model: onnx.ModelProto) -> None:
    """Take weights off the list of inputs, as files of before 2019 have them: else they may be other ones."""
    weights = {weight.name for weight in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) < len(model.graph.input):
        del model.graph.input[:]
        model.graph.input.extend(inputs)
        model.ir_version = max(model.ir_version, _OLDEST_IR)


def _free_names(graph: onnx.GraphProto) -> None:
    """Give values that have our inputs' and outputs' names other ones: a file may be one of ours."""
    names = {name for node in graph.node for name in (*node.input, *node.output)}
    taken = {name: f"kith_{name}" for name in names if name.startswith(("input_", "output_"))}
    for node in graph.node:
        for values in (node.input, node.output):
            values[:] = [taken.get(name, name) for name in values]
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = taken.get(value.name, value.name)


def _image(value: onnx.ValueInfoProto, size: int | None) -> tuple[int, bool, int]:
    """How many images an input takes (0 for any number), whether colours come first, and their side."""
    if value.type.tensor_type.elem_type not in _NUMBERS:
        raise UnsupportedFile(f"{KIND}: its input is not an image of floating-point numbers")
    shape = [axis.dim_value for axis in value.type.tensor_type.shape.dim]
    if len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise UnsupportedFile(
            f"{KIND}: its input has shape {shape[:6]}, not that of an image of three colours"
        )
    batch, channels_first = shape[0], shape[1] == 3
    height, width = shape[2:] if channels_first else shape[1:3]
    side = max(height, width)
    if not side and size is None:
        raise UnsupportedFile(
            f"{KIND}: it takes images of any size, so it does not say of which an embedder's are",
            remedy=Remedy.SIZE_OF_ONNX,
        )
    if {height, width} - {0, side} or (size is not None and side not in (0, size)):
        wanted = "as an embedder's" if size is None else f"of {size} pixels, as was said"
        raise UnsupportedFile(
            f"{KIND}: its input is an image of {width} x {height} pixels, not a square {wanted}"
        )
    return batch, channels_first, side or size or 0


def _lead_in(graph: onnx.GraphProto, foreign: Foreign, color: ColorOrder, batch: int | str) -> None:
    """Put in front of the network what turns our input into its own."""
    source, nodes = "input_0", []
    if color is ColorOrder.BGR:
        order = numpy_helper.from_array(np.array([2, 1, 0]), "kith_order")
        graph.initializer.append(order)
        nodes.append(helper.make_node("Gather", [source, order.name], ["kith_bgr"], axis=3))
        source = "kith_bgr"
    if foreign.channels_first:
        nodes.append(helper.make_node("Transpose", [source], ["kith_chw"], perm=(0, 3, 1, 2)))
        source = "kith_chw"
    kind = graph.input[0].type.tensor_type.elem_type  # half precision, perhaps
    nodes.append(helper.make_node("Cast", [source], [foreign.source], to=kind))
    ours = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(ours)
    del graph.input[:]
    shape = [batch, foreign.size, foreign.size, 3]
    graph.input.append(helper.make_tensor_value_info("input_0", TensorProto.FLOAT, shape))

    del graph.value_info[:]  # may state another batch


def _lead_out(graph: onnx.GraphProto, output: str, batch: int | str) -> None:
    graph.node.append(helper.make_node("Cast", [output], ["kith_float32"], to=TensorProto.FLOAT))
    graph.node.append(helper.make_node("Flatten", ["kith_float32"], ["output_0"], axis=1))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("output_0", TensorProto.FLOAT, [batch, None]))
