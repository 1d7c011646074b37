"""What `import kith` offers, and that it does nothing."""

import json
import subprocess
import sys

import kith


def test_every_public_name_resolves() -> None:
    for name in kith.__all__:
        assert getattr(kith, name) is not None


def test_dir_lists_the_public_names() -> None:
    assert dir(kith) == sorted(kith.__all__)


def test_public_names_are_what_users_rely_on() -> None:
    assert {"Recognizer", "Gallery", "load_image", "Face", "Template", "Decision", "KithError"} <= set(
        kith.__all__
    )


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
