import onnx
import pytest
from onnx import TensorProto, helper

from kith.runtime.sealing import is_sealed, seal, unsealed
from kith.runtime.session import Session


@pytest.fixture(scope="module")
def model() -> bytes:
    value = helper.make_tensor_value_info("input_0", TensorProto.FLOAT, ["n"])
    result = helper.make_tensor_value_info("output_0", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Neg", ["input_0"], ["output_0"])], "n", [value], [result])
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def test_what_is_sealed_is_still_an_onnx_file(model: bytes) -> None:
    sealed = seal(model)
    onnx.checker.check_model(onnx.load_from_string(sealed))
    Session(sealed)
    assert is_sealed(sealed)
    assert unsealed(sealed) == model


def test_every_flipped_bit_and_every_cut_shows(model: bytes) -> None:
    sealed = seal(model)
    for position in range(len(sealed)):
        flipped = bytearray(sealed)
        flipped[position] ^= 1 << position % 8
        assert not is_sealed(bytes(flipped))
        assert not is_sealed(sealed[:position])
    assert not is_sealed(model)
    assert not is_sealed(sealed + b"\0")
