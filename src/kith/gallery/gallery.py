"""The gallery: subjects, their references, and the search among them.

The database is the truth. What is kept in memory for searching is thrown away as soon as this or
another process has changed the gallery.
"""

import io
import os
import unicodedata
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from kith.errors import DuplicateReference, DuplicateSubject, GalleryError, ModelMismatch, UnknownSubject
from kith.gallery import cleaning, store
from kith.gallery.deletion import Deletion, delete_person
from kith.gallery.same_face import SAME_FACE, overlap
from kith.records import Face, FloatArray, Subject, Template
from kith.weights.calibrations import find_calibration

MAX_NAME = 200
"""Characters of a person's name."""

_JOINERS = "\u200c\u200d"  # invisible, but Persian and Hindi names, and emoji, are spelled with them


@dataclass(frozen=True, slots=True, eq=False)
class NewReference:
    """A face to enroll.

    Attributes:
        template: Its embedding and model.
        face: Where it is in its photo.
        source: Where the photo is, for people and for re-embedding; may be empty.
        source_hash: Of the photo's content: the same photo is enrolled once.
    """

    template: Template
    face: Face
    source: str
    source_hash: str


@dataclass(frozen=True, slots=True)
class Reference:
    """An enrolled face, without its embedding."""

    id: int
    subject: Subject
    source: str
    source_hash: str
    detection_score: float
    created: datetime


@dataclass(frozen=True, slots=True)
class SubjectSummary:
    """A subject and the number of its references."""

    subject: Subject
    references: int


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class References:
    """All enrolled embeddings, in memory.

    Attributes:
        embeddings: (m, d) float32 of unit length.
        subject_ids: (m,) int64.
        subjects: Subject of each id.
        revision: Of the gallery, raised by every change.
    """

    embeddings: FloatArray
    subject_ids: np.ndarray
    subjects: dict[int, Subject]
    revision: int

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
        file = Path(path)
        engine = store.connect(file, new_model=model_id if create else None)
        try:
            with store.read(engine, file) as connection:
                bound = _setting(connection, "model_id")
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
        """Add references to a subject, who is made if no one has the name; all of them or none.

        Returns:
            The subject, once everything is safely on the disk.

        Raises:
            DuplicateReference: One of the photos is enrolled already.
            ModelMismatch: A template is of another model.
            ValueError: The name is not fit for one, see `clean_name`; or an embedding has not the length
                1 or not the size of those in the gallery.
            GalleryError: The database refused.
        """
        name = clean_name(name)
        for reference in references:
            self.require_fit(reference.template)
        with store.write(self.engine, self.path) as connection:
            self.require_own_model(connection)
            sizes = {size for (size,) in connection.execute(select(_SIZE).limit(1))}
            sizes |= {reference.template.embedding.nbytes for reference in references}
            if len(sizes) > 1:
                raise ValueError(f"embeddings of one gallery must be of one size, got {sorted(sizes)} bytes")
            subject = find_subject(connection, name) or add_subject(connection, name)
            for reference in references:
                add_reference(connection, subject, reference)
            raise_revision(connection)
        return subject

    def require_fit(self, template: Template) -> None:
        """Raise unless a template can be stored here: ModelMismatch, ValueError."""
        if template.model_id != self.model_id:
            raise ModelMismatch(
                f"the template is of {template.model_id}, the gallery holds {self.model_id}'s"
            )
        if not _have_unit_length(template.embedding):
            length = float(np.linalg.norm(template.embedding))
            raise ValueError(f"an embedding must have length 1, got {length:g}")

    def require_own_model(self, connection: Connection) -> None:
        """Raise ModelMismatch if another process has migrated the gallery since it was opened."""
        bound = _setting(connection, "model_id")
        if bound != self.model_id:
            raise ModelMismatch(
                f"{self.path} was migrated to {bound} meanwhile; open it again with that model"
            )

    def owners(self, source_hash: str) -> list[Subject]:
        """The subjects under whom a photo's faces are enrolled, in the order of their enrolment."""
        with store.read(self.engine, self.path) as connection:
            return list(dict.fromkeys(subject for subject, _ in _enrolled(connection, source_hash)))

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
        columns = store.references.c
        query = select(
            columns.id, columns.source, columns.source_hash, columns.detection_score, columns.created
        ).order_by(columns.id)
        with store.read(self.engine, self.path) as connection:
            subject = _require(connection, name)
            rows = connection.execute(query.where(columns.subject_id == subject.id)).all()
        return [Reference(row.id, subject, *row[1:]) for row in rows]

    def rename(self, name: str, new_name: str) -> Subject:
        """Give a subject another name.

        Raises:
            UnknownSubject: No one has the old name.
            DuplicateSubject: Another subject has the new name.
        """
        new_name = clean_name(new_name)
        with store.write(self.engine, self.path) as connection:
            subject = _require(connection, name)
            try:
                connection.execute(
                    update(store.subjects).where(store.subjects.c.id == subject.id).values(name=new_name)
                )
            except IntegrityError:
                raise DuplicateSubject(
                    f"{new_name!r} is enrolled already; to make the two one person, merge them"
                ) from None
            raise_revision(connection)
        return Subject(subject.id, new_name)

    def merge(self, name: str, into: str) -> Subject:
        """Move all references of one subject to another, and remove the first.

        Raises:
            UnknownSubject: One of the names is no one's.
            ValueError: Both names are the same person's.
        """
        with store.write(self.engine, self.path) as connection:
            source, target = _require(connection, name), _require(connection, into)
            if source == target:
                raise ValueError(f"{name!r} cannot be merged into itself")
            of_source = store.references.c.subject_id == source.id
            connection.execute(update(store.references).where(of_source).values(subject_id=target.id))
            clusters = store.clusters.c.subject_id == source.id
            connection.execute(update(store.clusters).where(clusters).values(subject_id=target.id))
            connection.execute(delete(store.subjects).where(store.subjects.c.id == source.id))
            raise_revision(connection)
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
        calibration = find_calibration(self.model_id)
        with store.write(self.engine, self.path) as connection:
            subject = _require(connection, name)
            of_subject = store.references.c.subject_id == subject.id
            count: int = connection.execute(select(func.count()).where(of_subject)).scalar_one()
            policy = calibration.identification_policy(1, count, crowd=False)
            deletion = delete_person(connection, subject, [subject.name], policy.threshold)
            cleaning.mark(connection)
            raise_revision(connection)
        return replace(deletion, cleaned=self.cleaned_after_deletion())

    def clean(self) -> bool:
        """Overwrite on the disk what was deleted.

        Returns:
            False if another process reads or writes; it is tried again when the gallery is opened next.

        Raises:
            GalleryError: The gallery cannot be written, or the disk has no room for a second copy of it.
        """
        return cleaning.clean(self.engine, self.path)

    def cleaned_after_deletion(self) -> bool:
        """Whether what was deleted just now is overwritten; why not is no fault of the deletion."""
        try:
            return self.clean()
        except GalleryError:
            return False

    def references(self) -> References:
        """All enrolled embeddings; read again only if the gallery has changed since.

        Raises:
            GalleryError: The database refused, or an embedding is damaged.
        """
        with store.read(self.engine, self.path) as connection:
            self.require_own_model(connection)
            revision = _revision(connection)
            loaded = self._loaded
            if loaded is not None and loaded.revision == revision:
                return loaded
            rows = connection.execute(
                select(store.references.c.subject_id, store.references.c.embedding).order_by(
                    store.references.c.id
                )
            ).all()
            names = connection.execute(select(store.subjects.c.id, store.subjects.c.name)).all()
        loaded = References(
            self.stack([row.embedding for row in rows]),
            np.array([row.subject_id for row in rows], np.int64),
            {id: Subject(id, name) for id, name in names},
            revision,
        )
        self._loaded = loaded
        return loaded

    def stack(self, rows: list[bytes]) -> FloatArray:
        """Stored embeddings as (n, d) float32; GalleryError if one is damaged."""
        if not rows:
            return np.empty((0, 0), np.float32)
        try:
            embeddings = np.frombuffer(b"".join(rows), "<f4").reshape(len(rows), -1)
        except (TypeError, ValueError):
            raise store.damaged(self.path) from None
        if not _have_unit_length(embeddings):
            raise store.damaged(self.path)
        return embeddings

    def load_classifier(self, kind: str, revision: int) -> dict[str, np.ndarray] | None:
        """What a classifier learned from this revision of the gallery, or None."""
        columns = store.classifiers.c
        with store.read(self.engine, self.path) as connection:
            data = connection.execute(
                select(columns.arrays).where(columns.kind == kind, columns.revision == revision)
            ).scalar()
        if data is None:
            return None
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                return dict(archive)
        except (ValueError, OSError, EOFError, zipfile.BadZipFile):
            return None  # damaged: it will be fitted again

    def save_classifier(self, kind: str, revision: int, arrays: dict[str, np.ndarray]) -> None:
        """Keep what a classifier learned, unless the gallery has changed since or cannot be written."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        with suppress(GalleryError), store.write(self.engine, self.path) as connection:
            if _revision(connection) != revision:
                return
            connection.execute(delete(store.classifiers).where(store.classifiers.c.kind == kind))
            connection.execute(
                insert(store.classifiers).values(kind=kind, revision=revision, arrays=buffer.getvalue())
            )


_SIZE = func.length(store.references.c.embedding)


def clean_name(name: str) -> str:
    """A person's name in the one form it is stored in.

    Surrounding and repeated white space goes; characters that can be written in two ways (as macOS
    and others do in the names of folders) are composed.

    Raises:
        ValueError: Nothing is left, it is too long, or it has a character that cannot be shown.
    """
    cleaned = unicodedata.normalize("NFC", " ".join(name.split()))
    if not cleaned.strip(_JOINERS):
        raise ValueError("a person's name must not be empty")
    if len(cleaned) > MAX_NAME:
        raise ValueError(f"a person's name must have at most {MAX_NAME} characters, got {len(cleaned)}")
    if not all(character.isprintable() or character in _JOINERS for character in cleaned):
        raise ValueError(f"a person's name must be printable, got {cleaned!r}")
    return cleaned


def _have_unit_length(embeddings: FloatArray) -> bool:
    with np.errstate(all="ignore"):  # damaged ones may hold any number
        return bool(np.all(np.abs(np.linalg.norm(embeddings, axis=-1) - 1) < 1e-3))


def find_subject(connection: Connection, name: str) -> Subject | None:
    """The subject of a name in its stored form, or None."""
    row = connection.execute(
        select(store.subjects.c.id, store.subjects.c.name).where(store.subjects.c.name == name)
    ).first()
    return Subject(row.id, row.name) if row else None


def _require(connection: Connection, name: str) -> Subject:
    subject = find_subject(connection, clean_name(name))
    if subject is None:
        raise UnknownSubject(name, list(connection.execute(select(store.subjects.c.name)).scalars()))
    return subject


def add_subject(connection: Connection, name: str) -> Subject:
    """Make a subject."""
    query = insert(store.subjects).values(name=name, created=_now()).returning(store.subjects.c.id)
    return Subject(connection.execute(query).scalar_one(), name)


def add_reference(connection: Connection, subject: Subject, reference: NewReference) -> None:
    """Add a reference.

    Raises:
        DuplicateReference: The face is enrolled already, or another face of its photo as the same person.
    """
    for owner, box in _enrolled(connection, reference.source_hash):
        if owner == subject or overlap(box, reference.face.box) >= SAME_FACE:
            raise DuplicateReference(
                f"{reference.source or 'this photo'} is enrolled already, as {owner.name}"
            )
    connection.execute(insert(store.references).values(_row(subject, reference)))


def _enrolled(connection: Connection, source_hash: str) -> list[tuple[Subject, FloatArray]]:
    """A photo's enrolled faces: whose they are, and their boxes (4,)."""
    rows = connection.execute(
        select(store.subjects.c.id, store.subjects.c.name, store.references.c.box)
        .join_from(store.references, store.subjects)
        .where(store.references.c.source_hash == source_hash)
        .order_by(store.references.c.id)
    ).all()
    return [(Subject(row.id, row.name), np.frombuffer(row.box, "<f4")) for row in rows]


def _row(subject: Subject, reference: NewReference) -> dict[str, object]:
    return {
        "subject_id": subject.id,
        "embedding": reference.template.embedding.astype("<f4").tobytes(),
        "source": reference.source.encode(errors="backslashreplace").decode(),  # file names may be no UTF-8
        "source_hash": reference.source_hash,
        "box": reference.face.box.astype("<f4").tobytes(),
        "landmarks": reference.face.landmarks.astype("<f4").tobytes(),
        "detection_score": reference.face.detection_score,
        "created": _now(),
    }


def _setting(connection: Connection, name: str) -> str:
    value: str = connection.execute(
        select(store.settings.c.value).where(store.settings.c.name == name)
    ).scalar_one()
    return value


def _revision(connection: Connection) -> int:
    return int(_setting(connection, "revision"))


def raise_revision(connection: Connection) -> None:
    """Tell all processes that the gallery has changed."""
    connection.execute(
        update(store.settings)
        .where(store.settings.c.name == "revision")
        .values(value=str(_revision(connection) + 1))
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
