"""Which as-of dates can be asked for, and what is wrong with one that cannot.

What a warehouse holds decides. The partitions in the UI are read from what is published instead: definitions are loaded
while others write, and nobody who loads them may hold the warehouse open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from orchestration.warehouse import has_table, reading
from shops import Settings, ShopFolders


class DateNotPossible(ValueError):
    """An as-of date that features cannot be computed at, or kept at."""


@dataclass(frozen=True)
class AsOfSpan:
    """The as-of dates that features can be computed at.

    Parameters
    ----------
    first_order
        Business day of the first order.
    current
        The current as-of date.
    retention_days
        As-of dates that lie further back are dropped; None: all are kept.
    """

    first_order: date
    current: date
    retention_days: int | None = None

    @property
    def first(self) -> date:
        """The first date that has a row before it and is kept."""
        seen = self.first_order + timedelta(days=1)
        return seen if self.retention_days is None else max(seen, self._kept_from)

    @property
    def _kept_from(self) -> date:
        return self.current - timedelta(days=self.retention_days or 0)

    def refuse_impossible(self, dates: Sequence[date]) -> None:
        """Raise DateNotPossible for the first of `dates` that no build would compute and keep."""
        for asked in dates:
            if asked > self.current:
                raise DateNotPossible(
                    f"{asked} lies after the current as-of date, {self.current}: what happened up to it is not known "
                    f"yet. Next: ask for {self.current} or an earlier date, or land later data and run the chain."
                )
            if asked <= self.first_order:
                raise DateNotPossible(
                    f"{asked} has nothing to look back on: the first order is of {self.first_order}, and features are "
                    f"made from rows before their date. Next: ask for {self.first} or a later date."
                )
            if asked < self.first:
                raise DateNotPossible(
                    f"{asked} would be dropped again: features.retention_days = {self.retention_days} keeps the dates "
                    f"from {self._kept_from} on. Next: ask for a later date, or raise it in the shop's settings.yml."
                )


def span_of_warehouse(folders: ShopFolders, settings: Settings, warehouse: Path | None = None) -> AsOfSpan:
    """What `warehouse` (default: the shop's) can answer for.

    Raises
    ------
    DateNotPossible
        There is no warehouse, no features in it, or no order.
    """
    file = warehouse or folders.warehouse
    if has_table(file, "features", "int_as_of_dates"):
        with reading(file) as connection:
            row = connection.execute(
                "select (select min(order_date) from features.int_activity__orders), max(as_of_date) "
                "from features.int_as_of_dates where is_current"
            ).fetchone()
        if row is not None and None not in row:
            return AsOfSpan(row[0], row[1], settings.features.retention_days)
    raise DateNotPossible(
        f"the shop '{folders.shop}' has no features yet, and a backfill adds dates to them. "
        f"Next: make run SHOP={folders.shop}."
    )


def span_of_published(folders: ShopFolders, settings: Settings) -> AsOfSpan | None:
    """The same by what readers see, from one small file; None where nothing is published."""
    days = folders.current / "parquet" / "dim_dates" / "dim_dates.parquet"
    try:
        with duckdb.connect() as connection:
            row = connection.execute("select min(date_day), max(date_day) from read_parquet(?)", [str(days)]).fetchone()
    except duckdb.Error:  # Not there, or being pruned: the UI has to come up all the same.
        return None
    return None if row is None or None in row else AsOfSpan(row[0], row[1], settings.features.retention_days)


def read_date(text: str) -> date:
    """The date that somebody wrote."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DateNotPossible(f"'{text}' is not a date. Next: write it as 2017-06-05.") from None


def read_dates(listed: Sequence[str], first: str | None, last: str | None) -> list[date]:
    """The dates that somebody listed, or each day from `first` to `last`, both included; in order, each once."""
    if bool(listed) == bool(first or last) or bool(first) != bool(last):
        raise DateNotPossible(
            "which dates? Next: list them (2017-06-05 2017-06-12), or give --from and --to for each day between."
        )
    if listed:
        return sorted({read_date(text) for text in listed})
    start, end = read_date(str(first)), read_date(str(last))
    if start > end:
        raise DateNotPossible(f"--from {start} lies after --to {end}. Next: give the earlier one first.")
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]
