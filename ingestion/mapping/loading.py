"""From an extraction to a load: the mapping's SQL over what arrived, less what has landed before, into the zone.

The load is named after the extraction, so a load that is cut off is repeated under its own name. Rows that stand in
the landing zone as they come, in the newest load that has their key, do not land again: a source that always exports
everything lands what is new or has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import duckdb

from ingestion.contract import LandingContract
from ingestion.landing_zone import LandingZone, LoadSummary
from ingestion.mapping.binding import (
    WHERE,
    BoundTable,
    bind,
    has_own_instant,
    tables_with_instants,
    typed_select,
    unreadable_columns,
)
from ingestion.mapping.extraction import Extraction, Extractor
from ingestion.mapping.failures import explained, failures
from ingestion.mapping.model import KEYS, MAPPING_FILE, MappingError, ShopMapping, needed_columns, read_mapping
from ingestion.mapping.receipts import Receipts, TableCount, drift
from ingestion.mapping.sources import FILE_COLUMN, ROW_COLUMN, TEXT, SourceTable, open_source
from ingestion.sql import literal, quoted
from shops import ShopFolders

SOURCE = "mapping"
# Single values that cannot be read cost themselves; a column in which more than this share cannot be read is mapped
# wrongly (a date format, a decimal comma), and landing nothing beats landing nulls.
MAX_UNREADABLE_SHARE = 0.05
MANY_UNREADABLE = 10  # of a few rows, one is soon a twentieth


@dataclass(frozen=True)
class Unreadable:
    """Values of one landing column that cannot be read; they land as null. Of `where`: rows, and they do not land."""

    table: str
    column: str
    values: int
    of: int
    example: str
    file: str
    row: int

    def __str__(self) -> str:
        return (
            f"{self.table}.{self.column}: {self.values:,} of {self.of:,} values cannot be read, "
            f"such as '{self.example}' in {self.file} row {self.row:,}"
        )

    @property
    def note(self) -> str:
        """What it is, and what it costs."""
        return f"{self}; {'their rows are left out' if self.column == WHERE else 'they land as null'}"


@dataclass
class Mapped:
    """What became of the rows of one extraction: counts by landing table, and values that could not be read."""

    counts: dict[str, TableCount] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)


def land(folders: ShopFolders) -> list[LoadSummary]:
    """Extract what is new in the shop's source and land it; the visible loads, the new ones with notes.

    The newest load has the notes of what was read and came out as it stands, too.

    Raises
    ------
    MappingError
        The mapping does not fit its source; nothing has landed.
    """
    file = folders.own / MAPPING_FILE
    zone = LandingZone(folders.landing)
    mapping = read_mapping(file, zone.contract)
    source = open_source(mapping, file)
    tables = {name: source.table(name) for name in dict.fromkeys(m.from_ for m in mapping.tables.values())}
    bound = bind(mapping, tables, zone.contract, file)
    extractor = Extractor(folders.extracted, source, list(tables.values()), mapping)
    receipts = Receipts(folders.extracted / "receipts")
    with zone.writing():
        zone.prepare()
        have_landed = any(load.source == SOURCE for load in zone.loads())
        newest = receipts.newest()
        is_made_otherwise = newest is not None and newest.mapping != mapping.fingerprint
        if extractor.reads_otherwise() or not (have_landed or extractor.waiting()):
            # Mapped otherwise, or never landed: all is read again; what comes out as it stands does not land again.
            extractor.forget()
        extractor.extract()
        notes_of_none: list[str] = []
        for extraction in extractor.waiting():
            try:
                notes_of_none += _land_extraction(
                    zone, extraction, mapping, bound, tables, receipts, folders.shop, file, is_made_otherwise
                )
            except MappingError:
                # It would be refused for ever; who corrects the source's files wants them read again.
                extractor.forget()
                raise
            extraction.drop()
        fresh = {load.load_id: load for load in receipts.landed_now}
        loads = [fresh.get(load.load_id, load) for load in zone.loads()]
        if loads:
            loads[-1] = replace(loads[-1], notes=(*loads[-1].notes, *notes_of_none))
    if not loads:
        why = f" that land ({'; '.join(notes_of_none)})" if notes_of_none else ""
        raise MappingError(f"{file}: its source {source.shown} has no rows{why}. Next: put files there and land again.")
    return loads


def load_id_of(extraction: Extraction) -> str:
    """The name of the load that an extraction becomes."""
    return f"{SOURCE}-{extraction.arrived_at:%Y%m%dT%H%M%S%f}"


def _land_extraction(
    zone: LandingZone,
    extraction: Extraction,
    mapping: ShopMapping,
    bound: Sequence[BoundTable],
    tables: Mapping[str, SourceTable],
    receipts: Receipts,
    shop: str,
    file: Path,
    is_made_otherwise: bool,
) -> list[str]:
    """Land an extraction; its notes, where nothing of it lands."""
    load_id = load_id_of(extraction)
    is_first = not any(load.source == SOURCE and load.load_id != load_id for load in zone.loads())
    arrived = [table for table in bound if extraction.files_of(table.source.name)]
    with duckdb.connect() as connection:
        connection.execute(f"set temp_directory = {literal(extraction.folder / 'tmp')}")
        relations = {table.source.name: _rows_of(table.source, extraction, mapping) for table in arrived}
        mapped = map_rows(
            connection,
            arrived,
            relations,
            mapping,
            zone,
            shop,
            file,
            arrived_at=extraction.arrived_at,
            is_first=is_first,
        )
        refuse_what_is_mapped_wrongly(mapped, connection, arrived, file)
        queries = {}
        for table in arrived:
            kind = "view" if is_first else "table"
            connection.execute(f"create temp {kind} new_{table.name} as {_new_rows(table, zone, is_first)}")
            landed = _count(connection, f"select count(*) from new_{table.name}")
            mapped.counts[table.name] = replace(mapped.counts[table.name], landed=landed)
            if landed:
                queries[table.name] = f"select * from new_{table.name}"
        notes = [
            *(values.note for values in mapped.unreadable),
            *drift(receipts.newest(), tables),
            *_left_out(mapped),
            *(_stay_all_the_same(connection, arrived, zone) if is_made_otherwise else []),
            *(note for table in arrived for note in _numbered_anew(connection, table, zone)),
        ]
        if queries:
            summary = zone.land(
                connection,
                load_id=load_id,
                source=SOURCE,
                load_date=extraction.arrived_at.date(),
                known_at_is_assumed=is_first,
                tables=queries,
            )
            receipts.landed_now.append(
                LoadSummary(load_id, SOURCE, summary.rows, summary.already_landed, notes=tuple(notes))
            )
    receipts.write(load_id, mapping.fingerprint, tables, mapped.counts, notes)
    return [] if queries else notes


def map_rows(
    connection: duckdb.DuckDBPyConnection,
    bound: Sequence[BoundTable],
    relations: Mapping[str, str],
    mapping: ShopMapping,
    zone: LandingZone,
    shop: str,
    file: Path,
    arrived_at: datetime,
    is_first: bool,
) -> Mapped:
    """Make `mapped_<table>` of each table: its rows in the contract's columns and types, with where they came from.

    Parameters
    ----------
    relations
        Source table to what to select its rows from.
    file
        The mapping's, for messages.
    arrived_at
        When the rows arrived.
    is_first
        Whether it is a historical import: what happened before it was known as it happened.

    Raises
    ------
    MappingError
        An expression that cannot be tried row by row fails in one of them.
    """
    mapped = Mapped()
    arrival = f"timestamp '{arrived_at}'"
    with_instants = tables_with_instants()
    for other, key in with_instants.items():
        connection.execute(
            f"create or replace temp table known_{other} as select {key} as key, occurred_at "
            f"from ({zone.visible(other)})"
        )
        connection.execute(
            f"create or replace temp view instants_of_{other} as "
            f"select key, min(occurred_at) as occurred_at from known_{other} group by key"
        )
    for table in bound:
        relation = relations[table.source.name]
        try:
            connection.execute(f"create or replace temp table {table.raw} as {table.raw_select(relation)}")
        except duckdb.Error as error:
            raise explained(connection, table, relation, file, error) from error
        read = _count(connection, f"select count(*) from {relation}")
        kept = _count(connection, f"select count(*) from {table.raw}")
        instant = _first_instant(connection, table) if is_first else arrival
        select = typed_select(table, mapping, zone.contract, shop, fallback_instant=instant)
        # Nothing is known after it arrived: a day in the future is a mistake, and a line without its order has no day.
        happened = f"occurred_at + interval {round(mapping.known_after_hours * 3600)} second"
        known = f"coalesce(known_at, {f'least({happened}, {arrival})' if is_first else arrival})"
        connection.execute(
            f"create or replace temp table {table.mapped} as select * replace ({known} as known_at) from ({select})"
        )
        rows = _count(connection, f"select count(*) from {table.mapped}")
        mapped.counts[table.name] = TableCount(read=read, left_out=read - kept, collapsed=kept - rows, rows=rows)
        mapped.unreadable += _unreadable(connection, table, relation, zone.contract)
        if table.name in with_instants:
            key = with_instants[table.name]
            connection.execute(f"insert into known_{table.name} select {key}, occurred_at from {table.mapped}")
    return mapped


def _first_instant(connection: duckdb.DuckDBPyConnection, table: BoundTable) -> str:
    """SQL: for what has no time of its own in a historical import, the first order's instant."""
    if has_own_instant(table):
        return "null"
    row = connection.execute("select min(occurred_at) from known_orders").fetchone()
    return f"timestamp '{row[0]}'" if row and row[0] is not None else "null"


def _unreadable(
    connection: duckdb.DuckDBPyConnection, table: BoundTable, relation: str, contract: LandingContract
) -> list[Unreadable]:
    found = {values.column: values for values in _not_of_their_type(connection, table, contract)}
    for name in sorted(table.tried):
        given = _count(connection, f"select count({'*' if name == WHERE else quoted(name)}) from {table.raw}")
        rows = _count(connection, f"select count(*) from {relation if name == WHERE else table.raw}")
        # To find what fails, all is evaluated again: only where something is missing.
        failed = failures(connection, table, name, relation) if given < rows else None
        if failed is not None:
            also, of = (found[name].values, found[name].of) if name in found else (0, given)
            of = rows if name == WHERE else of + failed.rows
            found[name] = Unreadable(table.name, name, also + failed.rows, of, failed.example, failed.file, failed.row)
    return list(found.values())


def _not_of_their_type(
    connection: duckdb.DuckDBPyConnection, table: BoundTable, contract: LandingContract
) -> list[Unreadable]:
    columns = list(unreadable_columns(table, contract))
    if not columns:
        return []
    tests = ", ".join(
        f"count(*) filter ({has_value}), count(*) filter ({has_value} and {is_nothing}), "
        f"arg_min(struct_pack(v := cast(raw.{quoted(name)} as varchar), f := {FILE_COLUMN}, r := {ROW_COLUMN}), "
        f"{ROW_COLUMN}) filter ({has_value} and {is_nothing})"
        for name, has_value, is_nothing in columns
    )
    found = connection.execute(f"select {tests} from {table.raw} as raw").fetchone() or ()
    return [
        Unreadable(table.name, name, bad, of, example["v"], example["f"], example["r"])
        for (name, _, _), of, bad, example in zip(columns, found[::3], found[1::3], found[2::3], strict=True)
        if bad
    ]


def refuse_what_is_mapped_wrongly(
    mapped: Mapped, connection: duckdb.DuckDBPyConnection, bound: Sequence[BoundTable], file: Path
) -> None:
    """Stop before anything lands, where the values say that the mapping is wrong.

    Raises
    ------
    MappingError
        Too many values of a column cannot be read, or a column that every row needs is empty in all of them.
    """
    for values in mapped.unreadable:
        many = values.values >= MANY_UNREADABLE or values.values > values.of / 2
        if many and values.values > MAX_UNREADABLE_SHARE * values.of:
            raise MappingError(f"{file}: tables.{values}. {_advice(values.column)}")
    for table in bound:
        for column in needed_columns(table.name):
            if mapped.counts[table.name].rows and not _count(connection, f"select count({column}) from {table.mapped}"):
                raise MappingError(
                    f"{file}: tables.{table.name}.columns.{column} is empty in every row of {table.source.name}, and "
                    f"without it no row can be used. Next: map another one of {', '.join(table.source.columns)}."
                )


def _advice(column: str) -> str:
    if column == WHERE:
        return "Next: let the condition hold every row, e.g. with try_cast(<column> as integer)."
    if column.endswith("_at") or column.endswith("_on") or column.endswith("_date"):
        return "Next: say how the date is written, e.g. strptime(<column>, '%d/%m/%Y %H:%M')."
    return (
        "Next: map another column, or make a number of it: replace(replace(<column>, '.', ''), ',', '.') where a comma "
        "stands before the decimals, replace(<column>, ',', '') where commas stand between thousands."
    )


def _new_rows(table: BoundTable, zone: LandingZone, is_first: bool) -> str:
    """SQL: rows of the mapped table that do not stand in the zone, in the newest load that has their key."""
    columns = [name for name in zone.contract.tables[table.name] if name != "load_id"]
    if is_first:
        return f"select {', '.join(columns)} from {table.mapped}"
    compared = [name for name in columns if name != "known_at" and (name != "occurred_at" or has_own_instant(table))]
    keys = ", ".join(_keys(table))
    same = " and ".join(f"standing.{name} is not distinct from mapped.{name}" for name in compared)
    return f"""
        with standing as (
            select * from ({zone.visible(table.name)})
            qualify load_sequence = max(load_sequence) over (partition by {keys})
        )
        select {", ".join(f"mapped.{name}" for name in columns)} from {table.mapped} as mapped
        where not exists (select 1 from standing where {same})
    """


def _keys(table: BoundTable) -> list[str]:
    """What identifies a row; when it was first read, where the source has no time, does not."""
    return [key for key in KEYS[table.name] if key != "occurred_at" or has_own_instant(table)]


def _stay_all_the_same(
    connection: duckdb.DuckDBPyConnection, bound: Sequence[BoundTable], zone: LandingZone
) -> list[str]:
    """What an earlier mapping landed and the one of today would not: everything was read again, so it can be told."""
    found = []
    for table in bound:
        keys = ", ".join(_keys(table))
        rows = _count(
            connection,
            f"select count(*) from (select distinct {keys} from ({zone.visible(table.name)}) "
            f"where load_id like '{SOURCE}-%' except select {keys} from {table.mapped})",
        )
        if rows:
            found.append(
                f"{table.name}: {rows:,} keys of earlier loads do not come from the mapping as it is now; they stay, "
                f"because a landing zone only grows. Next: to start anew, delete {zone.root} and land again"
            )
    return found


def _numbered_anew(connection: duckdb.DuckDBPyConnection, table: BoundTable, zone: LandingZone) -> list[str]:
    """Lines are numbered within what arrived: an order that comes in parts overwrites its first part."""
    if table.name != "order_lines" or "line_number" in table.mapping.columns:
        return []
    orders = _count(
        connection,
        f"""
        with landed as (
            select * from ({zone.visible(table.name)})
            qualify load_sequence = max(load_sequence) over (partition by order_id, line_number)
        ),
        arrived as (select * from {table.mapped} where order_id in (select order_id from landed)),
        lines as (
            select
                order_id,
                landed.line_number is not null and arrived.line_number is null as is_missing,
                arrived.product_id <> landed.product_id as is_another
            from landed full join arrived using (order_id, line_number)
            where order_id in (select order_id from arrived)
        )
        select count(distinct order_id) from lines where is_missing or is_another
        """,
    )
    if not orders:
        return []
    return [
        f"order_lines: {orders:,} orders come with fewer lines than have landed, or with other products; lines without "
        "a number of their own are numbered as they come, so these take the place of the first. Next: map line_number "
        "where the source has it"
    ]


def _left_out(mapped: Mapped) -> list[str]:
    return [
        f"{table}: {count.left_out:,} of {count.read:,} rows were left out by `where`"
        for table, count in mapped.counts.items()
        if count.left_out
    ]


def _rows_of(table: SourceTable, extraction: Extraction, mapping: ShopMapping) -> str:
    """What to select a source table's rows from."""
    listed = ", ".join(literal(file) for file in extraction.files_of(table.name))
    rows = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    cursor = mapping.cursors.get(table.name)
    if cursor is None or table.columns[cursor] != TEXT:
        return rows
    # It came as the database has it, because dlt compares it; to the mapping the column is text.
    return f"(select * replace (cast({quoted(cursor)} as {TEXT}) as {quoted(cursor)}) from {rows})"


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
