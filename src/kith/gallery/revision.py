"""The revision of a gallery, a number that every change raises; and who changed at which.

So whoever keeps a gallery in memory reads again only what is new to it, and a classifier that was fitted
stays good until references change: a rename changes none.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select, update

from kith.gallery import store
from kith.gallery.values import DamagedValue

SETTINGS = ("revision", "references_revision", "followed_since")
"""Settings that hold a revision: of the last change, of the last one of references, and the one from which
on it is known who changed."""

_MAX_DIGITS = 18


def revision_of(connection: Connection) -> int:
    """The gallery's revision."""
    return _number(connection, "revision")


def references_revision_of(connection: Connection) -> int:
    """The revision at which references last changed, and not names only."""
    return _number(connection, "references_revision" if store.has_changes(connection) else "revision")


def changed_since(connection: Connection, revision: int) -> set[int] | None:
    """The ids of subjects who changed, came or went after a revision; None if anyone may have."""
    now = revision_of(connection)
    if not store.has_changes(connection):
        return set() if revision == now else None
    if not _number(connection, "followed_since") <= revision <= now:
        return None
    columns = store.changes.c
    return set(connection.execute(select(columns.subject_id).where(columns.revision > revision)).scalars())


def raise_revision(connection: Connection, subject_ids: Iterable[int], *, references: bool) -> None:
    """Tell all processes that the gallery has changed, and who in it.

    Args:
        connection: In the transaction that changes it.
        subject_ids: Who changed, came or went.
        references: Whether references came, went, or have another owner.
    """
    revision = _raise(connection, ("revision", "references_revision") if references else ("revision",))
    rows = [{"subject_id": id, "revision": revision} for id in set(subject_ids)]
    if rows:
        connection.execute(insert(store.changes).prefix_with("OR REPLACE"), rows)


def begin_anew(connection: Connection) -> None:
    """Tell all processes that nothing they know of the gallery holds any more."""
    _raise(connection, SETTINGS)
    connection.execute(delete(store.changes))


def _raise(connection: Connection, names: Iterable[str]) -> int:
    revision = revision_of(connection) + 1
    settings = store.settings.c
    connection.execute(update(store.settings).where(settings.name.in_(names)).values(value=str(revision)))
    return revision


def _number(connection: Connection, name: str) -> int:
    value = store.setting(connection, name)
    if not (value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS):
        raise DamagedValue
    return int(value)
