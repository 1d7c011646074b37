"""PyTorch's state dicts in both formats, and hostile ones."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from assertions import assert_same
from recipes import facenet_pytorch, openface
from write_pytorch import in_a_checkpoint, tensor, write_legacy_pytorch, write_pytorch

from kith.errors import UnsupportedFile
from kith.weights.names_inception_resnet_v1 import inception_resnet_v1_from_pytorch
from kith.weights.names_nn4_small2 import nn4_small2_from_pytorch
from kith.weights.pytorch import read_pytorch

TENSORS = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "conv.bias": np.array([0.5, -0.5], np.float32),
    "bn.num_batches_tracked": np.array(7, np.int64),
}
BOTH = pytest.mark.parametrize("write", [write_pytorch, write_legacy_pytorch], ids=["zip", "legacy"])
Write = Callable[..., bytes]


@BOTH
def test_tensors(write: Write) -> None:
    assert_same(read_pytorch(write(TENSORS)), TENSORS)
    assert list(read_pytorch(write(TENSORS))) == list(TENSORS)


@BOTH
def test_facenet_pytorch(shared: Path, write: Write) -> None:
    arrays = read_pytorch(write(facenet_pytorch(shared)))
    assert_same(arrays, facenet_pytorch(shared))
    network = inception_resnet_v1_from_pytorch(arrays)
    weight = facenet_pytorch(shared)["repeat_2.3.branch1.1.conv.weight"]
    np.testing.assert_array_equal(
        network["block17_4_branch_1_conv2d_0b_1x7/kernel"], weight.transpose(2, 3, 1, 0)
    )


def test_logits_are_left_out(shared: Path) -> None:
    logits = {"logits.weight": np.zeros((10, 512), np.float32), "logits.bias": np.zeros(10, np.float32)}
    arrays = inception_resnet_v1_from_pytorch(read_pytorch(write_pytorch(facenet_pytorch(shared) | logits)))
    assert_same(arrays, inception_resnet_v1_from_pytorch(facenet_pytorch(shared)))


@BOTH
def test_openface_pytorch(shared: Path, write: Write) -> None:
    assert_same(
        nn4_small2_from_pytorch(read_pytorch(write(openface(shared)))),
        nn4_small2_from_pytorch(openface(shared)),
    )


@BOTH
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_other_floats(write: Write, dtype: str) -> None:
    values = np.array([[1.5, -2.0]]).astype(dtype)
    assert_same(read_pytorch(write({"w": values})), {"w": values})


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", "net", "anything"])
def test_checkpoint_of_a_training(key: str) -> None:
    assert_same(read_pytorch(write_pytorch(TENSORS, **in_a_checkpoint(key))), TENSORS)


def test_other_things_in_a_checkpoint() -> None:
    """A tensor beside the state dict, as of the dice, and the model's name where its state dict might be."""
    around = in_a_checkpoint("params")
    name = b"X\x05\0\0\0modelX\x06\0\0\0resnet"
    assert_same(read_pytorch(write_pytorch(TENSORS, **around | {"after": name + b"u"})), TENSORS)
    dice = b"X\x04\0\0\0dice" + tensor(TENSORS["conv.bias"], "1", legacy=False)
    around = in_a_checkpoint("state_dict")
    assert_same(read_pytorch(write_pytorch(TENSORS, **around | {"after": dice + b"u"})), TENSORS)


def test_two_networks_in_a_checkpoint() -> None:
    """The well-known name decides, where there is one."""
    text = b"X\x01\x00\x00\x00"
    other = in_a_checkpoint("ema")
    twice = {"before": other["before"] + b"q\x01", "after": b"q\x02" + text + b"ah\x02u"}
    with pytest.raises(UnsupportedFile, match="several dicts of tensors \\('ema', 'a'\\)"):
        read_pytorch(write_pytorch(TENSORS, **(twice | {"before": other["before"]})))
    model = {"after": twice["after"].replace(text + b"a", b"X\x05\x00\x00\x00model")}
    assert_same(read_pytorch(write_pytorch(TENSORS, before=other["before"], **model)), TENSORS)


def test_a_whole_module_is_told_what_to_do() -> None:
    program = b"cfacenet_pytorch.models.inception_resnet_v1\nInceptionResnetV1\n)\x81"
    with pytest.raises(UnsupportedFile, match=r"torch\.save\(model\.state_dict\(\), "):
        read_pytorch(write_pytorch(TENSORS, extra=program))


def test_torchscript_is_told() -> None:
    content = io.BytesIO(write_pytorch(TENSORS))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("model/code/__torch__/network.py", b"class Network(Module): ...")
        archive.writestr("model/constants.pkl", b"\x80\x02).")
    with pytest.raises(UnsupportedFile, match=r"a TorchScript program.*torch\.jit\.load"):
        read_pytorch(content.getvalue())


def test_zeros_in_a_tensor() -> None:
    data = write_pytorch(TENSORS)
    weight = TENSORS["conv.weight"].tobytes()
    with pytest.raises(UnsupportedFile, match="'model/data/0' does not have its checksum"):
        read_pytorch(data.replace(weight, weight[:40] + bytes(len(weight) - 40)))


def test_strided_tensor() -> None:
    """A transposed tensor's storage stays as it was."""
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    turned = np.lib.stride_tricks.as_strided(values, (3, 2), (4, 12))
    data = write_pytorch({"w": turned})
    assert_same(read_pytorch(_with_storage(data, values.tobytes())), {"w": values.T})


def _with_storage(data: bytes, storage: bytes) -> bytes:
    """The same archive with other bytes in data/0."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            new.writestr(name, storage if name.endswith("data/0") else old.read(name))
    return content.getvalue()


@BOTH
@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(X\x05\x00\x00\x00falsetR0",
        b"cbuiltins\neval\n(X\x01\x00\x00\x001tR0",
        b"(X\x01\x00\x00\x001ibuiltins\neval\n0",
        b"ctorch\nload\n0",
        b"cfacenet_pytorch.models.inception_resnet_v1\nInceptionResnetV1\n)\x810",
        b"\x82\x010",
    ],
    ids=["system", "eval", "inst", "torch.load", "whole module", "extension"],
)
def test_programs_are_refused(write: Write, program: bytes) -> None:
    with pytest.raises(UnsupportedFile, match="has no place in it"):
        read_pytorch(write(TENSORS, extra=program))


@BOTH
def test_payload_is_never_run(write: Write, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    path = str(marker).encode()
    program = b"cos\nmkdir\n(X" + struct.pack("<I", len(path)) + path + b"tR0"
    pickle.loads(b"\x80\x02" + program + b"N.")
    marker.rmdir()  # it would have been made
    with pytest.raises(UnsupportedFile, match=r"it names 'os\.mkdir'"):
        read_pytorch(write(TENSORS, extra=program))
    assert not marker.exists()


@pytest.mark.parametrize(
    "storage", [b"", b"\0" * 92, b"\0" * 95], ids=["empty", "too short", "part of a number"]
)
def test_tensor_beyond_its_storage(storage: bytes) -> None:
    with pytest.raises(UnsupportedFile, match="conv.weight"):
        read_pytorch(_with_storage(write_pytorch(TENSORS), storage))


def test_compressed_archive_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", b"\x80\x02}.")
    with pytest.raises(UnsupportedFile, match="compressed"):
        read_pytorch(content.getvalue())


def test_many_names_for_one_tensor() -> None:
    """What repeats a tensor without end in memory is refused, however small the file."""
    item = b"X\x01\x00\x00\x00"
    pickled = write_pytorch({"a": np.zeros(10**5, np.float32)})
    start, end = pickled.index(item + b"a"), pickled.index(b"u}X\x09\x00\x00\x00_metadata")
    entry = pickled[start + 6 : end]
    many = b"".join(item + bytes([letter]) + entry for letter in range(98, 120))
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pickled)) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(entry, entry + many) if name.endswith("pkl") else data)
    with pytest.raises(UnsupportedFile, match="larger than the file"):
        read_pytorch(content.getvalue())


@BOTH
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_cut_off(write: Write, share: float) -> None:
    data = write(TENSORS)
    with pytest.raises(UnsupportedFile):
        read_pytorch(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("program", "complaint"),
    [
        (b"]", "else than a dict"),
        (b"}", "no tensors"),
        (b"}X\x01\x00\x00\x00aK\x01s", "no tensors"),
    ],
)
def test_something_else(program: bytes, complaint: str) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02" + program + b".")
    with pytest.raises(UnsupportedFile, match=complaint):
        read_pytorch(content.getvalue())
