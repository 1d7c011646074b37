"""What training minimizes, one file per loss.

A loss is a Keras layer: `loss(embeddings, labels)` is a scalar, and in a compiled step
`loss.stateless_call(trainable, non_trainable, embeddings, labels)` is the scalar and the new values of
what the loss keeps. Embeddings (n, d) are of unit length; labels (n,) are integers, from 0 to the
number of people minus one where the loss has classes. All losses reckon in float32.
"""

from kith import networks as networks  # first: it chooses Keras's backend
from kith.training.losses.adaface import AdaFace as AdaFace
from kith.training.losses.arcface import ArcFace as ArcFace
from kith.training.losses.center import CenterLoss as CenterLoss
from kith.training.losses.cosface import CosFace as CosFace
from kith.training.losses.distillation import CosineDistillation as CosineDistillation
from kith.training.losses.distillation import RelationalDistillation as RelationalDistillation
from kith.training.losses.n_pair import NPairLoss as NPairLoss
from kith.training.losses.triplet import TripletLoss as TripletLoss

LOSSES = {
    "triplet": TripletLoss,
    "n-pair": NPairLoss,
    "center": CenterLoss,
    "arcface": ArcFace,
    "cosface": CosFace,
    "adaface": AdaFace,
}
"""Losses by name. TripletLoss is made with a miner, NPairLoss with nothing, the others with the number
of people and the embedding's size."""
