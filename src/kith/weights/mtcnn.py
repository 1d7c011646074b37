"""The weights of the PyPI package mtcnn: an LZ4 frame around a joblib list of arrays.

The arrays stand in the order in which Keras built the layers of each network.
"""

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.joblib import read_joblib_arrays

_MAX_BYTES = 64 * 2**20  # the largest of the three is 1.6 MB

_PNET = ("conv1", "conv1_prelu", "conv2", "conv2_prelu", "conv3", "conv3_prelu", "offsets", "scores")
_RNET = (
    *("conv1", "conv1_prelu", "conv2", "conv2_prelu", "conv3", "conv3_prelu"),
    *("dense4", "dense4_prelu", "offsets", "scores"),
)
_ONET = (
    *("conv1", "conv1_prelu", "conv2", "conv2_prelu", "conv3", "conv3_prelu", "conv4", "conv4_prelu"),
    *("dense5", "dense5_prelu", "offsets", "landmarks", "scores"),
)


def read_mtcnn_pnet(data: bytes) -> dict[str, np.ndarray]:
    """Read `pnet.lz4`: the variables of `kith.networks.pnet`."""
    return _read(data, _PNET)


def read_mtcnn_rnet(data: bytes) -> dict[str, np.ndarray]:
    """Read `rnet.lz4`: the variables of `kith.networks.rnet`."""
    return _read(data, _RNET)


def read_mtcnn_onet(data: bytes) -> dict[str, np.ndarray]:
    """Read `onet.lz4`: the variables of `kith.networks.onet`."""
    return _read(data, _ONET)


def _read(data: bytes, layers: tuple[str, ...]) -> dict[str, np.ndarray]:
    names = [
        f"{layer}/{variable}"
        for layer in layers
        for variable in (("alpha",) if layer.endswith("_prelu") else ("kernel", "bias"))
    ]
    arrays = read_joblib_arrays(_decompress(data))
    if len(arrays) != len(names):
        raise UnsupportedFile(f"MTCNN weights: the file holds {len(arrays)} arrays, expected {len(names)}")
    variables = dict(zip(names, arrays, strict=True))
    for name in ("scores/kernel", "scores/bias"):
        variables[name] = _softmax_to_sigmoid(variables[name])
    return variables


def _softmax_to_sigmoid(weights: np.ndarray) -> np.ndarray:
    """Of (not face, face), the face's softmax is the sigmoid of the difference."""
    if weights.shape[-1] != 2:
        raise UnsupportedFile(
            f"MTCNN weights: the scores have shape {weights.shape}, expected two at the end"
        )
    return np.asarray(weights[..., 1:] - weights[..., :1])


def _decompress(data: bytes) -> bytes:
    import lz4.frame  # here: only a model that is not compiled yet needs it

    try:
        decompressor = lz4.frame.LZ4FrameDecompressor()
        content: bytes = decompressor.decompress(data, max_length=_MAX_BYTES)
    except (RuntimeError, EOFError) as error:
        raise UnsupportedFile(f"MTCNN weights: not an intact LZ4 file ({error})") from None
    if not decompressor.eof:
        raise UnsupportedFile("MTCNN weights: the LZ4 file is cut off or larger than 64 MiB")
    return content
