"""Which triplets of a batch to learn from, one file per rule."""

from kith import networks as networks  # first: it chooses Keras's backend
from kith.training.mining.batch_all import BatchAll as BatchAll
from kith.training.mining.batch_hard import BatchHard as BatchHard
from kith.training.mining.distance_weighted import DistanceWeighted as DistanceWeighted
from kith.training.mining.semi_hard import SemiHard as SemiHard
from kith.training.mining.triplets import Miner as Miner
from kith.training.mining.triplets import Triplets as Triplets

MINERS: dict[str, type[Miner]] = {
    "semi-hard": SemiHard,
    "batch-hard": BatchHard,
    "batch-all": BatchAll,
    "distance-weighted": DistanceWeighted,
}
"""Miners by name; each is made with a margin."""
