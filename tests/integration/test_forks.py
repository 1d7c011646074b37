"""A recognizer in other processes: forked while it works, pickled, copied."""

import copy
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from forking import needs_fork

from kith.detection.mtcnn import MTCNN, DetectionSettings
from kith.recognizer import Recognizer
from kith.sample_people import PEOPLE

_BEGIN = """
import multiprocessing, os, sys, threading
import kith

PEOPLE = sys.argv[1] + "/"


def look(name):
    return [decision.subject.name for _, decision in recognizer.identify(photo(name), gallery)]


def photo(name):
    return kith.load_image(PEOPLE + name + "/1.jpg")


def enroll():
    for name in NAMES:
        recognizer.enroll(name, photo(name), gallery)


NAMES = sorted(os.listdir(PEOPLE))[:3]
"""

_FORKED_WHILE_BUSY = """
recognizer = kith.Recognizer.from_pretrained(precision="float32")
gallery = kith.Gallery.open(sys.argv[2], model_id=recognizer.model_id)
enroll()
stop = threading.Event()
busy = [threading.Thread(target=lambda: [look(NAMES[0]) for _ in iter(stop.is_set, True)]) for _ in range(2)]
for thread in busy:
    thread.start()
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(look, NAMES, chunksize=1) == [[name] for name in NAMES]
stop.set()
for thread in busy:
    thread.join()
"""

_PRELOADED = """
recognizer = kith.Recognizer.from_pretrained(precision="float32")
gallery = kith.Gallery.open(sys.argv[2], model_id=recognizer.model_id)
enroll()
workers = []
for name in [*NAMES[:2], ""]:  # the last one has nothing to do
    worker = os.fork()
    if worker == 0:
        sys.exit(look(name) != [name] if name else 0)  # with all that Python frees at its end
    workers.append(worker)
assert [os.waitpid(worker, 0)[1] for worker in workers] == [0, 0, 0]
"""

_PICKLED = """
def begin(pickled):
    global recognizer
    recognizer = pickled


def count(name):
    return len(recognizer.detect(photo(name)))


if __name__ == "__main__":
    recognizer = kith.Recognizer.from_pretrained(precision="float32", threads=1)
    recognizer.detect(photo(NAMES[0]))
    with multiprocessing.get_context("spawn").Pool(1, begin, (recognizer,)) as pool:
        assert pool.map(count, NAMES) == [1, 1, 1]
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(_FORKED_WHILE_BUSY, marks=needs_fork),
        pytest.param(_PRELOADED, marks=needs_fork),
        _PICKLED,
    ],
    ids=["forked-while-busy", "preloaded", "pickled"],
)
def test_other_processes(program: str, recognizer: Recognizer, tmp_path: Path) -> None:
    """A process that hangs is killed after a minute: then this fails."""
    script = tmp_path / "program.py"
    script.write_text(_BEGIN + program, "utf-8")
    command = [sys.executable, script, PEOPLE, tmp_path / "gallery.db"]
    subprocess.run(command, check=True, timeout=90)


def test_a_copy_has_the_same_settings(recognizer: Recognizer) -> None:
    detection = DetectionSettings(min_face_size=40)
    first = Recognizer.from_pretrained(precision="float32", detection=detection, threads=1)
    first.calibration = replace(recognizer.calibration, measured_on="something else")
    for second in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert second.recipe == first.recipe
        assert second.detector.settings == detection
        assert second.settings == first.settings
        assert second.calibration == first.calibration


def test_what_is_the_programs_own_cannot_be_pickled(recognizer: Recognizer) -> None:
    own = Recognizer(
        recognizer.detector,
        recognizer.embedder,
        recognizer.spec,
        recognizer.calibration,
        recognizer.precision,
    )
    with pytest.raises(TypeError, match="of your own .*cannot be pickled or copied"):
        pickle.dumps(own)
    with pytest.raises(TypeError, match="of your own .*cannot be pickled or copied"):
        copy.copy(MTCNN(None, None, None))
