"""Each third-party package has one home: what is imported elsewhere can be exchanged only everywhere."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src" / "kith"
ANYWHERE = {"cv2", "numpy", "scipy"}
HOMES = {
    "PIL": ("images/", "alignment.py", "presentation/annotate.py"),
    "click": ("cli/",),
    "google_crc32c": ("weights/crc32c.py",),
    "grain": ("training/",),
    "h5py": ("weights/",),
    "httpx": ("catalogue/download.py",),
    "jax": ("training/",),
    "jinja2": ("presentation/report.py",),
    "keras": ("networks/", "training/", "runtime/compile.py", "runtime/keras_models.py"),
    "lz4": ("weights/",),
    "markupsafe": ("presentation/report.py",),
    "matplotlib": ("presentation/plots.py",),
    "ml_dtypes": ("weights/",),
    "onnx": ("runtime/",),
    "onnxruntime": ("runtime/session.py", "runtime/quantize.py"),
    "pillow_heif": ("images/reading.py",),
    "platformdirs": ("folders.py",),
    "rich": ("cli/",),
    "safetensors": ("runtime/workshop.py", "weights/"),
    "sklearn": ("decisions/svm.py", "workflows/calibrating.py", "workflows/calibrating_searches.py"),
    "sqlalchemy": ("gallery/",),
    "tensorboardX": ("training/",),
    "typer": ("cli/",),
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).partition(".")[0]


IMPORTS = {path.relative_to(SOURCES).as_posix(): set(imports(path)) for path in SOURCES.rglob("*.py")}


@pytest.mark.parametrize("package", HOMES)
def test_a_package_is_imported_at_home_only(package: str) -> None:
    importers = {file for file, packages in IMPORTS.items() if package in packages}
    assert {file for file in importers if not file.startswith(HOMES[package])} == set()


def test_every_package_has_a_home() -> None:
    ours = {"kith"} | sys.stdlib_module_names
    assert set().union(*IMPORTS.values()) - ours <= HOMES.keys() | ANYWHERE


@pytest.mark.parametrize("package", sorted(set(HOMES) - {"click"}))
def test_a_home_is_lived_in(package: str) -> None:
    for home in HOMES[package]:
        assert any(file.startswith(home) and package in packages for file, packages in IMPORTS.items()), home
