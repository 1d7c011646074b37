"""How sure a decision is, in plain words.

The words stand for a measured quantity: the share of strangers who would get a name at a threshold as
low as the score (FPIR), in a gallery of this size. No word is stronger than what was measured: where
the data do not carry a rate, the words for it are not used, however high the score.
"""

from kith.decisions.groups import EVERYONE
from kith.records import Decision, Outcome, Policy

RUNGS = ((0.1, "perhaps"), (1e-2, "probably"), (1e-3, "very likely"), (1e-4, "almost certainly"))
"""FPIR, and what is said of a match that would still be one at that rate; the weakest first."""


def how_sure(decision: Decision) -> str:
    """Say how sure a decision of one face is, in a few words."""
    if decision.outcome is Outcome.LOW_QUALITY:
        return f"cannot tell: {decision.reason}"
    if decision.outcome is Outcome.AMBIGUOUS:
        return f"one of two: {decision.reason}"
    reached = _reached(decision)
    if decision.outcome is Outcome.MATCH:
        if not reached:
            return "perhaps: how many strangers look so alike was not measured"
        rate, words = reached[-1]
        return f"{words}: fewer than 1 in {1 / rate:,.0f} strangers look so alike"
    if not reached:
        return f"nobody we know: {decision.reason}"
    return f"probably nobody we know: {decision.reason}"


def among(policy: Policy) -> str:
    """For whom a policy's rate holds: the group that is worst, and what the others' rates are at most."""
    others = [rate for name, rate in policy.rates if name not in (EVERYONE, policy.group)]
    if policy.group in ("", EVERYONE):
        return ""
    return f" among {policy.group}" + (f", at most {max(others):.2g} among others" if others else "")


def _reached(decision: Decision) -> list[tuple[float, str]]:
    """The rungs that the best candidate reaches, so far as they were measured; the weakest first."""
    if not decision.candidates:
        return []
    least = max(decision.candidates[0].fpir, decision.policy.lowest)
    return [(rate, words) for rate, words in RUNGS if least <= rate * (1 + 1e-9)]
