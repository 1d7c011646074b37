import os

import numpy as np
import pytest
from witness import Witness

from kith.catalogue import files as store
from kith.catalogue.builtin import DETECTORS
from kith.catalogue.spec import PackageFile
from kith.errors import ChecksumMismatch, DownloadFailed
from kith.runtime.prepare import forget, prepare, prepare_int8

PNET = DETECTORS["mtcnn"].weights["pnet"]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(store.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "compiled"


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch) -> None:
    """A process of its own takes seconds to begin; `test_workshop.py` looks at that."""
    monkeypatch.setattr("kith.runtime.workshop._start", lambda _stack: None)


def run(session) -> np.ndarray:
    return session.run(np.zeros((1, 24, 24, 3), np.float32))[1]


def test_a_network_is_compiled_once(cache, monkeypatch) -> None:
    steps = Witness()
    first = run(prepare(PNET, progress=steps))
    assert steps.begun == [("first run: reading pnet.lz4", 0), ("first run: compiling pnet", 0)]
    (compiled,) = cache.iterdir()
    before = compiled.read_bytes()
    monkeypatch.setattr("kith.runtime.prepare._compile", lambda *_: pytest.fail("compiled again"))
    assert (run(prepare(PNET)) == first).all()
    assert compiled.read_bytes() == before


def cut_off(content: bytes) -> bytes:
    return content[:1000]


def with_a_flipped_bit(content: bytes) -> bytes:
    return content[:5000] + bytes([content[5000] ^ 4]) + content[5001:]


def with_a_block_of_zeros(content: bytes) -> bytes:
    return content[:8192] + bytes(4096) + content[12288:]


def unsealed(content: bytes) -> bytes:
    return content[:-81]


@pytest.mark.parametrize("damage", [cut_off, with_a_flipped_bit, with_a_block_of_zeros, unsealed])
def test_a_damaged_compiled_file_is_made_again(cache, damage) -> None:
    first = run(prepare(PNET))
    (compiled,) = cache.iterdir()
    content = compiled.read_bytes()
    compiled.write_bytes(damage(content))
    assert (run(prepare(PNET)) == first).all()
    assert compiled.read_bytes() == content


def test_a_damaged_model_of_full_precision_is_not_quantized(cache, recognizer, monkeypatch) -> None:
    weights = recognizer.spec.weights
    prepare(weights)
    (compiled,) = cache.iterdir()
    content = compiled.read_bytes()
    compiled.write_bytes(with_a_block_of_zeros(content))
    monkeypatch.setattr("kith.runtime.workshop.Workshop.quantize", lambda _self, model, _inputs: model)
    monkeypatch.setattr("kith.runtime.prepare._compile", lambda *_: content[:-81])
    prepare_int8(weights, lambda: np.zeros(0), inputs_key="none")
    assert compiled.read_bytes() == content


def test_another_compiler_does_not_meet_old_results(cache, monkeypatch) -> None:
    prepare(PNET)
    monkeypatch.setattr("kith.runtime.prepare.digest_of_code", lambda *_: "another compiler")
    prepare(PNET)
    assert len(list(cache.iterdir())) == 2


def test_a_weights_file_that_was_changed_is_refused(cache, tmp_path, monkeypatch) -> None:
    changed = tmp_path / "pnet.lz4"
    changed.write_bytes(store.find_package_file(PNET.file).read_bytes() + b"\0")
    monkeypatch.setattr(store, "find_package_file", lambda _file: changed)
    with pytest.raises(ChecksumMismatch, match="pip install --force-reinstall mtcnn"):
        prepare(PNET)
    assert not cache.exists()


def test_a_missing_package_is_named() -> None:
    with pytest.raises(DownloadFailed, match="pip install no-such-package"):
        store.find_package_file(PackageFile("no-such-package", "weights.bin"))


def test_a_cache_that_cannot_be_written_is_told_and_the_model_runs(tmp_path, monkeypatch, caplog) -> None:
    blocker = tmp_path / "file"
    blocker.touch()
    monkeypatch.setenv(store.CACHE_VARIABLE, str(blocker))
    assert run(prepare(PNET)).shape == (1, 7, 7, 1)
    prepare(PNET)
    (told,) = [record.getMessage() for record in caplog.records if record.name == "kith"]
    assert f"{blocker / 'compiled'} cannot be written" in told
    assert "set KITH_CACHE to a folder with room" in told


def test_int8_asks_for_its_inputs_only_once(cache, recognizer) -> None:
    weights = recognizer.spec.weights
    random = np.random.default_rng(0)
    asked = []

    def inputs() -> np.ndarray:
        asked.append(1)
        return random.uniform(-0.4, 0.5, (16, 150, 150, 3)).astype(np.float32)

    first = prepare_int8(weights, inputs, inputs_key="noise")
    second = prepare_int8(weights, inputs, inputs_key="noise")
    assert len(asked) == 1
    prepare_int8(weights, inputs, inputs_key="other noise")
    assert len(asked) == 2
    values = inputs()[:2]
    assert (first.run(values)[0] == second.run(values)[0]).all()
    expected = prepare(weights).run(values)[0]
    cosines = np.sum(first.run(values)[0] * expected, axis=1) / (
        np.linalg.norm(first.run(values)[0], axis=1) * np.linalg.norm(expected, axis=1)
    )
    assert cosines.min() > 0.99


def test_stale_partial_files_go_and_fresh_ones_stay(tmp_path) -> None:
    old, new = tmp_path / ".partial-old", tmp_path / ".partial-new"
    old.touch()
    new.touch()

    os.utime(old, (0, 0))
    store.remove_stale_partials(tmp_path)
    assert (old.exists(), new.exists()) == (False, True)


def test_what_was_compiled_of_a_file_is_forgotten(cache) -> None:
    prepare(PNET)
    prepare(DETECTORS["mtcnn"].weights["rnet"])
    forget(PNET)
    assert [path.name.partition("-")[0] for path in cache.iterdir()] == ["rnet"]
