"""Files that are small or odd, and would take minutes or all memory to read; and a program that tries them.

    python attacks.py FOLDER SCALE NAME ...

makes the attacks of these names in a folder, all of them if none is named, reads them under a memory
limit of 1 GB, and prints for each the error, the seconds and the process's peak of memory. At scale 1
they are as large as an attacker would make them; the tests make them just larger than the bounds.
"""

import json
import os
import resource
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import lz4.frame
import numpy as np
from write_tensorflow import (
    bundle_entry,
    bundle_header,
    finish_table,
    pointer,
    write_block,
    write_checkpoint,
    write_table,
)

from kith.errors import UnsupportedFile
from kith.weights.dlib import read_dlib_resnet29
from kith.weights.mtcnn import read_mtcnn_pnet
from kith.weights.recognize import recognize_file

MEMORY = 2**30
VARIABLE = "InceptionResnetV1/Bottleneck/weights"

Attack = Callable[[Path, float], Path]
ATTACKS: dict[str, Attack] = {}


def attack(make: Attack) -> Attack:
    ATTACKS[make.__name__] = make
    return make


def content(folder: Path, data: bytes, name: str = "file.bin") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def field(number: int, data: bytes) -> bytes:
    length, size = b"", len(data)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


# TensorFlow's graphs: 10 million of something


@attack
def graph_of_empty_nodes(folder: Path, scale: float) -> Path:
    return content(folder, b"\n\0" * int(1e7 * scale))


@attack
def graph_of_empty_fields(folder: Path, scale: float) -> Path:
    return content(folder, field(1, field(2, b"Const") + b"\x1a\0" * int(1e7 * scale)))


@attack
def graph_of_empty_attributes(folder: Path, scale: float) -> Path:
    node = field(2, b"Const") + field(5, b"")
    return content(folder, field(1, node) * int(5e6 * scale))


# Pickles: 20 to 60 MB of instructions


def in_zip(program: bytes) -> bytes:
    pickled = b"\x80\x02" + program + b"."
    return write_zip([("model/data.pkl", pickled, 0, len(pickled), zlib.crc32(pickled))])


@attack
def pickle_of_empty_lists(folder: Path, scale: float) -> Path:
    return content(folder, in_zip(b"]" * int(6e7 * scale)))


@attack
def pickle_of_marks(folder: Path, scale: float) -> Path:
    return content(folder, in_zip(b"(" * int(2e7 * scale)))


@attack
def legacy_pickle_of_empty_lists(folder: Path, scale: float) -> Path:
    return content(folder, b"\x80\x02" + b"]" * int(6e7 * scale) + b".")


@attack
def pickle_of_a_long_text(folder: Path, scale: float) -> Path:
    """Each character of four bytes in memory."""
    text = "\U0001f600".encode() * int(9e7 * scale)
    return content(folder, b"\x80\x02X" + struct.pack("<I", len(text)) + text + b".")


@attack
def one_dict_under_many_names(folder: Path, scale: float) -> Path:
    names = [b"X\x04\0\0\0" + f"{number:04x}".encode() for number in range(int(6e4 * scale))]
    inner = b"}q\x01(" + b"".join(name + b"N" for name in names) + b"u"
    outer = b"}(X\x01\0\0\0a" + inner + b"".join(name + b"h\x01" for name in names) + b"u"
    return content(folder, in_zip(outer))


# Zip archives


Member = tuple[str, bytes, int, int, int]
"""Name, bytes as they are in the archive, compression, size, checksum."""


def write_zip(members: list[Member], extra: bytes = b"") -> bytes:
    """An archive of whatever is said of its members; equal bytes are stored once."""
    chunks: list[bytes] = []
    directory, at, places = b"", 0, {}
    for name, data, method, size, checksum in members:
        head = struct.pack("<5H3I2H", 20, 0, method, 0, 0, checksum, len(data), size, len(name), 0)
        if (id(data), name) not in places:
            places[id(data), name] = at
            chunks += [b"PK\x03\x04", head, name.encode(), data]
            at += 4 + len(head) + len(name) + len(data)
        head = head[:-2] + struct.pack("<H", len(extra))
        rest = struct.pack("<HHHII", 0, 0, 0, 0, places[id(data), name])
        directory += b"PK\x01\x02\x14\0" + head + rest + name.encode() + extra
    count = min(len(members), 0xFFFF)
    end = struct.pack("<4H2IH", 0, 0, count, count, len(directory), at, 0)
    return b"".join([*chunks, directory, b"PK\x05\x06", end])


def zeros(size: int) -> tuple[bytes, int, int, int]:
    """Deflated zeros: bytes, compression, size, checksum."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed, checksum, block = b"", 0, bytes(2**20)
    for _ in range(size >> 20):
        packed += packer.compress(block)
        checksum = zlib.crc32(block, checksum)
    return packed + packer.flush(), 8, size >> 20 << 20, checksum


@attack
def zip_of_many_members(folder: Path, scale: float) -> Path:
    members = [("x", b"", 0, 0, 0)] * 10_000
    data = write_zip(members)
    start = data.index(b"PK\x01\x02")
    directory, end = data[start:-22] * int(100 * scale), data[-22:]
    size = struct.pack("<II", len(directory), start)
    return content(folder, data[:start] + directory + end[:12] + size + end[20:])


@attack
def zip_of_many_extra_fields(folder: Path, scale: float) -> Path:
    members = [("x", b"", 0, 0, 0)] * int(1000 * scale)
    return content(folder, write_zip(members, b"\xfe\xca\0\0" * 16_000))


@attack
def zip_of_overlapping_members(folder: Path, scale: float) -> Path:
    data = bytes(int(1e8 * scale))
    members = [("m/data/0", data, 0, len(data), 0)] * 3000
    return content(folder, write_zip([("m/data.pkl", b"", 0, 0, 0), *members]))


@attack
def zip_of_swollen_shards(folder: Path, scale: float) -> Path:
    packed, *rest = zeros(int(1e8 * scale))
    size = rest[1]
    shards = 300
    entries = [
        (f"{VARIABLE}{n:03d}/weights".encode(), bundle_entry("float32", (size // 4,), 0, b"", shard=n))
        for n in range(shards)
    ]
    index = write_table([(b"", bundle_header(shards)), *entries])
    members = [(f"m.data-{n:05d}-of-{shards:05d}", packed, *rest) for n in range(shards)]
    return content(folder, write_zip([("m.index", index, 0, len(index), zlib.crc32(index)), *members]))


@attack
def keras_archive_of_zeros(folder: Path, scale: float) -> Path:
    packed, *rest = zeros(int(4e9 * scale))
    return content(folder, write_zip([("model.weights.h5", packed, *rest)]))


# TensorFlow's checkpoints


def checkpoint(folder: Path, index: bytes) -> Path:
    content(folder, bytes(8), "m.data-00000-of-00001")
    return content(folder, index, "m.index")


@attack
def index_that_names_a_block_often(folder: Path, scale: float) -> Path:
    entry = bundle_entry("float32", (2,), 0, bytes(8))
    block = write_block([(f"{VARIABLE}{n:06d}".encode(), entry) for n in range(int(1e5 * scale))])
    names = [(f"x{n:04d}".encode(), pointer(0, len(block))) for n in range(200)]
    return checkpoint(folder, finish_table(block, names))


@attack
def index_of_many_entries(folder: Path, scale: float) -> Path:
    return checkpoint(folder, write_table([(b"%07d" % n, b"") for n in range(int(8e5 * scale))]))


@attack
def index_of_long_names(folder: Path, scale: float) -> Path:
    name = b"x" * int(2e5 * scale)
    return checkpoint(folder, write_table([(name + b"%05d" % n, b"") for n in range(100)]))


@attack
def index_of_many_fields(folder: Path, scale: float) -> Path:
    return checkpoint(folder, write_table([(b"", bundle_header(1)), (b"a", b"\x08\x01" * int(8e6 * scale))]))


def with_data(folder: Path, make: Callable[[Path], None]) -> Path:
    index, _ = write_checkpoint({VARIABLE: np.zeros(8, np.float32)})
    make(folder / "m.data-00000-of-00001")
    return content(folder, index, "m.index")


@attack
def data_that_is_a_device(folder: Path, scale: float) -> Path:
    return with_data(folder, lambda path: path.symlink_to("/dev/zero"))


@attack
def data_that_is_a_pipe(folder: Path, scale: float) -> Path:
    return with_data(folder, os.mkfifo)


@attack
def data_that_is_sparse(folder: Path, scale: float) -> Path:
    """Its checksums are right."""
    size = int(4e10 * scale) // 4 * 4
    entry = (
        field(2, b"") + b"\x08\x01" + field(2, field(2, b"\x08" + varint(size // 4))) + b"\x28" + varint(size)
    )
    with (folder / "m.data-00000-of-00001").open("wb") as file:
        file.truncate(size)
    return content(folder, write_table([(b"", bundle_header(1)), (VARIABLE.encode(), entry)]), "m.index")


def varint(number: int) -> bytes:
    written = b""
    while number > 127:
        written, number = written + bytes([number & 127 | 128]), number >> 7
    return written + bytes([number])


@attack
def index_that_is_a_pipe(folder: Path, scale: float) -> Path:
    os.mkfifo(folder / "m.index")
    return folder / "m.index"


@attack
def file_that_is_a_pipe(folder: Path, scale: float) -> Path:
    os.mkfifo(folder / "weights.h5")
    return folder / "weights.h5"


@attack
def file_that_is_a_device(folder: Path, scale: float) -> Path:
    (folder / "weights.h5").symlink_to("/dev/zero")
    return folder / "weights.h5"


@attack
def file_that_is_sparse(folder: Path, scale: float) -> Path:
    with (folder / "weights.pb").open("wb") as file:
        file.write(b"\n")
        file.truncate(int(4e10 * scale))
    return folder / "weights.pb"


# HDF5


def hdf5(folder: Path, write: Callable[[h5py.File], None]) -> Path:
    with h5py.File(folder / "weights.h5", "w") as file:
        write(file)
    return folder / "weights.h5"


@attack
def hdf5_that_leads_to_a_pipe(folder: Path, scale: float) -> Path:
    os.mkfifo(folder / "pipe")

    def write(file: h5py.File) -> None:
        file["model_weights"] = h5py.ExternalLink(str(folder / "pipe"), "/")

    return hdf5(folder, write)


@attack
def hdf5_of_many_entries(folder: Path, scale: float) -> Path:
    def write(file: h5py.File) -> None:
        group = file.create_group("layer")
        group["0"] = np.zeros(1, np.float32)
        for number in range(1, int(3e5 * scale)):
            group.id.links.create_hard(str(number).encode(), group.id, b"0")

    return hdf5(folder, write)


@attack
def hdf5_of_many_chunks(folder: Path, scale: float) -> Path:
    def write(file: h5py.File) -> None:
        shape = (int(1e6 * scale),)
        file.create_dataset("dense/dense/kernel:0", data=np.ones(shape, np.float32), chunks=(1,))

    return hdf5(folder, write)


@attack
def hdf5_of_long_names(folder: Path, scale: float) -> Path:
    """Thousands of layers whose name is one long text."""

    def write(file: h5py.File) -> None:
        for number in range(4):
            file[f"{number}/vars/0"] = np.zeros(1, np.float32)
            file[f"{number}/vars"].attrs["name"] = "x" * int(9e7 * scale)

    return hdf5(folder, write)


# Others


def torch7(*objects: bytes) -> bytes:
    return b"".join(objects)


def torch7_module(index: int, fields: bytes) -> bytes:
    name = b"nn.Sequential"
    return struct.pack("<iii", 4, index, 3) + b"V 1" + struct.pack("<i", len(name)) + name + fields


def torch7_table(index: int, count: int, items: bytes) -> bytes:
    return struct.pack("<iii", 3, index, count) + items


@attack
def torch7_of_nothing(folder: Path, scale: float) -> Path:
    count = int(1.2e7 * scale)
    return content(folder, torch7_module(1, torch7_table(2, count, bytes(8 * count))))


@attack
def torch7_of_shared_modules(folder: Path, scale: float) -> Path:
    """Every module's children are the same many modules."""
    count = int(2e4 * scale)
    modules = struct.pack("<ii", 2, 7) + b"modules"
    shared = struct.pack("<ii", 3, 3)  # a table mentioned again
    children = b"".join(
        struct.pack("<id", 1, number)
        + torch7_module(2 * number + 10, torch7_table(2 * number + 11, 1, modules + shared))
        for number in range(count)
    )
    root = torch7_table(2, 1, modules + torch7_table(3, count, children))
    return content(folder, torch7_module(1, root))


@attack
def mxnet_of_small_arrays(folder: Path, scale: float) -> Path:
    """Of one number each, and each with a name of its own."""
    count = int(2e6 * scale)
    array = struct.pack("<IiIq3if", 0xF993FAC9, 0, 1, 1, 1, 0, 0, 1.0)
    names = b"".join(struct.pack("<Q", 11) + b"arg:%07d" % number for number in range(count))
    counted = struct.pack("<Q", count)
    return content(folder, struct.pack("<QQ", 0x112, 0) + counted + array * count + counted + names)


@attack
def safetensors_of_a_long_header(folder: Path, scale: float) -> Path:
    entry = b'"%07d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    header = b"{" + b",".join(entry % n for n in range(int(1.5e6 * scale))) + b"}"
    return content(folder, struct.pack("<Q", len(header)) + header)


@attack
def dlib_of_empty_layers(folder: Path, scale: float) -> Path:
    layer = b"\x01\x05con_4" + b"\x01\x02" + b"\x01\0" * 4
    return content(folder, layer * int(1.2e7 * scale), "file.dlib")


@attack
def mtcnn_of_empty_lists(folder: Path, scale: float) -> Path:
    return content(folder, lz4.frame.compress(b"\x80\x03" + b"]" * int(6e7 * scale) + b"."), "file.lz4")


def try_to_read(path: Path) -> str:
    try:
        if path.suffix == ".dlib":
            read_dlib_resnet29(path.read_bytes())
        elif path.suffix == ".lz4":
            read_mtcnn_pnet(path.read_bytes())
        else:
            recognize_file(path)
    except UnsupportedFile as error:
        return str(error)
    return "read"


def main(folder: Path, scale: float, names: list[str]) -> None:
    paths = {}
    for name in names or ATTACKS:
        place = folder / name
        place.mkdir()
        paths[name] = ATTACKS[name](place, scale)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for name, path in paths.items():
        start = time.monotonic()
        message = try_to_read(path)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        report = {"name": name, "error": message, "seconds": time.monotonic() - start, "peak": peak}
        sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
