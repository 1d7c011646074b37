"""What was measured, for programs: the same for the command line and a server."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kith.evaluation.bootstrap import Estimate
from kith.evaluation.clusters import Agreement
from kith.evaluation.groups import GroupResult
from kith.presentation.decisions import policy_json
from kith.recognizer import Recognizer
from kith.records import Measure
from kith.workflows.evaluating_clusters import Clustered
from kith.workflows.evaluating_pairs import Verified
from kith.workflows.evaluating_searches import Identified
from kith.workflows.evaluating_transfer import Promise


def verification_json(recognizer: Recognizer, verified: Verified) -> dict[str, Any]:
    """The figures."""
    result, folds, point = verified.result, verified.folds, verified.result.at_policy
    answer: dict[str, Any] = {
        "model": recognizer.model_id,
        "precision": str(recognizer.precision),
        "device": str(recognizer.device),
        "pairs": result.mated + result.non_mated,
        "mated": result.mated,
        "non_mated": result.non_mated,
        "failures_to_acquire": verified.acquired.failures,
        "pairs_not_acquired": result.not_acquired,
    }
    if folds is not None:
        answer |= {"accuracy_mean": round(folds.mean, 6), "accuracy_std": round(folds.std, 6)}
    answer |= {
        "eer": estimate_json(result.eer),
        "auc": estimate_json(result.auc),
        "tar_at_fmr": {f"{fmr:g}": round(1 - fnmr.value, 6) for fmr, fnmr in result.fnmr_at_fmr.items()},
        "fnmr_at_fmr": {f"{fmr:g}": estimate_json(fnmr) for fmr, fnmr in result.fnmr_at_fmr.items()},
        "threshold_at_fmr": {f"{fmr:g}": round(at, 4) for fmr, at in result.threshold_at_fmr.items()},
        "fmr_not_shown": [f"{fmr:g}" for fmr in result.too_low],
    }
    if point is not None:
        answer["at_model_threshold"] = {
            "threshold": round(point.threshold, 4),
            "fmr": estimate_json(point.fmr),
            "fnmr": estimate_json(point.fnmr),
        }
    if verified.groups:
        answer["groups"] = [_group_json(group) for group in verified.groups]
    return answer


def _group_json(group: GroupResult) -> dict[str, Any]:
    return {
        "label": group.label,
        "people": group.people,
        "mated": group.mated,
        "non_mated": group.non_mated,
        "fmr": None if group.fmr is None else estimate_json(group.fmr),
        "fnmr": None if group.fnmr is None else estimate_json(group.fnmr),
    }


def identification_json(recognizer: Recognizer, identified: Identified) -> dict[str, Any]:
    """The figures."""
    result, point = identified.result, identified.result.at_policy
    answer: dict[str, Any] = {
        "model": recognizer.model_id,
        "precision": str(recognizer.precision),
        "device": str(recognizer.device),
        "classifier": str(identified.rule.classifier),
        "people": result.people,
        "references": result.references,
        "mated_searches": result.mated,
        "stranger_searches": result.strangers,
        "failures_to_acquire": identified.acquired.failures,
        "rank": {str(rank): estimate_json(found) for rank, found in result.ranks.items()},
        "fnir_at_fpir": {f"{fpir:g}": estimate_json(fnir) for fpir, fnir in result.fnir_at_fpir.items()},
        "threshold_at_fpir": {f"{fpir:g}": round(at, 4) for fpir, at in result.threshold_at_fpir.items()},
        "fpir_not_shown": [f"{fpir:g}" for fpir in result.too_low],
        "growth": [
            {
                "people": size.people,
                "fpir": None if np.isnan(size.fpir) else round(size.fpir, 6),
                "predicted": round(size.predicted, 6),
            }
            for size in identified.growth
        ],
    }
    if point is not None:
        answer["at_model_threshold"] = {
            "threshold": round(point.threshold, 4),
            "policy": policy_json(identified.rule.policy),
            "fpir": estimate_json(point.fpir),
            "fnir": estimate_json(point.fnir),
        }
    return answer


def clusters_json(recognizer: Recognizer, clustered: Clustered) -> dict[str, Any]:
    """The figures of clusters."""
    result = clustered.result
    return {
        "model": recognizer.model_id,
        "precision": str(recognizer.precision),
        "device": str(recognizer.device),
        "faces": result.faces,
        "people": result.people,
        "clusters": result.clusters,
        "bcubed": _agreement_json(result.bcubed),
        "pairwise": _agreement_json(result.pairwise),
        "failures_to_acquire": clustered.acquired.failures,
    }


def transfer_json(recognizer: Recognizer, promises: Sequence[Promise]) -> dict[str, Any]:
    """Promised rates beside those that were measured."""
    return {
        "model": recognizer.model_id,
        "precision": str(recognizer.precision),
        "promises": [
            {
                "group": promise.group,
                "people": promise.people,
                "references": promise.references,
                "policy": policy_json(promise.policy),
                "measured": estimate_json(promise.measured),
                "times_the_promise": round(promise.ratio, 3),
                _missed(promise): estimate_json(promise.missed),
            }
            for promise in promises
        ],
    }


def transfer_table(promises: Sequence[Promise]) -> tuple[tuple[str, ...], list[list[str]]]:
    """The same, one row a promise."""
    rows = [
        [
            promise.group,
            "two faces" if promise.policy.measure is Measure.FMR else f"{promise.people:,} people",
            f"{promise.references:,}",
            f"{str(promise.policy.measure).upper()} {promise.policy.rate:g}"
            + " (extrapolated)" * promise.policy.extrapolated,
            str(promise.measured),
            f"{promise.ratio:.2f}",
            f"{_missed(promise).upper()} {promise.missed}",
        ]
        for promise in promises
    ]
    return ("group", "compared", "references", "promised", "measured", "times", "missed"), rows


def _missed(promise: Promise) -> str:
    return "fnmr" if promise.policy.measure is Measure.FMR else "fnir"


def comparison_table(
    verified: Mapping[str, Verified], identified: Mapping[str, Identified]
) -> tuple[tuple[str, ...], list[list[str]]]:
    """One row a figure, one column a model."""
    first, searched = next(iter(verified.values())).result, next(iter(identified.values())).result
    rows = [["EER", *(str(one.result.eer) for one in verified.values())]]
    for fmr in first.fnmr_at_fmr:
        rows.append(
            [f"FNMR at FMR {fmr:g}", *(str(one.result.fnmr_at_fmr[fmr]) for one in verified.values())]
        )
    rows.append(["rank 1", *(str(one.result.ranks[1]) for one in identified.values())])
    for fpir in searched.fnir_at_fpir:
        rows.append(
            [f"FNIR at FPIR {fpir:g}", *(str(one.result.fnir_at_fpir[fpir]) for one in identified.values())]
        )
    rows.append(["failures to acquire", *(str(one.acquired.failures) for one in verified.values())])
    return ("", *verified), rows


def estimate_json(estimate: Estimate) -> dict[str, Any]:
    """A value with its interval, for programs."""
    return {
        "value": round(estimate.value, 6),
        "low": round(estimate.low, 6),
        "high": round(estimate.high, 6),
    }


def _agreement_json(agreement: Agreement) -> dict[str, float]:
    return {
        "precision": round(agreement.precision, 6),
        "recall": round(agreement.recall, 6),
        "f": round(agreement.f, 6),
    }
