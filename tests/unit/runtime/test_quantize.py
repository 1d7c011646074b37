import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from write_onnx import write_onnx

from kith.catalogue.builtin import DETECTORS
from kith.errors import WeightsError
from kith.runtime import quantize as module
from kith.runtime.keras_models import load_keras
from kith.runtime.quantize import clip_filters, quantize
from kith.runtime.session import Session
from kith.runtime.trial import adopt_in_bounds


@pytest.fixture(scope="module")
def small_network() -> tuple[bytes, np.ndarray]:
    """R-Net's first output as an embedding: small and real."""
    from kith import networks  # noqa: F401  # first: it chooses the backend

    import keras  # isort: skip

    from kith.runtime.compile import compile_model

    rnet = load_keras(DETECTORS["mtcnn"].weights["rnet"])
    hidden = rnet.get_layer("dense4_prelu").output
    model = keras.Model(rnet.inputs, hidden, name="hidden")
    inputs = np.random.default_rng(0).uniform(-1, 1, (24, 24, 24, 3)).astype(np.float32)
    return compile_model(model), inputs


def test_int8_is_smaller_and_keeps_the_embedding(small_network, monkeypatch) -> None:
    model, inputs = small_network
    monkeypatch.setattr(module, "MIN_COSINE", 0.99)
    quantized = quantize(model, inputs)
    assert len(quantized) < len(model)
    expected, found = Session(model).run(inputs)[0], Session(quantized).run(inputs)[0]
    cosines = (
        np.sum(expected * found, axis=1) / np.linalg.norm(expected, axis=1) / np.linalg.norm(found, axis=1)
    )
    assert cosines.mean() > 0.99


def test_no_processor_overflows_on_the_weights(small_network, monkeypatch) -> None:
    model, inputs = small_network
    monkeypatch.setattr(module, "MIN_COSINE", 0.99)
    graph = onnx.load_from_string(quantize(model, inputs)).graph
    weights = [
        numpy_helper.to_array(value) for value in graph.initializer if value.data_type == TensorProto.INT8
    ]
    assert len([value for value in weights if value.ndim > 1]) == 3  # the convolutions
    assert all(int(np.abs(value.astype(int)).max()) <= 64 for value in weights)  # 2 * 255 * 64 < 2**15


def test_int8_that_changes_the_embedding_is_refused(small_network, monkeypatch) -> None:
    model, inputs = small_network
    monkeypatch.setattr(module, "MIN_COSINE", 0.9999999)
    with pytest.raises(WeightsError, match="int8 is refused: its embeddings have a mean cosine of 0.9"):
        quantize(model, inputs)


def test_too_few_inputs_are_refused(small_network) -> None:
    model, inputs = small_network
    with pytest.raises(ValueError, match="at least 8 inputs, got 7"):
        quantize(model, inputs[:7])


def rounded(filters: np.ndarray) -> np.ndarray:
    """In whole numbers up to 64, as the quantizer does it."""
    scales = np.maximum(np.abs(filters).max(axis=1, keepdims=True), 1e-30) / 64
    return np.round(filters / scales) * scales


def test_filters_are_clipped_where_that_changes_them_least() -> None:
    filters = np.random.default_rng(0).normal(0, 1, (32, 27)).astype(np.float32)
    filters[0] = 0
    filters[1] = np.arange(38, 65)  # whole numbers already: nothing is to be gained
    clipped = clip_filters(filters.reshape(32, 3, 3, 3)).reshape(32, 27)
    before, after = (np.sum((rounded(rows) - filters) ** 2, axis=1) for rows in (filters, clipped))
    assert (after <= before + 1e-6).all()
    assert after.sum() < 0.97 * before.sum()
    assert (clipped[:2] == filters[:2]).all()
    assert clipped.dtype == np.float32


def test_the_quantizer_is_given_clipped_filters(small_network, monkeypatch) -> None:
    model, inputs = small_network
    monkeypatch.setattr(module, "MIN_COSINE", 0)
    clipped = quantize(model, inputs)
    monkeypatch.setattr(module, "clip_filters", lambda filters: filters)
    assert quantize(model, inputs) != clipped


def foreign(*, batch: int | str = "n", opset: int = 17) -> bytes:
    """Somebody else's network, adopted."""
    model = onnx.load_from_string(write_onnx(batch=batch))
    model.opset_import[0].version = opset
    return adopt_in_bounds(model.SerializeToString()).content


@pytest.mark.parametrize(("batch", "opset"), [("n", 17), ("n", 11), (1, 11)])
def test_foreign_networks(batch: int | str, opset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of operators too old for a scale a filter, and of one image at a time."""
    monkeypatch.setattr(module, "MIN_COSINE", 0.99)
    inputs = np.random.default_rng(0).uniform(-1, 1, (16, 32, 32, 3)).astype(np.float32)
    model = foreign(batch=batch, opset=opset)
    quantized = quantize(model, inputs)
    assert b"QuantizeLinear" in quantized
    expected, found = Session(model).run(inputs)[0], Session(quantized).run(inputs)[0]
    assert np.abs(found - expected).max() < 0.2 * np.abs(expected).max()
    with pytest.raises(WeightsError, match="the network is quantized already"):
        quantize(quantized, inputs)


@pytest.mark.parametrize("opset", [11, 17])
def test_a_graph_that_the_tools_stumble_over(opset: int) -> None:
    model = onnx.load_from_string(foreign(opset=opset))
    model.graph.node.insert(0, helper.make_node("Scan", [], ["nothing"]))
    with pytest.raises(WeightsError, match="int8 is refused: ONNX Runtime cannot quantize this network"):
        quantize(model.SerializeToString(), np.zeros((8, 32, 32, 3), np.float32))
