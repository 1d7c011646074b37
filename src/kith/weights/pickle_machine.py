"""A pickle read as data.

A pickle is a program. This machine steps through its instructions and knows those that make lists,
tuples, dicts, strings and numbers. A name of a class or a function is compared with the few that a
format may mention and kept as a word; where the file would call it, the machine notes what would be
called with what. Nothing is imported, looked up or called on a file's behalf, and every other
instruction is an error.
"""

import pickletools
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from kith.errors import UnsupportedFile
from kith.weights.quoting import quoted

_MOST_INSTRUCTIONS = 600_000  # a training's checkpoint has a third of them
_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, type] = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict}
_LITERALS = {
    *("SHORT_BINUNICODE", "BINUNICODE", "BINSTRING", "SHORT_BINSTRING"),
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
}
_DAMAGE = (ValueError, IndexError, TypeError, AttributeError, KeyError, OverflowError, RecursionError)


@dataclass
class Name:
    """A class or a function the file mentions; never looked up."""

    module: str
    name: str


@dataclass
class Call:
    """What the file would call, the arguments, and the state it would give the result.

    Attributes:
        name: The callee.
        arguments: As the file has them.
        items: What the file would put into the result, if it is a dict.
        state: Of the result.
        value: What takes the result's place, once it is known.
    """

    name: Name
    arguments: tuple[Any, ...]
    items: dict[str | int, Any] = field(default_factory=dict)
    state: Any = None
    value: Any = None


class PickleMachine:
    """Steps through a pickle's instructions.

    A format overrides `built`, where bytes follow a state, `persistent`, where the file refers to
    something outside the pickle, and `misplaced`, where it knows what a person could do.
    """

    def __init__(self, file: BinaryIO, kind: str, names: Collection[tuple[str, str]]) -> None:
        """Args: the file, at the pickle's start; its kind, for errors; names it may mention."""
        self.file = file
        self.kind = kind
        self.names = names
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Step to the end; the file is then just behind the pickle.

        Returns:
            Lists, tuples, dicts, strings, numbers, `Name` and `Call`, and what the format puts there.

        Raises:
            UnsupportedFile: The pickle is damaged, cut off, or does what this format never does.
        """
        try:
            for opcode, argument, _ in islice(pickletools.genops(self.file), _MOST_INSTRUCTIONS):
                if opcode.name == "STOP":
                    return _settled(self.stack.pop())
                self._step(opcode.name, argument)
            raise UnsupportedFile(f"{self.kind}: it has more than {_MOST_INSTRUCTIONS:,} instructions")
        except _DAMAGE:
            raise UnsupportedFile(f"{self.kind}: damaged or cut off") from None

    def built(self, call: Call) -> None:
        """A call's result was given its state."""

    def persistent(self, key: Any) -> Any:
        """What a reference to something outside the pickle stands for."""
        raise UnsupportedFile(f"{self.kind}: it refers to data that is not in it")

    def misplaced(self) -> str:
        """What to say of a class or function that this format never mentions."""
        return "which has no place in it"

    def _step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in ("PROTO", "FRAME"):
            return
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _LITERALS:
            stack.append(argument)
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(_settled(self.memo[argument]))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            self._push_tuple(int(name[-1]))
        elif name == "TUPLE":
            stack.append(tuple(self._pop_to_mark()))
        elif name == "APPEND":
            item = _settled(stack.pop())
            stack[-1].append(item)
        elif name == "APPENDS":
            items = self._pop_to_mark()
            stack[-1].extend(items)
        elif name == "SETITEM":
            value, key = _settled(stack.pop()), stack.pop()
            self._set_items([key, value])
        elif name == "SETITEMS":
            self._set_items(self._pop_to_mark())
        elif name == "GLOBAL":
            self._push_name(*argument.split(" ", 1))
        elif name == "STACK_GLOBAL":
            word, module = stack.pop(), stack.pop()
            self._push_name(module, word)
        elif name in ("NEWOBJ", "REDUCE"):
            arguments, callee = stack.pop(), stack.pop()
            if not isinstance(callee, Name) or not isinstance(arguments, tuple):
                raise UnsupportedFile(f"{self.kind}: it calls what is no function")
            stack.append(Call(callee, arguments))
        elif name == "BUILD":
            state = stack.pop()
            stack[-1].state = state
            self.built(stack[-1])
        elif name == "BINPERSID":
            stack.append(self.persistent(stack.pop()))
        else:
            raise UnsupportedFile(f"{self.kind}: instruction {name} has no place in it")

    def _push_tuple(self, length: int) -> None:
        if len(self.stack) < length:
            raise IndexError
        items = tuple(_settled(item) for item in self.stack[-length:])
        del self.stack[-length:]
        self.stack.append(items)

    def _pop_to_mark(self) -> list[Any]:
        items: list[Any] = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(_settled(item))
        items.reverse()
        return items

    def _set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        pairs = dict(zip(_keys(items[::2]), items[1::2], strict=True))
        (target.items if isinstance(target, Call) else target).update(pairs)

    def _push_name(self, module: Any, name: Any) -> None:
        module, name = _texts([module, name])
        if (module, name) not in self.names:
            raise UnsupportedFile(f"{self.kind}: it names {quoted(f'{module}.{name}')}, {self.misplaced()}")
        self.stack.append(Name(module, name))


def _settled(item: Any) -> Any:
    return item.value if isinstance(item, Call) and item.value is not None else item


def _keys(items: list[Any]) -> list[Any]:
    """The items, which must be strings, or numbers so small that their hashes differ: what is hashed."""
    if not all(isinstance(item, str) or (type(item) is int and abs(item) < 2**31) for item in items):
        raise TypeError
    return items


def _texts(items: list[Any]) -> list[str]:
    """The items, which must be strings: nothing else is compared."""
    if not all(isinstance(item, str) for item in items):
        raise TypeError
    return items
