"""Writes the tables of `kith.weights.shapes`, after a network was changed: python tools/write_shapes.py"""

import json
from pathlib import Path

from kith import networks
from kith.weights import shapes

FOLDER = shapes.__path__[0]
SIZE = 7  # an embedding of a length that nothing else in the networks has


def main() -> None:
    """Build each network whose files can be imported, and write down its variables."""
    for name in ("inception_resnet_v1", "mobilefacenet", "nn4_small2"):
        model = getattr(networks, name)(embedding_size=SIZE, initializer="zeros")
        lines = [
            f" {json.dumps(variable.path)}: {json.dumps(_shape(variable.shape))}"
            for variable in model.weights
        ]
        content = "{\n" + ",\n".join(lines) + "\n}\n"
        (Path(FOLDER) / f"{name}.json").write_text(content)


def _shape(shape: tuple[int, ...]) -> list[int | None]:
    *rest, last = shape
    return [*rest, None if last == SIZE else last]


if __name__ == "__main__":
    main()
