"""How sure a decision is, in plain words.

The words stand for a measured quantity: the share of strangers who would get a name at a threshold as
low as the score (FPIR), in a gallery of this size. No word is stronger than what was measured: where
the data do not carry a rate, the words for it are not used, however high the score.
"""

from collections.abc import Callable

from kith.records import Decision, IdentificationPolicy, Outcome

RUNGS = ((0.1, "perhaps"), (1e-2, "probably"), (1e-3, "very likely"), (1e-4, "almost certainly"))
"""FPIR, and what is said of a match that would still be one at that rate; the weakest first."""


def how_sure(decision: Decision, policy_at: Callable[[float], IdentificationPolicy]) -> str:
    """Say how sure a decision of one face is, in a few words.

    Args:
        decision: What was decided of the face.
        policy_at: The policy of the same gallery and classifier for a wanted FPIR; for example
            `lambda fpir: recognizer.identification_policy(gallery, fpir=fpir)`.
    """
    if decision.outcome is Outcome.LOW_QUALITY:
        return f"cannot tell: {decision.reason}"
    if decision.outcome is Outcome.AMBIGUOUS:
        return f"one of two: {decision.reason}"
    if decision.score is None:
        return f"nobody we know: {decision.reason}"
    reached = _reached(decision.score, policy_at)
    if decision.outcome is Outcome.MATCH:
        if not reached:
            return "perhaps: how many strangers look so alike was not measured"
        rate, words = reached[-1]
        return f"{words}: fewer than 1 in {1 / rate:,.0f} strangers look so alike"
    if not reached:
        return f"nobody we know: {decision.reason}"
    return f"probably nobody we know: {decision.reason}"


def _reached(score: float, policy_at: Callable[[float], IdentificationPolicy]) -> list[tuple[float, str]]:
    """The measured rungs that a score reaches, the weakest first."""
    reached = []
    for rate, words in RUNGS:
        policy = policy_at(rate)
        if policy.extrapolated or score < policy.threshold:
            break
        reached.append((rate, words))
    return reached
