"""Writes ONNX detectors with the inputs and outputs of YuNet and SCRFD, small, of random weights."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_yunet(
    *, height: int | str = "h", width: int | str = "w", grid: int = 0, leave_out: Sequence[str] = ()
) -> bytes:
    """A convolution for each output.

    Args:
        height: Of its image; a name for any.
        width: Likewise.
        grid: The number of answers at a stride of 8, written into the graph as some exporters do; 0 for none.
        leave_out: Outputs that it has not.
    """
    outputs = [
        (f"{what}_{stride}", stride, length, 1)
        for what, length in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
        for stride in (8, 16, 32)
    ]
    kept = [output for output in outputs if output[0] not in leave_out]
    return _write(kept, height, width, grid, squash=("cls", "obj"))


def write_scrfd(
    outputs: int = 9, *, shuffle: int = 0, batched: bool = True, last: int = 10, side: int | str = "side"
) -> bytes:
    """The same for SCRFD.

    Args:
        outputs: 6, 9, 10 or 15.
        shuffle: Another order of the outputs for another number.
        batched: Whether outputs have an axis of 1 in front.
        last: Numbers of an answer about landmarks.
        side: Of its image; a name for any.
    """
    strides, anchors = ((8, 16, 32), 2) if outputs in (6, 9) else ((8, 16, 32, 64, 128), 1)
    lengths = (1, 4, last)[: outputs // len(strides)]
    named = [(f"{length} {stride}", stride, length, anchors) for length in lengths for stride in strides]
    order = np.random.default_rng(shuffle).permutation(len(named)) if shuffle else range(len(named))
    return _write([named[index] for index in order], side, side, 0, squash=("1 ",), batched=batched)


def _write(
    outputs: Sequence[tuple[str, int, int, int]],
    height: int | str,
    width: int | str,
    grid: int,
    *,
    squash: tuple[str, ...],
    batched: bool = True,
) -> bytes:
    nodes, weights, values = [], [], []
    for index, (name, stride, length, anchors) in enumerate(outputs):
        kernel = np.random.default_rng(index).normal(size=(length * anchors, 3, 3, 3)) / 5000
        rows = grid * 64 // stride**2 if grid else -1
        shape = np.array([1, rows, length] if batched else [rows, length])
        doubt = np.full(
            length * anchors, -5 if name.startswith(squash) else 0, np.float32
        )  # it sees no faces
        weights += [
            numpy_helper.from_array(kernel.astype(np.float32), f"kernel of {name}"),
            numpy_helper.from_array(doubt, f"bias of {name}"),
            numpy_helper.from_array(shape, f"shape of {name}"),
        ]
        steps = [
            helper.make_node(
                "Conv",
                ["image", f"kernel of {name}", f"bias of {name}"],
                [f"map of {name}"],
                strides=[stride, stride],
                pads=[1, 1, 1, 1],
            ),
            helper.make_node("Transpose", [f"map of {name}"], [f"rows of {name}"], perm=(0, 2, 3, 1)),
            helper.make_node("Reshape", [f"rows of {name}", f"shape of {name}"], [f"all of {name}"]),
            helper.make_node(
                "Sigmoid" if name.startswith(squash) else "Identity", [f"all of {name}"], [name]
            ),
        ]
        nodes += steps
        extent = [f"n of {name}", length]
        values.append(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *extent] if batched else extent)
        )
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, height, width])
    graph = helper.make_graph(nodes, "detector", [image], values, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
