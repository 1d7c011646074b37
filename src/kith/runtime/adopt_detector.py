"""Somebody else's ONNX detector -> one that sees images of any size, with its outputs in a known order."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper

from kith.catalogue.spec import DetectorKind
from kith.errors import Remedy, UnsupportedFile
from kith.runtime.foreign import KIND, read_graph
from kith.runtime.session import Session

_YUNET = tuple(f"{what}_{stride}" for what, stride in product(("cls", "obj", "bbox", "kps"), (8, 16, 32)))
"""The names of YuNet's outputs, in the order in which `kith.detection.yunet` reads them."""

_SCRFD = {6: (8, 16, 32), 9: (8, 16, 32), 10: (8, 16, 32, 64, 128), 15: (8, 16, 32, 64, 128)}
"""The strides of an SCRFD with so many outputs."""

_SIZES = ((256, 384), (640, 640))  # heights and widths that a network is tried with


class AdoptedDetector(NamedTuple):
    """A detector's network.

    Attributes:
        content: The ONNX file.
        kind: How its outputs are read.
        side: Of the only image that it takes, in pixels; None if it takes any whose sides 32 divides.
    """

    content: bytes
    kind: DetectorKind
    side: int | None


def kind_of_detector(graph: onnx.GraphProto) -> DetectorKind | None:
    """What kind of detector a graph is, told by its outputs; None if it is none of those that are known."""
    if {value.name for value in graph.output} >= set(_YUNET):
        return DetectorKind.YUNET
    return DetectorKind.SCRFD if len(graph.output) in _SCRFD else None


def adopt_detector(data: bytes) -> AdoptedDetector:
    """Give a detector an input_0 (1, 3, h, w) of any height and width, and prove that it is one.

    The file is anybody's: to be called where time and memory have bounds, see `kith.runtime.trial`.

    Args:
        data: The ONNX file.

    Raises:
        UnsupportedFile: It is damaged, refers to other files, or is no such network.
    """
    model = read_graph(data)
    graph = model.graph
    kind = kind_of_detector(graph)
    if kind is None:
        raise UnsupportedFile(
            f"{KIND}: it has {len(graph.output)} outputs, a detector has those of YuNet or 6, 9, 10 or 15",
            remedy=Remedy.DESCRIBE_ONNX,  # for it may be an embedder
        )
    fixed = _name_input(graph)
    _name_outputs(graph, _YUNET if kind is DetectorKind.YUNET else [value.name for value in graph.output])
    content: bytes = model.SerializeToString()
    session = Session(content, threads=1)
    try:
        for size in _SIZES:
            _try(session, kind, *size)
    except UnsupportedFile:
        if not fixed:
            raise
        _try(session, kind, fixed, fixed)
        return AdoptedDetector(content, kind, fixed)
    return AdoptedDetector(content, kind, None)


def _name_input(graph: onnx.GraphProto) -> int:
    """Call the image input_0, free its height and width, and tell which side was fixed; 0 for none."""
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise UnsupportedFile(f"{KIND}: it has {len(inputs)} inputs, a detector has one")
    (value,) = inputs
    shape = [axis.dim_value for axis in value.type.tensor_type.shape.dim]
    if value.type.tensor_type.elem_type != TensorProto.FLOAT or len(shape) != 4 or shape[1] not in (0, 3):
        raise UnsupportedFile(f"{KIND}: its input has shape {shape[:6]}, not an image (1, 3, height, width)")
    lead = helper.make_node("Identity", ["input_0"], [value.name])
    graph.node.insert(0, lead)
    graph.input.remove(value)
    graph.input.append(helper.make_tensor_value_info("input_0", TensorProto.FLOAT, [1, 3, "h", "w"]))
    del graph.value_info[:]  # may state another height and width
    return shape[2] if shape[2] == shape[3] else 0


def _name_outputs(graph: onnx.GraphProto, names: Sequence[str]) -> None:
    """Have these outputs in this order, of any shape."""
    del graph.output[:]
    for name in names:
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))


def _try(session: Session, kind: DetectorKind, height: int, width: int) -> None:
    """Look at an image of noise, and compare the shapes of what is answered with what they must be."""
    noise = np.random.default_rng(0).uniform(-1, 1, (1, 3, height, width)).astype(np.float32)
    try:
        outputs = session.run(noise)
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        if "alloc" in str(error):
            raise MemoryError from None
        raise UnsupportedFile(f"{KIND}: it cannot see an image of {height} x {width} pixels") from None
    found = sorted((output.size // output.shape[-1], output.shape[-1]) for output in outputs if output.ndim)
    wanted = (
        _yunet_shapes(height, width) if kind is DetectorKind.YUNET else _scrfd_shapes(outputs, height, width)
    )
    if found != sorted(wanted):
        raise UnsupportedFile(f"{KIND}: its outputs have not the shapes of {kind}'s")


def _yunet_shapes(height: int, width: int) -> list[tuple[int, int]]:
    return [(_cells(stride, height, width), length) for stride in (8, 16, 32) for length in (1, 1, 4, 10)]


def _scrfd_shapes(outputs: Sequence[np.ndarray], height: int, width: int) -> list[tuple[int, int]]:
    strides = _SCRFD[len(outputs)]
    anchors = 2 if len(strides) == 3 else 1
    lengths = (1, 4, 10)[: len(outputs) // len(strides)]
    return [(anchors * _cells(stride, height, width), length) for stride in strides for length in lengths]


def _cells(stride: int, height: int, width: int) -> int:
    return -(-height // stride) * -(-width // stride)
