"""Keras model -> ONNX, by a walk over the Keras graph.

Keras keeps images channels-last, ONNX Runtime is fastest channels-first. So every four-dimensional
tensor is channels-first inside the ONNX graph and is turned round only at its inputs, its outputs
and in front of a flatten. A batch normalization behind a convolution is folded into its weights.
ONNX Runtime computes in blocks of 8 or 16 channels, but leaves them wherever a tensor does not fill
them: a convolution gets spare filters of zeros where all that follows can ignore them.

One small function per kind of layer; `_EMITTERS` lists them. A layer that is not there is an error,
never a guess. What Keras computes and what ONNX Runtime computes are compared in the tests.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_OPSET = 17
_IR_VERSION = 8
_TO_CHANNELS_FIRST = (0, 3, 1, 2)
_TO_CHANNELS_LAST = (0, 2, 3, 1)
_BLOCK = 16


def compile_model(model: keras.Model) -> bytes:
    """Turn a functional Keras model into an ONNX file with the same inputs and outputs.

    Args:
        model: A functional model; its inputs and outputs keep their order, shapes and layout
            (channels last), and the names input_0, input_1 ..., output_0, output_1 ...

    Returns:
        The ONNX file's bytes, weights inside.

    Raises:
        NotImplementedError: The model has a layer or an option the compiler does not know.
    """
    graph = _Graph(model)
    for index, tensor in enumerate(model.inputs):
        graph.add_input(f"input_{index}", tensor)
    for node in _in_order(model):
        operation = node.operation
        emit = _EMITTERS.get(type(operation).__name__)
        if emit is None:
            raise NotImplementedError(
                f"no ONNX for Keras layer {type(operation).__name__} ({operation.name})"
            )
        output = emit(graph, operation, node)
        graph.names[id(node.output_tensors[0])] = output
    for index, tensor in enumerate(model.outputs):
        graph.add_output(f"output_{index}", tensor)
    return graph.serialize(model.name)


def _in_order(model: keras.Model) -> list[Any]:
    """The graph's nodes, each behind those it depends on, without the inputs."""
    depths = sorted(model._nodes_by_depth, reverse=True)  # Keras offers no public way to the edges
    nodes = [node for depth in depths for node in model._nodes_by_depth[depth]]
    return [node for node in nodes if not isinstance(node.operation, keras.layers.InputLayer)]


class _Graph:
    """The ONNX graph while it grows."""

    def __init__(self, model: keras.Model) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.names: dict[int, str] = {}  # id of a Keras tensor -> name of its ONNX value
        self.convolutions: dict[str, onnx.NodeProto] = {}  # name of the value -> its Conv
        self.spare: dict[str, int] = {}  # name of the value -> channels behind its own, to be ignored
        self.padded: dict[int, dict[str, Any]] = {}  # id of a Keras tensor -> padding it still lacks
        self.postponed: dict[str, Any] = {}  # name of the value -> PReLU layer for the pooling to apply
        self.readers: dict[int, list[Any]] = defaultdict(list)  # id of a Keras tensor -> nodes
        for node in _in_order(model):
            for tensor in node.input_tensors:
                self.readers[id(tensor)].append(node)
        for tensor in model.outputs:
            self.readers[id(tensor)].append(None)

    def input_of(self, node: Any, index: int = 0) -> str:
        return self.names[id(node.input_tensors[index])]

    def own_convolution(self, node: Any) -> onnx.NodeProto | None:
        """The convolution in front, if nothing else reads it: its weights may be changed."""
        alone = len(self.readers[id(node.input_tensors[0])]) == 1
        return self.convolutions.get(self.input_of(node)) if alone else None

    def emit(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def weight(self, name: str, value: Any) -> str:
        self.weights[name] = np.ascontiguousarray(value)
        return name

    def add_input(self, name: str, tensor: keras.KerasTensor) -> None:
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, _shape(tensor)))
        if len(tensor.shape) == 4:
            name = self.emit("Transpose", [name], f"{name}_channels_first", perm=_TO_CHANNELS_FIRST)
        self.names[id(tensor)] = name

    def add_output(self, name: str, tensor: keras.KerasTensor) -> None:
        source = self.names[id(tensor)]
        if len(tensor.shape) == 4:
            self.emit("Transpose", [source], name, perm=_TO_CHANNELS_LAST)
        else:
            self.emit("Identity", [source], name)
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, _shape(tensor)))

    def serialize(self, name: str) -> bytes:
        weights = [numpy_helper.from_array(value, name) for name, value in self.weights.items()]
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, weights)
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="kith")
        onnx.checker.check_model(model)
        content: bytes = model.SerializeToString()
        return content


def _shape(tensor: keras.KerasTensor) -> list[int | str]:
    letters = "nhwc" if len(tensor.shape) == 4 else "nabc"
    return [letter if size is None else size for size, letter in zip(tensor.shape, letters, strict=False)]


def _convolution(graph: _Graph, layer: Any, node: Any) -> str:
    _require(layer, data_format="channels_last")
    kernel = _array(layer.kernel)  # (height, width, channels, filters)
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        groups = kernel.shape[2]
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    else:
        groups = layer.groups
    bias = _array(layer.bias) if layer.use_bias else np.zeros(kernel.shape[3], np.float32)
    name, source = layer.name, graph.input_of(node)
    spare = _spare_channels(graph, node)
    weight = np.pad(
        kernel.transpose(3, 2, 0, 1), ((0, spare), (0, graph.spare.get(source, 0)), (0, 0), (0, 0))
    )
    inputs = [
        source,
        graph.weight(f"{name}.weight", weight),
        graph.weight(f"{name}.bias", np.pad(bias, (0, spare))),
    ]
    output = graph.emit(
        "Conv",
        inputs,
        name,
        strides=list(layer.strides),
        dilations=list(layer.dilation_rate),
        group=groups,
        kernel_shape=list(kernel.shape[:2]),
        **graph.padded.get(id(node.input_tensors[0]), _padding(layer)),
    )
    graph.convolutions[output] = graph.nodes[-1]
    output = _activate(graph, layer.activation, output, len(node.output_tensors[0].shape))
    graph.spare[output] = spare
    return output


def _spare_channels(graph: _Graph, node: Any) -> int:
    """How many channels fill a convolution's last block, if all that follows can ignore them."""
    plain = getattr(node.operation, "groups", 0) == 1 and node.operation.activation.__name__ in (
        "linear",
        "relu",
    )
    tensor = node.output_tensors[0]
    return -tensor.shape[-1] % _BLOCK if plain and _ignore_spare(graph, tensor) else 0


def _ignore_spare(graph: _Graph, tensor: Any) -> bool:
    """Whether whatever reads a tensor is a convolution, perhaps behind layers that keep channels apart."""
    for node in graph.readers[id(tensor)]:
        layer = node and node.operation
        if isinstance(layer, keras.layers.PReLU | keras.layers.MaxPooling2D):
            if not _ignore_spare(graph, node.output_tensors[0]):
                return False
        elif type(layer) is not keras.layers.Conv2D or layer.groups > 1:
            return False
    return True


def _dense(graph: _Graph, layer: Any, node: Any) -> str:
    if len(node.input_tensors[0].shape) != 2:
        raise NotImplementedError(f"dense layer {layer.name} on more than two dimensions")
    inputs = [graph.input_of(node), graph.weight(f"{layer.name}.weight", _array(layer.kernel))]
    if layer.use_bias:
        inputs.append(graph.weight(f"{layer.name}.bias", _array(layer.bias)))
    output = graph.emit("Gemm", inputs, layer.name)
    return _activate(graph, layer.activation, output, 2)


def _batch_normalization(graph: _Graph, layer: Any, node: Any) -> str:
    scale = 1 / np.sqrt(_array(layer.moving_variance).astype(np.float64) + layer.epsilon)
    if layer.scale:
        scale = scale * _array(layer.gamma)
    shift = -_array(layer.moving_mean) * scale
    if layer.center:
        shift = shift + _array(layer.beta)
    return _emit_affine(graph, layer.name, node, scale, shift)


def _rescaling(graph: _Graph, layer: Any, node: Any) -> str:
    channels = node.input_tensors[0].shape[-1]
    return _emit_affine(
        graph, layer.name, node, np.full(channels, layer.scale), np.full(channels, layer.offset)
    )


def _emit_affine(graph: _Graph, name: str, node: Any, scale: np.ndarray, shift: np.ndarray) -> str:
    """y = scale * x + shift, folded into the convolution in front where nothing else reads it.

    Scale and shift are (channels,).
    """
    source = graph.input_of(node)
    convolution = graph.own_convolution(node)
    if convolution is not None:
        weight, bias = convolution.input[1:]
        kernel = graph.weights[weight] * scale[:, np.newaxis, np.newaxis, np.newaxis]
        graph.weights[weight] = kernel.astype(np.float32)
        graph.weights[bias] = (graph.weights[bias] * scale + shift).astype(np.float32)
        return source
    rank = len(node.input_tensors[0].shape)
    product = graph.emit(
        "Mul", [source, graph.weight(f"{name}.scale", _per_channel(scale, rank))], f"{name}_scaled"
    )
    return graph.emit("Add", [product, graph.weight(f"{name}.shift", _per_channel(shift, rank))], name)


def _activation(graph: _Graph, layer: Any, node: Any) -> str:
    output = graph.input_of(node)
    return _activate(graph, layer.activation, output, len(node.output_tensors[0].shape), layer.name)


def _activate(graph: _Graph, activation: Any, source: str, rank: int, name: str = "") -> str:
    kind = activation.__name__
    name = name or f"{source}_{kind}"
    if kind == "linear":
        return source
    if kind == "relu":
        return graph.emit("Relu", [source], name)
    if kind == "softmax":
        return graph.emit("Softmax", [source], name, axis=_axis(-1, rank))
    if kind == "sigmoid":
        return graph.emit("Sigmoid", [source], name)
    raise NotImplementedError(f"no ONNX for activation {kind} ({source})")


def _relu(graph: _Graph, layer: Any, node: Any) -> str:
    _require(layer, max_value=None, threshold=0.0)
    if layer.negative_slope:
        return graph.emit("LeakyRelu", [graph.input_of(node)], layer.name, alpha=float(layer.negative_slope))
    return graph.emit("Relu", [graph.input_of(node)], layer.name)


def _prelu(graph: _Graph, layer: Any, node: Any) -> str:
    """x where it is positive, slope x elsewhere: x + relu((slope - 1) x).

    Many times faster than ONNX Runtime's own PRelu. In front of a max-pooling it is postponed, if
    it can be, to where there are fewer pixels.
    """
    source, slopes = graph.input_of(node), _array(layer.alpha)
    if _may_postpone(graph, node, slopes):
        _copy_filters(graph, graph.convolutions[source], slopes.ravel())
        graph.postponed[source] = layer
        return source
    spare = graph.spare.get(source, 0)
    slopes = np.pad(slopes, [(0, 0)] * (slopes.ndim - 1) + [(0, spare)])
    if slopes.ndim == 3:
        slopes = slopes.transpose(2, 0, 1)
    name, sign = layer.name, _bend_sign(slopes)
    bend = graph.emit("Mul", [source, graph.weight(f"{name}.bend", sign * (slopes - 1))], f"{name}_bend")
    graph.spare[name] = spare
    return _emit_bent(graph, name, source, bend, sign)


def _may_postpone(graph: _Graph, node: Any, slopes: np.ndarray) -> bool:
    """Whether only a max-pooling reads this PReLU, and the convolution has room for `_copy_filters`."""
    readers = [reader and type(reader.operation) for reader in graph.readers[id(node.output_tensors[0])]]
    room = graph.spare.get(graph.input_of(node), 0)
    return (
        readers == [keras.layers.MaxPooling2D]
        and graph.own_convolution(node) is not None
        and slopes.shape[:-1] == (1, 1)
        and int(np.count_nonzero(slopes < 0)) <= room
    )


def _copy_filters(graph: _Graph, convolution: onnx.NodeProto, slopes: np.ndarray) -> None:
    """Let spare channels of a convolution hold slope x of every channel x with a negative slope.

    Where a slope is not negative, PReLU keeps the order of pixels, and the maximum may be taken
    first. Where it is, PReLU(x) = max(x, slope x): the maximum of slope x is needed too.
    """
    negative = np.flatnonzero(slopes < 0)
    for name in convolution.input[1:]:
        values = graph.weights[name]
        values[len(slopes) + np.arange(len(negative))] = (values[negative].T * slopes[negative]).T


def _emit_postponed(graph: _Graph, layer: Any, pooled: str, spare: int) -> str:
    """The PReLU of pooled channels; with a copy it is max(x, copy) = x + relu(copy - x)."""
    slopes = _array(layer.alpha).ravel()
    negative, sign = np.flatnonzero(slopes < 0), np.pad(_bend_sign(slopes), (0, spare))
    matrix = np.diag(np.pad(np.where(slopes < 0, -1, slopes - 1), (0, spare)) * sign)
    matrix[negative, len(slopes) + np.arange(len(negative))] = 1
    weight = graph.weight(f"{layer.name}.bend", matrix[:, :, np.newaxis, np.newaxis].astype(np.float32))
    bend = graph.emit("Conv", [pooled, weight], f"{layer.name}_bend")
    return _emit_bent(graph, layer.name, pooled, bend, _per_channel(sign, 4))


def _bend_sign(slopes: np.ndarray) -> np.ndarray:
    """-1 where a slope is above 1: there PReLU is x - relu((1 - slope) x)."""
    return np.where(slopes > 1, -1, 1).astype(np.float32)


def _emit_bent(graph: _Graph, name: str, source: str, bend: str, sign: np.ndarray) -> str:
    bend = graph.emit("Relu", [bend], f"{name}_relu")
    if sign.min() < 0:
        bend = graph.emit("Mul", [bend, graph.weight(f"{name}.sign", sign)], f"{name}_signed")
    return graph.emit("Add", [source, bend], name)


def _pooling(kind: str) -> Callable[[_Graph, Any, Any], str]:
    def emit(graph: _Graph, layer: Any, node: Any) -> str:
        _require(layer, data_format="channels_last")
        source = graph.input_of(node)
        output = graph.emit(
            kind,
            [source],
            layer.name,
            kernel_shape=list(layer.pool_size),
            strides=list(layer.strides),
            **_padding(layer),
        )
        spare = graph.spare.get(source, 0)
        if source in graph.postponed:
            output = _emit_postponed(graph, graph.postponed[source], output, spare)
        graph.spare[output] = spare
        return output

    return emit


def _l2_pooling(graph: _Graph, layer: Any, node: Any) -> str:
    sides = [layer.pool_size, layer.pool_size]
    return graph.emit("LpPool", [graph.input_of(node)], layer.name, p=2, kernel_shape=sides, strides=sides)


def _local_response(graph: _Graph, layer: Any, node: Any) -> str:
    return graph.emit(
        "LRN",
        [graph.input_of(node)],
        layer.name,
        size=layer.size,
        alpha=layer.alpha,
        beta=layer.beta,
        bias=1.0,
    )


def _global_average(graph: _Graph, layer: Any, node: Any) -> str:
    _require(layer, data_format="channels_last")
    return graph.emit(
        "ReduceMean", [graph.input_of(node)], layer.name, axes=[2, 3], keepdims=int(layer.keepdims)
    )


def _add(graph: _Graph, layer: Any, node: Any) -> str:
    sources = [graph.names[id(tensor)] for tensor in node.input_tensors]
    output = sources[0]
    for index, source in enumerate(sources[1:], start=1):
        name = layer.name if index == len(sources) - 1 else f"{layer.name}_{index}"
        output = graph.emit("Add", [output, source], name)
    return output


def _concatenate(graph: _Graph, layer: Any, node: Any) -> str:
    sources = [graph.names[id(tensor)] for tensor in node.input_tensors]
    axis = _axis(layer.axis, len(node.output_tensors[0].shape))
    return graph.emit("Concat", sources, layer.name, axis=axis)


def _pad(graph: _Graph, operation: Any, node: Any) -> str:
    """`keras.ops.pad`: zeros before and after along each axis."""
    _require(operation, mode="constant")
    if node.arguments.kwargs.get("constant_values"):
        raise NotImplementedError(f"padding with other values than zero ({operation.name})")
    return _emit_pad(graph, operation.name, graph.input_of(node), operation.pad_width)


def _zero_padding(graph: _Graph, layer: Any, node: Any) -> str:
    """Left to the convolutions behind it, where there is nothing else."""
    _require(layer, data_format="channels_last")
    output = node.output_tensors[0]
    if all(_takes_padding(reader) for reader in graph.readers[id(output)]):
        (top, bottom), (left, right) = layer.padding
        graph.padded[id(output)] = {"pads": [top, left, bottom, right]}
        return graph.input_of(node)
    return _emit_pad(graph, layer.name, graph.input_of(node), ((0, 0), *layer.padding, (0, 0)))


def _takes_padding(reader: Any) -> bool:
    convolutions = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return (
        reader is not None
        and isinstance(reader.operation, convolutions)
        and reader.operation.padding == "valid"
    )


def _emit_pad(graph: _Graph, name: str, source: str, widths: Sequence[Sequence[int]]) -> str:
    if len(widths) == 4:
        widths = [widths[axis] for axis in _TO_CHANNELS_FIRST]
    pads = np.array([before for before, _ in widths] + [after for _, after in widths], np.int64)
    return graph.emit("Pad", [source, graph.weight(f"{name}.pads", pads)], name)


def _permute(graph: _Graph, layer: Any, node: Any) -> str:
    order = [0, *layer.dims]
    if len(order) == 4:  # the same permutation, said of channels-first axes
        order = [_TO_CHANNELS_LAST[order[axis]] for axis in _TO_CHANNELS_FIRST]
    return graph.emit("Transpose", [graph.input_of(node)], layer.name, perm=order)


def _flatten(graph: _Graph, layer: Any, node: Any) -> str:
    source = graph.input_of(node)
    if len(node.input_tensors[0].shape) == 4:
        source = graph.emit("Transpose", [source], f"{layer.name}_channels_last", perm=_TO_CHANNELS_LAST)
    return graph.emit("Flatten", [source], layer.name, axis=1)


def _identity(graph: _Graph, layer: Any, node: Any) -> str:
    """Layers that act in training only."""
    return graph.input_of(node)


_EMITTERS: dict[str, Callable[[_Graph, Any, Any], str]] = {
    "Activation": _activation,
    "Add": _add,
    "AveragePooling2D": _pooling("AveragePool"),
    "BatchNormalization": _batch_normalization,
    "Concatenate": _concatenate,
    "Conv2D": _convolution,
    "Dense": _dense,
    "DepthwiseConv2D": _convolution,
    "Dropout": _identity,
    "Flatten": _flatten,
    "GlobalAveragePooling2D": _global_average,
    "L2Pooling2D": _l2_pooling,
    "LocalResponseNormalization": _local_response,
    "MaxPooling2D": _pooling("MaxPool"),
    "PReLU": _prelu,
    "Pad": _pad,
    "Permute": _permute,
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "ZeroPadding2D": _zero_padding,
}


def _array(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable.value), np.float32)


def _axis(axis: int, rank: int) -> int:
    """A Keras axis, said of the ONNX tensor."""
    axis %= rank
    return _TO_CHANNELS_LAST[axis] if rank == 4 else axis


def _per_channel(values: np.ndarray, rank: int) -> np.ndarray:
    return values.astype(np.float32).reshape((-1, 1, 1) if rank == 4 else (-1,))


def _padding(layer: Any) -> dict[str, Any]:
    # Keras's "same" is ONNX's SAME_UPPER: the odd pixel goes to the end
    return {"auto_pad": "SAME_UPPER" if layer.padding == "same" else "VALID"}


def _require(layer: Any, **options: Any) -> None:
    for option, value in options.items():
        if getattr(layer, option) != value:
            raise NotImplementedError(f"no ONNX for {layer.name} with {option}={getattr(layer, option)!r}")
