"""Files made to take minutes or all memory are refused by a bound, one by one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("attacks.py")
SCALE = 0.06  # of an attacker's size, which is enough to be above every bound

COMPLAINTS = {
    "graph_of_empty_nodes": "more fields than",
    "graph_of_empty_fields": "more fields than",
    "graph_of_empty_attributes": "more fields than",
    "pickle_of_empty_lists": "more than 600,000 instructions",
    "pickle_of_marks": "more than 600,000 instructions",
    "legacy_pickle_of_empty_lists": "more than 600,000 instructions",
    "pickle_of_a_long_text": "damaged or cut off",
    "one_dict_under_many_names": "it holds no tensors",
    "zip_of_many_members": "its directory is longer",
    "zip_of_many_extra_fields": "its directory is longer",
    "zip_of_overlapping_members": "its members overlap",
    "zip_of_swollen_shards": "too large for weights",
    "keras_archive_of_zeros": "too large for weights",
    "index_that_names_a_block_often": "a block that is named twice",
    "index_of_many_entries": "more entries than",
    "index_of_long_names": "an entry beyond its block",
    "index_of_many_fields": "more fields than",
    "data_that_is_a_device": "a folder, a pipe or a device",
    "data_that_is_a_pipe": "a folder, a pipe or a device",
    "data_that_is_sparse": "its variables are larger than",
    "index_that_is_a_pipe": "a folder, a pipe or a device",
    "file_that_is_a_pipe": "a folder, a pipe or a device",
    "file_that_is_a_device": "a folder, a pipe or a device",
    "file_that_is_sparse": "above 384 MiB",
    "hdf5_that_leads_to_a_pipe": "'model_weights' is a link",
    "hdf5_of_many_entries": "more groups than",
    "hdf5_of_many_chunks": "compressed or in chunks",
    "hdf5_of_long_names": "more or longer texts than",
    "torch7_of_nothing": "more objects than",
    "torch7_of_shared_modules": "more modules than",
    "mxnet_of_small_arrays": "more arrays than",
    "safetensors_of_a_long_header": "larger than any network",
    "dlib_of_empty_layers": "it has 30 convolutions",
    "mtcnn_of_empty_lists": "more than 600,000 instructions",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each attack was answered, all under a memory limit of 1 GB."""
    result = subprocess.run(
        [sys.executable, PROGRAM, tmp_path_factory.mktemp("attacks"), str(SCALE)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    reports = map(json.loads, result.stdout.splitlines())
    return {report["name"]: report["error"] for report in reports}


@pytest.mark.parametrize("name", COMPLAINTS)
def test_attack(name: str, answers: dict[str, str]) -> None:
    assert COMPLAINTS[name] in answers[name]
    assert "\n" not in answers[name] and len(answers[name]) < 300


def test_every_attack_is_tried(answers: dict[str, str]) -> None:
    assert answers.keys() == COMPLAINTS.keys()
