"""A company's file of 540,000 lines: landed through dlt, and by DuckDB reading the file itself; ADR 9 rests on it."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from benchmarks.measuring import Measured, Row, median_seconds, peak_memory, timed, write_results
from ingestion import LandingZone
from ingestion.mapping import read_mapping
from ingestion.mapping.binding import bind
from ingestion.mapping.loading import land, map_rows
from ingestion.mapping.sources import FolderSource, open_source
from shops import ShopFolders

SHOP = "online_retail"
ROUNDS = 5
LINES = 541_909  # as many as UCI Online Retail has


def main() -> None:
    """Measure, print, rewrite the results."""
    ours: list[Measured] = []
    again: list[Measured] = []
    peers: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ONLINE_RETAIL_FOLDER"] = folder
        _write_lines(Path(folder) / "online_retail.parquet")
        folders = ShopFolders(SHOP, Path(folder) / "data")
        for _ in range(ROUNDS):
            shutil.rmtree(folders.data, ignore_errors=True)
            with timed() as through_dlt:
                land(folders)
            ours.append(through_dlt.result())
            with timed() as nothing_new:
                land(folders)
            again.append(nothing_new.result())
            shutil.rmtree(folders.data)
            with timed() as directly:
                _land_directly(folders)
            peers.append(directly.result())
    rows = [
        Row(
            "landing a company's file, first load",
            median_seconds(ours),
            "seconds; dlt takes less than a third of it",
            rows=LINES,
            peak_memory_mb=peak_memory(ours),
            peer="the same mapping, DuckDB reading the file",
            peer_seconds=median_seconds(peers),
            ratio=round(median_seconds(peers) / median_seconds(ours), 2),
        ),
        Row("landing it again, nothing new", median_seconds(again), "below a second", rows=0),
    ]
    file = write_results("own_shop", rows)
    print(f"{LINES:,} lines: {rows[0].ours_seconds} s through dlt, {rows[0].peer_seconds} s without; "
          f"nothing new: {rows[1].ours_seconds} s")  # fmt: skip
    print(f"written to {file}")


def _write_lines(file: Path) -> None:
    duckdb.execute(f"""
        copy (
            select
                cast(500000 + n // 20 as varchar) as Invoice, cast(20000 + hash(n) % 4000 as varchar) as StockCode,
                'THING ' || hash(n) % 4000 as Description, cast(1 + hash(n + 1) % 24 as integer) as Quantity,
                timestamp '2023-01-01' + interval (n) minute as InvoiceDate, (100 + hash(n + 2) % 900) / 100 as Price,
                case when n // 20 % 4 > 0 then cast(12000 + hash(n // 20) % 4400 as integer) end as CustomerID,
                'United Kingdom' as Country
            from range({LINES}) as lines (n)
        ) to '{file}' (format parquet)
    """)


def _land_directly(folders: ShopFolders) -> None:
    zone = LandingZone(folders.landing)
    file = folders.own / "mapping.yml"
    mapping = read_mapping(file)
    source = open_source(mapping, file)
    assert isinstance(source, FolderSource)
    tables = {name: source.table(name) for name in {table.from_ for table in mapping.tables.values()}}
    bound = bind(mapping, tables, zone.contract, file)
    zone.prepare()
    with duckdb.connect() as connection:
        relations = {name: f"({source.select(table, table.files[0])})" for name, table in tables.items()}
        arrived_at = datetime.now(UTC).replace(tzinfo=None)
        map_rows(connection, bound, relations, mapping, zone, folders.shop, file, arrived_at, is_first=True)
        zone.land(
            connection,
            load_id="directly",
            source="benchmark",
            load_date=date(2024, 1, 1),
            known_at_is_assumed=True,
            tables={table.name: f"select * exclude (_file, _row) from {table.mapped}" for table in bound},
        )
