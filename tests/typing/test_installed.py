"""An installed Kith tells type checkers what its calls take and return."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("program.py")


def run(*command: str | Path, **environment: str) -> str:
    env = os.environ | environment
    process = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without a network: what builds it is here already."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python where this wheel is installed, beside all else that is installed here."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    (site,) = folder.glob("**/site-packages")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--no-deps", "--no-index", "--no-compile", wheel)
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return python


def test_the_wheel_says_that_it_is_typed(wheel: Path) -> None:
    assert "kith/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_a_program_is_checked_strictly(python: Path, pytestconfig: pytest.Config) -> None:
    cache = pytestconfig.cache.mkdir("mypy")
    settings = ("--strict", "--config-file=", "--cache-dir", cache, "--python-executable", python)
    answer = run(sys.executable, "-m", "mypy", *settings, PROGRAM, PYTHONPATH="", MYPYPATH="")
    assert answer.startswith("Success")
