"""Pictures of a backtest, as PNG bytes."""

import numpy as np

from ml.backtest.result import WINDOWS, Backtest
from ml.plots import COLORS, _axes, _png, love_plot

NAMES = {
    "all others": "Beside all others",
    "matched": "Beside similar customers",
    "placebo": "Placebo: an earlier period,\nbeside similar customers",
}


def pictures(result: Backtest) -> dict[str, bytes]:
    """Those for which there is something to draw."""
    found = {}
    if len(result.reach):
        found["reach"] = _reach(result)
    if len(result.balance) and result.matching.matched:
        found["balance"] = _balance(result)
    if result.comparison["difference"].notna().any():
        found["comparison"] = _comparison(result)
    if len(result.thresholds) and result.thresholds["purchase_rate"].notna().any():
        found["thresholds"] = _thresholds(result)
    return found


def _reach(result: Backtest) -> bytes:
    figure, axes = _axes(7.2, 4.0)
    days = result.reach["as_of_date"].to_numpy()
    axes.plot(days, result.reach["members"], color=COLORS[0], marker="o", markersize=3, label="members")
    axes.plot(days, result.reach["entries"], color=COLORS[2], linewidth=1.2, label="entries since the date before")
    axes.plot(days, result.reach["exits"], color=COLORS[1], linewidth=1.2, label="exits since the date before")
    axes.set_ylim(bottom=0)
    axes.set(xlabel="As-of date", ylabel="Customers")
    axes.set_title(f"{result.rule}: reach", fontsize=11, loc="left")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=9)
    figure.autofmt_xdate()
    return _png(figure)


def _balance(result: Backtest) -> bytes:
    table = result.balance
    names = [
        WINDOWS.get(str(name), str(name).replace("_", " ")) + ("" if is_matched_on else " (not matched on)")
        for name, is_matched_on in zip(table["variable"], table["is_matched_on"], strict=True)
    ]
    return love_plot(
        names,
        {"before matching": table["before"].to_numpy(), "after matching": table["after"].to_numpy()},
        f"{result.rule}: are members and rest alike?",
        "Standardized mean difference, members less rest",
    )


def _comparison(result: Backtest) -> bytes:
    table = result.comparison[
        result.comparison["comparison"].isin(NAMES) & (result.comparison["outcome"] == "has_purchased")
    ]
    table = table[table["difference"].notna()].iloc[::-1]
    places = np.arange(len(table))
    middle = 100 * table["difference"].to_numpy(dtype=float)
    low, high = 100 * table["low"].to_numpy(dtype=float), 100 * table["high"].to_numpy(dtype=float)
    figure, axes = _axes(7.6, 1.6 + 0.55 * len(table))
    axes.axvline(0, color="#999999", linewidth=1)
    for place, name in enumerate(table["comparison"]):
        color = COLORS[1] if name.startswith("placebo") else COLORS[0]
        error = np.array([[middle[place] - low[place]], [high[place] - middle[place]]])
        axes.errorbar(middle[place], place, xerr=error, fmt="o", color=color, capsize=4)
        axes.annotate(
            f"{middle[place]:+.1f}",
            (middle[place], place),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    axes.set_yticks(places, [NAMES[name] for name in table["comparison"]], fontsize=9)
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.margins(x=0.1)
    axes.set_xlabel(f"Points by which members bought more often in {result.horizon_days} days (95% interval)")
    doubt = "" if result.is_trusted else " (not to be trusted)"
    axes.set_title(f"{result.rule}: what members did next{doubt}", fontsize=11, loc="left")
    axes.grid(alpha=0.25, axis="x")
    return _png(figure)


def _thresholds(result: Backtest) -> bytes:
    table = result.thresholds[result.thresholds["purchase_rate"].notna()].iloc[::-1]
    places = np.arange(len(table))
    middle = 100 * table["purchase_rate"].to_numpy()
    error = np.vstack([middle - 100 * table["purchase_rate_low"], 100 * table["purchase_rate_high"] - middle])
    figure, axes = _axes(7.2, 1.4 + 0.45 * len(table))
    axes.errorbar(middle, places, xerr=error, fmt="o", color=COLORS[0], capsize=4)
    axes.set_yticks(places, [f"{row.part} ({row.rows:,} rows)" for row in table.itertuples()], fontsize=9)
    axes.set_xlim(0, 100)
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.set_xlabel(f"Of 100, bought in {result.horizon_days} days (95% interval)")
    axes.set_title(f"{result.rule} (A) and another threshold (B)", fontsize=11, loc="left")
    axes.grid(alpha=0.25, axis="x")
    return _png(figure)
