"""A student learns to embed faces as its teacher does; nobody has to say whose they are."""

import hashlib
import io

import keras
import numpy as np
from keras import ops

from kith.catalogue.files import cache_folder
from kith.decisions.cosine import normalize
from kith.errors import TrainingError
from kith.files import write_private
from kith.progress import SILENT, Progress, each
from kith.recognizer import Recognizer
from kith.records import FloatArray
from kith.training.faces import FaceSet
from kith.training.losses.distillation import CosineDistillation, RelationalDistillation
from kith.training.losses.loss import Loss

_AT_ONCE = 64


class Distillation(Loss):
    """Cosine and relational distillation of embeddings about their centre.

    A teacher's embeddings can lie in a narrow cone (all cosines of dlib's are above 0.7). About their
    mean they are as far apart as embeddings can be, and both losses see what tells faces apart:

        L = cosine(x', t') + relation * relational(x', t'),    x' = (x - mean) / |x - mean|, t' alike.

    The student's mean is that of the batch, so that it need not be the teacher's: a step moves all
    embeddings alike most of all, and held to the teacher's mean they would be thrown to and fro.

    Args:
        center: (d,) the mean of the teacher's embeddings.
        relation: Weight of the relational loss.
    """

    def __init__(self, center: FloatArray, *, relation: float = 1.0) -> None:
        super().__init__("distillation")
        self._center, self._relation = center, relation
        self._cosine, self._relational = CosineDistillation(), RelationalDistillation()

    def call(self, embeddings: keras.KerasTensor, teacher: keras.KerasTensor) -> keras.KerasTensor:
        """The loss of embeddings (n, d) given the teacher's (n, d), all of unit length."""
        ours = ops.normalize(embeddings - ops.mean(embeddings, axis=0), axis=1)
        theirs = ops.normalize(teacher - self._center, axis=1)
        return self._cosine(ours, theirs) + self._relation * self._relational(ours, theirs)


def teach(faces: FaceSet, teacher: Recognizer, progress: Progress = SILENT) -> FloatArray:
    """The teacher's embedding of every crop (n, d), made once and kept.

    Raises:
        TrainingError: The cache cannot be written.
    """
    key = hashlib.sha256(f"{faces.key} {teacher.spec.weights.sha256} {teacher.spec.mirrored}".encode())
    path = cache_folder() / "training" / f"{key.hexdigest()[:24]}-taught.npy"
    if path.is_file():
        found: FloatArray = np.load(path, allow_pickle=False)
        if found.shape == (len(faces.crops), teacher.spec.embedding_size):
            return found
    starts = each(range(0, len(faces.crops), _AT_ONCE), "asking the teacher", progress)
    parts = [teacher.embed(_stack(faces, start)) for start in starts]
    embeddings = np.concatenate(parts)
    buffer = io.BytesIO()
    np.save(buffer, embeddings)
    try:
        write_private(path, buffer.getvalue())
    except OSError as error:
        raise TrainingError(
            f"cannot write {path}: {error.strerror}; set KITH_CACHE to a folder with room"
        ) from None
    return embeddings


def agreement(ours: FloatArray, theirs: FloatArray) -> float:
    """Mean cosine of two sets of embeddings (n, d), row by row, each about its own centre."""
    first, second = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    cosines = np.sum(first * second, axis=1) / (
        np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    )
    return float(np.mean(cosines))


def widen_cone(kernel: keras.Variable, raw: FloatArray, center: FloatArray) -> None:
    """Let a network's embeddings lie in a cone as wide as the teacher's, so that scores mean the same.

    The loss leaves open how far the student's mean is from the sphere's centre. Of the last layer's
    outputs, the part along their mean is scaled until the unit embeddings' mean is as long as the
    teacher's; nothing else changes.

    Args:
        kernel: (features, d) of the last layer, which has no bias.
        raw: (n, d) what it says of some faces, not yet of unit length.
        center: (d,) the mean of the teacher's embeddings.
    """
    axis = normalize(raw.mean(axis=0, keepdims=True))[0]
    along = raw @ axis
    least, most = 0.0, 10.0
    for _ in range(60):
        factor = (least + most) / 2
        scaled = normalize(raw + np.outer((factor - 1) * along, axis))
        too_narrow = np.linalg.norm(scaled.mean(axis=0)) > np.linalg.norm(center)
        least, most = (least, factor) if too_narrow else (factor, most)
    values = np.asarray(ops.convert_to_numpy(kernel.value))
    kernel.assign(values + (factor - 1) * np.outer(values @ axis, axis))


def _stack(faces: FaceSet, start: int) -> np.ndarray:
    return np.stack([faces.crops[i] for i in range(start, min(start + _AT_ONCE, len(faces.crops)))])
