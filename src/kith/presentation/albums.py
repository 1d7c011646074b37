"""What is in an album, for programs: the same for the command line and a server."""

from collections import defaultdict
from typing import Any

from kith.gallery import Album
from kith.workflows.albums import ClusteredAlbum


def album_json(album: Album, clustered: ClusteredAlbum) -> dict[str, Any]:
    """The clusters of an album with their faces, and what became of the photos that were added."""
    photos, faces = album.sizes()
    members = defaultdict(list)
    for face in album.members():
        members[face.cluster].append({"face": face.id, "image": face.source})
    looked, looks_like = clustered.looked, clustered.looks_like
    return {
        "gallery": str(album.gallery.path),
        "model": album.gallery.model_id,
        "photos": photos,
        "new_photos": looked.new,
        "faces": faces,
        "failed": [{"image": str(file), "reason": str(error)} for file, error in looked.failed],
        "poor_faces": [{"image": str(file), "reason": reason} for file, reason in looked.left_out],
        "clusters": [
            {
                "cluster": cluster.id,
                "subject": cluster.subject.name if cluster.subject else None,
                "looks_like": looks_like[cluster.id].subject.name if cluster.id in looks_like else None,
                "faces": members[cluster.id],
            }
            for cluster in clustered.clusters
        ],
    }
