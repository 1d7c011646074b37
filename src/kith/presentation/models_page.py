"""The page that sets models side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kith.presentation import plots
from kith.presentation.evaluations import comparison_table
from kith.presentation.report import Photos, Plot, Report, Table, on_data, write_report
from kith.workflows.evaluating_pairs import Verified
from kith.workflows.evaluating_searches import Identified


def write_comparison_report(
    folder: Path,
    verified: Mapping[str, Verified],
    identified: Mapping[str, Identified],
    *,
    data: str = "",
    figures: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write the page that sets models side by side, index.html, with its figures, result.json; return it.

    Args:
        folder: Of the page; made if it is not there.
        verified: The 1:1 evaluation of each model.
        identified: The 1:N evaluation of each.
        data: On what they were measured, in a word.
        figures: As JSON, of each.

    Raises:
        EvaluationError: It cannot be written.
    """
    columns, rows = comparison_table(verified, identified)
    curves = {model: one.result.rates for model, one in verified.items()}
    blocks: list[Table | Plot | Photos] = [
        Table("Figures", columns, rows, "Intervals of 95 %, by bootstrap over people."),
        Plot("ROC", plots.plot_roc(curves)),
        Plot("DET", plots.plot_det(curves)),
        Plot("CMC", plots.plot_cmc({model: one.result.cmc for model, one in identified.items()})),
    ]
    return write_report(
        folder,
        Report("Models side by side", [on_data(data).removeprefix(", ")] if data else [], blocks),
        {"models": list(figures)},
    )
