"""MobileFaceNet: how insightface's MXNet files name the variables of `kith.networks.mobilefacenet`."""

from collections.abc import Mapping

import numpy as np

from kith.errors import UnsupportedFile

_BLOCKS = (
    "dconv_23",
    *(f"res_3_block{number}" for number in range(4)),
    "dconv_34",
    *(f"res_4_block{number}" for number in range(6)),
    "dconv_45",
    *(f"res_5_block{number}" for number in range(2)),
)
_HALVES = {"expand": "conv_sep", "depthwise": "conv_dw", "project": "conv_proj"}
_LAYERS = {
    "stem": "conv_1",
    "stem_depthwise": "conv_2_dw",
    **{
        f"block{number}_{ours}": f"{block}_{theirs}"
        for number, block in enumerate(_BLOCKS, start=1)
        for ours, theirs in _HALVES.items()
    },
    "head": "conv_6sep",
    "head_depthwise": "conv_6dw7_7",
}
"""Keras layer -> MXNet's, for the convolutions."""

_NORM = {"gamma": "gamma", "beta": "beta", "moving_mean": "moving_mean", "moving_variance": "moving_var"}
_STRAIGHT = ("_project", "head_depthwise")  # no PReLU behind these


def mobilefacenet_from_mxnet(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Name and turn the arrays of a file of insightface's.

    The normalization of the embedding has a gamma in the file that its graph says is not to be used
    (`fix_gamma`); ours has none.

    Raises:
        UnsupportedFile: They are not those of this network.
    """
    found = {}
    for ours, theirs in _LAYERS.items():
        found[f"{ours}/kernel"] = _turn(
            _take(arrays, f"{theirs}_conv2d_weight", 4), depthwise=ours.endswith("depthwise")
        )
        for kind, source in _NORM.items():
            found[f"{ours}_norm/{kind}"] = _take(arrays, f"{theirs}_batchnorm_{source}", 1)
        if not ours.endswith(_STRAIGHT):
            found[f"{ours}_prelu/alpha"] = _take(arrays, f"{theirs}_relu_gamma", 1).reshape(1, 1, -1)
    found["embedding/kernel"] = _take(arrays, "fc1_weight", 2).T
    found["embedding/bias"] = _take(arrays, "pre_fc1_bias", 1)
    for kind, source in _NORM.items():
        if kind != "gamma":
            found[f"embedding_norm/{kind}"] = _take(arrays, f"fc1_{source}", 1)
    return found


def _take(arrays: Mapping[str, np.ndarray], name: str, axes: int) -> np.ndarray:
    array = arrays.get(name)
    if array is None or array.ndim != axes:
        what = "lacks" if array is None else f"has {array.ndim} axes in"
        raise UnsupportedFile(f"not insightface's MobileFaceNet (y1): it {what} {name}")
    return array


def _turn(weight: np.ndarray, *, depthwise: bool) -> np.ndarray:
    """MXNet has (filters, channels, height, width); depthwise, there is one filter a channel."""
    return weight.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
