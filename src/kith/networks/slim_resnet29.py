"""A slim ResNet-29: fewer blocks and filters, 1.1 million parameters, for phones and CPUs.

Built of the same blocks as `resnet29`, so that a trained ResNet-29 can be slimmed down to it (see
`kith.training.slimming`) instead of learning from nothing.

MobileFaceNet (Chen et al. 2018, https://arxiv.org/abs/1804.07573) reaches the same size with depthwise
convolutions. Those are no gain here: ONNX Runtime's int8 kernels are fastest on plain ones, and XLA
computes depthwise convolutions and their gradients on a CPU at a hundredth of the speed.
"""

import keras

from kith.networks.resnet29 import Stage, residual_network
from kith.networks.settings import channels_last

# shapes for a 150 x 150 crop
STAGES = (
    Stage(2, 32, 1),  # 35 x 35 x 32
    Stage(3, 48, 2),  # 17 x 17 x 48
    Stage(3, 80, 2),  # 8 x 8 x 80
    Stage(2, 112, 2),  # 4 x 4 x 112
    Stage(1, 112, 2),  # 2 x 2 x 112
)


@channels_last()
def slim_resnet29(
    *, crop_size: int = 150, embedding_size: int = 128, initializer: str = "he_normal"
) -> keras.Model:
    """The network from scaled crops to embeddings that are not yet of unit length.

    Args:
        crop_size: Side of the square input in pixels.
        embedding_size: Length of the output.
        initializer: For the kernels; "zeros" builds fastest when weights are loaded anyway.

    Returns:
        A model from (n, s, s, 3) float32 to (n, embedding_size) float32.
    """
    return residual_network("slim_resnet29", STAGES, crop_size, embedding_size, initializer)
