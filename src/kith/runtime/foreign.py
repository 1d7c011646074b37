"""What a foreign ONNX graph may hold, so that what one image takes of time and memory, every image takes.

A graph is a program. Without loops and branches, and where no size depends on the values of pixels, it does
the same work for every image, and a trial with a few speaks for all. Embedders need nothing else.
"""

import re
from collections.abc import Iterator, Mapping

import onnx
from onnx import TensorProto

from kith.errors import UnsupportedFile

KIND = "ONNX file"
_STANDARD = {"", "ai.onnx"}
_OPTIMIZED = re.compile(r"(QLinear|QGemm|Quantize|Dequantize|DynamicQuantize|MatMul|Fused|Nhwc|\w*Gelu)\w*")
"""What ONNX Runtime's optimizer and quantizer write, in the domain com.microsoft."""

_SIZES: Mapping[str, tuple[int, ...]] = {
    "AffineGrid": (1,),
    "BlackmanWindow": (0,),
    "CenterCropPad": (1,),
    "Col2Im": (1, 2),
    "ConstantOfShape": (0,),
    "DFT": (1,),
    "Expand": (1,),
    "HammingWindow": (0,),
    "HannWindow": (0,),
    "MaxUnpool": (2,),
    "MelWeightMatrix": (0, 1),
    "OneHot": (1,),
    "Pad": (1,),
    "Range": (0, 1, 2),
    "Resize": (1, 2, 3),
    "STFT": (1, 3),
    "Tile": (1, 2),
    "Upsample": (1,),
}
"""Operators that make something larger, and which of their inputs tell how large."""

_CHOOSE = {"Compress", "NonMaxSuppression", "NonZero", "StringSplit", "Unique"}
"""Operators that keep as many values as there are of some kind."""


def read_graph(data: bytes) -> onnx.ModelProto:
    """Read a foreign ONNX file.

    Raises:
        UnsupportedFile: It is damaged, or is not known to do the same work for every image.
    """
    try:
        model = onnx.load_from_string(data)
    except Exception:  # protobuf's own exceptions share no public base class
        raise UnsupportedFile(f"{KIND}: damaged, or no ONNX file") from None
    require_predictable(model)
    try:
        onnx.checker.check_model(model)
    except Exception:  # nor do onnx's
        raise UnsupportedFile(f"{KIND}: damaged, or no ONNX file") from None
    return model


def require_predictable(model: onnx.ModelProto) -> None:
    """Refuse a graph that is not known to do the same work for every image.

    Raises:
        UnsupportedFile: It has loops, branches, functions or operators of its own, sizes that depend on what
            is seen, or weights in another file.
    """
    if model.functions:
        raise UnsupportedFile("ONNX file: it defines functions of its own; export it with them inlined")
    weights = {weight.name for weight in model.graph.initializer}
    pixels = {value.name for value in model.graph.input} - weights  # the names of all that depends on them
    for node in model.graph.node:
        if not _is_known(node):
            raise UnsupportedFile(f"ONNX file: {_name(node)} is no operator of the ONNX standard")
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise UnsupportedFile(
                f"ONNX file: it has a loop or a branch ({_name(node)}), which no embedder needs; "
                "export it without, or simplify it with onnxsim"
            )
        if _is_sized_by(node, pixels):
            raise UnsupportedFile(f"ONNX file: how large {_name(node)} gets depends on what an image shows")
        if node.op_type not in ("Shape", "Size") and not pixels.isdisjoint(node.input):
            pixels.update(filter(None, node.output))
    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in _tensors(model.graph)):
        raise UnsupportedFile("ONNX file: its weights are in another file; export it as one file")


def _is_known(node: onnx.NodeProto) -> bool:
    if node.domain == "com.microsoft":
        return _OPTIMIZED.fullmatch(node.op_type) is not None
    return node.domain in _STANDARD


def _is_sized_by(node: onnx.NodeProto, values: set[str]) -> bool:
    """Whether how large a node's output gets depends on one of these values."""
    places = range(len(node.input)) if node.op_type in _CHOOSE else _SIZES.get(node.op_type, ())
    return any(node.input[place] in values for place in places if place < len(node.input))


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every tensor of a graph that has no graphs within."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)


def _name(node: onnx.NodeProto) -> str:
    return ascii(f"{node.domain}.{node.op_type}" if node.domain else node.op_type)[1:-1][:80]
