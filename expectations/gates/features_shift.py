"""Features gate, distribution shift: no feature leaves its usual pace (statistics: `expectations.shift`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from expectations.checks import Suite, each_between, literal_rows, measure
from expectations.gates import Scope
from expectations.gates.features_columns import features_of, is_compared, selected, values_of
from expectations.shift import Panel, Shift, measure_shifts

AS_OF_DATES = "features.int_as_of_dates"
COLUMNS = {
    "feature": "varchar",
    "as_of_date": "date",
    "moved_share": "double",
    "usual_share": "double",
    "p_value": "double",
    "null_share": "double",
    "null_share_before": "double",
    "unusual_share": "double",
    "unexplained_share": "double",
}
NEXT = (
    "look at the feature's rows of this as-of date and the one before, and at what its source delivered (the gates "
    "landing and staging); if it is real, raise gates.features.{limit} in the shop's settings for this run"
)


def suites(scope: Scope, tables: list[str]) -> list[Suite]:
    """Compare the newest scheduled as-of date with those before; too few of them are a warning, and nothing more.

    Parameters
    ----------
    scope : what there is.
    tables : feature tables of customers that exist.
    """
    limits = scope.limits.features
    needed = limits.shift_pairs + 2
    dates = _dates(scope, needed)
    label = "scheduled as-of dates to measure a shift with (below: not measured)"
    listed = literal_rows({"as_of_date": "date"}, [(date,) for date in dates] or [(None,)])
    counted = Suite(
        "shift_dates",
        AS_OF_DATES,
        (measure("dates", needed, None, label).as_warning().then("none; the dates come with time"),),
        f"select count(as_of_date) as dates, max(as_of_date) as newest from ({listed})",
        (AS_OF_DATES,),
    )
    shifts = measure_shifts(_panels(scope, tables, dates), limits.shift_pairs) if len(dates) == needed else []
    if not shifts:
        return [counted]
    named = "feature"
    checks = (
        each_between(
            "unexplained_share",
            None,
            limits.max_shift,
            "share of customers that left the usual pace of a feature, not by a mailing",
            named_by=named,
        ).then(NEXT.format(limit="max_shift")),
        each_between(
            "unusual_share", None, limits.min_shift, "share of customers that left the usual pace", named_by=named
        )
        .as_warning()
        .then(NEXT.format(limit="min_shift")),
    )
    rows = [_row(shift, dates[-1], scope) for shift in shifts]
    return [counted, Suite("shift", "features", checks, literal_rows(COLUMNS, rows), tuple(tables))]


def _dates(scope: Scope, count: int) -> list[Any]:
    """The newest scheduled dates, oldest first.

    Dates at even steps only: from a Monday to a Wednesday other things change than from Monday to Monday.
    """
    query = f"select as_of_date from {AS_OF_DATES} where is_scheduled order by as_of_date desc"
    return [row["as_of_date"] for row in scope.catalog.rows(query, count)][::-1]


def _panels(scope: Scope, tables: list[str], dates: list[Any]) -> list[Panel]:
    if not tables:
        return []
    listed = ", ".join(f"date '{date}'" for date in dates)
    condition = f"featured.as_of_date in ({listed}) and {is_compared(scope)}"
    read = [
        scope.catalog.columns(f"""
            select
                hash(featured.customer_id) as customer,
                list_position([{listed}], featured.as_of_date) - 1 as date_number,
                {selected(scope, table)}
            from {table} as featured where {condition}
        """)
        for table in tables
    ]
    # Numbers from 0, the same for a customer in all tables.
    everybody = np.concatenate([np.ma.getdata(columns["customer"]) for columns in read])
    ends = np.cumsum([len(columns["customer"]) for columns in read])[:-1]
    customers = np.split(np.unique(everybody, return_inverse=True)[1], ends)
    return [
        Panel(
            numbers.astype(np.int64),
            np.ma.getdata(columns["date_number"]).astype(np.int64),
            {
                f"{table.partition('.')[2]}.{feature}": values_of(columns[feature])
                for feature in features_of(scope, table)
            },
        )
        for table, columns, numbers in zip(tables, read, customers, strict=True)
    ]


def _row(shift: Shift, as_of_date: Any, scope: Scope) -> tuple[Any, ...]:
    limits = scope.limits.features
    is_unusual = shift.p_value <= limits.false_alarm_rate and shift.effect > shift.usual
    unusual = round(shift.effect, 6) if is_unusual else None
    is_explained = shift.feature.partition(".")[0] in limits.shifts_of_own_doing
    return (
        shift.feature,
        as_of_date,
        round(shift.effect, 6),
        round(shift.usual, 6),
        round(shift.p_value, 6),
        round(shift.null_share, 6),
        round(shift.null_share_before, 6),
        unusual,
        None if is_explained else unusual,
    )
