"""Zips with a detector and an embedder in them, and what pretends to be one."""

import hashlib
import stat
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kith.catalogue.packs import read_pack
from kith.catalogue.published import PUBLISHED
from kith.catalogue.published.entries import PublishedFile
from kith.errors import ChecksumMismatch, UnsupportedFile
from kith.weights.limits import MOST_FILE_BYTES

CONTENTS = {
    "det.onnx": np.random.default_rng(0).bytes(3000),
    "embedder.onnx": np.random.default_rng(1).bytes(9000),
}
WANTED = [
    PublishedFile(name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    for name, content in CONTENTS.items()
]
OTHERS = [("landmarks.onnx", b"not wanted"), ("README", b"nor this")]


def write_zip(path: Path, members: Sequence[tuple[str | zipfile.ZipInfo, bytes]], how: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", how or zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("folder", ["", "antelopev2/", "deep/er/"])
@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_is_wanted_is_read_in_its_order(folder: str, how: int, tmp_path: Path) -> None:
    members = [(f"{folder}{name}", content) for name, content in CONTENTS.items()]
    path = write_zip(tmp_path / "pack.zip", [*OTHERS, *members], how)
    assert read_pack(path, WANTED) == list(CONTENTS.values())
    assert read_pack(path, WANTED[::-1]) == list(CONTENTS.values())[::-1]
    assert [file.name for file in tmp_path.iterdir()] == ["pack.zip"], "nothing is unpacked"


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "trick",
    ["../det.onnx", "/det.onnx", "a/../../det.onnx", "..\\det.onnx", "C:det.onnx", "../../x", link("det")],
    ids=str,
)
def test_a_name_that_leads_out_of_the_archive(trick: str | zipfile.ZipInfo, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "pack.zip", [(trick, b"/etc/passwd"), *CONTENTS.items()])
    with pytest.raises(UnsupportedFile, match=r"pack.zip: .*leads out of the archive"):
        read_pack(path, WANTED)


def test_a_file_that_is_missing_or_there_twice(tmp_path: Path) -> None:
    (_, content), embedder = CONTENTS.items()
    path = write_zip(tmp_path / "pack.zip", [embedder, *OTHERS])
    with pytest.raises(UnsupportedFile, match=r"has det.onnx 0 times"):
        read_pack(path, WANTED)
    path = write_zip(tmp_path / "pack.zip", [("a/det.onnx", b"other"), ("b/det.onnx", content), embedder])
    with pytest.raises(UnsupportedFile, match=r"has det.onnx 2 times"):
        read_pack(path, WANTED)


def test_another_file_of_the_same_name(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "pack.zip", [*list(CONTENTS.items())[1:], ("det.onnx", b"other")])
    with pytest.raises(ChecksumMismatch, match=r"its det.onnx is not the one that was published"):
        read_pack(path, WANTED)


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "pack.zip", [("det.onnx", bytes(50 << 20)), *list(CONTENTS.items())[1:]])
    assert path.stat().st_size < 100_000
    with pytest.raises(UnsupportedFile, match="too large"):
        read_pack(path, WANTED)


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    """Its directory says what is expected, its content unpacks to a thousand times as much."""
    path = write_zip(tmp_path / "pack.zip", [("det.onnx", bytes(3_000_000)), *list(CONTENTS.items())[1:]])
    data = path.read_bytes()
    assert data.count(struct.pack("<L", 3_000_000)) == 2, "beside the member, and in the directory"
    path.write_bytes(data.replace(struct.pack("<L", 3_000_000), struct.pack("<L", 3_000)))
    with pytest.raises((UnsupportedFile, ChecksumMismatch)):
        read_pack(path, WANTED)


def test_a_file_that_grew_is_not_read(tmp_path: Path) -> None:
    grown = CONTENTS["det.onnx"] + np.random.default_rng(2).bytes(1)
    path = write_zip(tmp_path / "pack.zip", [("det.onnx", grown), *list(CONTENTS.items())[1:]])
    with pytest.raises(UnsupportedFile, match="'det.onnx' is too large"):
        read_pack(path, WANTED)


@pytest.mark.parametrize("kept", [0, 10, 5000, 12_000])
def test_a_zip_that_was_cut_off(kept: int, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "pack.zip", list(CONTENTS.items()))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UnsupportedFile, match="damaged or cut off"):
        read_pack(path, WANTED)


def test_an_encrypted_one(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "pack.zip", list(CONTENTS.items()))
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(UnsupportedFile, match="encrypted"):
        read_pack(path, WANTED)


def test_the_published_packs_are_not_larger_than_what_is_read() -> None:
    packs = [model.files[0] for model in PUBLISHED.values() if model.files[0].members]
    assert len(packs) == 5
    assert max(pack.size for pack in packs) < MOST_FILE_BYTES
    assert all(member.size and member.sha256 for pack in packs for member in pack.members)
