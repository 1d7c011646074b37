"""What `import kith` offers, and that it does nothing."""

import ast
import dataclasses
import inspect
import json
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

import pytest

import kith
from kith import errors

ROOT = Path(__file__).parents[2]
PARTS = {"Calibration", "Embedder", "EmbedderSpec"}  # handed on as they are; nobody makes one or looks inside


def test_every_public_name_resolves() -> None:
    for name in kith.__all__:
        assert getattr(kith, name) is not None


def test_dir_lists_the_public_names() -> None:
    assert dir(kith) == sorted(kith.__all__)


def test_the_page_lists_the_public_names() -> None:
    namespace = runpy.run_path(str(ROOT / "tools" / "public_names.py"))
    assert namespace["PAGE"].read_text("utf-8") == namespace["page"](), "run tools/public_names.py"


def test_type_checkers_see_the_public_names() -> None:
    """They read what is imported for them alone, where a program imports a name when it is asked for."""
    tree = ast.parse(Path(kith.__file__).read_text("utf-8"))
    (block,) = (
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    assert seen == kith._HOMES
    assert all(alias.asname == alias.name for node in block.body for alias in node.names)


def test_every_error_is_public() -> None:
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and kind.__module__ == errors.__name__:
            assert getattr(kith, name) is kind


def kinds_of(hint: Any) -> Iterator[type]:
    """The classes of Kith's own that a type names."""
    for kind in (hint, get_origin(hint)):
        if isinstance(kind, type) and kind.__module__.startswith("kith."):
            yield kind
    for argument in get_args(hint):
        for one in argument if isinstance(argument, list) else [argument]:
            yield from kinds_of(one)


def calls_of(name: str) -> Iterator[Callable[..., Any]]:
    """A public function; or a public class's own initializer, its public methods and its properties."""
    public = getattr(kith, name)
    if inspect.isfunction(public):
        yield inspect.unwrap(public)
        return
    for attribute, value in vars(public).items() if isinstance(public, type) else ():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        is_written = inspect.isfunction(function) and function.__code__.co_filename != "<string>"
        if is_written and (attribute == "__init__" or not attribute.startswith("_")):
            yield inspect.unwrap(function)


@pytest.mark.parametrize("name", sorted(set(kith._HOMES) - PARTS))
def test_what_a_public_call_takes_and_returns_is_public(name: str) -> None:
    for call in calls_of(name):
        hints = get_type_hints(call, localns={"keras": SimpleNamespace(Model=object)})
        for kind in {kind for hint in hints.values() for kind in kinds_of(hint)}:
            assert kind.__name__ in kith.__all__, f"{call.__qualname__}: {kind}"


@pytest.mark.parametrize("name", sorted(set(kith._HOMES) - PARTS))
def test_what_a_public_record_holds_is_public(name: str) -> None:
    public = getattr(kith, name)
    if not dataclasses.is_dataclass(public):
        return
    for kind in {kind for hint in get_type_hints(public).values() for kind in kinds_of(hint)}:
        assert kind.__name__ in kith.__all__, kind


def test_import_does_nothing() -> None:
    program = (
        "import sys, builtins, socket, json\n"
        "before = set(sys.modules)\n"
        "import kith\n"
        "print(json.dumps(sorted(name for name in set(sys.modules) - before if not name.startswith('_'))))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    loaded = set(json.loads(output))
    assert "kith" in loaded
    assert not {name.split(".")[0] for name in loaded} & {
        "numpy",
        "cv2",
        "onnxruntime",
        "keras",
        "jax",
        "logging",
    }
