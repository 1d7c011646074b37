"""ONNX Runtime reports to its maker unless it is told not to before it is imported."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "src" / "kith" / "runtime"
SILENT_ANYWAY = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_DISABLE_TELEMETRY")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).partition(".")[0]


def run(program: str, home: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    outside = {name: value for name, value in os.environ.items() if name not in SILENT_ANYWAY}
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=outside | places | environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_only_the_runtime_package_imports_onnxruntime() -> None:
    """Its `__init__` switches the telemetry off before any of its modules is imported."""
    files = [path for folder in ("src", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    outside = [path for path in files if RUNTIME not in path.parents and "onnxruntime" in imports(path)]
    assert not outside
    assert "onnxruntime" in imports(RUNTIME / "session.py")
    assert "onnxruntime" not in imports(RUNTIME / "__init__.py")


@pytest.mark.parametrize(
    "module", sorted(path.stem for path in RUNTIME.glob("*.py") if "onnxruntime" in imports(path))
)
def test_onnxruntime_is_silent_whichever_module_comes_first(module: str, tmp_path: Path) -> None:
    program = f"import kith.runtime.{module}, onnxruntime.quantization"
    assert run(program, tmp_path).stderr == ""
    assert not list(tmp_path.rglob("*"))


def test_a_users_wish_for_telemetry_is_not_ours(tmp_path: Path) -> None:
    run("import kith.runtime.session", tmp_path, ORT_DISABLE_TELEMETRY="0")
    assert not list(tmp_path.rglob("*"))


def test_a_program_that_imports_onnxruntime_after_kith_is_silent_too(tmp_path: Path) -> None:
    assert run("import kith, onnxruntime, kith.runtime.session", tmp_path).stderr == ""
    assert not list(tmp_path.rglob("*"))


def test_a_program_that_imported_onnxruntime_first_is_told_once(tmp_path: Path) -> None:
    program = "import onnxruntime, kith.runtime.session, kith.runtime.prepare"
    told = run(program, tmp_path).stderr
    assert "onnxruntime was imported before Kith" in told
    assert len(told.splitlines()) == 1
    assert run(program, tmp_path, ORT_DISABLE_TELEMETRY="1").stderr == ""
