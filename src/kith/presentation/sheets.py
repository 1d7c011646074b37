"""The contact sheet: clusters as rows of faces, in one page that needs nothing but a browser."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePath

from kith.gallery.album import ClusteredFace

_AT_ONCE = 40
"""Faces of a cluster that are shown without unfolding."""

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Faces by cluster</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #777; --name: #1a7f4b }
@media (prefers-color-scheme: dark) { :root { --soft: #999; --name: #5fd39a } }
* { box-sizing: border-box }
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 74rem; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 }
p { color: var(--soft); margin: .25rem 0 1.5rem }
section { border-top: 1px solid var(--line); padding: .9rem 0; content-visibility: auto;
  contain-intrinsic-size: auto 9rem }
h2 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere }
h2 b { color: var(--name) }
h2 span, summary { color: var(--soft); font-weight: normal }
summary { cursor: pointer; margin: .5rem 0 }
.faces { display: flex; flex-wrap: wrap; gap: .4rem }
figure { margin: 0; width: 96px }
img { border-radius: 6px; display: block; height: 96px; object-fit: cover; width: 96px }
figcaption { color: var(--soft); font-size: .72rem; overflow: hidden; text-align: center;
  text-overflow: ellipsis; white-space: nowrap }
</style>
</head>
<body>
"""


@dataclass(frozen=True, slots=True)
class SheetCluster:
    """A cluster on the sheet: its number, who it is or looks like, its faces."""

    id: int
    who: str
    faces: Sequence[ClusteredFace]


def contact_sheet(clusters: Sequence[SheetCluster]) -> str:
    """The page: the clusters in this order; faces that are alone, and have no name, come last, folded.

    The pictures are in the page, nothing in it is fetched or run, and names are never taken for markup.
    """
    alone = [cluster for cluster in clusters if len(cluster.faces) == 1 and not cluster.who]
    rows = [cluster for cluster in clusters if len(cluster.faces) > 1 or cluster.who]
    faces = sum(len(cluster.faces) for cluster in clusters)
    return "".join(
        [_HEAD, *_intro(len(rows), faces, len(alone)), *map(_section, rows), *_folded_alone(alone)]
    ) + ("</body>\n</html>\n")


def _intro(clusters: int, faces: int, alone: int) -> Iterator[str]:
    yield "<h1>Faces by cluster</h1>\n"
    yield f"<p>{faces} faces, {clusters} clusters, {alone} faces alone. "
    yield "Name a cluster: <code>kith people name CLUSTER NAME</code>. "
    yield "Put right: <code>kith cluster --must FACE,FACE</code>, <code>--cannot FACE,FACE</code>.</p>\n"


def _section(cluster: SheetCluster) -> str:
    name = f" <b>{escape(cluster.who)}</b>" if cluster.who else ""
    number = len(cluster.faces)
    head = f"<h2>Cluster {cluster.id}{name} <span>{number} face{'s' if number > 1 else ''}</span></h2>\n"
    rest = cluster.faces[_AT_ONCE:]
    folded = f"<details><summary>{len(rest)} more</summary>{_faces(rest)}</details>" if rest else ""
    return f"<section>\n{head}{_faces(cluster.faces[:_AT_ONCE])}{folded}</section>\n"


def _folded_alone(alone: Sequence[SheetCluster]) -> Iterator[str]:
    if alone:
        yield f"<section>\n<details><summary>{len(alone)} faces alone; each is a cluster of its own</summary>"
        yield '<div class="faces">\n'
        yield from (_face(face, f"cluster {cluster.id}") for cluster in alone for face in cluster.faces)
        yield "</div></details></section>\n"


def _faces(faces: Sequence[ClusteredFace]) -> str:
    return '<div class="faces">\n' + "".join(_face(face, f"face {face.id}") for face in faces) + "</div>\n"


def _face(face: ClusteredFace, caption: str) -> str:
    picture = base64.b64encode(face.picture).decode("ascii")
    title = escape(f"face {face.id}: {face.source}")
    return (
        f'<figure title="{title}"><img loading="lazy" decoding="async" width="96" height="96" '
        f'alt="face {face.id} of {escape(PurePath(face.source).name)}" '
        f'src="data:image/jpeg;base64,{picture}">'
        f"<figcaption>{caption}</figcaption></figure>\n"
    )
