"""The machine that reads pickles as data: what it knows, and that it executes nothing."""

import io
import pickle
import pickletools
from pathlib import Path

import pytest

from kith.errors import UnsupportedFile
from kith.weights.pickle_machine import Call, PickleMachine

KNOWN = """
PROTO FRAME STOP NONE NEWTRUE NEWFALSE EMPTY_LIST EMPTY_TUPLE EMPTY_DICT MARK MEMOIZE SHORT_BINUNICODE
BINUNICODE BINSTRING SHORT_BINSTRING BININT BININT1 BININT2 LONG1 BINFLOAT BINPUT LONG_BINPUT BINGET
LONG_BINGET TUPLE1 TUPLE2 TUPLE3 TUPLE APPEND APPENDS SETITEM SETITEMS GLOBAL STACK_GLOBAL NEWOBJ REDUCE
BUILD BINPERSID
"""


def run(data: bytes, *names: tuple[str, str]) -> object:
    return PickleMachine(io.BytesIO(data), "test file", names).run()


class Payload:
    """Makes a file when unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.marker), "w")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_data(protocol: int) -> None:
    data = {
        "a": [1, 2, 300, 70_000, -5, 2**40],
        "b": ("x", None, True, False),
        "c": {"d": []},
        "e": (1, 2, 3, 4),
    }
    assert run(pickle.dumps(data, protocol)) == data


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_payload_is_never_run(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "marker"
    with pytest.raises(UnsupportedFile):
        run(pickle.dumps(Payload(marker), protocol))
    assert not marker.exists()


def test_a_known_name_is_only_noted(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    call = run(pickle.dumps(Payload(marker), 4), ("io", "open"))
    assert isinstance(call, Call)
    assert (call.name.name, call.arguments) == ("open", (str(marker), "w"))
    assert not marker.exists()


def test_every_other_instruction_is_refused() -> None:
    known = set(KNOWN.split())
    machine = PickleMachine(io.BytesIO(), "test file", ())
    for opcode in pickletools.opcodes:
        if opcode.name not in known:
            with pytest.raises(UnsupportedFile, match=f"instruction {opcode.name} has no place"):
                machine._step(opcode.name, None)


@pytest.mark.parametrize(
    "program",
    [
        b"",
        b".",
        b"N",
        b"(",
        b"a.",
        b"K\x01K\x02a.",
        b"}NK\x02s.",  # a key that is no string
        b"}\x8a\x05\x00\x00\x00\x00\x01K\x02s.",  # a number so large that others could be made of its hash
        b"}" + b")" + b"\x85" * 100_000 + b"Ns.",  # hashing such a key would overflow the stack
        b")" + b"\x85" * 100_000 + b"X\x01\x00\x00\x00a\x93.",
        b"}X\x01\x00\x00\x00as.",
        b"h\x05.",
        b"NR.",
        b"NNR.",
        b"NNb.",
        b"Q.",
        b"\x8a\xff\x00.",
        b"X\xff\xff\xff\xff.",
        b"X\x01\x00\x00\x00\xff.",
        b"\xff.",
        b"(u.",
        b"u.",
    ],
)
def test_nonsense_is_one_clear_error(program: bytes) -> None:
    with pytest.raises(UnsupportedFile, match="^test file: [^\n]{1,150}$"):
        run(b"\x80\x02" + program)


def test_numbers_as_keys() -> None:
    """An optimizer's state has them."""
    assert run(pickle.dumps({0: "a", 70_000: "b"}, 2)) == {0: "a", 70_000: "b"}


def test_more_instructions_than_weights_need() -> None:
    with pytest.raises(UnsupportedFile, match="more than 600,000 instructions"):
        run(b"\x80\x02" + b"]" * 600_000 + b".")


def test_deeply_nested_data_is_harmless() -> None:
    nested = run(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".")
    assert isinstance(nested, list)
