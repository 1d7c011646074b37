import threading
from collections.abc import Callable
from pathlib import Path

from forking import in_child, needs_fork

from kith.gallery import Gallery, NewReference, store
from kith.records import Face, Template

pytestmark = needs_fork


def test_parent_and_child_both_write_and_nothing_is_lost(
    gallery: Gallery, gallery_path: Path, make_template: Callable[[int], Template], face: Face
) -> None:
    """In the child the parent's connections would hold locks that the child does not have."""

    def enroll(name: str, number: int) -> None:
        gallery.enroll(name, [NewReference(make_template(number), face, "", f"{number:064x}")])

    enroll("Ada", 1)

    def child() -> int:
        enroll("Grace", 2)
        return len(gallery.references())

    assert in_child(child) == 2
    enroll("Omar", 3)
    assert len(gallery.references()) == 3
    gallery.close()
    with Gallery.open(gallery_path, model_id="test-model") as reopened:
        assert {each.subject.name for each in reopened.subjects()} == {"Ada", "Grace", "Omar"}


def test_a_connection_in_use_stays_with_the_parent(gallery: Gallery, gallery_path: Path) -> None:
    """Another thread is reading while the process forks; its log must be there afterwards."""
    reading, go_on = threading.Event(), threading.Event()
    engine = gallery.engine

    def read() -> None:
        with store.read(engine, gallery_path) as connection:
            connection.exec_driver_sql("SELECT count(*) FROM settings").scalar_one()
            reading.set()
            go_on.wait(30)

    thread = threading.Thread(target=read)
    thread.start()
    assert reading.wait(30)
    assert in_child(lambda: gallery.close() or 0) == 0
    assert gallery_path.with_name(f"{gallery_path.name}-wal").exists()
    go_on.set()
    thread.join()


def test_no_connection_is_open_while_a_process_forks(gallery: Gallery) -> None:
    assert gallery.engine.pool.checkedin() > 0
    assert in_child(lambda: gallery.engine.pool.checkedin()) == 0
    assert gallery.engine.pool.checkedin() == 0
