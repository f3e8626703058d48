"""The report of a backtest: Markdown that somebody reads who has not run it."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ml.backtest.result import WINDOWS, Backtest
from ml.balance import MAX_IMBALANCE


def markdown(result: Backtest) -> str:
    """The whole report."""
    parts = [f"# Backtest of {result.rule}", *_reach(result), *_overlap(result), *_next(result), *_trust(result)]
    if len(result.thresholds):
        parts += _thresholds(result)
    if result.notes:
        parts += ["## Left out", *[f"- {note}" for note in result.notes]]
    return "\n\n".join(parts) + "\n"


def _reach(result: Backtest) -> list[str]:
    found = result.reach
    if found.empty:
        return ["## Reach", "There is no customer at any of the dates."]
    first, last = found.iloc[0], found.iloc[-1]
    text = (
        f"{len(found)} date(s), {first['as_of_date']:%Y-%m-%d} to {last['as_of_date']:%Y-%m-%d}. Members: "
        f"{found['members'].min():,} to {found['members'].max():,} ({found['share'].min():.1%} to "
        f"{found['share'].max():.1%} of the customers), {last['members']:,} at the last date."
    )
    if len(found) > 1 and found["members"].sum():
        turnover = found["entries"].iloc[1:].sum() / max(found["members"].iloc[1:].sum(), 1)
        text += f" From one date to the next, {turnover:.0%} of the members are new."
    shown = found.tail(12).assign(as_of_date=lambda f: f["as_of_date"].dt.strftime("%Y-%m-%d"))
    shown["share"] = shown["share"].map("{:.1%}".format)
    return ["## Reach", text, table(shown)]


def _overlap(result: Backtest) -> list[str]:
    if result.overlap.empty:
        return []
    shown = result.overlap[result.overlap["both"] > 0].copy()
    for name in ("share_of_members", "share_of_segment"):
        shown[name] = shown[name].map(_percent)
    for name in ("jaccard", "lift"):
        shown[name] = shown[name].map(_two)
    return [
        "## Overlap",
        "Over all dates, segments that share members. Lift 2: a member is twice as often in it as anybody is.",
        table(shown),
    ]


def _next(result: Backtest) -> list[str]:
    rows = []
    for row in result.comparison.to_dict("records"):
        is_rate = row["outcome"] == "has_purchased"
        show = _percent if is_rate else _two
        scale, unit = (100, " points") if is_rate else (1, "")
        gap = (
            ""
            if np.isnan(row["difference"])
            else (f"{scale * row['difference']:+.2f}{unit} ({scale * row['low']:+.2f} to {scale * row['high']:+.2f})")
        )
        rows.append(
            {
                "beside": row["comparison"],
                "outcome": "bought" if is_rate else "spend",
                "members": show(row["members"]),
                "rest": show(row["rest"]),
                "difference (95% interval)": gap,
                "member rows": f"{row['member_rows']:,}",
                "rest rows": f"{row['rest_rows']:,}",
            }
        )
    return [f"## What members did in the next {result.horizon_days} days", result.verdict(), table(pd.DataFrame(rows))]


def _trust(result: Backtest) -> list[str]:
    matching = result.matching
    if not matching.members:
        return []
    counts, spend, others = matching.level
    names = "; ".join(WINDOWS.get(name, name) for name in _matched_on(result))
    text = (
        f"{matching.matched:,} of {matching.members:,} member rows ({matching.share:.0%}) have somebody alike outside "
        f"the segment at the same date. Alike is who is in the same bin of each of these: {names} ({counts} bins for "
        f"counts of purchase days, {spend} for spend, {others} for the others; nothing and unknown apart). The rest of "
        "the members are not compared."
    )
    if result.balance.empty:
        return ["## May it be believed?", text]
    shown = pd.DataFrame(
        {
            "variable": [WINDOWS.get(name, name) for name in result.balance["variable"]],
            "matched on": ["yes" if flag else "" for flag in result.balance["is_matched_on"]],
            "members": result.balance["members"].map(_two),
            "all others": result.balance["rest"].map(_two),
            "members matched": result.balance["members_matched"].map(_two),
            "rest matched": result.balance["rest_matched"].map(_two),
            "before": result.balance["before"].map(_two),
            "after": result.balance["after"].map(_two),
        }
    )
    limit = (
        f"Standardized mean differences; up to {MAX_IMBALANCE:g} after matching is balance enough. What was not "
        "matched on shows whether members differ in other ways."
    )
    return ["## May it be believed?", text, limit, table(shown)]


def _matched_on(result: Backtest) -> list[str]:
    return [str(name) for name in result.balance.loc[result.balance["is_matched_on"], "variable"]]


def _thresholds(result: Backtest) -> list[str]:
    found = result.thresholds
    shown = pd.DataFrame(
        {
            "part": found["part"],
            "rows": found["rows"].map("{:,}".format),
            "share": found["share"].map(_percent),
            "bought (95% interval)": _intervals(found, "purchase_rate", _percent),
            "spend (95% interval)": _intervals(found, "spend", _two),
        }
    )
    return ["## Two thresholds", "A is the rule as tried, B the other one; over all dates.", table(shown)]


def _intervals(found: pd.DataFrame, name: str, show: Callable[[float], str]) -> list[str]:
    figures = found[[name, f"{name}_low", f"{name}_high"]].to_numpy(dtype=np.float64)
    return [
        "nobody" if np.isnan(value) else f"{show(value)} ({show(low)} to {show(high)})" for value, low, high in figures
    ]


def _percent(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.1%}"


def _two(value: float) -> str:
    return "" if np.isnan(value) else f"{value:,.2f}"


def table(frame: pd.DataFrame) -> str:
    """A frame as a table of Markdown; whole numbers without a point, unknown as nothing."""
    head = "| " + " | ".join(map(str, frame.columns)) + " |\n|" + " --- |" * len(frame.columns)
    rows = ("| " + " | ".join(_cell(value) for value in row) + " |" for row in frame.itertuples(index=False))
    return "\n".join([head, *rows])


def _cell(value: object) -> str:
    if isinstance(value, float | np.floating):
        if np.isnan(value):
            return ""
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)
