"""Claim: `kith identify` names the faces of 500 photos at least 1.6 times faster than one after the other.

Both ways name the same faces with the same scores, to the bit. In one process: `analyze_photos`, as the verbs
use it, beside a loop with `Recognizer.identify`. As whole programs: `kith identify --jsonl`, beside a program
with that loop; or, with --before, beside `kith identify` of another checkout. Half of the photos are LFW's as
they are, half are enlarged to 640 pixels.

    python benchmarks/many_photos.py --lfw ../shared/data/lfw
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import psutil
from photos import sample, single
from timing import exit_code, interleave, report

import kith
from kith.images.reading import read_photo
from kith.records import Decision
from kith.runtime.cores import available_cores
from kith.sample_people import PEOPLE
from kith.workflows.enrolling import enroll_folder
from kith.workflows.pipeline import analyze_photos

Decisions = list[list[Decision]]

TARGET = 1.6
ROUNDS = 5
ONE_AFTER_THE_OTHER = """
import json, sys
from pathlib import Path
import kith
from kith.presentation.decisions import decision_json
from kith.presentation.faces import face_json

recognizer = kith.Recognizer.from_pretrained()
with kith.Gallery.open(sys.argv[1], model_id=recognizer.model_id) as gallery:
    for file in sorted(Path(sys.argv[2]).iterdir()):
        found = recognizer.identify(kith.load_image(file), gallery)
        faces = [face_json(face) | decision_json(decision) for face, decision in found]
        print(json.dumps({"image": str(file), "faces": faces}), flush=True)
"""
IDENTIFY = "from kith.cli.main import main; main()"


def main() -> int:
    """Run it; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lfw", type=Path, required=True)
    parser.add_argument("--before", type=Path, help="The src folder of another checkout to run beside this.")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        photos, file = Path(folder) / "photos", Path(folder) / "gallery.db"
        photos.mkdir()
        lay_out(sample(options.lfw, options.count), photos)
        files = sorted(photos.iterdir())
        recognizer = kith.Recognizer.from_pretrained()
        with kith.Gallery.open(file, model_id=recognizer.model_id) as gallery:
            enroll_folder(PEOPLE, gallery, recognizer)
            print(f"{free_cores():.1f} of {available_cores()} cores are free")
            require_same(
                side_by_side(recognizer, gallery, files[:40]), one_by_one(recognizer, gallery, files[:40])
            )
            in_process = interleave(
                lambda: side_by_side(recognizer, gallery, files),
                lambda: one_by_one(recognizer, gallery, files),
                options.rounds,
            )
        before = [IDENTIFY, "identify", str(photos), "-g", str(file), "--jsonl"]
        loop = [ONE_AFTER_THE_OTHER, str(file), str(photos)] if options.before is None else before
        programs = interleave(lambda: run(before, None), lambda: run(loop, options.before), options.rounds)
        met = []
        for what, seconds in (("in one process", in_process), ("as programs", programs)):
            each = [part / len(files) for part in seconds]
            met.append(report(f"{len(files)} photos {what}", *each, "one by one", per="photo", target=TARGET))
        print(f"{free_cores():.1f} of {available_cores()} cores are free")
    return exit_code(met)


def lay_out(files: list[Path], folder: Path) -> None:
    """Half of the photos as they are, half at 640 pixels."""
    for number, file in enumerate(files):
        target = folder / f"{number:04}.jpg"
        if number % 2:
            target.symlink_to(file.resolve())
        else:
            cv2.imwrite(str(target), single(file).image[:, :, ::-1])


def side_by_side(
    recognizer: kith.Recognizer, gallery: kith.Gallery, files: list[Path]
) -> list[list[Decision]]:
    """As `kith identify` does it."""
    outcomes = analyze_photos(recognizer, files, read_photo)
    return [recognizer.identify_samples(outcome.get().samples, gallery) for outcome in outcomes]


def one_by_one(recognizer: kith.Recognizer, gallery: kith.Gallery, files: list[Path]) -> Decisions:
    """One photo after the other."""
    found = (recognizer.identify(kith.load_image(file), gallery) for file in files)
    return [[decision for _, decision in faces] for faces in found]


def require_same(ours: Decisions, theirs: Decisions) -> None:
    """Make sure that both ways decide the same, with the same scores."""
    first, second = (
        [(one.outcome, one.subject, one.score) for faces in found for one in faces]
        for found in (ours, theirs)
    )
    if first != second:
        sys.exit("the two ways do not decide the same")
    print(f"the same {len(first)} decisions, with the same scores")


def run(program: list[str], source: Path | None) -> None:
    """Run a program in a process of its own."""
    environment = os.environ if source is None else os.environ | {"PYTHONPATH": str(source.resolve())}
    subprocess.run([sys.executable, "-c", *program], env=environment, stdout=subprocess.DEVNULL, check=True)


def free_cores(seconds: float = 2.0) -> float:
    """How many cores nobody else uses now."""
    before = psutil.cpu_times()
    time.sleep(seconds)
    after = psutil.cpu_times()
    return min((after.idle - before.idle) / seconds, available_cores())


if __name__ == "__main__":
    sys.exit(main())
