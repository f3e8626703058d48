"""Pictures as PNG bytes: for a report, for asset metadata. Matplotlib is imported late, without its global state."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml.balance import MAX_IMBALANCE
from ml.evaluation import calibration_bins

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

# Okabe and Ito's colors: told apart with every kind of color vision.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#6A3D9A", "#000000", "#999999")
LABELS = {
    "model": "this model",
    "base_rate": "base rate (random)",
    "logistic_regression_rfm": "logistic regression, RFM",
    "logistic_regression_same_features": "logistic regression, same features",
}


def _axes(width: float, height: float) -> "tuple[Figure, Axes]":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    # no version of matplotlib in the file: the same picture is the same bytes
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def calibration(labels: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], title: str) -> bytes:
    """Observed rate over predicted probability in tenths of the rows, with 95% intervals.

    Parameters
    ----------
    labels : array of 0 and 1, shape (n_rows,)
    scores : name -> array of shape (n_rows,); the first one is drawn
    """
    truth = np.asarray(labels, dtype=np.float64)
    name, values = next(iter(scores.items()))
    predicted = np.asarray(values, dtype=np.float64)
    bins = calibration_bins(predicted)
    counts = np.bincount(bins)
    mean_predicted = np.bincount(bins, predicted) / counts
    observed = np.bincount(bins, truth) / counts
    low, high = _wilson(observed, counts)
    figure, axes = _axes(6.2, 5.2)
    axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1, label="perfectly calibrated")
    axes.errorbar(
        mean_predicted,
        observed,
        yerr=np.vstack([observed - low, high - observed]),
        color=COLORS[0],
        marker="o",
        markersize=5,
        capsize=3,
        linewidth=1.5,
        label=f"{LABELS.get(name, name)} (tenths of the rows, 95% interval)",
    )
    top = min(1.0, 1.15 * float(max(mean_predicted.max(), high.max())))
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="Predicted probability", ylabel="Observed rate")
    axes.set_title(f"{title}\nCalibration", fontsize=11, loc="left")
    axes.grid(alpha=0.25)
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    return _png(figure)


def _wilson(rates: Floats, counts: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Wilson's 95% interval of rates: unlike the usual margin it has a width at 0 and at 1."""
    z = 1.96
    center = (rates + z**2 / (2 * counts)) / (1 + z**2 / counts)
    half = z / (1 + z**2 / counts) * np.sqrt(rates * (1 - rates) / counts + z**2 / (4 * counts**2))
    return np.minimum(rates, center - half), np.maximum(rates, center + half)


def lift(labels: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], title: str) -> bytes:
    """Share of all positives reached by addressing a share of the rows, best scores first.

    Parameters
    ----------
    labels : array of 0 and 1, shape (n_rows,)
    scores : name -> array of shape (n_rows,); a constant score is the diagonal
    """
    truth = np.asarray(labels, dtype=np.float64)
    figure, axes = _axes(6.2, 5.2)
    for number, (name, values) in enumerate(scores.items()):
        predicted = np.asarray(values, dtype=np.float64)
        order = np.argsort(-predicted, kind="stable")
        ends = np.flatnonzero(np.r_[np.diff(predicted[order]) != 0, True])
        addressed = np.r_[0, (ends + 1) / len(truth)]
        reached = np.r_[0, np.cumsum(truth[order])[ends] / truth.sum()]
        is_model = number == 0
        constant = len(ends) == 1
        axes.plot(
            addressed,
            reached,
            color="#999999" if constant else COLORS[number],
            linestyle="--" if constant else "-",
            linewidth=2.2 if is_model else 1.3,
            zorder=3 if is_model else 2,
            label=LABELS.get(name, name),
        )
        if is_model:
            at_tenth = float(np.interp(0.1, addressed, reached))
            axes.annotate(
                f"top 10% hold {at_tenth:.0%} of all",
                (0.1, at_tenth),
                xytext=(0.2, max(0.06, at_tenth - 0.12)),
                fontsize=9,
                bbox={"boxstyle": "square,pad=0.2", "color": "white"},
                arrowprops={"arrowstyle": "-", "color": "#666666"},
            )
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="Share addressed, highest scores first", ylabel="Share of all hits")
    axes.set_title(f"{title}\nWho is reached", fontsize=11, loc="left")
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    return _png(figure)


def love_plot(names: Sequence[str], differences: Mapping[str, npt.ArrayLike], title: str, measure: str) -> bytes:
    """How unlike two groups are in each variable: a line a variable, a mark a comparison (Thomas Love's plot).

    Parameters
    ----------
    names : the variables, the first one on top
    differences : name of a comparison -> standardized mean differences, array of shape (n_names,); NaN is not drawn
    measure : what the axis says
    """
    places = np.arange(len(names))[::-1]
    figure, axes = _axes(7.6, 1.7 + 0.34 * len(names))
    axes.axvspan(-MAX_IMBALANCE, MAX_IMBALANCE, color="#eeeeee", zorder=0, label="balance enough")
    axes.axvline(0, color="#999999", linewidth=1)
    colors = [COLORS[1], COLORS[0], *COLORS[2:]]
    for number, (name, values) in enumerate(differences.items()):
        # The first mark is open, so that one that lies on it is seen.
        color = colors[number % len(colors)]
        inside = "none" if number == 0 else color
        axes.scatter(
            np.asarray(values, dtype=np.float64), places, facecolors=inside, edgecolors=color, label=name, zorder=3
        )
    axes.set_yticks(places, list(names), fontsize=9)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.set_xlabel(measure)
    axes.set_title(title, fontsize=11, loc="left")
    axes.grid(alpha=0.25, axis="x")
    figure.legend(frameon=False, fontsize=9, loc="outside lower center", ncols=len(differences) + 1)
    return _png(figure)


def match_weights(names: tuple[str, str], steps: Sequence[Mapping[str, Any]], probability: float) -> str:
    """How a linkage weight came about, as a page of HTML that needs nothing else: a waterfall and the same as a table.

    Parameters
    ----------
    names : the two records
    steps : mappings with `comparison`, `found` and `weight` (bits: one more doubles the odds), in order
    probability : that the two are one person, 0 to 1
    """
    from html import escape

    figure, axes = _axes(8.4, 1.3 + 0.42 * len(steps))
    total = 0.0
    for place, step in enumerate(steps):
        weight = float(step["weight"])
        axes.barh(place, weight, left=total, color=COLORS[0] if weight >= 0 else COLORS[1], height=0.6)
        total += weight
        axes.annotate(
            f"{weight:+.1f}", (max(total, total - weight), place),
            xytext=(4, 0), textcoords="offset points", va="center", fontsize=8,
        )  # fmt: skip
    axes.axvline(0, color="#444444", linewidth=0.8)
    axes.axvline(total, color="#444444", linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(steps)), [str(step["comparison"]) for step in steps])
    axes.invert_yaxis()
    axes.use_sticky_edges = False
    axes.margins(x=0.08)
    axes.set_xlabel(f"match weight, bits (in all {total:+.1f}: {probability:.2%} one person)")
    buffer = io.StringIO()
    # no date, no name of the program: the same pair is the same page
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    picture = buffer.getvalue()[buffer.getvalue().index("<svg") :]
    rows = "".join(
        f"<tr><td>{escape(str(step['comparison']))}</td><td>{escape(str(step['found']))}</td>"
        f"<td class=n>{float(step['weight']):+.2f}</td></tr>"
        for step in steps
    )
    title = f"{escape(names[0])} and {escape(names[1])}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Match weights: {title}</title><style>"
        "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;"
        "background:#fff}svg{max-width:100%;height:auto}table{border-collapse:collapse}"
        "td,th{padding:.3rem .8rem;text-align:left;border-bottom:1px solid #ddd}"
        ".n{text-align:right;font-variant-numeric:tabular-nums}</style></head><body>"
        f"<h1>How likely are these one person?</h1><p>{title}: <strong>{probability:.2%}</strong>.</p>"
        "<p>Each bar is what one comparison adds, in bits: +1 doubles the odds that the two are one person, -1 halves "
        f"them. They start from how likely any two records are.</p>{picture}"
        f"<table><tr><th>compared</th><th>found</th><th class=n>weight</th></tr>{rows}</table></body></html>\n"
    )
