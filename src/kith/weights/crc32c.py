"""The checksum of TensorFlow's checkpoints and LevelDB's tables: CRC-32C, rotated and shifted.

Format: https://github.com/google/leveldb/blob/main/util/crc32c.h
"""

_SHIFT = 0xA282EAD8


def masked_crc32c(data: bytes | memoryview) -> int:
    """The checksum as it is stored: a checksum of checksums would otherwise be a weak one."""
    from google_crc32c import value  # here: only a checkpoint needs it

    checksum: int = value(bytes(data) if isinstance(data, memoryview) else data)
    return ((checksum >> 15 | checksum << 17) + _SHIFT) & 0xFFFF_FFFF
