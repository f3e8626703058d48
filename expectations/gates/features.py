"""Features gate: features are there for every customer and date, agree with the orders, and still say something.

That none shifts, none knows its label, and every source is there and fresh is asked in modules of their own.
"""

from __future__ import annotations

import re

from expectations.checks import Suite, each_between, measure, no_rows
from expectations.gates import Scope, features_leak, features_shift, features_sources
from expectations.gates.features_columns import FURTHER_KEYS, INTEGERS, KEYS, is_number

AS_OF_DATES = "features.int_as_of_dates"
ORDERS = "features.int_activity__orders"
RETURNS = "features.int_activity__returns"
MEMBERSHIPS = "features.int_activity__memberships"
RFM = "features.feat_customer_rfm"
RECIPIENTS = "features.int_activity__campaign_recipients"
OFFERS = "features.feat_customer_offer"
# Who has a row in a feature table: customers with a fact of this activity; of the others, with an order.
POPULATIONS = {
    "features.feat_customer_engagement": "features.int_activity__web_sessions",
    "features.feat_customer_email": "features.int_activity__mails",
    "features.feat_customer_profile": "features.int_activity__profiles",
}
LABELS = {"label_purchase": "has_purchased", "label_redemption": "has_redeemed"}

# Whole numbers in features are counts, days and ranks; these name the ones that may be negative.
MAY_BE_NEGATIVE = re.compile(r"change|trend|difference|delta|growth|slope|net_")
DAYS = re.compile(r"(^|_)days(_|$)")


def suites(scope: Scope) -> list[Suite]:
    """Checks of features and labels; those of campaigns only where somebody was mailed."""
    limits = scope.limits.features
    tables = customer_feature_tables(scope)
    there = [table for table in tables if table in scope.catalog.tables]
    offers = [OFFERS] if scope.catalog.has_rows(RECIPIENTS) else []
    return [
        Suite(
            "as_of_dates",
            AS_OF_DATES,
            (measure("as_of_dates", limits.min_as_of_dates, None, "number of as-of dates"),),
            f"select count(distinct as_of_date) as as_of_dates, max(as_of_date) as newest from {AS_OF_DATES}",
            (AS_OF_DATES,),
        ),
        _totals(scope),
        _accumulation(scope),
        _coverage(scope, tables),
        _columns(scope, [*tables, *offers]),
        *(_offers() for _ in offers),
        *(_label(scope, table, column) for table, column in LABELS.items() if _is_expected(scope, table)),
        *features_shift.suites(scope, there),
        *features_leak.suites(scope, [*there, *offers]),
        *features_sources.suites(scope),
    ]


def customer_feature_tables(scope: Scope) -> list[str]:
    """Feature tables of customers, found by name: a new one is covered without any edit here."""
    named = [
        table
        for table, columns in scope.catalog.tables.items()
        if table.startswith("features.feat_customer_") and "as_of_date" in columns and not FURTHER_KEYS & set(columns)
    ]
    # A source that never landed leaves its table empty, and says why in int_as_of_history.
    there = [table for table in named if table not in POPULATIONS or scope.catalog.has_rows(POPULATIONS[table])]
    return sorted({RFM, *there} - {OFFERS})


def _is_expected(scope: Scope, table: str) -> bool:
    if table == "label_redemption":
        return scope.catalog.has_rows(f"features.{table}")
    return True


def _coverage(scope: Scope, tables: list[str]) -> Suite:
    """One row a feature table: every customer at the current as-of date, and as many dates as a split needs."""
    limits = scope.limits.features
    covered = " union all ".join(
        f"""
        select
            '{table}' as feature_table,
            max(as_of_date) as newest_as_of_date,
            count(distinct as_of_date) as as_of_dates,
            count(*) filter (as_of_date = (select today from now)) as rows_now,
            (select customers from populations where activity = '{_activity_of(table)}') as customers
        from {table}
        """
        for table in tables
    )
    activities = sorted({_activity_of(table) for table in tables})
    populations = " union all ".join(
        f"""
        select '{activity}' as activity, count(distinct owned.customer_id) as customers
        from {activity} inner join {MEMBERSHIPS} as owned using (record_hash), now
        where {_counts("now.today")}
        """
        for activity in activities
    )
    query = f"""
        with now as (select max(as_of_date) as today from {AS_OF_DATES} where is_current),
        populations as ({populations}),
        covered as ({covered})
        select
            feature_table,
            today as current_as_of_date,
            newest_as_of_date,
            today - newest_as_of_date as days_behind,
            as_of_dates,
            customers,
            rows_now,
            -- nobody yet, and nobody missing
            case when customers = 0 and rows_now = 0 then 1.0 else round(rows_now / nullif(customers, 0), 6) end
                as population_share,
        from covered, now
    """
    low, name = limits.min_population_share, "feature_table"
    checks = (
        no_rows(
            "newest_as_of_date is null or days_behind <> 0",
            "newest as-of date is the current one",
            "the current as-of date",
            named_by=name,
        ),
        each_between("as_of_dates", limits.min_as_of_dates, None, "as-of dates of each feature table", named_by=name),
        each_between("population_share", low, 1.0, "rows now / customers with activity before now", named_by=name),
    )
    return Suite("coverage", "features", checks, query, (*tables, AS_OF_DATES, *activities, MEMBERSHIPS))


def _counts(as_of_date: str) -> str:
    """Condition: the order counts at a date, and its record is the customer's then."""
    return f"""
        {as_of_date} > counts_from and (counts_until is null or {as_of_date} <= counts_until)
        and (known_from is null or {as_of_date} > known_from) and (known_until is null or {as_of_date} <= known_until)
    """


def _totals(scope: Scope) -> Suite:
    """Sums over the current as-of date give back the orders they were made from."""
    shift = scope.limits.features.max_spend_shift
    query = f"""
        with now as (select max(as_of_date) as today from {AS_OF_DATES} where is_current),
        standing as (
            select order_id, order_total from {ORDERS} inner join {MEMBERSHIPS} using (record_hash), now
            where {_counts("now.today")}
        ),
        returned as (
            select coalesce(sum(net_amount), 0) as returned_total
            from {RETURNS} inner join standing on charged_order_id = standing.order_id, now where returned_on < today
        ),
        ordered as (
            select (sum(order_total) - any_value(returned_total))::double as order_total, count(*) as order_count
            from standing, returned
        ),
        featured as (
            select sum(total_spend)::double as total_spend, sum(order_count) as featured_orders
            from {RFM}, now where as_of_date = today
        )
        select
            order_total,
            total_spend,
            round(total_spend / nullif(order_total, 0), 6) as spend_ratio,
            order_count,
            featured_orders,
            round(featured_orders / nullif(order_count, 0), 6) as order_ratio,
        from ordered, featured
    """
    low, high = round(1 - shift, 6), round(1 + shift, 6)
    return Suite(
        "totals",
        RFM,
        (
            measure("spend_ratio", low, high, "total spend now, features / orders"),
            measure("order_ratio", low, high, "number of orders now, features / orders"),
        ),
        query,
        (RFM, ORDERS, RETURNS, MEMBERSHIPS, AS_OF_DATES),
    )


def _accumulation(scope: Scope) -> Suite:
    """Spend and customers grow from date to date; one bad as-of date breaks the row."""
    query = f"""
        with dates as (
            select
                as_of_date,
                count(*) as customers,
                sum(total_spend)::double as total_spend,
                sum(order_count) as order_count,
            from {RFM} group by as_of_date
        )
        select
            *,
            round(customers / lag(customers) over earlier, 6) as customer_growth,
            round(total_spend / nullif(lag(total_spend) over earlier, 0), 6) as spend_growth,
        from dates
        window earlier as (order by as_of_date)
    """
    low = round(1 - scope.limits.features.max_fall_between_dates, 6)
    return Suite(
        "accumulation",
        RFM,
        (
            each_between("customer_growth", low, None, "customers, each as-of date / the one before"),
            each_between("spend_growth", low, None, "total spend, each as-of date / the one before"),
            each_between("total_spend", 0.01, None, "total spend of each as-of date"),
        ),
        query,
        (RFM,),
    )


def _columns(scope: Scope, tables: list[str]) -> Suite:
    """One row a feature, from one pass over each table."""
    windows = {
        feature.name: feature.window_days
        for feature in features_sources.declared_features(scope.feature_models)
        if feature.window_days
    }
    described = [(table, _described(scope, table, windows)) for table in tables]
    query = " union all ".join(
        f"""
        select unnest([{listed}], recursive := true)
        from (
            select
                *,
                (select max(as_of_date) from {table})
                - (select min({_day_of(table)}) from {_activity_of(table)}) as span_days
            from {table}
        )
        """
        for table, listed in described
        if listed
    )
    missing, name = scope.limits.features.max_missing_share, "feature"
    # Expectations on values share one scan; four on rows would read the features nine times.
    checks = (
        each_between("lowest_count", 0, None, "counts, days and ranks are not negative", named_by=name),
        each_between("days_beyond_history", None, 0, "days lie within the history of the shop", named_by=name),
        each_between("spread", 1e-9, None, "features differ between customers", named_by=name).as_warning(),
        each_between("missing_share", None, missing, "features are known", named_by=name).as_warning(),
    )
    return Suite("columns", "features", checks, query, (*tables, *sorted({_activity_of(table) for table in tables})))


def _activity_of(table: str) -> str:
    return POPULATIONS.get(table, ORDERS)


def _day_of(table: str) -> str:
    return "day" if table in POPULATIONS else "order_date"


def _described(scope: Scope, table: str, windows: dict[str, int]) -> str:
    """SQL list with one struct for each numeric column of a table.

    A window (days, by feature) that is longer than the history is null for that reason alone.
    """
    numeric = {
        column: kind
        for column, kind in scope.catalog.tables.get(table, {}).items()
        if column not in KEYS and is_number(kind)
    }
    return ",".join(
        f"""
            {{
                'feature': '{table.partition(".")[2]}.{column}',
                'lowest': min({column})::double,
                'mean': round(avg({column})::double, 6),
                'highest': max({column})::double,
                'spread': {_if_observed(f"coalesce(stddev_pop({column}::double), 0)", windows.get(column))},
                'missing_share': {_if_observed(f"1 - count({column}) / greatest(count(*), 1)", windows.get(column))},
                'lowest_count': {f"min({column})::double" if _is_count(column, kind) else "null::double"},
                'days_beyond_history': {_beyond_history(column)}
            }}"""
        for column, kind in numeric.items()
    )


def _if_observed(expression: str, window_days: int | None) -> str:
    return f"case when max(span_days) >= {window_days} then {expression} end" if window_days else expression


def _is_count(column: str, kind: str) -> bool:
    counted = kind in INTEGERS or DAYS.search(column) is not None
    return counted and not MAY_BE_NEGATIVE.search(column)


def _beyond_history(column: str) -> str:
    # A campaign may be older than the first order that has landed; nothing that a customer bought can be.
    bounded = DAYS.search(column) is not None and "campaign" not in column
    return f"(max({column}) - max(span_days))::double" if bounded else "null::double"


def _offers() -> Suite:
    query = f"""
        with mailed as (select count(distinct (owned.customer_id, campaign_id)) as mailed
            from {RECIPIENTS} inner join {MEMBERSHIPS} as owned using (record_hash)
        ),
        offered as (select count(*) as offers from {OFFERS})
        select mailed, offers, round(offers / nullif(mailed, 0), 6) as offer_share from mailed, offered
    """
    check = measure("offer_share", 0.9, 1.0, "offers / pairs of customer and campaign that were mailed")
    return Suite("offers", OFFERS, (check,), query, (OFFERS, RECIPIENTS, MEMBERSHIPS))


def _label(scope: Scope, table: str, column: str) -> Suite:
    limits = scope.limits.features
    name = f"features.{table}"
    query = f"""
        select
            count(*) as row_count,
            count(distinct as_of_date) as as_of_dates,
            round(avg({column}::double), 6) as positive_share,
        from {name}
    """
    by_date = f"""
        select as_of_date, count(*) as row_count, round(avg({column}::double), 4) as positive_share
        from {name} group by as_of_date order by as_of_date desc
    """
    label = f"share of positive labels ({column})"
    checks = (
        measure("row_count", 1, None, "number of labels"),
        measure("positive_share", limits.min_label_share, limits.max_label_share, label, by_date),
    )
    return Suite(table, name, checks, query, (name,))
