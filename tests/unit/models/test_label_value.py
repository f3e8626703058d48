"""Spend in the window of lifetime value: from its first day on, up to its last, discounted day by day, if observed."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.models.compiled import CompiledModels, line, order, rows
from tests.unit.models.test_purchases_as_known import featured

AS_OF = date(2024, 1, 2)
# day of the window -> amount: the day before it, its first and its last day, and the day after
SOLD = {"2024-01-01": 7.0, "2024-01-02": 100.0, "2024-03-31": 50.0, "2024-04-01": 30.0}


def test_what_lies_in_the_window_counts_and_is_worth_less_the_later_it_comes(models: CompiledModels) -> None:
    orders = [order(f"o{on}", on, "c1") for on in SOLD] + [order("once", "2024-01-01", "c2")]
    lines = [line(f"o{on}", 1, on, 1.0, amount) for on, amount in SOLD.items()]
    lines.append(line("once", 1, "2024-01-01", 1.0, 5.0))
    warehouse = featured(models, orders, lines, [AS_OF, date(2024, 1, 12), date(2024, 4, 10)])
    models.build(warehouse, "label_value")
    found = rows(
        warehouse,
        "select customer_id, as_of_date, horizon_days, has_purchased, spend::double, discounted_spend::double "
        "from features.label_value order by all",
    )
    # The windows of 90 days from 2024-01-12 on, and all of 365 days, end after 2024-04-10: nothing may be said of them.
    assert [row[:5] for row in found] == [("c1", AS_OF, 90, 1, 150.0), ("c2", AS_OF, 90, 0, 0.0)]
    assert found[0][5] == pytest.approx(100 + 50 * 1.1 ** (-89 / 365), abs=0.005)
    assert found[-1][5] == 0.0
