"""Learning a teacher's embeddings, with no labels."""

import keras
from keras import ops

from kith.training.losses.loss import Loss
from kith.training.pairs import cosines


class CosineDistillation(Loss):
    """Each image is to be embedded where the teacher embeds it.

    With x the student's and t the teacher's embedding of an image, both of unit length and one size,

        L = mean of (1 - x.t) ,

    half the mean squared distance between them.
    """

    def __init__(self) -> None:
        super().__init__("cosine_distillation")

    def call(self, embeddings: keras.KerasTensor, teacher: keras.KerasTensor) -> keras.KerasTensor:
        """The loss of embeddings (n, d) given the teacher's (n, d)."""
        embeddings, teacher = ops.cast(embeddings, "float32"), ops.cast(teacher, "float32")
        return ops.mean(1 - ops.sum(embeddings * teacher, axis=1))


class RelationalDistillation(Loss):
    """Two images are to be as alike to the student as they are to the teacher.

    In the manner of Park et al. 2019 (https://arxiv.org/abs/1904.05068, eq. 4), with the cosine as the
    relation and the square as the distance between relations:

        L = mean over i != j of (x_i.x_j - t_i.t_j)^2 .

    The two embeddings may be of different size. A batch of one image has no relations: the loss is zero.
    """

    def __init__(self) -> None:
        super().__init__("relational_distillation")

    def call(self, embeddings: keras.KerasTensor, teacher: keras.KerasTensor) -> keras.KerasTensor:
        """The loss of embeddings (n, d) given the teacher's (n, t)."""
        count = embeddings.shape[0]
        apart = ops.square(cosines(embeddings, embeddings) - cosines(teacher, teacher))
        return ops.sum(apart * (1 - ops.eye(count))) / max(count * (count - 1), 1)
