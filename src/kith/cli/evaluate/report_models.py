"""The page that sets models side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kith.cli.evaluate.verification import Verified
    from kith.workflows.evaluating_searches import Identified


def write_comparison_report(
    folder: Path,
    people: Path,
    verified: "Mapping[str, Verified]",
    identified: "Mapping[str, Identified]",
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    answers: Sequence[Mapping[str, Any]],
) -> Path:
    """Write the page that sets models side by side."""
    from kith.presentation import plots
    from kith.presentation.report import Photos, Plot, Report, Table, write_report

    curves = {model: one.result.rates for model, one in verified.items()}
    blocks: list[Table | Plot | Photos] = [
        Table("Figures", columns, rows, "Intervals of 95 %, by bootstrap over people."),
        Plot("ROC", plots.plot_roc(curves)),
        Plot("DET", plots.plot_det(curves)),
        Plot("CMC", plots.plot_cmc({model: one.result.cmc for model, one in identified.items()})),
    ]
    return write_report(
        folder, Report("Models side by side", [f"on {people}"], blocks), {"models": list(answers)}
    )
