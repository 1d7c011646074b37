"""The enrolled people and their references."""

from kith.gallery.gallery import Gallery as Gallery
from kith.gallery.gallery import NewReference as NewReference
from kith.gallery.gallery import Reference as Reference
from kith.gallery.gallery import References as References
from kith.gallery.gallery import SubjectSummary as SubjectSummary
from kith.gallery.gallery import clean_name as clean_name
