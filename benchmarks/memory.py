"""Claim: memory does not grow: less than 20 MB between the 1,000th and the 10,000th photo.

One Recognizer detects, aligns and embeds LFW photos, every third of them at a size never seen before.

    python benchmarks/memory.py --lfw ../shared/data/lfw
"""

import argparse
import random
import sys
from pathlib import Path

import psutil
from photos import sample, single
from timing import exit_code, verdict

import kith

LIMIT = 20  # MB


def main() -> int:
    """Run it; 1 if the target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lfw", type=Path, required=True)
    parser.add_argument("--warm-up", type=int, default=1_000)
    parser.add_argument("--photos", type=int, default=10_000)
    options = parser.parse_args()

    recognizer = kith.Recognizer.from_pretrained()
    files, draw = sample(options.lfw, options.photos), random.Random(0)
    before = highest = 0.0
    for number in range(1, options.photos + 1):
        file = files[number % len(files)]
        image = kith.load_image(file) if number % 3 else single(file, draw.randint(100, 500)).image
        recognizer.analyze(image)
        if number == options.warm_up:
            before = megabytes()
        if number % options.warm_up == 0:
            highest = max(highest, megabytes())
            print(f"after {number} photos: {megabytes():.1f} MB", flush=True)
    grown = megabytes() - before
    met = grown < LIMIT
    print(
        f"memory from photo {options.warm_up} to {options.photos}: {grown:+.1f} MB "
        f"(highest {highest:.1f} MB), limit {LIMIT} MB: {verdict(met)}"
    )
    return exit_code([met])


def megabytes() -> float:
    """Of this process, resident."""
    return psutil.Process().memory_info().rss / 1e6


if __name__ == "__main__":
    sys.exit(main())
