"""The curves of training runs, side by side: the picture in docs/training.md.

    python tools/plot_curves.py docs/training-curves.svg "triplets=runs/a" "ArcFace=runs/b"

Each run is a folder that `kith train` left, with a name before it.
"""

import argparse
import csv
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

mpl.rcParams["svg.hashsalt"] = "kith"  # the same picture from the same runs


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("picture", type=Path)
    parser.add_argument("runs", nargs="+", metavar="NAME=FOLDER")
    options = parser.parse_args()
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for number, run in enumerate(options.runs):
        name, folder = run.split("=", 1)
        colour = f"C{number}"
        steps, scores = read(Path(folder) / "validation.csv", "score")
        panels[0].plot(steps, [100 * score for score in scores], color=colour, label=name)
        steps, losses = read(Path(folder) / "steps.csv", "loss")
        panels[1].plot(steps, relative(losses), color=colour, label=name)
    panels[0].set(xlabel="step", ylabel="true match rate at FMR 0.001, %", title="people held out")
    panels[1].set(xlabel="step", ylabel="loss, in parts of its first", title="people it learns from")
    panels[0].legend(frameon=False)
    figure.savefig(options.picture, metadata={"Date": None})


def read(file: Path, column: str) -> tuple[list[int], list[float]]:
    """Steps, and a column's values at them."""
    with file.open(encoding="utf-8") as rows:
        pairs = [(int(row["step"]), float(row[column])) for row in csv.DictReader(rows)]
    return [step for step, _ in pairs], [value for _, value in pairs]


def relative(losses: list[float], window: int = 20) -> list[float]:
    """A moving mean over the last steps, divided by the first loss."""
    means = []
    for end in range(1, len(losses) + 1):
        recent = losses[max(end - window, 0) : end]
        means.append(sum(recent) / len(recent) / losses[0])
    return means


if __name__ == "__main__":
    main()
