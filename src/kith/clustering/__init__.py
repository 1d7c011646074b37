"""Embeddings -> clusters: the faces of one person together, before anyone has a name."""

from kith.clustering.algorithm import Clustering as Clustering
from kith.clustering.algorithm import cluster as cluster
from kith.clustering.algorithm import linked_groups as linked_groups
from kith.clustering.algorithm import require_consistent as require_consistent
from kith.clustering.identity import inherit as inherit
from kith.clustering.links import ConflictingLinks as ConflictingLinks
from kith.clustering.policy import clustering_policy as clustering_policy
