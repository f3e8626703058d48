"""Pictures of how good buy readiness is, as PNG bytes."""

import pandas as pd

from ml import readiness
from ml.plots import COLORS, _axes, _png


def calibration(table: pd.DataFrame, by_date: pd.DataFrame, horizon_days: int) -> bytes:
    """What was bought over what readiness said, in bins of ten; how many customers are in each stands behind.

    Parameters
    ----------
    table, by_date : `reliability` and `by_date` of ``ml.readiness_evidence.Evidence``
    """
    figure, axes = _axes(6.6, 5.4)
    middle = (table["low"] + table["high"]) / 2
    share = 100 * table["rows"] / table["rows"].sum()
    axes.bar(
        middle,
        share,
        width=0.9 * float((table["high"] - table["low"]).iloc[0]),
        color="#dddddd",
        label="share of customers, %",
    )
    axes.plot([0, 100], [0, 100], color="#999999", linestyle="--", linewidth=1, label="readiness means what it says")
    errors = [table["bought_share"] - table["ci_low"], table["ci_high"] - table["bought_share"]]
    axes.errorbar(
        table["mean_readiness"], table["bought_share"], yerr=errors, color=COLORS[0], marker="o", markersize=5,
        capsize=3, linewidth=1.5, label="bought (95% interval, customers resampled)",
    )  # fmt: skip
    axes.axvline(readiness.HIGH_INTENT, color=COLORS[1], linewidth=1, linestyle=":")
    axes.annotate("High intent", (readiness.HIGH_INTENT + 1, 3), fontsize=9, color=COLORS[1])
    axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="Buy readiness", ylabel=f"Of 100, bought in {horizon_days} days")
    dates = by_date["as_of_date"]
    axes.set_title(
        f"Buy readiness, {len(dates)} dates from {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}\n"
        "Each scored by a formula made before it",
        fontsize=11,
        loc="left",
    )
    axes.grid(alpha=0.25)
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    return _png(figure)


def over_time(table: pd.DataFrame) -> bytes:
    """ROC-AUC of each date, beside that of recency alone."""
    days = table["as_of_date"].to_numpy()
    figure, axes = _axes(7.2, 4.4)
    axes.fill_between(days, table["ci_low"], table["ci_high"], color=COLORS[0], alpha=0.15, linewidth=0)
    axes.plot(days, table["model"], color=COLORS[0], marker="o", markersize=3, label="buy readiness (95% interval)")
    axes.plot(days, table["baseline"], color=COLORS[1], linewidth=1.3, label="days since the last order alone")
    low = min(0.5, float(table[["ci_low", "baseline"]].min().min()))
    axes.set(ylim=(low, 1.0), ylabel="ROC-AUC", xlabel="As-of date")
    axes.set_title("How well each date's readiness ranked who bought next", fontsize=11, loc="left")
    axes.grid(alpha=0.25)
    axes.legend(loc="lower left", frameon=False, fontsize=9)
    figure.autofmt_xdate()
    return _png(figure)
