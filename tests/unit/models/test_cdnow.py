"""Recency, frequency and age follow the convention of BG/NBD models: CDNOW's sample gives its published summary.

The data, and the summary of its first 39 weeks, come with the package `lifetimes` (Fader, Hardie, Lee 2005, "Counting
your customers the easy way").
"""

from __future__ import annotations

import csv
from importlib.metadata import files
from pathlib import Path

from tests.unit.models.compiled import CompiledModels, land, line, order, rows

AS_OF = "1997-10-01"


def data_file(name: str) -> Path:
    (found,) = (file for file in files("lifetimes") or [] if file.name == name)
    return Path(str(found.locate()))


def test_the_sample_gives_its_published_summary(models: CompiledModels) -> None:
    bought = [text.split() for text in data_file("CDNOW_sample.txt").read_text().splitlines()]
    orders, lines = [], []
    for number, (_, customer, day, discs, dollars) in enumerate(bought):
        on = f"{day[:4]}-{day[4:6]}-{day[6:]}"
        orders.append(order(str(number), on, customer))
        lines.append(line(str(number), 1, on, float(discs), float(dollars)))
    warehouse = models.warehouse()
    land(warehouse, orders=orders, order_lines=lines)
    models.build(warehouse, "stg_shop__orders")
    warehouse.execute(f"""
        create table identity.master_customer_index as
        select distinct 'orders' as source_system, buyer as source_record_id, loyalty_id as customer_id,
            null::timestamp as valid_from, null::timestamp as valid_to
        from staging.stg_shop__orders;
        create table features.int_as_of_dates as
        select date '{AS_OF}' as as_of_date, true as is_current, true as is_scheduled, false as is_campaign_start,
            false as is_asked_for, true as is_new
    """)
    models.build(warehouse, "feat_customer_rfm")
    found = rows(
        warehouse,
        "select customer_id::integer, repeat_purchase_day_count, customer_age_days - days_since_last_order, "
        "customer_age_days from features.feat_customer_rfm order by 1",
    )
    with data_file("cdnow_customers_summary.csv").open() as file:
        summary = [
            # Weeks to two digits; T ends with the last day that was observed, an as-of date is the day after it.
            (int(row["ID"]), int(row["frequency"]), round(7 * float(row["recency"])), round(7 * float(row["T"])) + 1)
            for row in csv.DictReader(file)
        ]
    assert len(summary) == 2357
    assert found == summary
