import base64
import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest

from kith.gallery.album import ClusteredFace
from kith.presentation import sheets
from kith.presentation.sheets import SheetCluster

VOID = {"meta", "img"}


class Page(HTMLParser):
    """A page's elements; fails where they are not nested rightly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def cluster(number: int, faces: int, who: str = "", source: str = "a.jpg") -> SheetCluster:
    return SheetCluster(
        number, who, [ClusteredFace(100 * number + face, number, source) for face in range(faces)]
    )


def contact_sheet(clusters: Sequence[SheetCluster], hint: str = "") -> str:
    return "".join(sheets.contact_sheet(clusters, lambda ids: dict.fromkeys(ids, b"jpeg"), hint=hint))


def test_every_face_is_shown_with_its_picture() -> None:
    page = Page(contact_sheet([cluster(1, 3), cluster(2, 2), cluster(3, 1)]))
    assert len(page.all("img")) == 6
    assert {image["src"] for image in page.all("img")} == {
        "data:image/jpeg;base64," + base64.b64encode(b"jpeg").decode()
    }
    assert "6 faces, 2 clusters, 1 face alone" in page.text


def test_names_and_paths_are_never_taken_for_markup() -> None:
    evil = '"><script>alert(1)</script>'
    text = contact_sheet([cluster(1, 2, who=evil, source=f"/photos/{evil}.jpg")])
    page = Page(text)
    assert page.all("script") == []
    assert evil in page.text
    assert "<script" not in text


def test_nothing_is_fetched_or_run() -> None:
    text = contact_sheet([cluster(1, 50, who="Ada"), cluster(2, 1)])
    page = Page(text)
    assert page.all("script") == page.all("link") == []
    assert not re.search(r"https?:|@import|url\(", text)
    assert any("default-src 'none'" in (meta.get("content") or "") for meta in page.all("meta"))


def test_long_clusters_and_lonely_faces_are_folded() -> None:
    page = Page(contact_sheet([cluster(1, 45), cluster(2, 1), cluster(3, 1), cluster(4, 1, who="Ada")]))
    assert len(page.all("details")) == 2
    assert "5 more" in page.text
    assert "2 faces alone; each is a cluster of its own" in page.text
    assert "Cluster 4 Ada" in page.text


def test_an_empty_album_is_a_page() -> None:
    assert "0 faces, 0 clusters" in Page(contact_sheet([])).text


def test_each_face_has_its_own_thumbnail_and_few_are_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_LOADED", 7)
    asked: list[list[int]] = []

    def thumbnails(ids: Sequence[int]) -> dict[int, bytes]:
        asked.append(list(ids))
        return {id: str(id).encode() for id in ids}

    parts = sheets.contact_sheet([cluster(1, 50), cluster(2, 1)], thumbnails)
    first = next(parts)
    assert len(asked) <= 1, "the page is not made at once"
    page = Page(first + "".join(parts))
    assert max(map(len, asked)) == 7
    assert [image["src"] for image in page.all("img")] == [
        "data:image/jpeg;base64," + base64.b64encode(str(id).encode()).decode()
        for id in [*range(100, 150), 200]
    ]


def test_what_to_do_next_is_said_by_whoever_has_a_command_for_it() -> None:
    assert "kith" not in contact_sheet([cluster(1, 2)])
    assert "type this" in Page(contact_sheet([cluster(1, 2)], hint="type this")).text
