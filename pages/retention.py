"""Cohort retention: of those who first bought in a month, how many bought again in the months after."""

from __future__ import annotations

from typing import Any

from pages.page import Page
from pages.published import Published, Shop

MONTHS = 12

# Whole months only: of one that still runs nobody knows who will have bought.
_COHORTS = """
with purchases as (
    select distinct customer_id, date_trunc('month', order_date) as month
    from fct_orders
    where is_purchase and customer_id is not null
),
ends as (
    select case when last_day(data_through_date) = data_through_date then date_trunc('month', data_through_date)
        else date_trunc('month', data_through_date) - interval 1 month end as last_month
    from rpt_shop
),
firsts as (
    select customer_id, min(month) as cohort from purchases group by customer_id
),
sizes as (
    select cohort, count(*) as customers from firsts cross join ends where cohort <= last_month group by cohort
),
returned as (
    select cohort, date_diff('month', cohort, month) as age, count(*) as buyers
    from purchases inner join firsts using (customer_id) cross join ends
    where month <= last_month
    group by all
)
select sizes.cohort, sizes.customers, ages.age, coalesce(returned.buyers, 0) as buyers
from sizes
cross join ends
cross join (select unnest(range(1, ?)) as age) as ages
left join returned on sizes.cohort = returned.cohort and ages.age = returned.age
where sizes.cohort + to_months(ages.age::integer) <= last_month
order by sizes.cohort, ages.age
"""


def page(published: Published, shop: Shop) -> Page:
    """The page of the last cohorts."""
    rows = published.rows(_COHORTS, MONTHS + 1)
    cohorts: dict[Any, dict[str, Any]] = {}
    for row in rows:
        cohort = cohorts.setdefault(
            row["cohort"], {"name": f"{row['cohort']:%b %Y}", "customers": row["customers"], "shares": []}
        )
        cohort["shares"].append(row["buyers"] / row["customers"])
    shown = list(cohorts.values())[-MONTHS:]
    ages = max((len(cohort["shares"]) for cohort in shown), default=0)
    return Page("retention.html", "Retention", "retention.html.j2", {"cohorts": shown, "ages": range(1, ages + 1)})
