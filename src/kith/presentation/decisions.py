"""What was decided, for programs: the same for the command line and a server."""

from typing import Any

from kith.records import Candidate, Comparison, Decision, Measure, Outcome, Policy


def policy_json(policy: Policy) -> dict[str, Any]:
    """What decided: its rate, threshold and data."""
    answer: dict[str, Any] = {
        str(policy.measure): policy.rate,
        "threshold": round(policy.threshold, 4),
        "measured_on": policy.measured_on,
        "extrapolated": policy.extrapolated,
        "group": policy.group,
        "rates": {name: _rate(rate) for name, rate in policy.rates},
    }
    if policy.measure is Measure.FPIR:
        answer["people"] = policy.people
    return answer


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """What was decided of two faces."""
    return {
        "decision": str(comparison.outcome),
        "score": round(comparison.score, 4),
        "score_fmr": _rate(comparison.fmr),
        "probability": round(comparison.probability, 6),
        "policy": policy_json(comparison.policy),
    }


def decision_json(decision: Decision) -> dict[str, Any]:
    """What was decided of a face that was searched for."""
    return {
        "decision": str(decision.outcome),
        "subject": decision.subject.name if decision.subject else None,
        "score": None if decision.score is None else round(decision.score, 4),
        "reason": decision.reason,
        "candidates": [_candidate_json(candidate) for candidate in decision.candidates],
        "policy": policy_json(decision.policy),
    }


def who(decision: Decision) -> str:
    """A name, or what is said in its place."""
    if decision.subject is not None:
        return decision.subject.name
    return "low quality" if decision.outcome is Outcome.LOW_QUALITY else str(decision.outcome)


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "subject": candidate.subject.name,
        "score": round(candidate.score, 4),
        "fpir": _rate(candidate.fpir),
    }
    if candidate.probability is not None:
        answer["probability"] = round(candidate.probability, 4)
    return answer


def _rate(value: float) -> float:
    """To two digits: no rate is known better."""
    return float(f"{value:.2g}")
