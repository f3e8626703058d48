"""A million rows of twenty columns published with their keys: the file with its Parquet copy, and a PostgreSQL as well.

Beside the file the same without foreign keys, and beside PostgreSQL, which is written from the file, rows that go
through Python. Each in a process of its own, alternating.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import duckdb
import psycopg

from benchmarks.measuring import Measured, Row, median_seconds, peak_memory, run_python, write_results
from orchestration.foreign_keys import ForeignKey
from orchestration.publishing import DATABASE_FILE, publish
from shops import ShopFolders
from tests.postgres_server import running_postgres

ROWS = 1_000_000
ROUNDS = 3
WAYS = ("file", "file_without_keys", "both", "rows_through_python")
KEYS = [
    ForeignKey("fct_wide", "customer_id", "dim_customers", "customer_id"),
    ForeignKey("fct_wide", "product_id", "dim_products", "product_id"),
]


def main() -> None:
    """Measure, print, rewrite the results."""
    with tempfile.TemporaryDirectory() as name, running_postgres() as url:
        folders = ShopFolders.of("benchmark", Path(name))
        _write_warehouse(folders)
        measured: dict[str, list[Measured]] = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way in WAYS:
                done = run_python("-m", "benchmarks.publish", way, name, url)
                seconds = json.loads(done.output.strip().splitlines()[-1])
                measured[way].append(Measured(seconds, done.peak_memory_mb, ""))
    seconds = {way: median_seconds(each) for way, each in measured.items()}
    rows = [
        Row(
            "published as DuckDB and Parquet: 20 columns, a primary key, two foreign keys",
            seconds["file"],
            "under 10 s",
            rows=ROWS,
            peak_memory_mb=peak_memory(measured["file"]),
            peer="the same without foreign keys",
            peer_seconds=seconds["file_without_keys"],
            ratio=round(seconds["file_without_keys"] / seconds["file"], 2),
        ),
        Row(
            "published as DuckDB and Parquet, and in PostgreSQL with the same keys",
            seconds["both"],
            "under 10 s more",
            rows=ROWS,
            peak_memory_mb=peak_memory(measured["both"]),
        ),
        Row(
            "of that PostgreSQL: written, its keys checked, swapped",
            round(seconds["both"] - seconds["file"], 2),
            "under 10 s",
            rows=ROWS,
            peer="the rows alone, through Python (psycopg's write_row), without keys",
            peer_seconds=seconds["rows_through_python"],
            ratio=round(seconds["rows_through_python"] / (seconds["both"] - seconds["file"]), 2),
        ),
    ]
    for row in rows:
        beside = "" if row.peer is None else f"; {row.peer} {row.peer_seconds} s: ratio {row.ratio}"
        print(f"{row.name}: {row.ours_seconds} s, {row.peak_memory_mb} MB{beside} (goal: {row.goal})")
    print(f"written to {write_results('publish', rows)}")


def _write_warehouse(folders: ShopFolders) -> None:
    folders.data.mkdir(parents=True)
    with duckdb.connect(str(folders.warehouse)) as connection:
        # Numbers that look drawn, the same every time: hashes of the row's place.
        amounts = ", ".join(f"((hash(i, {n}) % 100000) / 100)::decimal(18,2) as amount_{n}" for n in range(6))
        scores = ", ".join(f"(hash(i, {10 + n}) % 1000003) / 1000003.0::double as score_{n}" for n in range(4))
        connection.execute(
            f"""
            create schema marts;
            create table marts.dim_customers (customer_id varchar primary key);
            insert into marts.dim_customers select md5(i::varchar) from range(100000) as r(i);
            create table marts.dim_products (product_id varchar primary key);
            insert into marts.dim_products select 'p' || i from range(20000) as r(i);
            create table marts.drawn as select
                'o' || (i // 8)::varchar as order_id, (i % 8)::integer as line_number,
                md5((hash(i, 20) % 100000)::varchar) as customer_id, 'p' || (hash(i, 21) % 20000) as product_id,
                date '2017-01-01' + (i // 3000)::integer as order_date,
                timestamp '2017-01-01' + to_seconds(i) as ordered_at,
                (hash(i, 22) % 2 = 0) as is_good, (hash(i, 23) % 12)::integer as quantity,
                'category ' || (hash(i, 24) % 50) as category, hash(i, 25) % 1000000 as note_id, {amounts}, {scores}
            from range({ROWS}) as r(i);
            alter table marts.drawn alter note_id type bigint;
            """
        )
        columns = connection.execute("describe marts.drawn").fetchall()
        assert len(columns) == 20
        listed = ", ".join(f"{name} {kind}" for name, kind, *_ in columns)
        connection.execute(
            f"create table marts.fct_wide ({listed}, primary key (order_id, line_number));"
            "insert into marts.fct_wide from marts.drawn; drop table marts.drawn"
        )


def _measure(way: str, folders: ShopFolders, url: str) -> float:
    started = time.perf_counter()
    if way == "rows_through_python":
        database = str(folders.current / DATABASE_FILE)
        with (
            duckdb.connect(database, read_only=True) as published,
            psycopg.connect(url) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("create temporary table wide (like marts.fct_wide)")
            rows = published.execute("from marts.fct_wide")
            with cursor.copy("copy wide from stdin") as copy:
                while batch := rows.fetchmany(50_000):
                    for row in batch:
                        copy.write_row(row)
    else:
        keys = [] if way == "file_without_keys" else KEYS
        publish(folders.warehouse, folders, way, keys, url if way == "both" else None)
    return time.perf_counter() - started


def _measured_part() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("data_root", type=Path)
    parser.add_argument("url")
    asked = parser.parse_args()
    print(_measure(asked.way, ShopFolders.of("benchmark", asked.data_root), asked.url))


if __name__ == "__main__":
    _measured_part()
