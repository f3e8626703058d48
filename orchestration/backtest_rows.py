"""What a backtest reads of the warehouse: who was a customer at past dates, what they had done, what they did next.

All of it comes from the activity of the features stage, so that any date of the past will do, scheduled or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every dbt command loads this package, and pandas takes as long as all of its rest
    import duckdb
    import pandas as pd

# Windows that are matched on, in days before the date; the placebo ends where the last one begins.
WINDOWS = ((0, 28), (28, 56), (56, 84))
LOOK_BACK = WINDOWS[-1][1]

# A purchase as the labels of the features stage see it: what came back since is none, and whose it was is said by the
# memberships of the date. Facts of the windows are what was known at the date, as in features.
_AT_DATES = """
    with dates as (select unnest(?::date[]) as as_of_date),
    owned as (
        select dates.as_of_date, memberships.record_hash, memberships.customer_id
        from dates join features.int_activity__memberships as memberships
            on (memberships.known_from is null or dates.as_of_date > memberships.known_from)
            and (memberships.known_until is null or dates.as_of_date <= memberships.known_until)
    )
"""


def population(connection: duckdb.DuckDBPyConnection, dates: Sequence[date]) -> pd.DataFrame:
    """Customers with an order before each date: customer_id, as_of_date and the numbers of `ml.backtest.MATCHED_ON`.

    Beside them stand some that are not matched on: spend by window, and orders and spend over all time.
    """
    windows = ",\n".join(
        f"count(distinct day) filter (age > {near} and age <= {far}) as purchase_days_{near}_{far}, "
        f"coalesce(sum(net_amount) filter (age > {near} and age <= {far}), 0)::double as spend_{near}_{far}"
        for near, far in WINDOWS
    )
    return connection.execute(
        f"""
        {_AT_DATES},
        bought as (
            select
                owned.customer_id, owned.as_of_date, days.day, days.order_count, days.net_amount,
                owned.as_of_date - days.day as age
            from owned join features.int_activity__purchase_days as days using (record_hash)
            where owned.as_of_date > days.day and owned.as_of_date > days.counts_from
                and (days.counts_until is null or owned.as_of_date <= days.counts_until) and days.order_count > 0
        )
        select
            customer_id, as_of_date, {windows},
            coalesce(sum(net_amount) filter (age <= {LOOK_BACK}), 0)::double as spend_0_{LOOK_BACK},
            min(age) as days_since_last_order,
            max(age) as customer_age_days,
            sum(order_count)::integer as order_count,
            sum(net_amount)::double as total_spend
        from bought group by customer_id, as_of_date order by as_of_date, customer_id
        """,
        [list(dates)],
    ).df()


def outcomes(connection: duckdb.DuckDBPyConnection, dates: Sequence[date], horizon_days: int) -> pd.DataFrame:
    """What every customer of `population` did in the days from each date on; no rows of dates not observed yet."""
    return _bought_within(connection, dates, 0, horizon_days)


def placebo(connection: duckdb.DuckDBPyConnection, dates: Sequence[date], horizon_days: int) -> pd.DataFrame:
    """The same of as many days that ended before all that is matched on; no rows of who was no customer by then."""
    return _bought_within(connection, dates, -LOOK_BACK - horizon_days, horizon_days)


def _bought_within(
    connection: duckdb.DuckDBPyConnection, dates: Sequence[date], start: int, horizon_days: int
) -> pd.DataFrame:
    """Purchases in ``[as_of_date + start, as_of_date + start + horizon_days)``."""
    (current,) = connection.execute(
        "select max(as_of_date) from features.int_as_of_dates where is_current"
    ).fetchone() or (None,)
    observed = [day for day in dates if current and day + timedelta(days=start + horizon_days) <= current]
    return connection.execute(
        f"""
        {_AT_DATES},
        bought as (
            select
                owned.customer_id, owned.as_of_date, days.day, days.order_count, days.net_amount,
                days.day - (owned.as_of_date + ?::integer) as place
            from owned join features.int_activity__purchase_days as days using (record_hash)
            where days.counts_until is null
        ),
        customers as (
            select customer_id, as_of_date from bought
            where day < least(as_of_date, as_of_date + ?::integer) and order_count > 0 group by all
        ),
        within_window as (
            select customer_id, as_of_date, sum(order_count) as order_count, sum(net_amount)::double as spend
            from bought where place >= 0 and place < ?::integer group by all
        )
        select
            customers.customer_id, customers.as_of_date,
            (coalesce(within_window.order_count, 0) > 0)::integer as has_purchased,
            case when coalesce(within_window.order_count, 0) > 0 then within_window.spend else 0 end as spend
        from customers left join within_window using (customer_id, as_of_date)
        order by as_of_date, customer_id
        """,
        [observed, start, start, horizon_days],
    ).df()
