"""Nothing leaves the machine, and nothing is written but where SECURITY.md says.

A run of every kind of verb and of the library, with an empty home and without what makes libraries
keep still (`CI`), in a network of its own; see `nothing_leaves.py`.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kith.catalogue.files import cache_folder
from kith.recognizer import Recognizer
from kith.sample_people import GROUP_PHOTO, PEOPLE

SEPARATE = (
    "unshare",
    "--map-root-user",
    "--net",
    sys.executable,
    Path(__file__).with_name("nothing_leaves.py"),
)
LONG_ENOUGH = 12  # seconds; ONNX Runtime's telemetry connects within ten
HOMES = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "MPLCONFIGDIR")
SWITCHES = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK")
OURS = ("KITH_CACHE", "KITH_MODELS", "KITH_GALLERY", "KERAS_HOME", "KERAS_BACKEND", "JAX_PLATFORMS")

VERBS = """
import sys, time
begin = time.monotonic()
import kith
from kith.cli.main import run

group, some, seconds = sys.argv[1:4]


def verb(*words):
    sys.argv = ["kith", *words]
    code = run()
    assert code == 0, (words, code)


one, other = some + "/A/1.jpg", some + "/A/2.jpg"
verb("enroll", some)  # makes P-Net's network, and the embedder's in int8
verb("identify", group, "--annotate", "out.jpg")
verb("verify", one, other)
verb("detect", one, "--json")
verb("embed", one, "--output", "one.npz")
verb("cluster", some)
verb("people", "list")
verb("people", "rename", "A", "Ada")
verb("gallery", "show")
verb("gallery", "backup", "backup.db")
verb("people", "delete", "Ada", "--yes")
verb("gallery", "clean")
verb("demo", "--output", "demo.jpg")
verb("evaluate", "verification", some, "--report", "report")
verb("models", "list")
verb("models", "show", "mtcnn")
verb("models", "verify")
recognizer = kith.Recognizer.from_pretrained(precision="float32")
with kith.Gallery.open("own.db", model_id=recognizer.model_id) as gallery:
    recognizer.enroll("Ada", kith.load_image(one), gallery)
    recognizer.identify(kith.load_image(group), gallery)
kith.keras_model()
time.sleep(max(0, float(seconds) - (time.monotonic() - begin)))
"""

CALLS = """
import socket
for address in ("nowhere.example", "203.0.113.7"):
    try:
        socket.create_connection((address, 443), timeout=5)
    except OSError:
        pass
"""


def separately(*command: str | Path, home: Path) -> dict[str, object]:
    """Run a program where nothing leaves, and return what it tried."""
    environment = {
        name: value for name, value in os.environ.items() if name not in (*HOMES, *SWITCHES, *OURS)
    }
    (home / "temporary").mkdir(parents=True, exist_ok=True)
    process = subprocess.run(
        [*SEPARATE, *command],
        env=environment | {"HOME": str(home), "TMPDIR": str(home / "temporary")},
        cwd=home / "temporary",
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    told: dict[str, object] = json.loads(process.stdout.splitlines()[-1])
    assert told["code"] == 0, process.stderr
    return told


@pytest.fixture(autouse=True)
def where_networks_can_be_separated() -> None:
    if (
        not shutil.which("unshare")
        or subprocess.run([*SEPARATE, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no network of its own can be made here: needs Linux, `unshare` and the right to use it")


def test_what_is_tried_is_seen(tmp_path: Path) -> None:
    """Else the other test would hold whatever happens."""
    told = separately(sys.executable, "-c", CALLS, home=tmp_path / "home")
    assert "nowhere.example" in told["names"]
    assert told["datagrams"] >= 1
    assert told["connections"] == 1


def test_no_verb_looks_up_connects_or_writes_elsewhere(recognizer: Recognizer, tmp_path: Path) -> None:
    home, some = tmp_path / "home", tmp_path / "some"
    compiled = home / ".cache" / "kith" / "compiled"
    compiled.mkdir(parents=True)
    for path in (cache_folder() / "compiled").glob("*-float32-*"):
        if not path.name.startswith("pnet"):
            shutil.copy(path, compiled)
    for name, person in zip("AB", sorted(PEOPLE.iterdir()), strict=False):
        shutil.copytree(person, some / name)
    told = separately(sys.executable, "-c", VERBS, GROUP_PHOTO, some, str(LONG_ENOUGH), home=home)
    assert (told["names"], told["connections"], told["datagrams"]) == ([], 0, 0)
    written = {path.relative_to(home) for path in home.rglob("*") if path.is_file()}
    asked = {
        "out.jpg",
        "one.npz",
        "own.db",
        "backup.db",
        "demo.jpg",
        "report/index.html",
        "report/result.json",
    }
    elsewhere = {
        str(path)
        for path in written
        if not path.is_relative_to(".cache/kith") and not path.is_relative_to(".local/share/kith")
    }
    assert elsewhere <= {f"temporary/{name}" for name in asked}
    assert {path.name.split("-")[0] for path in compiled.iterdir()} >= {"pnet", "resnet29"}
