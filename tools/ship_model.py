"""Turn a model that `kith distill` installed into the file that ships with Kith, and print its entry.

python tools/ship_model.py kith-mini src/kith/catalogue/kith-mini.safetensors
"""

import argparse
import hashlib
from pathlib import Path

from kith.catalogue.files import read_weights
from kith.catalogue.installed import read_card
from kith.files import write_atomically
from kith.weights.compact import write_compact
from kith.weights.safetensors import read_safetensors


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model_id")
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    spec = read_card(options.model_id)
    content = write_compact(read_safetensors(read_weights(spec.weights)))
    write_atomically(options.file, content)
    print(f"sha256={hashlib.sha256(content).hexdigest()!r}, size={len(content):_}")
    print(spec)


if __name__ == "__main__":
    main()
