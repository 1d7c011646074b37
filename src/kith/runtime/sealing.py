"""A compiled model that shows whether it is still what was written.

The seal is a SHA-256 at the end of the file, in the form of one more entry of ONNX's `metadata_props`:
what is sealed stays an ONNX file that every program reads, and is one file, so that a model and its
checksum can never be of two different runs.
"""

import hashlib

_NAME = b"kith.sha256"
_ENTRY = b"\x0a" + bytes([len(_NAME)]) + _NAME + b"\x12\x40"  # field 1, the key; field 2, a value of 64 bytes
_HEAD = b"\x72" + bytes([len(_ENTRY) + 64]) + _ENTRY  # field 14 of ModelProto
_SIZE = len(_HEAD) + 64


def seal(model: bytes) -> bytes:
    """The content of an ONNX file with a seal."""
    return model + _seal_of(memoryview(model))


def is_sealed(content: bytes) -> bool:
    """Whether a file's content is, to the bit, what was sealed."""
    view = memoryview(content)
    return len(view) > _SIZE and bytes(view[-_SIZE:]) == _seal_of(view[:-_SIZE])


def unsealed(content: bytes) -> bytes:
    """What was sealed."""
    return content[:-_SIZE]


def _seal_of(model: memoryview) -> bytes:
    return _HEAD + hashlib.sha256(model).hexdigest().encode()
