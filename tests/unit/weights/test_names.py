"""The networks' variables under the names of each project; wrong sets are refused with a word why."""

from pathlib import Path

import numpy as np
import pytest
from recipes import facenet_pytorch, openface, sandberg

from kith import networks
from kith.errors import UnsupportedFile
from kith.weights.names_inception_resnet_v1 import (
    inception_resnet_v1_from_keras,
    inception_resnet_v1_from_pytorch,
    inception_resnet_v1_from_tensorflow,
)
from kith.weights.names_nn4_small2 import nn4_small2_from_layers, nn4_small2_from_pytorch


@pytest.mark.parametrize("size", [128, 512])
def test_tensorflow_names_are_all_the_network_has(shared: Path, size: int) -> None:
    arrays = inception_resnet_v1_from_tensorflow(sandberg(shared, size))
    model = networks.inception_resnet_v1(embedding_size=size, initializer="zeros")
    assert {name: array.shape for name, array in arrays.items()} == {
        variable.path: tuple(variable.shape) for variable in model.weights
    }
    assert all((array == 1).all() for name, array in arrays.items() if name.endswith("/gamma"))


def test_pytorch_names_are_all_the_network_has(shared: Path) -> None:
    arrays = inception_resnet_v1_from_pytorch(facenet_pytorch(shared))
    tensorflow = inception_resnet_v1_from_tensorflow(sandberg(shared, 512))
    assert {name: array.shape for name, array in arrays.items()} == {
        name: array.shape for name, array in tensorflow.items()
    }
    scale = facenet_pytorch(shared)["repeat_3.4.branch1.2.bn.weight"]
    np.testing.assert_array_equal(arrays["block8_5_branch_1_conv2d_0c_3x1_norm/gamma"], scale)


def test_openface_names_are_all_the_network_has(shared: Path) -> None:
    arrays = nn4_small2_from_pytorch(openface(shared))
    model = networks.nn4_small2(initializer="zeros")
    assert {name: array.shape for name, array in arrays.items()} == {
        variable.path: tuple(variable.shape) for variable in model.weights
    }


def test_a_variable_is_missing(shared: Path) -> None:
    variables = dict(sandberg(shared))
    del variables["InceptionResnetV1/Block8/Conv2d_1x1/biases"]
    with pytest.raises(UnsupportedFile, match="lacks 1 of .* block8_6_conv2d_1x1/bias"):
        inception_resnet_v1_from_tensorflow(variables)


@pytest.mark.parametrize(
    "rename",
    [
        inception_resnet_v1_from_tensorflow,
        inception_resnet_v1_from_keras,
        inception_resnet_v1_from_pytorch,
        nn4_small2_from_pytorch,
    ],
)
def test_variables_of_another_network(rename: object) -> None:
    with pytest.raises(UnsupportedFile, match=r"^not (an Inception-ResNet-v1|OpenFace's nn4\.small2): "):
        rename({"dense.weight": np.zeros((2, 2), np.float32)})


def test_layers_out_of_order(shared: Path) -> None:
    names = list(openface(shared))
    state = {name: openface(shared)[name] for name in (*names[7:], *names[:7])}
    with pytest.raises(UnsupportedFile, match=r"^not OpenFace's nn4\.small2: "):
        nn4_small2_from_pytorch(state)


def test_no_layers() -> None:
    with pytest.raises(UnsupportedFile, match="0 layers have weights, not 75"):
        nn4_small2_from_layers([])
