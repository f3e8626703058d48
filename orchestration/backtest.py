"""A rule at past dates: whom it would have reached, and what they did next. Nothing that stands is changed.

dbt evaluates the rule's own SQL in a copy of the warehouse, at the dates and with the thresholds that were asked for;
`ml.backtest` compares members with customers like them.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import yaml

from orchestration import backtest_rows
from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from orchestration.warehouse import has_table, reading
from orchestration.workspace import copy_warehouse
from shops import Settings, ShopFolders

if TYPE_CHECKING:
    import pandas as pd

    from ml.backtest import Backtest

FORM = "form"


class BacktestNotPossible(ValueError):
    """A rule, a threshold or a date that cannot be tried."""


@dataclass(frozen=True)
class Asked:
    """A rule with other thresholds than those in force.

    Parameters
    ----------
    rule
        Key of a rule segment, such as `lapsed`.
    thresholds
        Thresholds by name over those of the settings; `form` says absolute or relative, `lapsed.days` is a threshold of
        another rule that this one asks.
    """

    rule: str
    thresholds: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Rule and thresholds in one line."""
        changed = ", ".join(f"{name}={value}" for name, value in self.thresholds.items())
        return f"{self.rule} ({changed})" if changed else self.rule

    def checked(self, settings: Settings) -> Asked:
        """Itself, if the shop has such thresholds.

        Raises
        ------
        BacktestNotPossible
            There is no such threshold; the message names those that there are.
        """
        rules = settings.segments.rules
        own = {*rules.get(self.rule, {}), FORM}
        others = {f"{rule}.{name}" for rule, named in rules.items() for name in named}
        for name in self.thresholds:
            if name not in own | others:
                raise BacktestNotPossible(
                    f"the rule '{self.rule}' has no threshold '{name}'. "
                    f"Next: take one of {', '.join(sorted(own))}, or one of another rule, such as lapsed.days."
                )
        return self

    def settings(self) -> dict[str, Any]:
        """The thresholds as settings: by rule."""
        found: dict[str, dict[str, Any]] = {self.rule: {}}
        for name, value in self.thresholds.items():
            rule, _, threshold = name.rpartition(".")
            found.setdefault(rule or self.rule, {})[threshold] = value
        return {"segments": {"rules": found}}


def read_thresholds(given: Sequence[str]) -> dict[str, Any]:
    """`days=45` and the like as values; what reads as a number is one."""
    found = {}
    for text in given:
        name, is_given, value = text.partition("=")
        if not is_given or not value:
            raise BacktestNotPossible(f"'{text}' is no threshold. Next: write it as days=45.")
        found[name] = yaml.safe_load(value)
    return found


def run_backtest(
    folders: ShopFolders,
    settings: Settings,
    asked: Asked,
    first: date,
    last: date,
    against: Mapping[str, Any] | None = None,
    horizon_days: int | None = None,
) -> tuple[Backtest, Path]:
    """Try a rule at the as-of dates from `first` to `last`; returns what was found and the folder of the report.

    Parameters
    ----------
    against
        Other thresholds of the same rule to hold beside it.
    horizon_days
        How far "next" looks; None: models.purchase.horizon_days.

    Raises
    ------
    BacktestNotPossible
        The rule, a threshold or the dates cannot be tried.
    """
    from ml.backtest import backtest

    asked.checked(settings)
    other = Asked(asked.rule, dict(against)).checked(settings) if against is not None else None
    horizon = horizon_days or settings.models.purchase.horizon_days
    scratch = folders.runs / f"backtest-{asked.rule}"
    try:
        with write_lock(folders.lock, f"a backtest of {asked.rule}"):
            dates = _dates(folders, asked, first, last)
            scratch.mkdir(parents=True, exist_ok=True)
            warehouse = scratch / folders.warehouse.name
            copy_warehouse(folders.warehouse, warehouse)
        dbt = InProcessDbt(folders)
        members = _members(dbt, warehouse, asked, dates)
        other_members = _members(dbt, warehouse, other, dates) if other else None
        with reading(warehouse) as connection:
            found = backtest(
                members,
                backtest_rows.population(connection, dates),
                backtest_rows.outcomes(connection, dates, horizon),
                rule=asked.title,
                horizon_days=horizon,
                placebo=backtest_rows.placebo(connection, dates, horizon),
                other_segments=_other_segments(connection, asked.rule, dates),
                other_members=other_members,
            )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return found, _write(folders, found, asked, other)


def _dates(folders: ShopFolders, asked: Asked, first: date, last: date) -> list[date]:
    """The as-of dates that stand between the two, at which the rule can say something."""
    rule = asked.rule
    if not has_table(folders.warehouse, "segments", "int_segments__rule_dates"):
        raise BacktestNotPossible(f"the shop '{folders.shop}' has no segments yet. Next: make run SHOP={folders.shop}.")
    with reading(folders.warehouse) as connection:
        rows = connection.execute(
            # What the settings do not name may be named for this once.
            "select as_of_date, case when ? and threshold_not_named is not null then null else missing_reason end "
            "from segments.int_segments__rule_dates join segments.int_segments__rules using (segment_key) "
            "where segment_key = ? order by 1",
            [bool(asked.thresholds), rule],
        ).fetchall()
        known = connection.execute("select segment_key from segments.int_segments__rules order by 1").fetchall()
    if not rows:
        raise BacktestNotPossible(f"there is no rule '{rule}'. Next: take one of {', '.join(key for (key,) in known)}.")
    between = [(day, reason) for day, reason in rows if first <= day <= last]
    possible = [day for day, reason in between if reason is None]
    if possible:
        return possible
    if between:
        raise BacktestNotPossible(f"{rule} says nothing at these dates: {between[0][1]}. Next: ask for later dates.")
    raise BacktestNotPossible(
        f"no as-of date stands from {first} to {last}; there are {rows[0][0]} to {rows[-1][0]}, one every "
        "features.as_of_step_days. Next: ask for dates between, or add dates with python -m orchestration backfill."
    )


def _members(dbt: InProcessDbt, warehouse: Path, asked: Asked, dates: Sequence[date]) -> pd.DataFrame:
    """Whom the rule names at the dates, by the form of its thresholds that holds."""
    variables = {
        "segment_dates": [day.isoformat() for day in dates],
        "settings": asked.settings(),
    }
    dbt.build_with(["tag:segments,+seg_" + asked.rule], warehouse, variables)
    with reading(warehouse) as connection:
        return connection.execute(
            f"select customer_id, as_of_date from segments.seg_{asked.rule} as members "
            "join segments.int_segments__rules as rules on rules.segment_key = ? "
            "and members.threshold_form = rules.threshold_form",
            [asked.rule],
        ).df()


def _other_segments(connection: duckdb.DuckDBPyConnection, rule: str, dates: Sequence[date]) -> pd.DataFrame:
    """Who was in which other segment at these dates, by what is on record."""
    return connection.execute(
        "select customer_id, as_of_date, segment_key as segment from segments.int_segments__facts "
        "where segment_key <> ? and list_contains(?, as_of_date)",
        [rule, list(dates)],
    ).df()


def _write(folders: ShopFolders, found: Backtest, asked: Asked, other: Asked | None) -> Path:
    """The report, its pictures and its tables, in a folder of the rule; an older one of the same rule is replaced."""
    folder = folders.reports / "backtests" / asked.rule
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pictures = found.plots()
    shown = "\n\n".join(f"![{name}]({name}.png)" for name in pictures)
    beside = f"\n\nA is {asked.title}, B is {other.title}.\n" if other else ""
    (folder / "report.md").write_text(f"{found.report()}{beside}\n\n{shown}\n", encoding="utf-8")
    for name, png in pictures.items():
        (folder / f"{name}.png").write_bytes(png)
    for name, table in found.tables().items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return folder
