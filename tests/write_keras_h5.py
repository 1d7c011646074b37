"""Writes Keras 2's HDF5 files as Taniai's and faustomorales's are laid out, and Keras 3's."""

import base64
import io
import json
import marshal
import zipfile
from collections.abc import Mapping

import h5py
import numpy as np


def keras_path(tensorflow_name: str) -> str:
    """LAYER/LAYER/VARIABLE:0 of a variable of Sandberg's: `keras_facenet_h5_layout.json`, name_mapping."""
    *scopes, kind = tensorflow_name.split("/")[1:]
    scopes = [scope.replace("block", "Block") for scope in scopes if not scope.startswith("Repeat")]
    if scopes[0] == "Block8":
        scopes[0] = "Block8_6"
    layer = "_".join(scopes)
    return f"{layer}/{layer}/{ {'weights': 'kernel', 'biases': 'bias'}.get(kind, kind) }:0"


def write_facenet_keras(variables: Mapping[str, np.ndarray], *, payload: str = "") -> bytes:
    """A whole model as Taniai's, of variables by their names in TensorFlow."""
    paths = {keras_path(name): values for name, values in variables.items()}
    return write_keras_h5(paths, prefix="model_weights/", payload=payload)


def write_keras_h5(variables: Mapping[str, np.ndarray], *, prefix: str = "", payload: str = "") -> bytes:
    """A file of weights, or with the prefix model_weights/ a whole model.

    Args:
        variables: By their paths.
        prefix: In front of all paths.
        payload: Python that the model's Lambda layer would run, had anyone unmarshalled it.
    """
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.1.2"
        if prefix:
            file.attrs["model_config"] = json.dumps(_configuration(payload)).encode()
        root = file.require_group(prefix or "/")
        layers = dict.fromkeys(path.partition("/")[0] for path in variables)
        root.attrs["layer_names"] = np.array([layer.encode() for layer in layers])
        root.require_group("Block35_1_Activation")  # layers without weights have an empty group
        for path, values in variables.items():
            root[path] = values
    return content.getvalue()


def write_keras_3(variables: Mapping[str, np.ndarray]) -> bytes:
    """What `save_weights` writes: numbers in place of names, in the order of each layer's variables."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        places: dict[str, h5py.Group] = {}
        for name, values in variables.items():
            layer = name.partition("/")[0]
            if layer not in places:
                places[layer] = file.create_group(f"layers/layer_{len(places)}/vars")
                places[layer].attrs["name"] = layer
            places[layer][str(len(places[layer]))] = values
    return content.getvalue()


def write_keras_archive(variables: Mapping[str, np.ndarray]) -> bytes:
    """A whole model of Keras 3."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("metadata.json", b"never read")
        archive.writestr("config.json", b"never read")
        archive.writestr("model.weights.h5", write_keras_3(variables))
    return content.getvalue()


def _configuration(payload: str) -> dict[str, object]:
    code = base64.b64encode(marshal.dumps(compile(payload, "lambda", "exec"))).decode()
    function = {"function": [code, None, None], "function_type": "lambda", "arguments": {"scale": 0.17}}
    return {"class_name": "Model", "config": {"layers": [{"class_name": "Lambda", "config": function}]}}
