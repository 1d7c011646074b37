"""Do promised rates hold on other people, within each sex and at each number of references?

Claim: calibrated within sexes on one half of LFW's people, the rates measured on the other half, between two
women, between two men, and in galleries of women and of men with 1, 3 and 10 references a person, are in the
median of ten splits at most 1.5 times what was promised, and in nine of ten an interval of 95 % reaches down
to that. Beside it what is promised without groups, as all peers do who promise anything.

    python benchmarks/promises.py --lfw LFW_DIR --groups GROUPS_CSV [--model ID] [--keep FILE]
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from lfw_faces import embed_lfw, parser
from timing import exit_code, verdict

from kith.workflows.calibrating import fit_calibration
from kith.workflows.evaluating import labels_of_photos
from kith.workflows.evaluating_transfer import Promise, evaluate_transfer

SPLITS = range(10)
MOST = 1.5  # times the promise


def main() -> None:
    """Print promised beside measured rates."""
    arguments = parser(__doc__)
    arguments.add_argument("--groups", type=Path, required=True, help="lfw_groups.csv")
    options = arguments.parse_args()
    embeddings, people = embed_lfw(options)
    labels = labels_of_photos(people.photos, options.lfw, options.groups)
    acquired = np.any(embeddings, axis=1)
    found: dict[str, dict[tuple[str, str, int], list[Promise]]] = {}
    for seed in SPLITS:
        half = np.random.default_rng(seed).permutation(len(people.names)) < len(people.names) // 2
        known, others = acquired & half[people.subjects], acquired & ~half[people.subjects]
        for way, groups in (("within sexes", labels[known]), ("over everyone", None)):
            calibration = fit_calibration(
                embeddings[known], people.subjects[known], "one half", groups=groups, seed=seed
            )
            for promise in evaluate_transfer(
                calibration, embeddings[others], people.subjects[others], labels[others], seed=seed
            ):
                key = (str(promise.policy.measure), promise.group, promise.references)
                found.setdefault(way, defaultdict(list))[key].append(promise)
    met = [_tell(way, key, promises) for way, rows in found.items() for key, promises in rows.items()]
    held = [ok for (way, ok) in met if way == "within sexes"]
    print(f"medians at most {MOST} times the promise, intervals in nine of ten: {verdict(all(held))}")
    sys.exit(exit_code(held))


def _tell(way: str, key: tuple[str, str, int], promises: list[Promise]) -> tuple[str, bool]:
    measure, group, references = key
    ratios = [promise.ratio for promise in promises]
    reach = sum(promise.measured.low <= MOST * promise.policy.rate for promise in promises)
    extrapolated = sum(promise.policy.extrapolated for promise in promises)
    missed = np.median([promise.missed.value for promise in promises])
    print(
        f"{way:14} {measure} {promises[0].policy.rate:g}, {group}, {references} references, "
        f"{promises[0].people} people: median {np.median(ratios):.2f} times ({min(ratios):.2f} to "
        f"{max(ratios):.2f}), intervals reach in {reach} of {len(promises)}, extrapolated {extrapolated}; "
        f"missed {missed:.2%}",
        flush=True,
    )
    enough = reach >= 0.9 * len(promises)
    return way, enough and (np.median(ratios) <= MOST or extrapolated == len(promises))


if __name__ == "__main__":
    main()
