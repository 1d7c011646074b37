"""What all tests share."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kith.gallery import Gallery
from kith.recognizer import Recognizer
from kith.records import Face, Template

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"

# A shell lets its background jobs ignore Ctrl-C, and so would the commands that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


_LONGEST = (  # a minute or so each
    "tests/integration/test_train_verb.py",
    "tests/integration/test_tutorial.py",
    "tests/integration/test_bad_input.py",
    "tests/integration/test_distill_verb.py",
)
_LONG = ("tests/integration/", "tests/unit/training/", "tests/unit/workflows/", "tests/unit/runtime/")


def pytest_configure(config: pytest.Config) -> None:
    """Give the tests a cache of their own: networks and training steps are compiled once for all processes."""
    cache = config.cache.mkdir("kith")
    os.environ["KITH_CACHE"] = str(cache)
    os.environ |= {
        "JAX_COMPILATION_CACHE_DIR": str(cache / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.05",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "true",  # small networks take longer to compile than to run
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no process ends with one of them."""
    order = [*_LONGEST, _LONG]
    items.sort(
        key=lambda item: next((i for i, one in enumerate(order) if item.nodeid.startswith(one)), len(order))
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """The research data beside the project; absent on most machines."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the research data in {SHARED.name}/ beside the project")
    return SHARED


@pytest.fixture(scope="session")
def recognizer() -> Recognizer:
    """The default recognizer in float32, compiled once a machine."""
    return Recognizer.from_pretrained(precision="float32")


@pytest.fixture
def gallery_path(tmp_path: Path) -> Path:
    return tmp_path / "gallery.db"


@pytest.fixture
def gallery(gallery_path: Path) -> Gallery:
    with Gallery.open(gallery_path, model_id="test-model") as opened:
        yield opened


@pytest.fixture
def make_template() -> Callable[[int], Template]:
    """Templates of random directions; the same number gives the same template."""

    def make(seed: int, model_id: str = "test-model") -> Template:
        values = np.random.default_rng(seed).standard_normal(16).astype(np.float32)
        return Template(values / np.linalg.norm(values), model_id)

    return make


@pytest.fixture
def face() -> Face:
    landmarks = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], np.float32)
    return Face(np.array([10, 10, 90, 110], np.float32), landmarks, 0.99)


@pytest.fixture(autouse=True)
def nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test touches the gallery and the models of whoever runs the tests."""
    monkeypatch.setenv("KITH_GALLERY", str(tmp_path / "users-gallery.db"))
    monkeypatch.setenv("KITH_MODELS", str(tmp_path / "users-models"))
