"""Pictures of error rates, as SVG."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import norm

from kith.evaluation.discard import DiscardCurve
from kith.evaluation.error_rates import ErrorRates
from kith.evaluation.identification import Growth
from kith.folders import own_folders

with own_folders("MPLCONFIGDIR"):  # where it writes down which fonts there are
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

_MATED, _NON_MATED = "#1b7f5c", "#b3403a"
_MOST_POINTS = 2000


def plot_roc(curves: Mapping[str, ErrorRates]) -> str:
    """True against false match rate, the latter on a logarithmic axis."""
    axes = _axes("false match rate", "true match rate")
    for name, rates in curves.items():
        keep = _thin(rates.fmr > 0)
        axes.plot(rates.fmr[keep], 1 - rates.fnmr[keep], label=name)
    axes.set_xscale("log")
    return _svg(axes, legend=len(curves) > 1)


def plot_det(curves: Mapping[str, ErrorRates]) -> str:
    """Detection error tradeoff: both error rates on normal deviate axes."""
    axes = _axes("false match rate", "false non-match rate")
    for name, rates in curves.items():
        keep = _thin((rates.fmr > 0) & (rates.fmr < 1) & (rates.fnmr > 0) & (rates.fnmr < 1))
        axes.plot(norm.ppf(rates.fmr[keep]), norm.ppf(rates.fnmr[keep]), label=name)
    ticks = np.array([1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(norm.ppf(ticks), [f"{tick:g}" for tick in ticks])
    return _svg(axes, legend=len(curves) > 1)


def plot_scores(mated: np.ndarray, non_mated: np.ndarray, threshold: float | None) -> str:
    """Histograms of both kinds of score, each of area one."""
    axes = _axes("comparison score", "density")
    low, high = np.quantile(np.concatenate([mated, non_mated]), [0.001, 1])
    steps = np.linspace(low, high, 81)
    for scores, name, color in ((non_mated, "non-mated", _NON_MATED), (mated, "mated", _MATED)):
        axes.hist(scores, steps.tolist(), density=True, alpha=0.6, label=name, color=color)
    if threshold is not None:
        axes.axvline(threshold, color="gray", linestyle="--", label="threshold")
    return _svg(axes, legend=True)


def plot_cmc(curves: Mapping[str, np.ndarray]) -> str:
    """Cumulative match characteristic: found at rank k or better."""
    axes = _axes("rank", "found at this rank or better")
    for name, cmc in curves.items():
        axes.plot(np.arange(1, len(cmc) + 1), cmc, marker=".", label=name)
    return _svg(axes, legend=len(curves) > 1)


def plot_growth(growth: Sequence[Growth]) -> str:
    """Share of strangers named against the size of the gallery."""
    axes = _axes("people enrolled", "share of strangers who get a name")
    people = [point.people for point in growth]
    axes.plot(people, [point.fpir for point in growth], marker="o", label="measured", color=_NON_MATED)
    axes.plot(
        people,
        [point.predicted for point in growth],
        linestyle=":",
        color="gray",
        label="if comparisons were independent",
    )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return _svg(axes, legend=True)


def plot_discard(curves: Sequence[DiscardCurve]) -> str:
    """Error against the share of pairs left out, for each quality measure."""
    axes = _axes("share of pairs left out, the worst first", "false non-match rate of the others")
    for curve in curves:
        axes.plot(curve.shares, curve.fnmr, marker=".", label=curve.measure)
    axes.set_ylim(bottom=0)
    return _svg(axes, legend=True)


def _axes(across: str, up: str) -> Axes:
    axes = Figure(figsize=(6, 4), layout="constrained").subplots()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _svg(axes: Axes, *, legend: bool) -> str:
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure")
    if legend:
        axes.legend(frameon=False)
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "kith", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _thin(keep: np.ndarray) -> np.ndarray:
    """Positions of what is kept, at most so many: a curve of a million points is no clearer."""
    places = np.flatnonzero(keep)
    if len(places) <= _MOST_POINTS:
        return places
    return np.asarray(places[np.linspace(0, len(places) - 1, _MOST_POINTS).astype(int)])
