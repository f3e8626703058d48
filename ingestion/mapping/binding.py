"""A mapping made into SQL: for each landing table the queries that make its rows from the rows of its source.

It happens in two steps, each a table in DuckDB: `raw_<table>` holds what the mapping's expressions give, as they give
it; `mapped_<table>` holds it in the contract's types. So a value that cannot be read is found, counted and shown with
the file and row that it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.contract import LandingContract
from ingestion.mapping.model import MappingError, ShopMapping, TableMapping
from ingestion.mapping.sources import FILE_COLUMN, ROW_COLUMN, SourceTable
from ingestion.sql import literal, quoted
from shops.names import nearest

WHERE = "where"
_ORIGIN = f"{FILE_COLUMN}, {ROW_COLUMN}"
_UNKNOWN_COLUMN = re.compile(r'Referenced column "([^"]+)" not found')
_UNKNOWN_FUNCTION = re.compile(r"Scalar Function with name (\S+) does not exist")
_WITH_OFFSET = r"\d{2}:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$"
# The day that stands for the instant of a row, where the source has no instant: its midnight on the shop's clock.
_DAY_OF = {
    "campaigns": "starts_on",
    "coupon_redemptions": "redeemed_on",
    "exchange_rates": "rate_date",
}
# Tables whose rows happen when a row of another table happens: that table, and what ties the two together.
_HAPPENS_WITH = {
    "order_lines": ("orders", "order_id"),
    "campaign_recipients": ("campaigns", "campaign_id"),
    "coupons": ("campaigns", "campaign_id"),
}


@dataclass(frozen=True)
class BoundTable:
    """A landing table whose mapping fits its source.

    Attributes
    ----------
    name : the landing table.
    mapping : what the mapping file says of it.
    source : where its rows come from.
    expressions : landing column to SQL over the source's columns.
    types : landing column to the type that the expression gives.
    tried : of the expressions, `where` among them, those that give null in a row that they fail in.
    zone : zone of the source's clock.
    """

    name: str
    mapping: TableMapping
    source: SourceTable
    expressions: Mapping[str, str]
    types: Mapping[str, str]
    tried: frozenset[str]
    zone: str

    @property
    def raw(self) -> str:
        return f"raw_{self.name}"

    @property
    def mapped(self) -> str:
        return f"mapped_{self.name}"

    @property
    def order(self) -> str:
        """SQL: the order of the rows. Files have one; a database gives rows as it likes, so their content has to do."""
        return _ORIGIN if self.source.files else ", ".join([*map(quoted, self.expressions), ROW_COLUMN])

    @property
    def clauses(self) -> dict[str, str]:
        """The expressions, and `where` if there is one."""
        return {**self.expressions, **({WHERE: self.mapping.where} if self.mapping.where else {})}

    def raw_select(self, relation: str) -> str:
        """SQL: what the expressions give, of the rows of `relation` that `where` lets through."""
        columns = "".join(f"{self._value(name)} as {quoted(name)}, " for name in self.expressions)
        return f"select {columns}{_ORIGIN} from {relation} {self.condition}"

    def _value(self, name: str) -> str:
        return f"{'try' if name in self.tried else ''}({self.clauses[name]})"

    @property
    def condition(self) -> str:
        """SQL: the `where` of the mapping."""
        return f"where {self._value(WHERE)}" if self.mapping.where else ""


def bind(
    mapping: ShopMapping, sources: Mapping[str, SourceTable], contract: LandingContract, file: Path
) -> list[BoundTable]:
    """Hold the mapping in `file` against the columns that its sources have.

    Raises
    ------
    MappingError
        An expression names a column that is not there, or cannot be understood.
    """
    bound = []
    with duckdb.connect() as connection:
        for number, (name, mapped) in enumerate(mapping.tables.items()):
            source = sources[mapped.from_]
            relation = f"source_{number}"
            columns = ", ".join(f"{quoted(column)} {kind}" for column, kind in source.columns.items())
            connection.execute(f"create table {relation} ({columns}, {FILE_COLUMN} varchar, {ROW_COLUMN} bigint)")
            where = f"{file}: tables.{name}"
            expressions = {column: _expression(text, source) for column, text in mapped.columns.items()}
            types = {
                column: _type_of(connection, relation, sql, f"{where}.columns.{column}", mapped, source)
                for column, sql in expressions.items()
            }
            if mapped.where is not None:
                _type_of(connection, relation, mapped.where, f"{where}.where", mapped, source, boolean=True)
            if mapped.cursor is not None:
                _check_cursor(name, mapped, source, where)
            clauses = {**expressions, **({WHERE: mapped.where} if mapped.where else {})}
            tried = frozenset(
                clause
                for clause, sql in clauses.items()
                if sql not in map(quoted, source.columns) and _can_be_tried(connection, relation, sql)
            )
            table = BoundTable(name, mapped, source, expressions, types, tried, mapped.zone or mapping.zone)
            try:
                connection.execute(f"describe {table.raw_select(relation)}")
            except duckdb.Error as error:
                raise MappingError(f"{where}.columns: {_reason(error, source)}") from error
            bound.append(table)
    # Tables whose instant comes from another one are made after it; the first order's counts for all without one.
    return sorted(bound, key=lambda table: (table.name != "orders", table.name in _HAPPENS_WITH))


def typed_select(
    table: BoundTable, mapping: ShopMapping, contract: LandingContract, brand: str, *, fallback_instant: str
) -> str:
    """SQL: the rows of `raw_<table>` in the contract's columns but load_id, in its types, known_at null if not mapped.

    Parameters
    ----------
    brand
        Shop brand of orders where the mapping has none.
    fallback_instant
        SQL of the instant for rows of reference tables that have no time of their own.
    """
    columns = contract.tables[table.name]
    given = {name: readable(name, table, columns[name]) for name in table.expressions}
    given |= {name: f"cast({_constant(value)} as {columns[name]})" for name, value in table.mapping.constants.items()}
    values = {**_defaults(table.name, mapping, table, brand, given), **given}
    joined, instant = "", values.get("occurred_at")
    if instant is None and (day := _DAY_OF.get(table.name)) in values:
        instant = _utc(values[str(day)], table.zone)
    elif instant is None and table.name in _HAPPENS_WITH:
        other, key = _HAPPENS_WITH[table.name]
        joined = f"left join instants_of_{other} as instants on {values[key]} = instants.key"
        instant = "instants.occurred_at"
    values["occurred_at"] = instant or fallback_instant
    listed = ", ".join(
        f"cast({values.get(name, 'null')} as {kind}) as {name}" for name, kind in columns.items() if name != "load_id"
    )
    once = ""
    if table.mapping.keys:
        keys = ", ".join(values[key] for key in table.mapping.keys)
        once = f"qualify row_number() over (partition by {keys} order by {table.order}) = 1"
    return f"select {listed}, raw.{FILE_COLUMN}, raw.{ROW_COLUMN} from {table.raw} as raw {joined} {once}"


def readable(name: str, table: BoundTable, kind: str) -> str:
    """SQL: the landing column `name` of the raw table in its type; null for what cannot be read."""
    value, given, kind = f"raw.{quoted(name)}", table.types[name], kind.upper()
    if kind == "VARCHAR":
        if given in {"DOUBLE", "FLOAT"}:  # a spreadsheet made 17850.0 of the id 17850
            whole = f"case when {value} = trunc({value}) then cast(try_cast({value} as hugeint) as varchar) end"
            return f"case when isfinite({value}) then coalesce({whole}, cast({value} as varchar)) end"
        return f"cast({value} as varchar)"
    if given == "VARCHAR":
        value = f"nullif(trim({value}), '')"
    if kind == "TIMESTAMP":
        if given == "TIMESTAMP WITH TIME ZONE":
            return f"timezone('UTC', {value})"
        if given == "VARCHAR":
            return (
                f"case when regexp_matches({value}, '{_WITH_OFFSET}') "
                f"then timezone('UTC', try_cast({value} as timestamptz)) else {_utc(value, table.zone)} end"
            )
        return _utc(value, table.zone)
    return f"try_cast({value} as {kind})"


def _utc(local: str, zone: str) -> str:
    """SQL: the UTC instant of a time on the clock of `zone`."""
    return f"timezone('UTC', timezone({literal(zone)}, try_cast({local} as timestamp)))"


def _defaults(
    name: str, mapping: ShopMapping, table: BoundTable, brand: str, given: Mapping[str, str]
) -> dict[str, str]:
    """What a column holds that the mapping does not mention, where null would not do."""
    if name == "orders":
        return {
            "currency": literal(mapping.currency),
            "business_timezone": literal(mapping.zone),
            "status": "'completed'",
            "brand": literal(brand),
        }
    if name == "order_lines":
        order = given["order_id"]
        discounts = "".join(
            f" + coalesce({given[part]}, 0)" for part in ("retail_discount", "coupon_match_discount") if part in given
        )
        return {
            "line_number": f"row_number() over (partition by {order} order by {table.order})",
            "line_type": "'sale'",
            "quantity": "1",
            "gross_amount": f"{given['net_amount']}{discounts}",
        }
    if name == "crm_contacts":
        return {"crm_system": "'crm'"}
    return {}


def tables_with_instants() -> dict[str, str]:
    """Tables that others take their instant from, and what ties them together."""
    return dict(_HAPPENS_WITH.values())


def has_own_instant(table: BoundTable) -> bool:
    """Whether occurred_at comes from the source, and not from when it was first read."""
    return (
        "occurred_at" in {*table.mapping.columns, *table.mapping.constants}
        or table.name in _DAY_OF
        or table.name in _HAPPENS_WITH
    )


def _constant(value: str | int | float | bool) -> str:
    return literal(value) if isinstance(value, str) else str(value)


def _expression(text: str, source: SourceTable) -> str:
    """The SQL of a mapped column: a name of the source as it stands (spaces and all), else an expression."""
    by_name = {name.lower(): name for name in source.columns}
    name = by_name.get(text.strip().lower())
    return quoted(name) if name is not None else text


def _type_of(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    sql: str,
    where: str,
    mapped: TableMapping,
    source: SourceTable,
    boolean: bool = False,
) -> str:
    try:
        kind = str(connection.execute(f"describe select ({sql}) as value from {relation}").fetchall()[0][1])
    except duckdb.Error as error:
        raise MappingError(f"{where}: {_reason(error, source)}") from error
    if boolean and kind != "BOOLEAN":
        raise MappingError(f"{where}: '{sql}' is no condition: it gives {kind}. Next: compare it with something.")
    return kind


def _can_be_tried(connection: duckdb.DuckDBPyConnection, relation: str, sql: str) -> bool:
    """Whether DuckDB's try() takes the expression: none with a subquery, a window or what is random."""
    try:
        connection.execute(f"describe select try({sql}) from {relation}")
    except duckdb.Error:
        return False
    return True


def _reason(error: duckdb.Error, source: SourceTable) -> str:
    message = str(error).strip()
    if unknown := _UNKNOWN_COLUMN.search(message):
        name = unknown[1]
        return (
            f"{source.name} has no column '{name}'; did you mean '{nearest(name, source.columns)}'? "
            f"Next: take one of {', '.join(source.columns)}; a text stands in 'quotes', or under constants."
        )
    first = message.split("\n")[0]
    if _UNKNOWN_FUNCTION.search(message):
        return f"{first} Next: DuckDB's SQL functions can be used."
    if "VARCHAR" in first:
        return (
            f"{first} Next: columns of CSV files and of SQLite are text; write a type behind them, "
            "e.g. Quantity::decimal(18,3) * Price::decimal(18,4)."
        )
    return f"{first} Next: correct the expression; DuckDB's SQL is understood."


def _check_cursor(name: str, mapped: TableMapping, source: SourceTable, where: str) -> None:
    if source.files:
        raise MappingError(
            f"{where}.cursor: files need none: a file that has not changed is not read again. Next: leave it out."
        )
    if name == "order_lines" and "line_number" not in mapped.columns:
        raise MappingError(
            f"{where}.cursor: lines that come in parts need a number of their own. Next: map line_number, or leave the "
            "cursor out."
        )
    if mapped.cursor not in source.columns:
        raise MappingError(
            f"{where}.cursor: {source.name} has no column '{mapped.cursor}'; did you mean "
            f"'{nearest(str(mapped.cursor), source.columns)}'?"
        )


def unreadable_columns(table: BoundTable, contract: LandingContract) -> Iterable[tuple[str, str, str]]:
    """Columns whose values may turn out unreadable: name, SQL for "has a value", SQL for "is read as nothing"."""
    for name, given in table.types.items():
        kind = contract.tables[table.name][name]
        if kind.upper() not in {"VARCHAR", given}:
            raw = f"raw.{quoted(name)}"
            has_value = f"trim({raw}) <> ''" if given == "VARCHAR" else f"{raw} is not null"
            if given in {"DOUBLE", "FLOAT"}:  # a data frame writes what is missing as not a number
                has_value = f"not isnan({raw})"
            yield name, has_value, f"{readable(name, table, kind)} is null"
