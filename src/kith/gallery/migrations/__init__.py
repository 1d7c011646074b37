"""How a gallery's tables came to be: numbered steps of plain SQL, frozen for ever.

A new gallery is made by all of them, an older one by those it lacks; so both have one schema. A step
that was released is never changed again, to the last space: what is new is a new step. None is derived
from the tables that the code of today knows.
"""

import sqlite3
from contextlib import closing
from functools import cache
from importlib.resources import files

_FILES = (
    "0001_people.sql",
    "0002_album.sql",
    "0003_former_names.sql",
    "0004_changes.sql",
    "0005_photo_files.sql",
)

VERSION = len(_FILES)
"""Of galleries that all steps have made, as in SQLite's `user_version`."""

SchemaItem = tuple[str, str, str]
"""What a table or an index is: "table" or "index", its name, its SQL without needless white space."""

# until version 3 it was made when a gallery changed its model, and dropped afterwards
_MAY_BE_MISSING = {1: {"migration"}, 2: {"migration"}}


def statements(version: int) -> list[str]:
    """The SQL of one step, which makes galleries of this version of those of the one before."""
    text = files(__package__).joinpath(_FILES[version - 1]).read_text("utf-8")
    return [statement for statement in text.split(";\n") if statement.strip()]


@cache
def schema(version: int) -> frozenset[SchemaItem]:
    """What the steps up to a version make of an empty database."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in range(1, version + 1):
            for statement in statements(step):
                connection.execute(statement)
        return frozenset(map(schema_item, connection.execute(SCHEMA_QUERY)))


SCHEMA_QUERY = "SELECT type, name, tbl_name, sql FROM sqlite_master"


def schema_item(row: tuple[object, ...]) -> SchemaItem:
    """A row of `SCHEMA_QUERY`, so that it can be compared; whatever the row holds."""
    kind, name, table, sql = row
    return str(kind), str(name), " ".join(f"{table} {sql}".split())


def unlike(found: frozenset[SchemaItem], version: int) -> list[str]:
    """The names of what in a gallery's schema is not as its version's steps make it, indexes last."""
    optional = _MAY_BE_MISSING.get(version, set())
    known = schema(version) | {item for item in schema(VERSION) if item[1] in optional}
    missing = {item for item in schema(version) - found if item[1] not in optional}
    return sorted({f"{kind} {name}" for kind, name, _ in (found - known) | missing}, reverse=True)
