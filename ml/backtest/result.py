"""A backtest as it is handed on: tables, a report in Markdown, pictures, and a verdict in words."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.backtest.comparison import Difference, difference_of, spend_doubt
from ml.backtest.matching import Matching

WINDOWS = {
    "purchase_days_0_28": "purchase days, last 28 days",
    "purchase_days_28_56": "purchase days, 28 to 56 days before",
    "purchase_days_56_84": "purchase days, 56 to 84 days before",
    "spend_0_84": "spend, last 84 days",
    "days_since_last_order": "days since the last order",
    "customer_age_days": "days since the first order",
    "spend_0_28": "spend, last 28 days",
    "spend_28_56": "spend, 28 to 56 days before",
    "spend_56_84": "spend, 56 to 84 days before",
    "order_count": "orders so far",
    "total_spend": "spend so far",
}


@dataclass(frozen=True)
class Backtest:
    """What a rule would have done at past dates. Descriptive: nobody was drawn by lot.

    Attributes
    ----------
    rule : str
        Name of what was tried.
    horizon_days : int
        How far "next" looks.
    reach, overlap, balance, comparison : DataFrame
        See `ml.backtest.reach` and `ml.backtest.comparison`.
    thresholds, threshold_reach : DataFrame
        The members (A) beside another member set (B); no rows if there was none.
    matching : Matching
    doubts : tuple of str
        Why the matched comparison is not to be trusted; empty if balance and placebo hold.
    notes : tuple of str
        What was left out.
    """

    rule: str
    horizon_days: int
    reach: pd.DataFrame
    overlap: pd.DataFrame
    balance: pd.DataFrame
    comparison: pd.DataFrame
    thresholds: pd.DataFrame
    threshold_reach: pd.DataFrame
    matching: Matching
    doubts: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_trusted(self) -> bool:
        """Whether balance and placebo give no reason to doubt the matched comparison."""
        return not self.doubts

    def tables(self) -> Mapping[str, pd.DataFrame]:
        """All tables by name, with the rule in their first column; for storing."""
        named = {
            "reach": self.reach,
            "overlap": self.overlap,
            "balance": self.balance,
            "comparison": self.comparison,
            "thresholds": self.thresholds,
            "threshold_reach": self.threshold_reach,
        }
        return {name: _led_by(self.rule, frame) for name, frame in named.items()}

    def verdict(self) -> str:
        """What members did next beside the matched rest, in words."""
        found = difference_of(self.comparison, "matched")
        everybody = difference_of(self.comparison, "all others")
        if not self.matching.members:
            return "There is no member at a date whose outcome is known: nothing to compare."
        if np.isnan(everybody.difference):
            return "Everybody is a member: there is no rest to compare with."
        if np.isnan(found.difference):
            return (
                f"Members bought {everybody.members:.1%} of the time within {self.horizon_days} days, all others "
                f"{everybody.rest:.1%}. No customer outside the segment is like a member: nothing can be said of "
                "similar customers."
            )
        text = (
            f"Members bought {found.members:.1%} of the time within {self.horizon_days} days, similar customers who "
            f"were not members {found.rest:.1%} (descriptive: {_points(found)}; all others {everybody.rest:.1%})."
        )
        spend = difference_of(self.comparison, "matched", "spend")
        text += (
            f" They spent {spend.members:,.2f} on average, similar customers {spend.rest:,.2f} "
            f"({spend.difference:+,.2f}, {spend.low:+,.2f} to {spend.high:+,.2f})."
        )
        if self.doubts:
            return f"{text} This comparison is not to be trusted: {'; '.join(self.doubts)}."
        text += " Members and similar customers were alike before, and bought as often in the placebo period."
        doubt = spend_doubt(self.comparison)
        return f"{text} The difference in spend is not to be trusted: {doubt}." if doubt else text

    def report(self) -> str:
        """All of it as Markdown."""
        from ml.backtest.report import markdown

        return markdown(self)

    def plots(self) -> dict[str, bytes]:
        """PNG pictures by name: reach, balance, comparison, and thresholds where there are two."""
        from ml.backtest.pictures import pictures

        return pictures(self)


def _points(found: Difference) -> str:
    return f"{100 * found.difference:+.1f} points, {100 * found.low:+.1f} to {100 * found.high:+.1f}"


def _led_by(rule: str, frame: pd.DataFrame) -> pd.DataFrame:
    found = frame.copy()
    found.insert(0, "rule", rule)
    return found
