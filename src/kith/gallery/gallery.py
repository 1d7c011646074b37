"""The gallery: subjects, their references, and the search among them.

The database is the truth. What is kept in memory for searching is thrown away as soon as this or
another process has changed the gallery.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from kith.catalogue.calibrations import find_calibration
from kith.catalogue.pair import find_pair
from kith.decisions.scoring import rule_for
from kith.errors import (
    DuplicateReference,
    DuplicateSubject,
    GalleryError,
    InvalidArgument,
    ModelMismatch,
    UnknownSubject,
    WeightsError,
)
from kith.gallery import cleaning, store
from kith.gallery.arrays import from_bytes, to_bytes
from kith.gallery.changes import Changes, read_changes
from kith.gallery.deletion import Deletion, delete_person
from kith.gallery.names import clean_name as clean_name
from kith.gallery.opening import connect
from kith.gallery.people import (
    add_subject,
    find_subject,
    former_names_of,
    formerly,
    remember,
    require_subject,
    subject_named,
)
from kith.gallery.references import (
    NewReference,
    Reference,
    add_reference,
    enrolled_faces,
    faces_of_the_photo_of,
    lacks_file_hash,
    left_without,
    references_where,
    require_references,
)
from kith.gallery.revision import raise_revision, references_revision_of, revision_of
from kith.records import FloatArray, Subject, Template


@dataclass(frozen=True, slots=True)
class SubjectSummary:
    """A subject and the number of its references."""

    subject: Subject
    references: int


@dataclass(frozen=True, slots=True)
class ChangedReferences:
    """References that were deleted or moved.

    Attributes:
        references: As they were.
        gone: People who had no other reference, and are deleted with them.
    """

    references: tuple[Reference, ...]
    gone: tuple[Subject, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class References:
    """All enrolled embeddings, in memory.

    Attributes:
        embeddings: (m, d) float32 of unit length.
        subject_ids: (m,) int64.
        subjects: Subject of each id.
        revision: Of the gallery, raised by every change.
        references_revision: At which references last changed, and not names only.
    """

    embeddings: FloatArray
    subject_ids: np.ndarray
    subjects: dict[int, Subject]
    revision: int
    references_revision: int

    def __len__(self) -> int:
        return len(self.embeddings)


class Gallery:
    """Enrolled people in one SQLite file, bound to one model; safe to use from many threads.

    Open one with `Gallery.open`; it can be used in a `with` statement.
    """

    def __init__(self, path: Path, model_id: str, engine: Engine) -> None:
        self.path = path
        self.model_id = model_id
        self.engine = engine
        self._loaded: References | None = None

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, model_id: str | None = None, create: bool = True) -> Self:
        """Open a gallery, or make a new one.

        Args:
            path: The file.
            model_id: The model whose templates it holds; None takes an existing gallery's own.
            create: Whether to make the file if it does not exist; its folder must be there.

        Raises:
            GalleryError: The file is missing and not to be made, is not a gallery, or cannot be opened.
            ModelMismatch: It holds templates of another model.
        """
        if not os.fspath(path).strip():
            raise GalleryError("an empty path; name the gallery's file")
        file = Path(path)
        engine = connect(file, new_model=model_id if create else None)
        try:
            with store.read(engine, file) as connection:
                bound = model_of(connection)
            if model_id is not None and bound != model_id:
                raise ModelMismatch(
                    f"{file} holds templates of {bound}, which cannot be compared with {model_id}'s; "
                    f"use the model {bound}, or another gallery"
                )
            cleaning.clean_if_due(engine, file)
        except BaseException:
            engine.dispose()
            raise
        return cls(file, bound, engine)

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def enroll(self, name: str, references: Sequence[NewReference]) -> Subject:
        """Add references to a subject, who is made if no one has or had the name; all of them or none.

        A name that someone had before being renamed or merged leads to that person, see `subject_for`.

        Returns:
            The subject, once everything is safely on the disk.

        Raises:
            DuplicateReference: One of the photos is enrolled already.
            ModelMismatch: A template is of another model, or has not the size of this one's.
            InvalidArgument: There is no reference; the name is not fit for one, see `clean_name`; or an
                embedding has not the length 1 or not the size of those in the gallery.
            GalleryError: The database refused.
        """
        name = clean_name(name)
        if not references:
            raise InvalidArgument(f"nothing to enroll {name} with; give at least one reference")
        for reference in references:
            self.require_fit(reference.template)
        with store.write(self.engine, self.path) as connection:
            self.require_own_model(connection)
            sizes = {size for (size,) in connection.execute(select(_SIZE).limit(1))}
            sizes |= {reference.template.embedding.nbytes for reference in references}
            if len(sizes) > 1:
                raise InvalidArgument(
                    f"embeddings of one gallery must be of one size, got {sorted(sizes)} bytes"
                )
            subject = find_subject(connection, name) or add_subject(connection, name)
            for reference in references:
                add_reference(connection, subject, reference)
            raise_revision(connection, [subject.id], references=True)
        return subject

    def require_fit(self, template: Template) -> None:
        """Raise unless a template can be stored here: ModelMismatch, InvalidArgument."""
        if template.model_id != self.model_id:
            raise ModelMismatch(
                f"the template is of {template.model_id}, the gallery holds {self.model_id}'s"
            )
        size = _size_of(self.model_id)
        if size and len(template.embedding) != size:
            raise ModelMismatch(
                f"the embedding has {len(template.embedding)} numbers, but {self.model_id}'s have {size}"
            )
        if not _have_unit_length(template.embedding):
            length = float(np.linalg.norm(template.embedding))
            raise InvalidArgument(f"an embedding must have length 1, got {length:g}")

    def require_own_model(self, connection: Connection) -> None:
        """Raise ModelMismatch if another process has reembedded the gallery since it was opened."""
        bound = model_of(connection)
        if bound != self.model_id:
            raise ModelMismatch(
                f"{self.path} was reembedded with {bound} meanwhile; open it again with that model"
            )

    def owners(self, pixels_hash: str, file_hash: str = "") -> list[Subject]:
        """The subjects under whom a photo's faces are enrolled, in the order of their enrollment.

        A photo that was enrolled before files told it is told by its file from now on.

        Args:
            pixels_hash: Of the photo's pixels.
            file_hash: Of its file; empty of an array.
        """
        with store.read(self.engine, self.path) as connection:
            found = enrolled_faces(connection, pixels_hash, file_hash)
            unnamed = bool(file_hash) and lacks_file_hash(connection, pixels_hash)
        if unnamed:
            self._name_file(pixels_hash, file_hash)
        return list(dict.fromkeys(each.subject for each in found))

    def _name_file(self, pixels_hash: str, file_hash: str) -> None:
        columns = store.references.c
        unnamed = (columns.pixels_hash == pixels_hash) & (columns.file_hash == "")
        with suppress(GalleryError), store.write(self.engine, self.path) as connection:
            connection.execute(update(store.references).where(unnamed).values(file_hash=file_hash))

    def subject_for(self, name: str) -> Subject | None:
        """The subject whom `enroll` would add to: who has this name, or had it; None if it is new.

        Raises:
            InvalidArgument: The name is not fit for one.
        """
        name = clean_name(name)
        with store.read(self.engine, self.path) as connection:
            return find_subject(connection, name)

    def former_names_of(self, name: str) -> list[str]:
        """The names that lead to a subject because it had them, or was merged with who had them.

        Raises:
            UnknownSubject: No one has this name.
        """
        with store.read(self.engine, self.path) as connection:
            return former_names_of(connection, require_subject(connection, name))

    def delete_former_name(self, name: str) -> Subject:
        """Let a name lead to nobody, so that the next person to be enrolled under it is a new one.

        Returns:
            The subject who had it.

        Raises:
            UnknownSubject: No one had this name.
        """
        name = clean_name(name)
        with store.write(self.engine, self.path) as connection:
            subject = formerly(connection, name)
            if subject is None:
                raise UnknownSubject(name, [], former=True)
            connection.execute(delete(store.former_names).where(store.former_names.c.name == name))
            cleaning.mark(connection)
        self.cleaned_after_deletion()
        return subject

    def subjects(self) -> list[SubjectSummary]:
        """Everyone enrolled, by name."""
        columns = store.subjects.c
        query = (
            select(columns.id, columns.name, func.count(store.references.c.id))
            .outerjoin_from(store.subjects, store.references)
            .group_by(columns.id)
        )
        with store.read(self.engine, self.path) as connection:
            rows = connection.execute(query).all()
        summaries = [SubjectSummary(Subject(id, name), count) for id, name, count in rows]
        return sorted(summaries, key=lambda summary: summary.subject.name.casefold())

    def references_of(self, name: str) -> list[Reference]:
        """A subject's references, oldest first.

        Raises:
            UnknownSubject: No one has this name.
        """
        with store.read(self.engine, self.path) as connection:
            subject = require_subject(connection, name)
            return references_where(connection, store.references.c.subject_id == subject.id)

    def delete_references(self, ids: Sequence[int]) -> ChangedReferences:
        """Delete references, all of them or none; a person without any other is deleted as by `delete`.

        What was stored is overwritten on the disk.

        Raises:
            UnknownReference: There is none of this number.
        """
        with store.write(self.engine, self.path) as connection:
            references = require_references(connection, ids)
            gone = left_without(connection, references)
            for subject in gone:
                self._delete(connection, subject)
            for reference in references:
                connection.execute(delete(store.references).where(store.references.c.id == reference.id))
            cleaning.mark(connection)
            connection.execute(delete(store.classifiers))  # support vectors are made of embeddings
            owners = [reference.subject.id for reference in references]
            raise_revision(connection, owners, references=True)
        self.cleaned_after_deletion()
        return ChangedReferences(references, gone)

    def move_references(self, ids: Sequence[int], name: str) -> ChangedReferences:
        """Give references to another person, new or known; all of them or none.

        A person without any other is deleted; clusters that had the person's name are without one.

        Raises:
            UnknownReference: There is none of this number.
            DuplicateReference: The person is enrolled from the same photo already.
            InvalidArgument: The name is not fit for one.
        """
        name = clean_name(name)
        columns = store.references.c
        with store.write(self.engine, self.path) as connection:
            references = require_references(connection, ids)
            target = find_subject(connection, name) or add_subject(connection, name)
            moved = tuple(reference for reference in references if reference.subject != target)
            for reference in moved:
                for other in faces_of_the_photo_of(connection, reference.id):
                    if other.subject == target:
                        raise DuplicateReference(reference.source, other.id, target.name, target.name)
                of_it = columns.id == reference.id
                connection.execute(update(store.references).where(of_it).values(subject_id=target.id))
            gone = left_without(connection, moved)
            for subject in gone:
                named = store.clusters.c.subject_id == subject.id
                connection.execute(update(store.clusters).where(named).values(subject_id=None))
                connection.execute(delete(store.subjects).where(store.subjects.c.id == subject.id))
            owners = [target.id, *(reference.subject.id for reference in moved)]
            raise_revision(connection, owners, references=bool(moved))
        return ChangedReferences(moved, gone)

    def rename(self, name: str, new_name: str) -> Subject:
        """Give a subject another name; the old one still leads to it when someone is enrolled.

        Raises:
            UnknownSubject: No one has the old name.
            DuplicateSubject: Another subject has the new name.
        """
        new_name = clean_name(new_name)
        with store.write(self.engine, self.path) as connection:
            subject = require_subject(connection, name)
            if subject_named(connection, new_name) not in (None, subject):
                raise DuplicateSubject(
                    f"{new_name!r} is enrolled already; to make the two one person, merge them"
                )
            if new_name != subject.name:
                of_it = store.subjects.c.id == subject.id
                connection.execute(update(store.subjects).where(of_it).values(name=new_name))
                connection.execute(delete(store.former_names).where(store.former_names.c.name == new_name))
                remember(connection, subject.name, subject)
            raise_revision(connection, [subject.id], references=False)
        return Subject(subject.id, new_name)

    def merge(self, name: str, into: str) -> Subject:
        """Move all references of one subject to another, and delete the first; its name leads to the other.

        Raises:
            UnknownSubject: One of the names is no one's.
            InvalidArgument: Both names are the same person's.
        """
        with store.write(self.engine, self.path) as connection:
            source, target = require_subject(connection, name), require_subject(connection, into)
            if source == target:
                raise InvalidArgument(f"{name!r} cannot be merged into itself")
            of_source = store.references.c.subject_id == source.id
            connection.execute(update(store.references).where(of_source).values(subject_id=target.id))
            clusters = store.clusters.c.subject_id == source.id
            connection.execute(update(store.clusters).where(clusters).values(subject_id=target.id))
            former = store.former_names.c.subject_id == source.id
            connection.execute(update(store.former_names).where(former).values(subject_id=target.id))
            connection.execute(delete(store.subjects).where(store.subjects.c.id == source.id))
            remember(connection, source.name, target)
            raise_revision(connection, [source.id, target.id], references=True)
        return target

    def delete(self, name: str) -> Deletion:
        """Delete a person and everything of that person; what was stored is overwritten on the disk.

        Faces of the album without a name that only may be the person's are left, and listed: those that
        would be identified as this person, and those in a cluster with faces that are.

        Returns:
            What was deleted, and whether it is overwritten already. If another process reads, that is
            done when the gallery is opened next, or by `clean`.

        Raises:
            UnknownSubject: No one has this name.
            GalleryError: The database refused, and nothing is changed.
        """
        with store.write(self.engine, self.path) as connection:
            deletion = self._delete(connection, require_subject(connection, name))
            raise_revision(connection, [deletion.subject.id], references=True)
        return replace(deletion, cleaned=self.cleaned_after_deletion())

    def _delete(self, connection: Connection, subject: Subject) -> Deletion:
        of_subject = store.references.c.subject_id == subject.id
        count: int = connection.execute(select(func.count()).where(of_subject)).scalar_one()
        policy = rule_for(find_calibration(self.model_id), "nearest", people=1, references=count).policy
        names = [subject.name, *former_names_of(connection, subject)]
        cleaning.mark(connection)
        return delete_person(connection, subject, names, policy.threshold)

    def clean(self) -> bool:
        """Overwrite on the disk what was deleted.

        Returns:
            False if another process reads or writes; it is tried again when the gallery is opened next.

        Raises:
            GalleryError: The gallery cannot be written, or the disk has no room for a second copy of it.
        """
        return cleaning.clean(self.engine, self.path)

    def cleaned_after_deletion(self) -> bool:
        """Whether what was deleted just now is overwritten; if not, the deletion is done all the same."""
        try:
            return self.clean()
        except (GalleryError, SQLAlchemyError, MemoryError):
            return False

    def revision(self) -> int:
        """A number that every change of the gallery raises, also one that another process makes."""
        with store.read(self.engine, self.path) as connection:
            return revision_of(connection)

    def changes_since(self, revision: int) -> Changes:
        """Who changed, came or went after a revision, with all their references; read in one transaction.

        Args:
            revision: What is known already; -1 if nothing is. Where it is not known who changed since, as
                after the gallery changed its model, everyone is told: see `Changes.whole`.

        Raises:
            ModelMismatch: The gallery has changed its model since it was opened.
            GalleryError: The database refused, or an embedding is damaged.
        """
        with store.read(self.engine, self.path) as connection:
            self.require_own_model(connection)
            return read_changes(connection, revision, self.stack)

    def references(self) -> References:
        """All enrolled embeddings; read again only if the gallery has changed since.

        Raises:
            GalleryError: The database refused, or an embedding is damaged.
        """
        loaded = self._loaded
        if loaded is not None and loaded.revision == self.revision():
            return loaded
        now = self.changes_since(-1)
        self._loaded = References(
            now.embeddings, now.owners, now.subjects, now.revision, now.references_revision
        )
        return self._loaded

    def stack(self, rows: list[bytes]) -> FloatArray:
        """Stored embeddings as (n, d) float32; GalleryError if one is damaged, or not of the model's size."""
        if not rows:
            return np.empty((0, 0), np.float32)
        try:
            embeddings = np.frombuffer(b"".join(rows), "<f4").reshape(len(rows), -1)
        except (TypeError, ValueError):
            raise store.damaged(self.path) from None
        if len({len(row) for row in rows}) > 1 or not _have_unit_length(embeddings):
            raise store.damaged(self.path, "its embeddings are not Kith's")
        size = _size_of(self.model_id)
        if size and embeddings.shape[1] != size:
            raise ModelMismatch(
                f"{self.path} holds embeddings of {embeddings.shape[1]} numbers, "
                f"but {self.model_id}'s have {size}"
            )
        return embeddings

    def load_classifier(self, kind: str, references_revision: int) -> dict[str, np.ndarray] | None:
        """What a classifier learned from the references as they were from a revision on, or None."""
        columns = store.classifiers.c
        with store.read(self.engine, self.path) as connection:
            data = connection.execute(
                select(columns.arrays).where(columns.kind == kind, columns.revision == references_revision)
            ).scalar()
        return None if data is None else from_bytes(data)  # a damaged one is fitted again

    def save_classifier(self, kind: str, references_revision: int, arrays: dict[str, np.ndarray]) -> None:
        """Save what a classifier learned, unless references have changed since, or it cannot be written."""
        row = {"kind": kind, "revision": references_revision, "arrays": to_bytes(arrays)}
        with suppress(GalleryError), store.write(self.engine, self.path) as connection:
            if references_revision_of(connection) != references_revision:
                return
            connection.execute(delete(store.classifiers).where(store.classifiers.c.kind == kind))
            connection.execute(insert(store.classifiers).values(row))


_SIZE = func.length(store.references.c.embedding)


def _size_of(model_id: str) -> int | None:
    """How many numbers a model's embeddings have; None if the model is not on this machine."""
    try:
        return find_pair(model_id).embedder.embedding_size
    except WeightsError:
        return None


def _have_unit_length(embeddings: FloatArray) -> bool:
    with np.errstate(all="ignore"):  # damaged ones may hold any number
        return bool(np.all(np.abs(np.linalg.norm(embeddings, axis=-1) - 1) < 1e-3))


def model_of(connection: Connection) -> str:
    """The model a gallery is bound to."""
    return store.setting(connection, "model_id")
