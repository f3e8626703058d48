"""Features at a date from events: the project's own SQL against textbook DuckDB and polars, and what a day costs.

Visits of eight events, in which a customer looks at a few of its favourite products; one customer in twenty has two
source records. Sixteen features: counts, money and recency over windows, and two exact distinct counts (days,
products). "Activity" is what the features stage keeps and continues: a row a record and day, and a row a record,
product and day. Every step runs in a process of its own; all must give the same numbers.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from benchmarks.measuring import Measured, Row, median_seconds, peak_memory, run_python, write_results
from orchestration.dbt_in_process import InProcessDbt
from shops import ShopFolders

EVENTS = (1_000_000, 10_000_000, 50_000_000)
EVENTS_PER_CUSTOMER = 50
ROUNDS = 3
DAYS = 730
FIRST_DAY = date(2023, 1, 2)
AS_OF = FIRST_DAY + timedelta(DAYS)
# Models whose place the tables of the benchmark take in the SQL that dbt compiles.
STANDS_IN = {"int_activity__orders": "visit_days", "int_activity__order_lines": "product_days"}
FEATURES = """
with {{ over_time([
    {
        'relation': 'int_activity__orders',
        'sums': {
            'event_count': {'of': 'event_count', 'windows': [none, 28]},
            'view_count': {'of': 'view_count', 'windows': [none, 7, 28]},
            'add_count': {'of': 'add_count', 'windows': [28]},
            'order_count': {'of': 'order_count', 'windows': [none, 28, 90]},
            'spend': {'of': 'spend', 'windows': [none, 28, 90]},
        },
        'latest': {'last_day': 'day'},
        'earliest': {'first_day': 'day'},
        'previous': 'previous_day',
        'distinct': {'visit_day_count': {'of': 'day', 'windows': [none]}},
    },
    {
        'relation': 'int_activity__order_lines',
        'previous': 'previous_day',
        'distinct': {'product_count': {'of': 'product_id', 'windows': [none]}},
    },
]) }}
select * from over_time
"""
COLUMNS = (
    "event_count", "event_count_28d", "view_count", "view_count_7d", "view_count_28d", "add_count_28d", "order_count",
    "order_count_28d", "order_count_90d", "spend", "spend_28d", "spend_90d", "last_day", "first_day", "visit_day_count",
    "product_count",
)  # fmt: skip


def main() -> None:
    """Measure all sizes, print, rewrite the results."""
    rows: list[Row] = []
    builds: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        sql = _compiled(Path(folder))
        for events in EVENTS:
            root = Path(folder) / str(events)
            root.mkdir()
            (root / "features.sql").write_text(sql, encoding="utf-8")
            found = _measured(root, events)
            builds[events] = median_seconds(found["activity"]) + median_seconds(found["one"])
            rows.extend(_rows(events, found))
    rows.append(_slope(builds))
    file = write_results("features", rows)
    for row in rows:
        beside = f"; {row.peer} {row.peer_seconds} s, {row.ratio} times" if row.peer else ""
        print(f"{row.name}: {row.ours_seconds} s, {row.peak_memory_mb} MB{beside}  [{row.goal}]")
    print(f"written to {file}")


def _compiled(folder: Path) -> str:
    """The SQL of `FEATURES` as dbt compiles it, reading the benchmark's tables."""
    with contextlib.redirect_stdout(io.StringIO()):  # dbt shows what it compiles
        sql = InProcessDbt(ShopFolders.of("demo", folder)).render(FEATURES)
    for model in (
        *STANDS_IN,
        "int_activity__owners",
        "int_activity__customers",
        "int_as_of_grid",
        "int_as_of_calendar",
    ):
        sql = sql.replace(f'"warehouse"."features"."{model}"', STANDS_IN.get(model, model))
    return sql


def _measured(root: Path, events: int) -> dict[str, list[Measured]]:
    """Each step, alternating, as often as there are rounds; refuses to go on when two give different numbers."""
    _step(root, "generate", str(events))
    found: dict[str, list[Measured]] = {step: [] for step in ("activity", "one", "ten", "textbook", "polars", "late")}
    for _ in range(ROUNDS):
        said = {}
        for step in ("activity", "one", "textbook", "polars", "ten"):
            measured, said[step] = _step(root, step)
            found[step].append(measured)
        if not said["one"] == said["ten"] == said["textbook"] == said["polars"]:
            raise RuntimeError(f"the numbers differ: {said}")
        measured, late = _step(root, "late")
        found["late"].append(measured)
        _step(root, "activity", "all")
        _, whole = _step(root, "one", "all")
        if late != whole:
            raise RuntimeError(f"1% more events: an increment gives other numbers than a full build: {late}, {whole}")
    return found


def _rows(events: int, found: dict[str, list[Measured]]) -> list[Row]:
    name = f"{events // 1_000_000} million events, {events // EVENTS_PER_CUSTOMER:,} customers"
    seconds = {step: median_seconds(measured) for step, measured in found.items()}
    memory = {step: peak_memory(measured) for step, measured in found.items()}
    whole = round(seconds["activity"] + seconds["one"], 2)
    rows = [
        Row(f"{name}: 16 features at a date, from activity", seconds["one"], "at least 2 times as fast, in less memory",
            events, memory["one"], peer, seconds[peer], round(seconds[peer] / seconds["one"], 2))
        for peer in ("textbook", "polars")
    ]  # fmt: skip
    rows += [
        Row(f"{name}: memory of {peer}", seconds[peer], "none", events, memory[peer]) for peer in ("textbook", "polars")
    ]
    rows += [
        Row(f"{name}: activity from events, once", seconds["activity"], "none", events, memory["activity"]),
        Row(f"{name}: all from events", whole, "none", events, max(memory["activity"], memory["one"]), "textbook",
            seconds["textbook"], round(seconds["textbook"] / whole, 2)),
        Row(f"{name}: 1% more events", seconds["late"], "at least 10 times cheaper than all from events, and equal",
            events // 100, memory["late"], "all from events", whole, round(whole / seconds["late"], 1)),
        Row(f"{name}: ten as-of dates, from activity", seconds["ten"], "at most 2.5 times one date", events,
            memory["ten"], "one date, from activity", seconds["one"], round(seconds["ten"] / seconds["one"], 2)),
        Row(f"{name}: ten as-of dates, all from events", round(seconds["activity"] + seconds["ten"], 2),
            "at most 2.5 times one date", events, max(memory["activity"], memory["ten"]), "one date, all from events",
            whole, round((seconds["activity"] + seconds["ten"]) / whole, 2)),
    ]  # fmt: skip
    return rows


def _slope(builds: dict[int, float]) -> Row:
    first, last = min(builds), max(builds)
    slope = math.log(builds[last] / builds[first]) / math.log(last / first)
    steps = ", ".join(f"{events // 1_000_000} M {seconds:.2f} s" for events, seconds in builds.items())
    return Row(
        f"growth of the cost with the events ({steps}): exponent {slope:.2f}", round(builds[last], 2), "at most 1", last
    )


def _step(root: Path, *arguments: str) -> tuple[Measured, Any]:
    """Run a step in its own process; its seconds are those that it says, without the start of Python."""
    process = run_python("-m", "benchmarks.features", str(root), *arguments)
    said = json.loads(process.output.strip().splitlines()[-1])
    return Measured(said["seconds"], process.peak_memory_mb, ""), said["numbers"]


def _generate(connection: duckdb.DuckDBPyConnection, root: Path, events: int) -> None:
    customers = events // EVENTS_PER_CUSTOMER
    connection.execute(f"""
        create table owned as
        select i::bigint as record_hash, (i % {customers})::integer as customer_number,
            'c_' || lpad((i % {customers})::varchar, 14, '0') as customer_id,
            i % {customers} >= {customers // 20} as is_sole
        from range({customers + customers // 20}) as records (i)
    """)
    for name, visits, seed, first, days in (
        ("events", events // 8, 1, 0, DAYS),
        ("late", events // 800, 2, DAYS - 60, 60),
    ):
        connection.execute(f"""
            copy (
                select record_hash, day,
                    case when place = 7 and hash(visit, 3, {seed}) % 4 = 0 then 'purchase' when place % 4 = 3 then 'add'
                        else 'view' end as type,
                    -- of the twenty favourites, the first ones more often
                    (hash(record_hash, floor(20 * power((hash(visit, place // 3, 7) % 1000000) / 1e6, 2))::integer)
                        % 20000)::integer as product_id,
                    ((1 + hash(visit, 9, {seed}) % 10000) / 100.0)::decimal(18, 2) as amount
                from (
                    select visit, (hash(visit, 1, {seed}) % {customers + customers // 20})::bigint as record_hash,
                        date '{FIRST_DAY}' + ({first} + hash(visit, 2, {seed}) % {days})::integer as day
                    from range({visits}) as visits (visit)
                ), range(8) as places (place)
                order by day
            ) to '{root / name}.parquet'
        """)


def _activity(connection: duckdb.DuckDBPyConnection, root: Path, *what: str) -> None:
    """What the features stage keeps, from events."""
    files = [str(root / f"{name}.parquet") for name in (("events", "late") if what else ("events",))]
    connection.execute(f"create or replace table visit_days as {_VISIT_DAYS.format(events=f'read_parquet({files})')}")
    days = _PRODUCT_DAYS.format(events=f"read_parquet({files})")
    connection.execute(f"create or replace table product_days as {_WITH_PREVIOUS.format(days=f'({days})')}")


_VISIT_DAYS = """
    select record_hash, day, count(*)::integer as event_count,
        (count(*) filter (where type = 'view'))::integer as view_count,
        (count(*) filter (where type = 'add'))::integer as add_count,
        (count(*) filter (where type = 'purchase'))::integer as order_count,
        coalesce(sum(amount) filter (where type = 'purchase'), 0)::decimal(18, 2) as spend,
        -- a record has one row a day
        null::date as previous_day
    from {events} group by record_hash, day order by record_hash, day
"""
_PRODUCT_DAYS = "select record_hash, product_id, day from {events} group by record_hash, product_id, day"
_WITH_PREVIOUS = """
    select *, lag(day) over (partition by record_hash, product_id order by day) as previous_day
    from {days} order by record_hash, day
"""


def _due(connection: duckdb.DuckDBPyConnection, grids: dict[str, Sequence[date]], touched: str | None = None) -> None:
    """The dates that are due, and for which customers: all those of the one grid, or `stored` for those of a query."""
    days = [FIRST_DAY + timedelta(number) for number in range(DAYS + 1)]
    numbered = [(grid, number, at) for grid, dates in grids.items() for number, at in enumerate(sorted(dates), start=1)]
    grid_rows = pd.DataFrame(numbered, columns=["grid", "date_number", "as_of_date"])  # noqa: F841 (read by DuckDB)
    calendar_rows = pd.DataFrame([  # noqa: F841 (read by DuckDB)
        {"grid": grid, "day": day, "starts_at": 1 + sum(at <= day for at in dates),
         **{f"ends_{w}d": 1 + sum(at <= day + timedelta(w) for at in dates) for w in (2, 7, 28, 90, 365)}}
        for grid, dates in grids.items() for day in days
    ])  # fmt: skip
    for table, columns in {
        "int_as_of_grid": "grid, date_number::integer as date_number, as_of_date::date as as_of_date",
        "int_as_of_calendar": "* replace (day::date as day)",
    }.items():
        frame = "grid_rows" if table == "int_as_of_grid" else "calendar_rows"
        connection.execute(f"create or replace table {table} as select {columns} from {frame}")
    grid = (
        f"case when customer_number in ({touched}) then 'stored' else 'few' end"
        if touched
        else f"'{next(iter(grids))}'"
    )
    connection.execute(f"""
        create or replace table int_activity__customers as
        select customer_number, customer_id, {grid} as grid from owned group by all
    """)
    connection.execute("""
        create or replace table int_activity__owners as
        select record_hash, customer_number, grid, 1 as starts_at, last_number + 1 as ends_at, last_number, is_sole
        from owned join int_activity__customers using (customer_number)
        join (select grid, max(date_number) as last_number from int_as_of_grid group by grid) using (grid)
    """)


def _late(connection: duckdb.DuckDBPyConnection, root: Path, sql: str) -> None:
    """Late events: activity of their records, features of their customers, put in the place of what stands."""
    # What the stage pays to find out: all activity is read once.
    for table in ("visit_days", "product_days"):
        connection.execute(
            f"create or replace temp table fingerprints_{table} as "
            f"select record_hash, sum(hash({_columns(connection, table)})) as fingerprint "
            f"from {table} group by record_hash"
        )
    events = f"read_parquet('{root / 'late.parquet'}')"
    counted = ("event_count", "view_count", "add_count", "order_count")
    counts = ", ".join(f"sum({column})::integer as {column}" for column in counted)
    connection.execute(f"create or replace temp table touched as select distinct record_hash from {events}")
    connection.execute(f"""
        create or replace temp table visit_days_now as
        select record_hash, day, {counts},
            sum(spend)::decimal(18, 2) as spend, null::date as previous_day
        from (from visit_days semi join touched using (record_hash) union all ({_VISIT_DAYS.format(events=events)}))
        group by record_hash, day order by record_hash, day
    """)
    days = f"""(
        select record_hash, product_id, day from product_days semi join touched using (record_hash)
        union ({_PRODUCT_DAYS.format(events=events)})
    )"""
    connection.execute(f"create or replace temp table product_days_now as {_WITH_PREVIOUS.format(days=days)}")
    for table in ("visit_days", "product_days"):
        connection.execute(f"delete from {table} where record_hash in (from touched)")
        connection.execute(f"insert into {table} from {table}_now")
    _due(connection, {"stored": [AS_OF]}, "select customer_number from owned semi join touched using (record_hash)")
    connection.execute(f"create or replace temp table incoming as {sql}")
    connection.execute("delete from features where customer_id in (select customer_id from incoming)")
    connection.execute("insert into features by name from incoming")


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    names = connection.execute("select column_name from duckdb_columns() where table_name = ?", [table]).fetchall()
    return ", ".join(name for (name,) in names)


TEXTBOOK = f"""
    with recent as (select date '{AS_OF}' as as_of_date)
    select customer_id, count(*) as event_count,
        {{listed}},
        max(day) as last_day, min(day) as first_day, count(distinct day) as visit_day_count,
        count(distinct product_id) as product_count
    from read_parquet('{{events}}') join owned using (record_hash)
    where day < date '{AS_OF}' group by customer_id
"""


def _textbook(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    def within(days: int, kind: str | None = None) -> str:
        since = f"day >= date '{AS_OF - timedelta(days)}'"
        return f"filter (where {since}{f' and type = {kind!r}' if kind else ''})"

    listed = ", ".join([
        f"count(*) {within(28)} as event_count_28d", "count(*) filter (where type = 'view') as view_count",
        f"count(*) {within(7, 'view')} as view_count_7d", f"count(*) {within(28, 'view')} as view_count_28d",
        f"count(*) {within(28, 'add')} as add_count_28d", "count(*) filter (where type = 'purchase') as order_count",
        f"count(*) {within(28, 'purchase')} as order_count_28d",
        f"count(*) {within(90, 'purchase')} as order_count_90d",
        "coalesce(sum(amount) filter (where type = 'purchase'), 0) as spend",
        f"coalesce(sum(amount) {within(28, 'purchase')}, 0) as spend_28d",
        f"coalesce(sum(amount) {within(90, 'purchase')}, 0) as spend_90d",
    ])  # fmt: skip
    sql = TEXTBOOK.format(listed=listed, events=root / "events.parquet")
    connection.execute(f"create or replace table peer as {sql}")


def _polars(root: Path) -> Any:
    """The same in polars, lazily from Parquet."""
    import polars as pl

    with duckdb.connect(str(root / "features.duckdb"), read_only=True) as connection:
        owned = connection.execute("select record_hash, customer_id from owned").pl()
    started = time.perf_counter()
    is_purchase = pl.col("type") == "purchase"

    def since(days: int) -> pl.Expr:
        return pl.col("day") >= AS_OF - timedelta(days)

    def count(condition: pl.Expr, name: str) -> pl.Expr:
        return condition.sum().alias(name)

    def money(condition: pl.Expr, name: str) -> pl.Expr:
        return pl.col("amount").filter(condition).sum().alias(name)

    is_view, is_add = pl.col("type") == "view", pl.col("type") == "add"
    found = (
        pl.scan_parquet(root / "events.parquet")
        .filter(pl.col("day") < AS_OF)
        .join(owned.lazy(), on="record_hash")
        .group_by("customer_id")
        .agg(
            pl.len().alias("event_count"), count(since(28), "event_count_28d"), count(is_view, "view_count"),
            count(is_view & since(7), "view_count_7d"), count(is_view & since(28), "view_count_28d"),
            count(is_add & since(28), "add_count_28d"), count(is_purchase, "order_count"),
            count(is_purchase & since(28), "order_count_28d"), count(is_purchase & since(90), "order_count_90d"),
            money(is_purchase, "spend"), money(is_purchase & since(28), "spend_28d"),
            money(is_purchase & since(90), "spend_90d"), pl.col("day").max().alias("last_day"),
            pl.col("day").min().alias("first_day"), pl.col("day").n_unique().alias("visit_day_count"),
            pl.col("product_id").n_unique().alias("product_count"),
        )
        .collect(engine="streaming")
    )  # fmt: skip
    return time.perf_counter() - started, found.to_arrow()


def _numbers(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """What a table holds at the last date, whatever the types and the order of its rows."""
    at_last = f"where as_of_date = date '{AS_OF}'" if table == "features" else ""
    listed = ", ".join(f"{c}::{'date' if c.endswith('_day') else 'decimal(18, 2)'}" for c in COLUMNS)
    row = connection.execute(f"select count(*), sum(hash(customer_id, {listed})) from {table} {at_last}").fetchone()
    assert row is not None
    return [str(value) for value in row]


def _run(root: Path, step: str, *arguments: str) -> dict[str, Any]:
    if step == "polars":
        seconds, peer = _polars(root)
        with duckdb.connect() as connection:
            connection.register("peer", peer)
            return {"seconds": seconds, "numbers": _numbers(connection, "peer")}
    sql = (root / "features.sql").read_text(encoding="utf-8")
    with duckdb.connect(str(root / "features.duckdb")) as connection:
        connection.execute("set threads = 2")
        table = "peer" if step == "textbook" else "features"
        dates = [AS_OF - timedelta(7 * number) for number in range(10 if step == "ten" else 1)]
        if step in ("one", "ten"):
            _due(connection, {"few" if step == "one" else "stored": dates})
        started = time.perf_counter()
        if step == "generate":
            _generate(connection, root, int(arguments[0]))
        elif step == "activity":
            _activity(connection, root, *arguments)
        elif step == "textbook":
            _textbook(connection, root)
        elif step == "late":
            _late(connection, root, sql)
        else:
            connection.execute(f"create or replace table features as {sql}")
        seconds = time.perf_counter() - started
        numbers = _numbers(connection, table) if step not in ("generate", "activity") else None
        return {"seconds": seconds, "numbers": numbers}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(_run(Path(sys.argv[1]), *sys.argv[2:])))
    else:
        main()
