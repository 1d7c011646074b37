"""Ours against a peer in the same minutes: interleaved rounds, medians, and the spread of the ratio."""

import time
from collections.abc import Callable, Iterable

import numpy as np


def interleave(
    ours: Callable[[], object],
    peer: Callable[[], object],
    rounds: int = 7,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of each by a clock, round by round, one right after the other; a first round is not counted."""
    seconds = np.array([(_seconds(ours, clock), _seconds(peer, clock)) for _ in range(rounds + 1)])
    return seconds[1:, 0], seconds[1:, 1]


def report(
    what: str, ours: np.ndarray, peer: np.ndarray, peer_name: str, *, per: str, target: float | None
) -> bool:
    """Print both medians and the ratio of every round's pair; whether the median ratio meets the target."""
    ratios = peer / ours
    median = float(np.median(ratios))
    met = target is None or median >= target
    wanted = "no target" if target is None else f"target {target:g}: {verdict(met)}"
    print(
        f"{what}: kith {1000 * np.median(ours):.1f} ms, {peer_name} {1000 * np.median(peer):.1f} ms "
        f"per {per}; ratio {median:.1f} ({ratios.min():.1f} to {ratios.max():.1f}, {len(ratios)} rounds), "
        f"{wanted}",
        flush=True,
    )
    return met


def verdict(met: bool) -> str:
    """A word for a target met or missed."""
    return "met" if met else "MISSED"


def exit_code(met: Iterable[bool]) -> int:
    """0 if every target was met, else 1."""
    return 0 if all(list(met)) else 1


def _seconds(function: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    function()
    return clock() - start
