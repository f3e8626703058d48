"""A rule tried at past dates: whom it reached, what they did next beside similar customers, and what to believe of it.

Descriptive throughout: members were chosen by what they did, so that a difference is none of being a member.
"""

from collections.abc import Sequence

import pandas as pd

from ml.backtest.comparison import balance, comparisons, difference_of, doubts
from ml.backtest.matching import Matching, matched
from ml.backtest.reach import overlap, reach, threshold_reach, thresholds
from ml.backtest.result import Backtest
from ml.backtest.rows import MATCHED_ON, gathered

__all__ = ["MATCHED_ON", "Backtest", "Matching", "backtest", "difference_of"]


def backtest(
    members: pd.DataFrame,
    population: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    rule: str,
    horizon_days: int,
    placebo: pd.DataFrame | None = None,
    other_segments: pd.DataFrame | None = None,
    other_members: pd.DataFrame | None = None,
    matched_on: Sequence[str] | None = None,
) -> Backtest:
    """Try a rule at past dates.

    The order of rows does not matter, in none of the frames.

    Parameters
    ----------
    members : DataFrame with customer_id, as_of_date
        Whom the rule selected at each date. A date without members is one of `population` only.
    population : DataFrame with customer_id, as_of_date and numbers known before the date
        One row for every customer that could have been a member. All numbers are compared (balance); those of
        `matched_on` are matched, and must not count what was bought in the time of `placebo`.
    outcomes : DataFrame with customer_id, as_of_date, has_purchased (0 or 1), spend
        What came in ``[as_of_date, as_of_date + horizon_days)``, rows only where the whole of it was observed.
    rule : str
        What it is called in tables and reports.
    placebo : DataFrame as `outcomes`, optional
        The same of an earlier period that ends before anything that is matched on begins, e.g. as many days that end 84
        days before the date; rows only of who was a customer by then. The comparison should find nothing there.
    other_segments : DataFrame with segment, customer_id, as_of_date, optional
    other_members : DataFrame with customer_id, as_of_date, optional
        What another threshold selects.
    matched_on : names of columns of `population`, optional; by default those of `MATCHED_ON` that are there.

    Raises
    ------
    MissingColumnsError
        If a column is not there.
    ValueError
        If a customer stands twice at one date, or there is nothing to match on.
    """
    rows = gathered(members, population, outcomes, placebo, matched_on)
    found = matched(rows)
    balanced = balance(rows, found)
    compared = comparisons(rows, found)
    nothing = pd.DataFrame()
    return Backtest(
        rule=rule,
        horizon_days=horizon_days,
        reach=reach(rows),
        overlap=overlap(rows, other_segments),
        balance=balanced,
        comparison=compared,
        thresholds=nothing if other_members is None else thresholds(rows, other_members),
        threshold_reach=nothing if other_members is None else threshold_reach(rows, other_members),
        matching=found,
        doubts=tuple(doubts(balanced, compared, found)),
        notes=rows.notes,
    )
