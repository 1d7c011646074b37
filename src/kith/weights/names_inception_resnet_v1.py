"""Inception-ResNet-v1: how each project names the variables of `kith.networks.inception_resnet_v1`.

The Keras layers are named as the original's scopes, in small letters and with underscores. A Keras 2
file has the same names in capital letters; the port to PyTorch counts the blocks and branches.
"""

import re
from collections.abc import Iterator, Mapping

import numpy as np

from kith.errors import UnsupportedFile

_STEM = ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3", "4b_3x3")
_UNITS = (  # Keras's name and facenet-pytorch's
    *((f"block35_{number}", f"repeat_1.{number - 1}") for number in range(1, 6)),
    ("mixed_6a", "mixed_6a"),
    *((f"block17_{number}", f"repeat_2.{number - 1}") for number in range(1, 11)),
    ("mixed_7a", "mixed_7a"),
    *((f"block8_{number}", f"repeat_3.{number - 1}") for number in range(1, 6)),
    ("block8_6", "block8"),
)
_BRANCHES: Mapping[str, tuple[tuple[str, ...], ...]] = {  # the convolutions of each branch of a unit
    "block35": (("1x1",), ("0a_1x1", "0b_3x3"), ("0a_1x1", "0b_3x3", "0c_3x3")),
    "mixed_6a": (("1a_3x3",), ("0a_1x1", "0b_3x3", "1a_3x3")),
    "block17": (("1x1",), ("0a_1x1", "0b_1x7", "0c_7x1")),
    "mixed_7a": (("0a_1x1", "1a_3x3"), ("0a_1x1", "1a_3x3"), ("0a_1x1", "0b_3x3", "1a_3x3")),
    "block8": (("1x1",), ("0a_1x1", "0b_1x3", "0c_3x1")),
}
_TENSORFLOW = "InceptionResnetV1"
_TENSORFLOW_KINDS = {
    "weights": "kernel",
    "biases": "bias",
    **{kind: kind for kind in ("gamma", "beta", "moving_mean", "moving_variance")},
}
_PYTORCH_NORM = {  # Keras's kinds and PyTorch's
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def is_inception_resnet_v1_in_tensorflow(name: str) -> bool:
    """Whether a variable of this name is the network's: the optimizer's have theirs below it."""
    return name.startswith(f"{_TENSORFLOW}/") and name.rpartition("/")[2] in _TENSORFLOW_KINDS


def inception_resnet_v1_from_tensorflow(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename the variables of Sandberg's checkpoints and frozen graphs.

    Args:
        arrays: By their TensorFlow names; those of the classifier and of the training are left out.

    Returns:
        The variables of `kith.networks.inception_resnet_v1`.

    Raises:
        UnsupportedFile: They are not those of this network.
    """
    renamed: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if not is_inception_resnet_v1_in_tensorflow(name):
            continue
        path = name.removeprefix(f"{_TENSORFLOW}/")
        scope, _, kind = re.sub("^Repeat(_[12])?/", "", path).rpartition("/")
        layer = re.sub("^Block8/", "Block8_6/", scope + "/").replace("/BatchNorm/", "_norm/")
        layer = layer.rstrip("/").replace("/", "_").lower()
        renamed[f"{layer}/{_TENSORFLOW_KINDS[kind]}"] = array
    return _complete(renamed)


def inception_resnet_v1_from_keras(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename the variables of a Keras 2 file: Taniai's, faustomorales's and deepface's alike.

    Args:
        arrays: By layer and variable: Block35_1_Conv2d_1x1/kernel.

    Returns:
        The variables of `kith.networks.inception_resnet_v1`.

    Raises:
        UnsupportedFile: They are not those of this network.
    """
    return _complete({name.lower().replace("_batchnorm/", "_norm/"): array for name, array in arrays.items()})


def inception_resnet_v1_from_pytorch(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename and turn the variables of facenet-pytorch's InceptionResnetV1.

    Args:
        arrays: A state dict; the classifier's logits are left out.

    Returns:
        The variables of `kith.networks.inception_resnet_v1`.

    Raises:
        UnsupportedFile: They are not those of this network.
    """
    sources = {"bottleneck/kernel": "last_linear.weight"}
    sources |= {f"bottleneck_norm/{ours}": f"last_bn.{theirs}" for ours, theirs in _PYTORCH_NORM.items()}
    for layer, module in _normalized_convolutions():
        sources[f"{layer}/kernel"] = f"{module}.conv.weight"
        sources |= {f"{layer}_norm/{ours}": f"{module}.bn.{theirs}" for ours, theirs in _PYTORCH_NORM.items()}
    for layer, module in _residual_convolutions():
        sources |= {f"{layer}/kernel": f"{module}.weight", f"{layer}/bias": f"{module}.bias"}
    found = {ours: arrays[theirs] for ours, theirs in sources.items() if theirs in arrays}
    kernels = {name: _turn(array) for name, array in found.items() if name.endswith("/kernel")}
    return _complete(found | kernels)


def _normalized_convolutions() -> Iterator[tuple[str, str]]:
    """Keras layer and facenet-pytorch module of each convolution that has a batch normalization."""
    for size in _STEM:
        yield f"conv2d_{size}", f"conv2d_{size[:2]}"
    for unit, module in _UNITS:
        for number, branch in enumerate(_BRANCHES[_kind(unit)]):
            for position, size in enumerate(branch):
                index = f".{position}" if len(branch) > 1 else ""
                yield f"{unit}_branch_{number}_conv2d_{size}", f"{module}.branch{number}{index}"


def _residual_convolutions() -> Iterator[tuple[str, str]]:
    """The same of each convolution with a bias, in front of a residual block's sum."""
    for unit, module in _UNITS:
        if unit.startswith("block"):
            yield f"{unit}_conv2d_1x1", f"{module}.conv2d"


def _kind(unit: str) -> str:
    return unit.rpartition("_")[0] if unit.startswith("block") else unit


def _turn(kernel: np.ndarray) -> np.ndarray:
    """PyTorch has the filters first, Keras has them last."""
    return kernel.transpose(2, 3, 1, 0) if kernel.ndim == 4 else kernel.T


def _complete(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Exactly the network's variables; a scale that the file does not have is 1."""
    normalized = ["bottleneck", *(layer for layer, _ in _normalized_convolutions())]
    names = [f"{layer}/kernel" for layer in normalized]
    names += [f"{layer}_norm/{kind}" for layer in normalized for kind in _PYTORCH_NORM]
    names += [f"{layer}/{kind}" for layer, _ in _residual_convolutions() for kind in ("kernel", "bias")]
    ones = {
        f"{layer}_norm/gamma": np.broadcast_to(np.float32(1), arrays[f"{layer}_norm/beta"].shape)
        for layer in normalized
        if f"{layer}_norm/beta" in arrays
    }
    found = ones | dict(arrays)
    missing = [name for name in names if name not in found]
    if missing:
        raise UnsupportedFile(
            f"not an Inception-ResNet-v1: it lacks {len(missing)} of {len(names)} variables, "
            f"{missing[0]} is one"
        )
    return {name: found[name] for name in names}
