"""Embeddings -> scores. A score is a cosine: larger is more alike, everywhere."""

import numpy as np

from kith.records import FloatArray, require_shape


def score_pairs(first: FloatArray, second: FloatArray) -> FloatArray:
    """Cosine of each row with the row beside it: (n, d) and (n, d) to (n,)."""
    require_shape("second", second, first.shape)
    return np.asarray(np.einsum("nd,nd->n", first, second), np.float32)


def score_all(probes: FloatArray, references: FloatArray) -> FloatArray:
    """Cosine of every probe (n, d) with every reference (m, d): (n, m)."""
    require_shape("references", references, (None, probes.shape[1]))
    return np.asarray(probes @ references.T, np.float32)


def normalize(embeddings: np.ndarray) -> FloatArray:
    """Rows (n, d) brought to unit length; a row of zeros stays."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(embeddings / np.maximum(lengths, 1e-10), np.float32)
