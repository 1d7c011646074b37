"""Embeddings -> scores -> decisions. A score is a cosine: larger is more alike, everywhere."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from kith.errors import ModelMismatch
from kith.records import (
    Candidate,
    Comparison,
    Decision,
    DecisionPolicy,
    IdentificationPolicy,
    Outcome,
    Subject,
    Template,
)


def compare(first: Template, second: Template, policy: DecisionPolicy) -> Comparison:
    """Decide whether two templates are of one person (1:1).

    Raises:
        ModelMismatch: Two different models made them.
    """
    if first.model_id != second.model_id:
        raise ModelMismatch(f"templates of {first.model_id} and {second.model_id} cannot be compared")
    score = float(first.embedding @ second.embedding)
    outcome = Outcome.MATCH if score >= policy.threshold else Outcome.NON_MATCH
    return Comparison(score, outcome, policy)


def decide(
    candidates: Sequence[Candidate], policy: IdentificationPolicy, taken: Collection[Subject] = ()
) -> Decision:
    """Decide whose face it is, if anyone's (1:N): first whether, then who.

    Args:
        candidates: Subjects in the order of likelihood; the gate looks at their scores only.
        policy: Threshold of the gate, and the margin within which two subjects are ambiguous.
        taken: Subjects who are other faces of the photo.
    """
    similar = [candidate for candidate in candidates if candidate.score >= policy.threshold]
    free = [candidate for candidate in similar if candidate.subject not in taken]
    if not free:
        return Decision(Outcome.UNKNOWN, tuple(candidates), _why_unknown(candidates, similar))
    best, *others = free
    ordered = (best, *(candidate for candidate in candidates if candidate is not best))
    for other in others:
        if other.score > best.score - policy.margin:
            return Decision(Outcome.AMBIGUOUS, ordered, f"{best.subject.name} or {other.subject.name}")
    return Decision(Outcome.MATCH, ordered)


def _why_unknown(candidates: Sequence[Candidate], similar: Sequence[Candidate]) -> str:
    if not candidates:
        return "no one is enrolled"
    if similar:
        return f"{similar[0].subject.name} is another face of this photo"
    return "no one enrolled is similar enough"


def decide_photo(
    candidates: Sequence[Sequence[Candidate]],
    policy: IdentificationPolicy,
    unfit: Mapping[int, str] | None = None,
) -> list[Decision]:
    """Decide whose the faces of one photo are; nobody is there twice.

    Of two faces that would be named alike, the better-scored one keeps the name and the other is
    decided anew without it.

    Args:
        candidates: For each face, subjects in the order of likelihood.
        policy: See `decide`.
        unfit: Faces, by position, that are not good enough to decide on, and why.

    Returns:
        One decision a face.
    """
    decisions = {
        face: Decision(Outcome.LOW_QUALITY, tuple(candidates[face]), reason)
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
    return [decisions[face] for face in range(len(candidates))]


def _certainty(decision: Decision) -> float:
    """Matches first, the best first."""
    score = decision.score if decision.score is not None else -1.0
    return score + (10.0 if decision.outcome is Outcome.MATCH else 0.0)


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
