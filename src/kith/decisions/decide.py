"""Whether two faces are one person's (1:1), and whose a face is, if anyone's (1:N)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kith.decisions.calibration import VERIFICATION_FMR, Calibration
from kith.errors import ModelMismatch
from kith.records import Candidate, Comparison, Decision, Outcome, Policy, Subject, Template

MARGIN = 0.005
"""Two subjects who are alike enough and whose scores differ by less are ambiguous."""


def compare(
    first: Template,
    second: Template,
    calibration: Calibration,
    *,
    fmr: float = VERIFICATION_FMR,
    prior: float = 0.5,
) -> Comparison:
    """Decide whether two templates are of one person (1:1).

    Args:
        first: A template.
        second: Another, of the same model.
        calibration: Of the model.
        fmr: Share of pairs of different people that may match.
        prior: How likely one person is before the two are compared.

    Raises:
        ModelMismatch: Two different models made them.
        InvalidArgument: The rate or the prior is none.
    """
    if first.model_id != second.model_id:
        raise ModelMismatch(f"templates of {first.model_id} and {second.model_id} cannot be compared")
    policy = calibration.verification_policy(fmr)
    score = float(first.embedding @ second.embedding)
    return Comparison(
        score,
        Outcome.MATCH if score >= policy.threshold else Outcome.NON_MATCH,
        policy,
        calibration.comparisons.rate(score),
        calibration.probability(score, prior),
    )


def decide(candidates: Sequence[Candidate], policy: Policy, taken: Collection[Subject] = ()) -> Decision:
    """Decide whose face it is, if anyone's (1:N): first whether, then who.

    Args:
        candidates: Subjects in the order of likelihood; whether they are alike enough, their rates say.
        policy: With the rate that is allowed.
        taken: Subjects who are other faces of the photo.
    """
    similar = [candidate for candidate in candidates if candidate.fpir <= policy.rate]
    free = [candidate for candidate in similar if candidate.subject not in taken]
    if not free:
        return Decision(Outcome.UNKNOWN, tuple(candidates), policy, _why_unknown(candidates, similar))
    best, *others = free
    ordered = (best, *(candidate for candidate in candidates if candidate is not best))
    for other in others:
        if abs(other.score - best.score) < MARGIN:
            return Decision(
                Outcome.AMBIGUOUS, ordered, policy, f"{best.subject.name} or {other.subject.name}"
            )
    return Decision(Outcome.MATCH, ordered, policy)


def _why_unknown(candidates: Sequence[Candidate], similar: Sequence[Candidate]) -> str:
    if not candidates:
        return "no one is enrolled"
    if similar:
        return f"{similar[0].subject.name} is another face of this photo"
    return "no one enrolled is similar enough"


def decide_photo(
    candidates: Sequence[Sequence[Candidate]],
    policy: Policy,
    unfit: Mapping[int, str] | None = None,
    *,
    limit: int | None = None,
) -> list[Decision]:
    """Decide whose the faces of one photo are; nobody is there twice.

    Of two faces that would be named alike, the better-scored one keeps the name and the other is
    decided anew without it.

    Args:
        candidates: For each face, subjects in the order of likelihood.
        policy: See `decide`.
        unfit: Faces, by position, that are not good enough to decide on, and why.
        limit: How many candidates a decision lists at most; what is decided does not depend on it.

    Returns:
        One decision a face.
    """
    decisions = {
        face: Decision(Outcome.LOW_QUALITY, tuple(candidates[face]), policy, reason)
        for face, reason in (unfit or {}).items()
    }
    taken: set[Subject] = set()
    while len(decisions) < len(candidates):
        proposals = {
            face: decide(of_face, policy, taken)
            for face, of_face in enumerate(candidates)
            if face not in decisions
        }
        face, decision = max(proposals.items(), key=lambda item: (_certainty(item[1]), -item[0]))
        decisions[face] = decision
        if decision.subject is not None:
            taken.add(decision.subject)
    return [_cut(decisions[face], limit) for face in range(len(candidates))]


def _cut(decision: Decision, limit: int | None) -> Decision:
    return decision if limit is None else replace(decision, candidates=decision.candidates[:limit])


def _certainty(decision: Decision) -> tuple[bool, float, float]:
    """Matches first, the surest first."""
    if not decision.candidates:
        return False, -1.0, -1.0
    best = decision.candidates[0]
    return decision.outcome is Outcome.MATCH, -best.fpir, best.score


def threshold_at_fmr(non_mated_scores: np.ndarray, fmr: float) -> float:
    """The lowest threshold at which at most this share of non-mated scores would match.

    Args:
        non_mated_scores: (n,) scores of pairs of different people.
        fmr: Wanted false match rate, 0 to 1.

    Raises:
        ValueError: There are too few scores to show so low a rate.
    """
    count = len(non_mated_scores)
    allowed = int(np.floor(fmr * count + 1e-9))
    if count == 0 or (allowed == 0 and fmr > 0):
        raise ValueError(f"{count} non-mated scores cannot show a false match rate of {fmr:g}")
    if allowed >= count:
        return -1.0
    # the score that must not match any more, and the smallest step above it
    first_excluded = np.partition(non_mated_scores, count - allowed - 1)[count - allowed - 1]
    return float(np.nextafter(first_excluded, np.float32(2)))
