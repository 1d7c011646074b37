"""nn4.small2: how each project names the variables of `kith.networks.nn4_small2`.

The original and its ports to PyTorch name the layers differently but keep them in one order, which
the table below follows. deepface's Keras file has names of its own, which go with the same table.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from kith.errors import UnsupportedFile

Layer = Mapping[str, np.ndarray]
"""Arrays of one layer by PyTorch's and Torch7's kinds: weight, bias, running_mean, running_var."""

_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}

_BLOCKS = (  # name, sides of the convolutions, branches with a pointwise convolution only
    ("inception_3a", (3, 5), ("pool", "1x1")),
    ("inception_3b", (3, 5), ("pool", "1x1")),
    ("inception_3c", (3, 5), ()),
    ("inception_4a", (3, 5), ("pool", "1x1")),
    ("inception_4e", (3, 5), ()),
    ("inception_5a", (3,), ("pool", "1x1")),
    ("inception_5b", (3,), ("pool", "1x1")),
)


def _convolutions() -> list[tuple[str, str, str, int]]:
    """Keras layer, deepface's layer, its batch normalization, side of the kernel; input first."""
    found = [("conv1", "conv1", "bn1", 7), ("conv2", "conv2", "bn2", 1), ("conv3", "conv3", "bn3", 3)]
    for block, sides, pointwise in _BLOCKS:
        for side in sides:
            name = f"{block}_{side}x{side}"
            found.append((f"{name}_reduce", f"{name}_conv1", f"{name}_bn1", 1))
            found.append((name, f"{name}_conv2", f"{name}_bn2", side))
        found += [(f"{block}_{kind}", f"{block}_{kind}_conv", f"{block}_{kind}_bn", 1) for kind in pointwise]
    return found


def nn4_small2_from_layers(layers: Sequence[Layer]) -> dict[str, np.ndarray]:
    """Name and turn the arrays of OpenFace's file, or of a port that keeps the order.

    Args:
        layers: Those that have weights, input first: convolution and batch normalization by turns,
            the dense layer last. A convolution's weight is (filters, channels, side, side) or, as
            Torch7 keeps it, (filters, channels * side * side).

    Returns:
        The variables of `kith.networks.nn4_small2`.

    Raises:
        UnsupportedFile: They are not those of this network.
    """
    table = _convolutions()
    if len(layers) != 2 * len(table) + 1:
        raise UnsupportedFile(
            f"not OpenFace's nn4.small2: {len(layers)} layers have weights, not {2 * len(table) + 1}"
        )
    arrays: dict[str, np.ndarray] = {}
    for (name, _, _, side), convolution, norm in zip(table, layers[:-1:2], layers[1::2], strict=True):
        arrays[f"{name}/kernel"] = _turn(_take(convolution, "weight", name), side, name)
        arrays[f"{name}/bias"] = _take(convolution, "bias", name)
        for ours, theirs in _NORM.items():
            arrays[f"{name}_norm/{ours}"] = _take(norm, theirs, f"{name}_norm")
    arrays["embedding/kernel"] = _take(layers[-1], "weight", "embedding").T
    arrays["embedding/bias"] = _take(layers[-1], "bias", "embedding")
    return arrays


def nn4_small2_from_pytorch(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename the state dict of a port: cmusatyalab's own, OpenFacePytorch's and deepface's alike.

    Raises:
        UnsupportedFile: They are not those of this network.
    """
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        module, _, kind = name.rpartition(".")
        if kind != "num_batches_tracked":
            layers.setdefault(module, {})[kind] = array
    return nn4_small2_from_layers(list(layers.values()))


def nn4_small2_from_keras(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename the variables of deepface's `openface_weights.h5`.

    Raises:
        UnsupportedFile: They are not those of this network.
    """
    sources = {f"embedding/{kind}": f"dense_layer/{kind}" for kind in ("kernel", "bias")}
    for name, layer, norm, _ in _convolutions():
        sources |= {f"{name}/{kind}": f"{layer}/{kind}" for kind in ("kernel", "bias")}
        sources |= {f"{name}_norm/{kind}": f"{norm}/{kind}" for kind in _NORM}
    missing = [theirs for theirs in sources.values() if theirs not in arrays]
    if missing:
        raise UnsupportedFile(
            f"not OpenFace's nn4.small2: it lacks {len(missing)} of {len(sources)} variables, "
            f"{missing[0]} is one"
        )
    return {ours: arrays[theirs] for ours, theirs in sources.items()}


def _take(layer: Layer, kind: str, name: str) -> np.ndarray:
    if kind not in layer:
        raise UnsupportedFile(f"not OpenFace's nn4.small2: the layer in place of {name} has no {kind}")
    return layer[kind]


def _turn(weight: np.ndarray, side: int, name: str) -> np.ndarray:
    """PyTorch and Torch7 have the filters first, Keras has them last."""
    if weight.ndim not in (2, 4) or not weight.size or weight[0].size % side**2:
        raise UnsupportedFile(
            f"not OpenFace's nn4.small2: {name} has weights of shape {weight.shape}, "
            f"which is no convolution of {side} x {side}"
        )
    return weight.reshape(len(weight), -1, side, side).transpose(2, 3, 1, 0)
