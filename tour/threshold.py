"""A threshold is changed: whom the rule reaches before and after, whom else it meets, what they buy afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from orchestration.backtest import Asked, run_backtest
from orchestration.warehouse import reading
from shops import ShopFolders, load_settings
from tour.outcomes import newest_known
from tour.telling import Teller

TITLE = "a changed threshold"
NEEDS = ("landing", "state", "dbt", "warehouse.duckdb")
RULE, NAME, CHANGED = "lapsed", "days", 45
WEEKS = 4
OTHERS_SHOWN = 4
Part = Mapping[Any, Any]
Parts = Mapping[str, Part]


@dataclass(frozen=True)
class Figures:
    """What the backtest found, A with the changed threshold and B with the one in force; rows are customers and dates.

    Attributes
    ----------
    rows, purchase_rate : by part: A, B, both, only in A, only in B, neither.
    overlap : other segments with the share of A's and of B's rows in each.
    """

    first: date
    last: date
    in_force: Any
    rows: dict[str, int]
    purchase_rate: dict[str, float]
    overlap: pd.DataFrame


def play(copy: ShopFolders, tell: Teller) -> Figures:
    """Backtest the rule with another threshold beside the one in force, at the dates whose outcome is known."""
    settings = load_settings(copy.shop)
    in_force = settings.segments.rules[RULE][NAME]
    last = newest_known(copy.warehouse, settings.models.purchase.horizon_days)
    first = last - timedelta(weeks=WEEKS - 1)
    command = f"python -m orchestration backtest {RULE} --from {first} --to {last}"
    tell.does(f"{command} --set {NAME}={CHANGED} --against {NAME}={in_force}")
    found, folder = run_backtest(
        copy, settings, Asked(RULE, {NAME: CHANGED}), first, last, against={NAME: in_force}
    )  # fmt: skip
    parts: Parts = {str(one["part"]): one for one in found.thresholds.to_dict("records")}
    dates = len(found.reach)
    overlap = _overlap(copy, found.overlap, first, last)
    tell.shows(
        f"{RULE}, at {dates} weekly dates from {first} to {last}",
        ("", f"before: {NAME}={in_force}", f"after: {NAME}={CHANGED}", "only after"),
        [
            _row(parts, "members a date", lambda one: f"{one['rows'] / dates:,.0f}"),
            _row(parts, "share of the customers", lambda one: f"{one['share']:.1%}"),
            _row(
                parts, f"bought within {found.horizon_days} days", lambda one: _or_nobody(one["purchase_rate"], ".1%")
            ),
            _row(parts, "  95% interval", _interval),
            _row(parts, f"spent within {found.horizon_days} days", lambda one: _or_nobody(one["spend"], ",.2f")),
        ],
    )
    tell.shows(
        "Whom else it meets: the share of its members in other segments",
        ("segment", "before", "after"),
        [
            (one["segment"], f"{one['before']:.0%}", f"{one['after']:.0%}")
            for one in overlap.head(OTHERS_SHOWN).to_dict("records")
        ],
    )
    tell.concludes(
        f"{NAME}={CHANGED} keeps {parts['both']['rows']:,} of {parts['B']['rows']:,} rows and adds "
        f"{parts['only in A']['rows']:,}, who bought {_or_nobody(parts['only in A']['purchase_rate'], '.0%')} of "
        f"the time; of those who stay {_or_nobody(parts['both']['purchase_rate'], '.0%')} did."
    )
    tell.look(
        [
            (copy.shown(folder / "report.md"), "the report: similar customers, balance, placebo (in the copy)"),
            (f"shops/{copy.shop}/settings.yml", f"segments.rules.{RULE}.{NAME} changes it for good"),
            ("docs/backtest.md", "what a backtest can tell, and what it cannot"),
        ]
    )
    rows, rates = ({part: one[name] for part, one in parts.items()} for name in ("rows", "purchase_rate"))
    return Figures(first, last, in_force, rows, rates, overlap)


def _row(parts: Parts, what: str, show: Callable[[Part], str]) -> tuple[str, ...]:
    return (what, *(show(parts[part]) for part in ("B", "A", "only in A")))


def _or_nobody(value: float, form: str) -> str:
    return "nobody" if np.isnan(value) else format(value, form)


def _interval(part: Part) -> str:
    low, high = part["purchase_rate_low"], part["purchase_rate_high"]
    return "" if np.isnan(low) else f"{low:.1%} to {high:.1%}"


def _overlap(copy: ShopFolders, changed: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Segment, and the share of members in it: before, by what is on record, and after, by the backtest."""
    with reading(copy.warehouse) as connection:
        before = connection.execute(
            """
            with own as (
                select customer_id, as_of_date from segments.int_segments__facts
                where segment_key = $rule and as_of_date between $first and $last
            )
            select segment_key as segment, count(*) / (select count(*) from own) as before
            from segments.int_segments__facts semi join own using (customer_id, as_of_date)
            where segment_key <> $rule group by segment_key
            """,
            {"rule": RULE, "first": first, "last": last},
        ).df()
    after = changed[["segment", "share_of_members"]].rename(columns={"share_of_members": "after"})
    both = before.merge(after, on="segment", how="outer").fillna({"before": 0.0, "after": 0.0})
    return both.sort_values(["after", "segment"], ascending=[False, True]).reset_index(drop=True)
