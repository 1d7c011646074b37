"""TensorFlow's frozen graphs, written by the test and, where it is installed, by TensorFlow."""

from pathlib import Path

import numpy as np
import pytest
from assertions import assert_same
from recipes import sandberg
from write_tensorflow import write_graph

from kith.errors import UnsupportedFile
from kith.weights.names_inception_resnet_v1 import inception_resnet_v1_from_tensorflow
from kith.weights.tensorflow_graph import read_tensorflow_graph

CONSTANTS = {
    "conv/weights": np.arange(6, dtype=np.float32).reshape(1, 2, 3),
    "conv/biases": np.float32([1, 2, 2, 2]),
    "scalar": np.array(0.5, np.float32),
    "double": np.array([0.25]),
}


def test_constants() -> None:
    assert_same(read_tensorflow_graph(write_graph(CONSTANTS)), CONSTANTS)


def test_values_as_a_list() -> None:
    as_list = frozenset({"conv/weights", "conv/biases", "scalar"})
    assert_same(read_tensorflow_graph(write_graph(CONSTANTS, as_list=as_list)), CONSTANTS)


def test_sandberg(shared: Path) -> None:
    assert_same(
        inception_resnet_v1_from_tensorflow(read_tensorflow_graph(write_graph(sandberg(shared)))),
        inception_resnet_v1_from_tensorflow(sandberg(shared)),
    )


def test_written_by_tensorflow() -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    v1 = tensorflow.compat.v1
    constants = {name: values for name, values in CONSTANTS.items() if values.dtype == np.float32}
    with v1.Graph().as_default() as graph, v1.Session() as session:
        names = [
            v1.get_variable(name, initializer=values, use_resource=False).op.name + "/read"
            for name, values in constants.items()
        ]
        session.run(v1.global_variables_initializer())
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), names)
    assert_same(read_tensorflow_graph(frozen.SerializeToString()), constants)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not frozen"),
        (write_graph({}), "not frozen"),
        (write_graph(CONSTANTS)[:-9], "cut off"),
        (b"\nX", "cut off"),
        (
            write_graph({"w": np.ones(1, np.float32)}, as_list=frozenset("w"), shape=(10**4, 10**4)),
            "larger than",
        ),
    ],
)
def test_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(UnsupportedFile, match=complaint):
        read_tensorflow_graph(data)
