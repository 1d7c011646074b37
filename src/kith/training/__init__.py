"""Training an embedder: losses, mining, sampling, and the loop that joins them."""

from kith import networks as networks  # first: it chooses Keras's backend
