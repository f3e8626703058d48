"""The picture of a choice: each criterion over the number of clusters, one line an algorithm, the chosen one marked."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from ml.clusters.choice import MIN_AGREEMENT
from ml.plots import COLORS, _png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = (
    ("silhouette", "Silhouette (dotted: structureless rows)"),
    ("davies_bouldin", "Davies-Bouldin (lower is better)"),
    ("within_squares", "Sum of squares within clusters"),
    ("information_gain", "Information gained, bits a customer"),
    ("agreement_over_dates", "Agreement over dates, worst cluster"),
    ("agreement_under_resampling", "Agreement of resamples, worst cluster"),
    ("smallest_cluster", "Smallest cluster, customers"),
    ("score", "Score (hollow: outside a limit)"),
)
NAMES = {
    "k_means": "k-means",
    "ward": "Ward",
    "gaussian_mixture": "Gaussian mixture",
    "hdbscan": "HDBSCAN",
    "dbscan": "DBSCAN",
}
MARKS = {"k_means": "o", "ward": "s", "gaussian_mixture": "^", "hdbscan": "D", "dbscan": "v"}


def comparison_plot(comparison: pd.DataFrame, floor: int) -> bytes:
    """A PNG of eight panels.

    Parameters
    ----------
    comparison : DataFrame with algorithm, cluster_count, criterion, value, is_chosen
    floor : int, drawn beside the smallest clusters
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(13.2, 6.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 4).ravel()
    for axes, (criterion, title) in zip(panels, PANELS, strict=True):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(title, fontsize=9.5, loc="left")
        axes.tick_params(labelsize=8.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        _draw(axes, comparison, criterion)
    if (comparison["criterion"] == "agreement_over_dates").any():
        panels[4].axhline(MIN_AGREEMENT, color="#666666", linestyle="--", linewidth=1)
    panels[5].axhline(MIN_AGREEMENT, color="#666666", linestyle="--", linewidth=1)
    panels[6].axhline(floor, color="#666666", linestyle="--", linewidth=1)
    for axes in panels[4:]:
        axes.set_xlabel("Number of clusters", fontsize=9)
    counts = comparison.groupby("algorithm")["cluster_count"].max()
    handles = [
        panels[0].plot([], [], color=COLORS[place], marker=MARKS[name], label=_legend(name, counts[name]))[0]
        for place, name in enumerate(NAMES)
        if name in counts
    ]
    handles.append(_ring(panels[0], [], [], "chosen"))
    handles.append(panels[0].plot([], [], color="#666666", linestyle="--", linewidth=1, label="limit")[0])
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=9.5)
    return _png(figure)


def _draw(axes: "Axes", comparison: pd.DataFrame, criterion: str) -> None:
    drawn = comparison[(comparison["criterion"] == criterion) & (comparison["cluster_count"] > 1)]
    if drawn.empty:
        axes.text(0.5, 0.5, "no earlier date", ha="center", va="center", transform=axes.transAxes, color="#666666")
        axes.set_xticks([])
        axes.set_yticks([])
    for place, name in enumerate(NAMES):
        own = drawn[drawn["algorithm"] == name].sort_values("cluster_count")
        style: dict[str, Any] = {"color": COLORS[place], "marker": MARKS[name], "markersize": 4.5, "linewidth": 1.4}
        if criterion == "score":
            limits = comparison[(comparison["criterion"] == "is_within_limits") & (comparison["algorithm"] == name)]
            inside = own["cluster_count"].isin(limits.loc[limits["value"] > 0, "cluster_count"])
            axes.plot(own["cluster_count"], own["value"], **{**style, "markerfacecolor": "white"})
            axes.plot(own.loc[inside, "cluster_count"], own.loc[inside, "value"], **{**style, "linestyle": ""})
        else:
            axes.plot(own["cluster_count"], own["value"], **style)
        if criterion == "silhouette":
            reference = comparison[
                (comparison["criterion"] == "reference_mean") & (comparison["algorithm"] == name)
            ].sort_values("cluster_count")
            axes.plot(reference["cluster_count"], reference["value"], color=COLORS[place], linestyle=":", linewidth=1.2)
    chosen = drawn[drawn["is_chosen"]]
    _ring(axes, chosen["cluster_count"], chosen["value"])


def _legend(name: str, most: int) -> str:
    return NAMES[name] if most > 1 else f"{NAMES[name]} (found one cluster)"


def _ring(axes: "Axes", places: Any, values: Any, label: str | None = None) -> Any:
    return axes.plot(
        places, values, linestyle="", marker="o", markersize=12, markerfacecolor="none", markeredgecolor="black",
        markeredgewidth=1.6, label=label, zorder=4,
    )[0]  # fmt: skip
