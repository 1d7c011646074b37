"""Once models are compiled, recognizing a face imports no training framework."""

import json
import subprocess
import sys
from pathlib import Path

from kith.gallery import Gallery
from kith.recognizer import Recognizer
from kith.sample_people import GROUP_PHOTO


def test_identify_imports_no_keras(recognizer: Recognizer, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    with Gallery.open(gallery, model_id=recognizer.model_id):
        pass
    program = (
        "import json, sys\n"
        "from kith.cli.main import run\n"
        f"sys.argv = ['kith', 'identify', {str(GROUP_PHOTO)!r}, '--gallery', {str(gallery)!r},"
        " '--precision', 'float32', '--json']\n"
        "code = run()\n"
        "print(json.dumps([code, sorted({name.split('.')[0] for name in sys.modules})]), file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    code, modules = json.loads(process.stderr.splitlines()[-1])
    assert code == 0
    assert json.loads(process.stdout)[0]["faces"]
    assert not {
        "keras",
        "jax",
        "tensorflow",
        "torch",
        "onnx",
        "sklearn",
        "mtcnn",
        "face_recognition_models",
    } & set(modules)
