"""Whether a foreign ONNX graph scales the pixels itself, told from what it does to its image first.

insightface looks for a Sub and a Mul among the first operators. Here their arithmetic is followed: what
becomes of the values 0 to 255, by every operator that treats all pixels alike, until one does not.
"""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import numpy_helper

_SMALL = 16.0  # scaled pixels are within 1 to 5, also with ImageNet's means and deviations
_MOST_NUMBERS = 10**6  # of a constant: a mean for each pixel of each colour has fewer
_MOVES = {"Cast", "Gather", "Identity", "Transpose"}
"""Operators that leave values as they are."""

Range = tuple[float, float]


def scales_pixels(graph: onnx.GraphProto, source: str) -> bool:
    """Whether pixels of 0 to 255 are brought near to zero by constants, before anything else is done.

    Args:
        graph: The graph.
        source: The name of its image.
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    constants |= {
        node.output[0]: attribute.t
        for node in graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    }
    reached = (0.0, 255.0)
    while len(readers := [node for node in graph.node if source in node.input]) == 1:
        values = _after(readers[0], source, reached, constants)
        if values is None:
            break
        reached, source = values, readers[0].output[0]
    return max(map(abs, reached)) <= _SMALL


def _after(
    node: onnx.NodeProto, source: str, values: Range, constants: Mapping[str, onnx.TensorProto]
) -> Range | None:
    """The range of values behind an operator; None where it does something else than to scale or move."""
    if node.op_type in _MOVES:
        return values
    others = [constants.get(name) for name in node.input if name != source]
    steps = [_numbers(other) for other in others if other is not None and np.prod(other.dims) < _MOST_NUMBERS]
    if node.input[0] != source or len(steps) < len(node.input) - 1:
        return None
    with np.errstate(all="ignore"):
        match node.op_type, *steps:
            case "Add", step:
                ends = [end + step for end in values]
            case "Sub", step:
                ends = [end - step for end in values]
            case "Mul", step:
                ends = [end * step for end in values]
            case "Div", step:
                ends = [end / step for end in values]
            case "BatchNormalization", gamma, beta, mean, variance:
                factor = gamma / np.sqrt(variance + _epsilon(node))
                ends = [(end - mean) * factor + beta for end in values]
            case _:
                return None
    both = np.concatenate([end.ravel() for end in ends])
    return (float(both.min()), float(both.max())) if both.size and np.isfinite(both).all() else None


def _numbers(tensor: onnx.TensorProto) -> np.ndarray:
    try:
        return np.asarray(numpy_helper.to_array(tensor), np.float64)
    except (TypeError, ValueError):  # ONNX Runtime will say what is wrong with it
        return np.empty(0)


def _epsilon(node: onnx.NodeProto) -> float:
    return next((attribute.f for attribute in node.attribute if attribute.name == "epsilon"), 1e-5)
