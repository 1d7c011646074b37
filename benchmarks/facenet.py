"""Claim: Inception-ResNet-v1 runs faster here than facenet-pytorch's network in PyTorch, on the same cores.

At least 1.6 times in float32 and 5 times in int8 with 32 faces at once, and 2.5 times with one face;
and a compiled model loads at least 10 times faster than Keras builds it. Weights are random: speed does
not depend on them.

    python benchmarks/facenet.py
"""

import argparse
import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

import numpy as np
import torch
from timing import exit_code, interleave, report

from kith.runtime.cores import available_cores
from kith.runtime.quantize import quantize
from kith.runtime.session import Session

BATCH = 32
MAKE = """
import sys, time
start = time.perf_counter()
from kith import networks
model = networks.inception_resnet_v1(embedding_size=512, initializer="zeros")
built = time.perf_counter() - start
import numpy as np
rng = np.random.default_rng(0)
for variable in model.weights:
    kind = variable.path.rpartition("/")[2]
    if kind == "kernel":
        value = rng.standard_normal(variable.shape) * np.sqrt(2 / np.prod(variable.shape[:-1]))
    elif kind in ("moving_variance", "gamma"):
        value = rng.uniform(0.8, 1.2, variable.shape)
    else:
        value = 0.1 * rng.standard_normal(variable.shape)
    variable.assign(value)
from kith.runtime.compile import compile_model
open(sys.argv[1], "wb").write(compile_model(model))
print(built)
"""


def main() -> int:
    """Run it; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lfw", type=Path, help="not needed; taken so that all benchmarks are called alike")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(available_cores())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facenet.onnx"
        # in a process of its own: Keras and torch in one would share threads
        built = float(
            subprocess.check_output([sys.executable, "-c", MAKE, path], env=keras_alone()).split()[-1]
        )
        met = [compare_loading(path, built, options.rounds)]
        model = path.read_bytes()
    crops = np.random.default_rng(1).uniform(-1, 1, (BATCH, 160, 160, 3)).astype(np.float32)
    networks = {"float32": Session(model), "int8": Session(quantize(model, crops))}
    peer = facenet_pytorch()
    for precision, network in networks.items():
        for count in (BATCH, 1):
            ours, theirs = crops[:count], torch.from_numpy(crops[:count].transpose(0, 3, 1, 2).copy())
            with torch.inference_mode():
                seconds = interleave(lambda: network.run(ours), lambda: peer(theirs), options.rounds)  # noqa: B023
            target = {("float32", BATCH): 1.6, ("int8", BATCH): 5.0, ("int8", 1): 2.5}.get((precision, count))
            what = f"Inception-ResNet-v1, {precision}, {count} at once"
            met.append(
                report(what, *(part / count for part in seconds), "PyTorch", per="face", target=target)
            )
    return exit_code(met)


def compare_loading(path: Path, built: float, rounds: int) -> bool:
    """Loading a compiled model, beside what building took; Keras's own import counts, as in a program."""
    seconds = np.array([load(path) for _ in range(rounds)])
    return report(
        "loading, compiled", seconds, np.full(rounds, built), "building it in Keras", per="model", target=10
    )


def load(path: Path) -> float:
    """Seconds to load it."""
    start = time.perf_counter()
    Session(path)
    return time.perf_counter() - start


def keras_alone() -> dict[str, str]:
    """An environment in which Keras runs on jax."""
    return os.environ | {"KERAS_BACKEND": "jax"}


def facenet_pytorch() -> torch.nn.Module:
    """The peer's network; its package also imports torchvision, which its network does not need."""
    (root,) = importlib.util.find_spec("facenet_pytorch").submodule_search_locations
    for name, folder in (("facenet_pytorch", root), ("facenet_pytorch.models", f"{root}/models")):
        package = types.ModuleType(name)
        package.__path__ = [folder]
        sys.modules[name] = package
    module = importlib.import_module("facenet_pytorch.models.inception_resnet_v1")
    return module.InceptionResnetV1(pretrained=None).eval()


if __name__ == "__main__":
    sys.exit(main())
