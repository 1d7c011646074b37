"""The enrolled people and their references."""

from kith.gallery.album import Album as Album
from kith.gallery.album import ClusterSummary as ClusterSummary
from kith.gallery.album import NewFace as NewFace
from kith.gallery.album import PhotoFile as PhotoFile
from kith.gallery.deletion import Deletion as Deletion
from kith.gallery.deletion import MayBelong as MayBelong
from kith.gallery.gallery import Gallery as Gallery
from kith.gallery.gallery import NewReference as NewReference
from kith.gallery.gallery import Reference as Reference
from kith.gallery.gallery import References as References
from kith.gallery.gallery import SubjectSummary as SubjectSummary
from kith.gallery.gallery import clean_name as clean_name
from kith.gallery.naming import Named as Named
from kith.gallery.naming import name_cluster as name_cluster
