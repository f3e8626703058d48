"""The vocabulary of the gates: suites of checks, as data.

A gate module returns suites; a suite is one table (or one query) with its checks; a check names an expectation of
Great Expectations with its arguments, and says in words what it means. Nothing here imports Great Expectations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import isfinite
from typing import Any

from expectations.results import Severity


@dataclass(frozen=True)
class Check:
    """One expectation about one suite's rows.

    Attributes
    ----------
    type : class name in `great_expectations.expectations`.
    label : what is expected, in a marketer's words.
    threshold : the limit, in words.
    kwargs : arguments of the expectation.
    column : column it is about, if one.
    sample : SQL that selects rows to show when it fails; `{source}` stands for the suite's rows.
    unit : written behind the observed value.
    named_by : column of the sample whose values name what failed (a feature, a segment); shown as the column.
    next_step : what to do when it fails; empty for the gate's own.
    """

    type: str
    label: str
    threshold: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    column: str = ""
    sample: str = ""
    unit: str = ""
    named_by: str = ""
    severity: Severity = "critical"
    next_step: str = ""

    def as_warning(self) -> Check:
        """Return the same check as one that reports without failing the gate."""
        return replace(self, severity="warning")

    def then(self, next_step: str) -> Check:
        """Return the same check with what to do when it fails."""
        return replace(self, next_step=next_step)


@dataclass(frozen=True)
class Suite:
    """Checks that look at the same rows, validated together.

    Attributes
    ----------
    name : short name, unique within the gate.
    table : table that the results are reported under, `schema.table`.
    checks : what must hold.
    query : SQL whose result is checked; the table itself when empty.
    needs : tables that have to exist; the suite fails with their names otherwise.
    """

    name: str
    table: str
    checks: tuple[Check, ...]
    query: str = ""
    needs: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """What to select from, to get the suite's rows."""
        return f"({self.query}) as suite_rows" if self.query else self.table

    @property
    def required_tables(self) -> tuple[str, ...]:
        """Tables without which the suite cannot run."""
        return self.needs or (() if self.query else (self.table,))


def literal_rows(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> str:
    """SQL for rows that were computed outside the database.

    Parameters
    ----------
    columns : names and their SQL types.
    rows : values in the order of the columns: text, numbers, dates, None.
    """
    typed = ", ".join(f"{name}::{kind} as {name}" for name, kind in columns.items())
    if not rows:
        return f"select {typed} from (select {', '.join(f'null as {name}' for name in columns)}) where false"

    def written(value: Any) -> str:
        return "null" if value is None else "'" + str(value).replace("'", "''") + "'"

    listed = ", ".join(f"({', '.join(map(written, row))})" for row in rows)
    return f"select {typed} from (values {listed}) as computed ({', '.join(columns)})"


def row_count(low: int, high: int | None = None, label: str = "number of rows") -> Check:
    """Expect a number of rows between `low` and `high`, inclusive."""
    kwargs = {"min_value": low, "max_value": high}
    return Check("ExpectTableRowCountToBeBetween", label, limits_text(low, high), kwargs, unit="rows")


def measure(column: str, low: float | None, high: float | None, label: str, sample: str = "", unit: str = "") -> Check:
    """Expect the number in `column` of a one-row query between `low` and `high`; null fails."""
    return Check(
        "ExpectColumnMinToBeBetween",
        label,
        limits_text(low, high),
        {"column": column, "min_value": low, "max_value": high},
        column,
        sample or "select * from {source}",
        unit,
    )


def each_between(
    column: str, low: float | None, high: float | None, label: str, mostly: float = 1.0, named_by: str = ""
) -> Check:
    """Expect the value of `column` in every row (or in the share `mostly` of them) between `low` and `high`; null is
    left out. `named_by` is the column that says which thing a row is about."""
    outside = " or ".join(
        f"{column} {sign} {bound!r}" for sign, bound in (("<", low), (">", high)) if bound is not None
    )
    share = "" if mostly >= 1 else f" in at least {mostly:.1%} of rows"
    return Check(
        "ExpectColumnValuesToBeBetween",
        label,
        f"{limits_text(low, high)}{share}",
        {"column": column, "min_value": low, "max_value": high, "mostly": mostly},
        column,
        f"select * from {{source}} where {outside}",
        named_by=named_by,
    )


def no_rows(condition: str, label: str, threshold: str, column: str = "", named_by: str = "") -> Check:
    """Expect that no row fulfills the SQL `condition` (braces in it must be doubled)."""
    query = f"select * from {{batch}} where {condition}"
    return Check(
        "UnexpectedRowsExpectation",
        label,
        threshold,
        {"unexpected_rows_query": query},
        column,
        query.replace("{batch}", "{source}").replace("{{", "{").replace("}}", "}"),
        "rows outside",
        named_by,
    )


def quantile(column: str, at: float, low: float | None, high: float | None, label: str) -> Check:
    """Expect one quantile of `column` between `low` and `high`."""
    ranges = {"quantiles": [at], "value_ranges": [[low, high]]}
    return Check(
        "ExpectColumnQuantileValuesToBeBetween",
        label,
        limits_text(low, high),
        {"column": column, "quantile_ranges": ranges},
        column,
        extremes(column),
    )


def spread(column: str, low: float, label: str) -> Check:
    """Expect a standard deviation of at least `low`: a constant column has lost its information."""
    return Check(
        "ExpectColumnStdevToBeBetween",
        label,
        limits_text(low, None),
        {"column": column, "min_value": low},
        column,
        f"select {column}, count(*) as row_count from {{source}} group by {column} order by row_count desc",
    )


def mean(column: str, low: float | None, high: float | None, label: str) -> Check:
    """Expect the mean of `column` between `low` and `high`."""
    kwargs = {"column": column, "min_value": low, "max_value": high}
    return Check("ExpectColumnMeanToBeBetween", label, limits_text(low, high), kwargs, column, extremes(column))


def extremes(column: str) -> str:
    """SQL for the rows that are farthest from the median of `column`."""
    middle = f"(select median({column}) from {{source}})"
    return f"select * from {{source}} order by abs({column} - {middle}) desc nulls first"


def limits_text(low: float | None, high: float | None) -> str:
    """Say a range in words; a side that is None is open."""
    if low is not None and low == high:
        return f"exactly {number_text(low)}"
    if low is not None and high is not None:
        return f"between {number_text(low)} and {number_text(high)}"
    if low is not None:
        return f"at least {number_text(low)}"
    if high is not None:
        return f"at most {number_text(high)}"
    return "anything"


def number_text(value: Any) -> str:
    """Write a number readably: thousands separated, money to the cent, fractions to four significant digits."""
    if isinstance(value, Decimal):
        return f"{value:,}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return str(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.4g}"
