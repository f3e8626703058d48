"""What the propensities learn from: purchases within 7, 14 and 28 days, and clicks of those whom a mail reached."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb

from tests.unit.models.compiled import CompiledModels, Row, at, land, line, order, rows

CURRENT = date(2024, 2, 1)
STARTS = date(2024, 1, 10)
DATES = [STARTS, CURRENT - timedelta(days=14), CURRENT - timedelta(days=7), CURRENT - timedelta(days=6), CURRENT]


def shop(models: CompiledModels, **tables: list[Row]) -> duckdb.DuckDBPyConnection:
    """Cards are customers of their own name; a mail to x@x.com is one to customer x."""
    warehouse = models.warehouse()
    land(warehouse, **tables)
    models.build(warehouse, "stg_shop__orders", "stg_campaigns__recipients", "stg_email__messages")
    warehouse.execute("""
        create table identity.master_customer_index as
        select distinct 'orders' as source_system, buyer as source_record_id, loyalty_id as customer_id,
            null::timestamp as valid_from, null::timestamp as valid_to
        from staging.stg_shop__orders
        union all
        select distinct 'campaign_recipients', loyalty_id, loyalty_id, null::timestamp, null::timestamp
        from staging.stg_campaigns__recipients
        union all
        select distinct 'emails', email, split_part(email, '@', 1), null::timestamp, null::timestamp
        from staging.stg_email__messages
    """)
    listed = ", ".join(f"(date '{day}')" for day in DATES)
    warehouse.execute(f"""
        create table features.int_as_of_dates as
        select as_of_date, as_of_date = max(as_of_date) over () as is_current, true as is_scheduled,
            false as is_campaign_start, false as is_asked_for, true as is_new
        from (values {listed}) as dates (as_of_date)
    """)
    models.build(warehouse, "int_activity__memberships")
    return warehouse


def test_windows_begin_at_the_date_and_are_null_until_they_are_over(models: CompiledModels) -> None:
    bought = {"early": "2024-01-10", "week": "2024-01-16", "fortnight": "2024-01-17", "late": "2024-01-31"}
    orders = [order("first", "2024-01-02", "early")]
    orders += [order(f"first of {name}", "2024-01-02", name) for name in ("week", "fortnight", "late", "never")]
    orders += [order(name, day, name) for name, day in bought.items()]
    lines = [line(str(one["order_id"]), 1, "2024-01-02", net=10, gross_amount=10) for one in orders]
    warehouse = shop(models, orders=orders, order_lines=lines)
    models.build(warehouse, "label_purchase_windows")
    found = rows(
        warehouse,
        "select customer_id, has_purchased_7d, has_purchased_14d, has_purchased_28d "
        f"from features.label_purchase_windows where as_of_date = date '{STARTS}' order by customer_id",
    )
    assert found == [
        ("early", 1, 1, None), ("fortnight", 0, 1, None), ("late", 0, 0, None), ("never", 0, 0, None), ("week", 1, 1, None),
    ]  # fmt: skip
    known = rows(
        warehouse,
        "select day(as_of_date), has_purchased_7d, has_purchased_14d from features.label_purchase_windows "
        "where customer_id = 'late' order by as_of_date",
    )
    # the date six days back is not over, and is not there
    assert known == [(10, 0, 0), (18, 0, 1), (25, 1, None)]


def mail(name: str, kind: str, when: str, who: str = "ann", **more: Any) -> Row:
    return {
        "message_id": name, "event_type": kind, "campaign_id": "k", "email": f"{who}@x.com", "loyalty_id": who,
        "occurred_at": at(when), **more,
    }  # fmt: skip


def clicks(models: CompiledModels, *events: Row) -> list[tuple[Any, ...]]:
    """Customer, days of the first delivery and click in January, label; of all who were mailed campaign k."""
    people = ("ann", "bob", "eve")
    orders = [order(f"of {name}", "2024-01-02", name) for name in people]
    campaign = {"campaign_id": "k", "campaign_type": "A", "starts_on": STARTS, "ends_on": date(2024, 1, 20)}
    warehouse = shop(
        models,
        orders=orders,
        order_lines=[line(str(one["order_id"]), 1, "2024-01-02", net=10, gross_amount=10) for one in orders],
        campaigns=[{**campaign, "occurred_at": at("2024-01-04")}],
        campaign_recipients=[
            {"campaign_id": "k", "loyalty_id": name, "occurred_at": at("2024-01-04")} for name in people[:2]
        ],
        email_events=list(events),
    )
    models.build(warehouse, "label_click")
    return rows(
        warehouse,
        "select customer_id, day(first_delivered_on), day(first_clicked_on), has_clicked from features.label_click "
        "order by customer_id",
    )


def delivered(name: str, when: str, who: str = "ann") -> list[Row]:
    return [mail(name, "sent", when, who), mail(name, "delivered", when, who)]


def test_a_click_counts_from_the_first_mail_that_arrived(models: CompiledModels) -> None:
    found = clicks(
        models, *delivered("m1", "2024-01-11"), *delivered("m2", "2024-01-15"), mail("m2", "clicked", "2024-01-16"),
        mail("m3", "sent", "2024-01-11", "bob"), mail("m3", "bounced", "2024-01-11", "bob"),
    )  # fmt: skip
    assert found == [("ann", 11, 16, 1)], "whom no mail reached is not asked about"


def test_clicks_after_the_campaign_and_of_programs_do_not_count(models: CompiledModels) -> None:
    late = clicks(models, *delivered("m1", "2024-01-11"), mail("m1", "clicked", "2024-01-22"))
    assert late == [("ann", 11, None, 0)]
    after = clicks(models, *delivered("m1", "2024-01-22"), mail("m1", "clicked", "2024-01-22"))
    assert after == []


def test_who_was_not_on_the_list_is_not_asked_about(models: CompiledModels) -> None:
    assert clicks(models, *delivered("m1", "2024-01-11", "eve"), mail("m1", "clicked", "2024-01-12", "eve")) == []
