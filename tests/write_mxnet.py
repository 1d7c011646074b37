"""Writes arrays as MXNet does, and a MobileFaceNet with insightface's names."""

import struct
from collections.abc import Mapping

import numpy as np

from kith.weights.shapes import shapes_of

_TYPES = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4}


def write_mxnet(arrays: Mapping[str, np.ndarray]) -> bytes:
    """A `.params` file; names begin with arg: or aux:."""
    written = [struct.pack("<QQQ", 0x112, 0, len(arrays)), *map(_array, arrays.values())]
    written.append(struct.pack("<Q", len(arrays)))
    written += [struct.pack("<Q", len(name.encode())) + name.encode() for name in arrays]
    return b"".join(written)


def _array(values: np.ndarray) -> bytes:
    head = struct.pack("<IiI", 0xF993FAC9, 0, values.ndim) + struct.pack(f"<{values.ndim}q", *values.shape)
    return head + struct.pack("<3i", 1, 0, _TYPES[values.dtype.name]) + values.tobytes()


def insightface_names(variables: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The network's variables as insightface's files have them: names, and the order of the axes."""
    blocks = ["dconv_23", *(f"res_3_block{n}" for n in range(4)), "dconv_34"]
    blocks += [*(f"res_4_block{n}" for n in range(6)), "dconv_45", "res_5_block0", "res_5_block1"]
    layers = {"stem": "conv_1", "stem_depthwise": "conv_2_dw", "head": "conv_6sep"}
    layers["head_depthwise"] = "conv_6dw7_7"
    for number, block in enumerate(blocks, start=1):
        for ours, theirs in (("expand", "sep"), ("depthwise", "dw"), ("project", "proj")):
            layers[f"block{number}_{ours}"] = f"{block}_conv_{theirs}"
    found = {"arg:fc1_gamma": np.full(len(variables["embedding/bias"]), 7, np.float32)}  # not to be used
    for name, values in variables.items():
        layer, _, kind = name.partition("/")
        if layer == "embedding":
            theirs = {"kernel": "arg:fc1_weight", "bias": "arg:pre_fc1_bias"}[kind]
            found[theirs] = values.T
        elif layer == "embedding_norm":
            found[_counted(f"fc1_{kind}")] = values
        elif layer.endswith("_norm"):
            found[_counted(f"{layers[layer.removesuffix('_norm')]}_batchnorm_{kind}")] = values
        elif layer.endswith("_prelu"):
            found[f"arg:{layers[layer.removesuffix('_prelu')]}_relu_gamma"] = values.ravel()
        else:
            axes = (2, 3, 0, 1) if layer.endswith("depthwise") else (3, 2, 0, 1)
            found[f"arg:{layers[layer]}_conv2d_weight"] = values.transpose(axes)
    return found


def _counted(name: str) -> str:
    counted = "moving_" in name
    return f"{'aux' if counted else 'arg'}:{name.replace('variance', 'var')}"


def made_up_mobilefacenet(embedding_size: int = 128) -> dict[str, np.ndarray]:
    """Random variables by their names in Keras."""
    rng = np.random.default_rng(0)
    return {
        name: rng.uniform(0.1, 1, shape).astype(np.float32)
        for name, shape in shapes_of("mobilefacenet", embedding_size).items()
    }
