"""The networks, one file each, in plain Keras 3.

Keras picks its backend when it is first imported. Where the user has not chosen one
(`KERAS_BACKEND`), Kith chooses jax, here, and only when a network is really needed.
"""

import sys

from kith.networks.settings import import_keras

if "keras" not in sys.modules:
    import_keras()

from kith.networks.inception_resnet_v1 import inception_resnet_v1 as inception_resnet_v1
from kith.networks.mobilefacenet import mobilefacenet as mobilefacenet
from kith.networks.mtcnn import onet as onet
from kith.networks.mtcnn import pnet as pnet
from kith.networks.mtcnn import rnet as rnet
from kith.networks.nn4_small2 import nn4_small2 as nn4_small2
from kith.networks.resnet29 import resnet29 as resnet29
from kith.networks.slim_resnet29 import slim_resnet29 as slim_resnet29
