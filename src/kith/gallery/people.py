"""People in the database: by name, by a name of before, and new ones."""

from sqlalchemy import Connection, insert, select

from kith.errors import UnknownSubject
from kith.gallery import store
from kith.gallery.names import clean_name
from kith.gallery.values import now
from kith.records import Subject

_MAX_COMPARED = 10_000  # names to find one like a misspelled one among


def find_subject(connection: Connection, name: str) -> Subject | None:
    """The subject who has a name, in its stored form, or who had it before; or None."""
    return subject_named(connection, name) or formerly(connection, name)


def subject_named(connection: Connection, name: str) -> Subject | None:
    """The subject who has a name, in its stored form, now; or None."""
    row = connection.execute(
        select(store.subjects.c.id, store.subjects.c.name).where(store.subjects.c.name == name)
    ).first()
    return Subject(row.id, row.name) if row else None


def former_names_of(connection: Connection, subject: Subject) -> list[str]:
    """The names that a subject, or someone merged with it, had before."""
    columns = store.former_names.c
    if not store.has_former_names(connection):
        return []
    query = select(columns.name).where(columns.subject_id == subject.id).order_by(columns.name)
    return list(connection.execute(query).scalars())


def formerly(connection: Connection, name: str) -> Subject | None:
    """The subject who had a name before; or None."""
    if not store.has_former_names(connection):
        return None
    row = connection.execute(
        select(store.subjects.c.id, store.subjects.c.name)
        .join_from(store.former_names, store.subjects)
        .where(store.former_names.c.name == name)
    ).first()
    return Subject(row.id, row.name) if row else None


def remember(connection: Connection, name: str, subject: Subject) -> None:
    """Let a name that was someone's lead to a subject from now on."""
    connection.execute(insert(store.former_names).values(name=name, subject_id=subject.id))


def require_subject(connection: Connection, name: str) -> Subject:
    """The subject who has a name.

    Raises:
        UnknownSubject: No one has it.
    """
    name = clean_name(name)
    subject = subject_named(connection, name)
    if subject is None:
        former = formerly(connection, name)
        known = connection.execute(select(store.subjects.c.name).limit(_MAX_COMPARED)).scalars()
        raise UnknownSubject(name, list(known), now=former.name if former else "")
    return subject


def add_subject(connection: Connection, name: str) -> Subject:
    """Make a subject."""
    query = insert(store.subjects).values(name=name, created=now()).returning(store.subjects.c.id)
    return Subject(connection.execute(query).scalar_one(), name)
