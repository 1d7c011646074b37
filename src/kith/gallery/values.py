"""What may stand in a gallery's columns; nothing else is stored, and nothing else is believed.

A gallery can come from anywhere, and SQLite stores any value in any column. So each column has a type
of these: it looks at every value that is read and that is written. What is of another type or larger
than it may be does not even leave the database.
"""

import math
from abc import abstractmethod
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Dialect,
    Float,
    Integer,
    LargeBinary,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    type_coerce,
)
from sqlalchemy.types import TypeDecorator

from kith.errors import InvalidArgument
from kith.gallery.names import MAX_NAME, clean_name

LARGEST = 1 << 27
"""Bytes of any value, at most."""

MAX_SOURCE = 8192
"""Bytes of where a photo is; file systems allow half of that."""

MAX_ID = 1 << 53
"""A row's number is lower."""

_MAX_EMBEDDING = 1 << 16  # bytes
_MAX_TEXT = 1024


class DamagedValue(Exception):
    """A value in a gallery that Kith has not written."""


class Checked(TypeDecorator[Any]):
    """A column whose values are looked at.

    Args:
        optional: Whether there may be no value.
    """

    storage = ""
    """SQLite's name of the type."""
    largest = 0
    """Bytes of a text or a blob, at most."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.cache_ok = True  # SQLAlchemy wants it of each class: one without state beyond its arguments

    def __init__(self, *, optional: bool = False) -> None:
        super().__init__()
        self.optional = optional

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """What is read of a column: in place of what is far from right, something small that is wrong."""
        right = func.typeof(column) == self.storage
        if self.largest:
            right = and_(right, self.size(column) <= self.largest)
        table = getattr(getattr(column, "element", column), "table", None)  # also where it has a label
        if self.optional or table is None:
            right = or_(right, column.is_(None))
        else:  # the row that an outer join has not found is no row with nothing in it
            right = or_(right, and_(*(key.is_(None) for key in table.primary_key)))
        wrong = literal(0, Integer) if self.largest else literal("wrong", String)
        return type_coerce(case((right, column), else_=wrong), self)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """The value, as the code sees it; DamagedValue if Kith cannot have written it."""
        if value is None:
            return None
        try:
            return self.read(value)
        except (TypeError, ValueError):
            raise DamagedValue from None

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The value, as it is stored; InvalidArgument if it could not be read again."""
        if value is None and self.optional:
            return None
        stored = self.written(value)
        self.read(stored)
        return stored

    def size(self, column: ColumnElement[Any]) -> ColumnElement[int]:
        """Bytes of a text or a blob, without reading a blob."""
        return func.length(column if self.storage == "blob" else cast(column, LargeBinary))

    @abstractmethod
    def read(self, value: Any) -> Any:
        """A stored value as the code sees it; TypeError or ValueError if it is wrong."""

    def written(self, value: Any) -> Any:
        """A value of the code's as it is stored."""
        return value


class Whole(Checked):
    """A whole number of 64 bits."""

    impl = Integer
    storage = "integer"

    def read(self, value: Any) -> int:
        """The number."""
        _require(isinstance(value, int), "must be a whole number", value)
        return int(value)


class Id(Whole):
    """The number of a row."""

    def read(self, value: Any) -> int:
        """The number."""
        number = super().read(value)
        _require(0 < number < MAX_ID, "must be a number of a row", value)
        return number


class Flag(Whole):
    """True or false."""

    def read(self, value: Any) -> bool:
        """As a bool."""
        _require(value in (0, 1), "must be true or false", value)
        return bool(super().read(value))

    def written(self, value: Any) -> int:
        """As 0 or 1."""
        return int(value)


class Real(Checked):
    """A finite number."""

    impl = Float
    storage = "real"

    def read(self, value: Any) -> float:
        """The number."""
        _require(isinstance(value, float) and math.isfinite(value), "must be a finite number", value)
        return float(value)

    def written(self, value: Any) -> float:
        """As a Python float."""
        return float(value)


class Text(Checked):
    """A text."""

    impl = String
    storage = "text"
    largest = _MAX_TEXT

    def read(self, value: Any) -> str:
        """The text."""
        _require(isinstance(value, str), "must be a text", value)
        _require(len(value.encode()) <= self.largest, f"must have {self.largest} bytes at most", value)
        return str(value)


class Source(Text):
    """Where a photo is."""

    largest = MAX_SOURCE


class Name(Text):
    """A person's name."""

    largest = 4 * MAX_NAME

    def read(self, value: Any) -> str:
        """The name."""
        name = super().read(value)
        _require(clean_name(name) == name, "must be a clean name", value)
        return name


class Moment(Checked):
    """A moment in UTC."""

    impl = String
    storage = "text"
    largest = 26

    def read(self, value: Any) -> datetime:
        """Without a time zone."""
        moment = datetime.fromisoformat(value)
        _require(moment.tzinfo is None, "must be a moment in UTC", value)
        return moment

    def written(self, value: datetime) -> str:
        """As SQLAlchemy writes it."""
        return value.isoformat(" ", "microseconds")


class Blob(Checked):
    """Bytes."""

    impl = LargeBinary
    storage = "blob"
    largest = LARGEST

    def read(self, value: Any) -> bytes:
        """The bytes."""
        _require(isinstance(value, bytes), "must be bytes", value)
        _require(len(value) <= self.largest, f"must have {self.largest} bytes at most", value)
        return bytes(value)


class Thumbnail(Blob):
    """A small JPEG."""

    largest = 1 << 20


class Embedding(Blob):
    """Numbers of float32, little-endian; whether their length is 1 is seen where all are stacked."""

    largest = _MAX_EMBEDDING

    def read(self, value: Any) -> bytes:
        """The bytes."""
        data = super().read(value)
        _require(len(data) > 0 and len(data) % 4 == 0, "must be numbers of float32", len(data))
        return data


class Box(Blob):
    """Four finite numbers of float32, little-endian."""

    largest = 16

    def read(self, value: Any) -> bytes:
        """The bytes."""
        data = super().read(value)
        _require(len(data) == self.largest, "has the wrong length", len(data))
        _require(bool(np.isfinite(np.frombuffer(data, "<f4")).all()), "must be finite", "others")
        return data


class Landmarks(Box):
    """Ten finite numbers of float32, little-endian."""

    largest = 40


def _require(condition: bool, what: str, value: object) -> None:
    if not condition:
        raise InvalidArgument(f"a value of a gallery {what}, got {value!r:.80}")


def now() -> datetime:
    """This moment, in UTC, as the database holds it."""
    return datetime.now(UTC).replace(tzinfo=None)
