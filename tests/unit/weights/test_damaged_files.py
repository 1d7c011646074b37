"""200 damaged files of each format: never a crash, a hang or a large allocation."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from recipes import Arrays, Shapes, load_recipe, pytorch_weights, tensorflow_weights
from write_keras_h5 import keras_path, write_keras_3, write_keras_archive, write_keras_h5
from write_mxnet import insightface_names, made_up_mobilefacenet, write_mxnet
from write_onnx import write_onnx
from write_pytorch import in_a_checkpoint, write_legacy_pytorch, write_pytorch
from write_tensorflow import write_checkpoint, write_graph
from write_torch7 import write_openface

from kith.weights.names_nn4_small2 import nn4_small2_from_pytorch
from kith.weights.safetensors import write_safetensors

PROGRAM = Path(__file__).with_name("damage.py")


def test_damage_is_refused(shared: Path, tmp_path: Path) -> None:
    write_small_files(shared, tmp_path)
    result = subprocess.run(
        [sys.executable, PROGRAM, tmp_path],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # its threads reserve memory
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert len(report) == 13
    for name, found in report.items():
        assert found["refused"] + found["read"] == 200, name
        assert found["slowest"] < 5, name


def write_small_files(shared: Path, folder: Path) -> None:
    """All variables of the networks, hardly a number in each."""
    variables = tensorflow_weights(_small(load_recipe(shared, "inception_resnet_v1_128")["variables"]))
    state = pytorch_weights(_small(load_recipe(shared, "openface_nn4_small2")["state_dict"]))
    some = {keras_path(name): variables[name] for name in list(variables)[:6]}
    ours = dict(list(nn4_small2_from_pytorch(state).items())[:6])
    index, data = write_checkpoint(variables)
    files = {
        "keras.h5": write_keras_h5(some, prefix="model_weights/", payload="pass"),
        "frozen.pb": write_graph(variables),
        "model.ckpt.index": index,
        "model.ckpt.data-00000-of-00001": data,
        "zip.pt": write_pytorch(state),
        "training.pt": write_pytorch(_half(state), prefix="module.", **in_a_checkpoint("model_state_dict")),
        "keras-3.h5": write_keras_3(ours),
        "model.keras": write_keras_archive(ours),
        "legacy.pt": write_legacy_pytorch(state),
        "openface.t7": write_openface(state),
        "arcface.params": write_mxnet(_small_insightface()),
        "own.safetensors": write_safetensors(nn4_small2_from_pytorch(state)),
        "arcface.onnx": write_onnx(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _small_insightface() -> Arrays:
    """One number a variable."""
    names = insightface_names(made_up_mobilefacenet())
    return {name: values.reshape(-1)[:1].reshape([1] * values.ndim) for name, values in names.items()}


def _half(state: Arrays) -> Arrays:
    return {name: v.astype(np.float16) if v.dtype.kind == "f" else v for name, v in state.items()}


def _small(shapes: Shapes) -> Shapes:
    """Convolutions keep their windows."""
    return {
        name: [1, 1, *shape[2:]] if len(shape) == 4 and name.endswith(".weight") else [1] * len(shape)
        for name, shape in shapes.items()
    }
