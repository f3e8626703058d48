"""Features at many dates, at few dates, and counted one by one by hand: the same numbers, whatever happens to whom."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.models.compiled import CompiledModels, rows

START = date(2024, 1, 1)
WINDOWS = (None, 2, 7, 28, 90, 365)
RECORDS = range(6)


@dataclass(frozen=True)
class Fact:
    """What a record did on a day, and which as-of dates see it."""

    record: int
    day: date
    counts_from: date
    counts_until: date | None
    values: dict[str, Any]

    def counts_at(self, at: date, window: int | None) -> bool:
        seen = at > self.day and at > self.counts_from and (self.counts_until is None or at <= self.counts_until)
        return seen and (window is None or self.day >= at - timedelta(window))


@dataclass(frozen=True)
class Membership:
    """Whose a record is, as of dates after the one and up to the other."""

    record: int
    customer: str
    known_from: date | None
    known_until: date | None

    def holds_at(self, at: date) -> bool:
        return (self.known_from is None or at > self.known_from) and (self.known_until is None or at <= self.known_until)


class History:
    """Random purchases of a few records at a few dates, and the features that brute force gives."""

    def __init__(self, seed: int, as_known: bool) -> None:
        self.draw = random.Random(seed)
        self.dates = sorted({self._day(0, 60) for _ in range(self.draw.randint(1, 7))})
        self.new_dates = [day for day in self.dates if self.draw.random() < 0.4]
        self.memberships = [one for record in RECORDS for one in self._memberships(record, as_known)]
        self.grids = {one.customer: self.draw.choice(["stored", "new", "few"]) for one in self.memberships}
        self.days = [self._fact(order_count=self.draw.randint(0, 2), net_amount=self.draw.randint(-5, 9)) for _ in self._some(20)]
        self.orders = [self._fact(store_id=self.draw.choice([None, "s1", "s2"])) for _ in self._some(20)]
        self.lines = [
            self._fact(product_id=self.draw.choice("abc"), product_category=self.draw.choice([None, "x", "y"]),
                       line_type=self.draw.choice(["sale", "sale", "fee"]))
            for _ in self._some(25)
        ]  # fmt: skip
        self.categories = [
            self._fact(department=self.draw.choice("xy"), line_count=self.draw.randint(1, 3), net_amount=self.draw.randint(0, 9))
            for _ in self._some(25)
        ]  # fmt: skip

    def _some(self, most: int) -> range:
        return range(self.draw.randint(0, most))

    def _day(self, first: int, last: int) -> date:
        return START + timedelta(self.draw.randint(first, last))

    def _memberships(self, record: int, as_known: bool) -> Iterable[Membership]:
        if not as_known:
            yield Membership(record, self.draw.choice(["ann", "bob", "eve"]), None, None)
            return
        days = sorted({self._day(-20, 50) for _ in range(self.draw.randint(1, 3))})
        for since, until in zip(days, [*days[1:], None], strict=True):
            yield Membership(record, self.draw.choice(["ann", "bob", "eve"]), since, until)

    def _fact(self, **values: Any) -> Fact:
        day = self.draw.choice([self._day(-10, 60), self._day(-10, 60), self._day(-420, -10)])
        counts_from = day if self.draw.random() < 0.7 else day + timedelta(self.draw.randint(1, 30))
        counts_until = None if self.draw.random() < 0.7 else counts_from + timedelta(self.draw.randint(1, 30))
        return Fact(self.draw.choice(RECORDS), day, counts_from, counts_until, values)

    def due(self) -> Iterable[tuple[str, date]]:
        """Customers and the dates that are computed for them."""
        for customer, grid in self.grids.items():
            for at in self.dates if grid == "stored" else self.new_dates:
                yield customer, at

    def facts(
        self, of: Sequence[Fact], customer: str, at: date, window: int | None = None, **wanted: Any
    ) -> list[Fact]:
        """Facts that count for a customer at a date."""
        records = [one.record for one in self.memberships if one.customer == customer and one.holds_at(at)]
        return [
            fact
            for fact in of
            if fact.record in records
            and fact.counts_at(at, window)
            and all(fact.values[name] == value for name, value in wanted.items())
        ]

    def total(self, name: str, customer: str, at: date, window: int | None = None) -> int:
        return sum(fact.values[name] for fact in self.facts(self.days, customer, at, window))

    def land(self, connection: duckdb.DuckDBPyConnection, models: CompiledModels) -> None:
        """Activity, memberships and dates as the models before would have written them."""
        models.empty(connection, "stg_shop__orders")
        self._write(connection, models, "int_as_of_dates", [
            {"as_of_date": day, "is_current": day == self.dates[-1], "is_scheduled": True, "is_campaign_start": False,
             "is_asked_for": False, "is_new": day in self.new_dates}
            for day in self.dates
        ])  # fmt: skip
        self._write(connection, models, "int_activity__memberships", [
            {"record_hash": one.record, "customer_id": one.customer, "known_from": one.known_from, "known_until": one.known_until}
            for one in self.memberships
        ])  # fmt: skip
        # Every record was seen, whatever it did.
        self._write(connection, models, "int_activity__profiles", [
            {"record_hash": record, "day": START, "counts_from": START} for record in RECORDS
        ])  # fmt: skip
        for table, facts, day in [
            ("int_activity__purchase_days", self.days, "day"),
            ("int_activity__orders", self.orders, "order_date"),
            ("int_activity__order_lines", self.lines, "order_date"),
            ("int_activity__purchased_categories", self.categories, "day"),
        ]:
            self._write(connection, models, table, [
                {"record_hash": fact.record, day: fact.day, "counts_from": fact.counts_from,
                 "counts_until": fact.counts_until, **fact.values}
                for fact in facts
            ])  # fmt: skip

    @staticmethod
    def _write(connection: duckdb.DuckDBPyConnection, models: CompiledModels, table: str, given: list[dict[str, Any]]) -> None:
        models.empty(connection, table)
        if given:
            columns = list(given[0])
            frame = pa.table({name: [row[name] for row in given] for name in columns})  # noqa: F841 (read by DuckDB)
            connection.execute(f"insert into features.{table} by name select * from frame")


def compute(models: CompiledModels, history: History) -> duckdb.DuckDBPyConnection:
    """A warehouse with the features of `history`."""
    warehouse = models.warehouse()
    history.land(warehouse, models)
    models.build(warehouse, "int_activity__customers")
    for customer, grid in history.grids.items():
        warehouse.execute("update features.int_activity__customers set grid = ? where customer_id = ?", [grid, customer])
    models.build(
        warehouse, "int_as_of_grid", "int_as_of_calendar", "int_activity__owners", "int_features__rfm",
        "int_features__basket", "int_features__categories",
    )  # fmt: skip
    return warehouse


def named(feature: str, window: int | None) -> str:
    return f"{feature}_{window}d" if window else feature


def expected_rfm(history: History) -> list[tuple[Any, ...]]:
    """What int_features__rfm has to hold."""
    found = []
    for customer, at in history.due():
        if history.total("order_count", customer, at) <= 0:
            continue
        days = sorted({fact.day for fact in history.facts(history.orders, customer, at)})
        gaps = [(later - earlier).days for earlier, later in zip(days, days[1:], strict=False)]
        found.append((
            customer, at, (at - days[0]).days if days else None, (at - days[-1]).days if days else None,
            float(median(gaps)) if gaps else None,
            *(history.total("order_count", customer, at, window) for window in WINDOWS),
            *(len({fact.day for fact in history.facts(history.orders, customer, at, window)}) for window in WINDOWS),
            *(history.total("net_amount", customer, at, window) for window in WINDOWS),
        ))  # fmt: skip
    return sorted(found)


RFM = ", ".join([
    "customer_id", "as_of_date", "customer_age_days", "days_since_last_order", "median_days_between_orders",
    *(named("order_count", window) for window in WINDOWS), *(named("purchase_day_count", window) for window in WINDOWS),
    *(named("total_spend", window) for window in WINDOWS),
])  # fmt: skip


def expected_distinct(history: History) -> list[tuple[Any, ...]]:
    """What int_features__basket has to hold of things that are counted once."""

    def different(of: Sequence[Fact], name: str, customer: str, at: date, **wanted: Any) -> int:
        return len({fact.values[name] for fact in history.facts(of, customer, at, **wanted)} - {None})

    return sorted(
        (
            customer, at, different(history.lines, "product_id", customer, at, line_type="sale"),
            different(history.lines, "product_category", customer, at, line_type="sale"),
            different(history.orders, "store_id", customer, at),
        )
        for customer, at in history.due()
        if history.total("order_count", customer, at) > 0
    )  # fmt: skip


def expected_categories(history: History) -> list[tuple[Any, ...]]:
    """What int_features__categories has to hold: sums of each value of a column."""
    found = []
    for customer, at in history.due():
        for department in "xy":
            facts = history.facts(history.categories, customer, at, department=department)
            if facts:
                sums = (sum(fact.values[name] for fact in facts) for name in ("line_count", "net_amount"))
                found.append((customer, at, department, *sums))
    return sorted(found)


def agrees_with_brute_force(models: CompiledModels, history: History) -> None:
    """Both tables, row by row; a customer without a fact that counts has no row."""
    warehouse = compute(models, history)
    kept = "where as_of_date is not null order by all"
    assert rows(warehouse, f"select {RFM} from features.int_features__rfm {kept}") == expected_rfm(history)
    by_category = "customer_id, as_of_date, category, line_count, net_amount"
    assert rows(warehouse, f"select {by_category} from features.int_features__categories {kept}") == expected_categories(history)
    counted = "customer_id, as_of_date, product_count, category_count, store_count"
    assert rows(warehouse, f"select {counted} from features.int_features__basket {kept}") == expected_distinct(history)


@pytest.mark.parametrize("as_known", [False, True])
def test_features_agree_with_brute_force(as_known: bool, models: CompiledModels, models_as_known: CompiledModels) -> None:
    compiled = models_as_known if as_known else models

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 10**9))
    def check(seed: int) -> None:
        agrees_with_brute_force(compiled, History(seed, as_known))

    check()
