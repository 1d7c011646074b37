"""Claim: `kith identify` of one 640 px photo answers within 1.5 s from a fresh process, without Keras.

The models are compiled before. The peer is face_recognition's own command on the same photo and one
known person.

    python benchmarks/startup.py --lfw ../shared/data/lfw
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from photos import sample, single
from timing import exit_code, interleave, verdict

LIMIT = 1.5  # seconds
HEAVY = {"keras", "jax", "tensorflow", "torch", "sklearn", "onnx"}
LIST_MODULES = """
import json, sys
from kith.cli.main import run
code = run()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
sys.exit(code)
"""


def main() -> int:
    """Run it; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lfw", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        photo, people, gallery = Path(folder, "photo.jpg"), Path(folder, "people"), Path(folder, "g.db")
        (file,) = sample(options.lfw, 1)
        (people / "Ada").mkdir(parents=True)
        shutil.copy(file, people / "Ada" / "ada.jpg")
        shutil.copy(file, people / "ada.jpg")  # the peer wants people side by side
        cv2.imwrite(str(photo), single(file).image[:, :, ::-1])
        binaries = Path(sys.executable).parent
        run([binaries / "kith", "enroll", people, "--gallery", gallery])
        identify = ["identify", photo, "--gallery", gallery, "--json"]
        ours, peer = interleave(
            lambda: run([binaries / "kith", *identify]),
            lambda: run([binaries / "face_recognition", people, photo]),
            options.rounds,
        )
        answer = run([sys.executable, "-c", LIST_MODULES, *identify])
    heavy = HEAVY & set(json.loads(answer.stderr.splitlines()[-1]))
    in_time = bool(np.median(ours) <= LIMIT)
    print(
        f"fresh process, one photo of 640 px: kith {np.median(ours):.2f} s "
        f"({ours.min():.2f} to {ours.max():.2f}), face_recognition {np.median(peer):.2f} s, "
        f"ratio {np.median(peer / ours):.1f}; limit {LIMIT} s: {verdict(in_time)}"
    )
    print(f"heavy packages imported: {', '.join(sorted(heavy)) or 'none'}: {verdict(not heavy)}")
    return exit_code([in_time, not heavy])


def run(command: list[object]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; it must succeed."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{result.stderr}")
    return result


if __name__ == "__main__":
    sys.exit(main())
