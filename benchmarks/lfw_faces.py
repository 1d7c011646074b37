"""Every face of Labeled Faces in the Wild, embedded once, if they are kept."""

import argparse
from pathlib import Path

import numpy as np

from kith import Recognizer
from kith.catalogue.builtin import DEFAULT_EMBEDDER
from kith.evaluation.labelled import LabelledPhotos
from kith.workflows.acquiring import acquire
from kith.workflows.people_folders import read_people


def parser(description: str) -> argparse.ArgumentParser:
    """A command line that says where LFW is, and where its embeddings are kept."""
    arguments = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--lfw", type=Path, required=True, help="LFW's folder, one folder a person")
    arguments.add_argument("--keep", type=Path, help="keep the embeddings here, or take them from here")
    arguments.add_argument("--model", default=DEFAULT_EMBEDDER, help="of `kith models list`")
    return arguments


def embed_lfw(arguments: argparse.Namespace) -> tuple[np.ndarray, LabelledPhotos]:
    """Embeddings (n, d) of the photos that gave a face, and those photos with their people."""
    people = read_people(arguments.lfw)
    acquired = acquire(Recognizer.from_pretrained(arguments.model), people.photos, keep=arguments.keep)
    rows = np.flatnonzero(acquired.acquired)
    photos = tuple(people.photos[row] for row in rows)
    return acquired.embeddings[rows], LabelledPhotos(photos, people.subjects[rows], people.names)
