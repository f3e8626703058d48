"""A mapping tried on a thousand rows: what would land, what staging would set aside and why, what is switched off.

The rows land in a scratch zone below `data/<shop>/check`, and staging itself judges them: dbt builds its quarantine
there. The shop's own landing zone and warehouse are not touched, and the scratch ones go when the report is made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import yaml

from ingestion.landing_zone import LandingError, LandingZone
from ingestion.mapping.binding import BoundTable, bind
from ingestion.mapping.loading import SOURCE, Mapped, map_rows, refuse_what_is_mapped_wrongly
from ingestion.mapping.model import MAPPING_FILE, read_mapping
from ingestion.mapping.receipts import Receipts, drift
from ingestion.mapping.sources import open_source
from shops import PROJECT_ROOT, ShopFolders

CHECKED_ROWS = 1_000
# Lines come without their orders where the two lie apart: so many rows of orders are searched for theirs.
_SEARCHED_ROWS = 200_000
_LOAD_ID = "check"


@dataclass(frozen=True)
class CheckedTable:
    """What would become of the checked rows of one landing table."""

    name: str
    source: str
    read: int
    left_out: int
    rows: int
    reasons: Mapping[str, int]
    """Why rows would be set aside: staging's reason to the number of rows."""
    examples: Mapping[str, str]
    """One key for each reason."""


@dataclass(frozen=True)
class Report:
    """What a check found."""

    file: Path
    source: str
    tables: Sequence[CheckedTable]
    unreadable: Sequence[str]
    switched_off: Mapping[str, Sequence[str]]
    """What is off, to the tables that are not mapped."""
    warnings: Sequence[str]
    seconds: float

    def lines(self) -> list[str]:
        """The report as people read it."""
        found = [f"{ShopFolders.shown(self.file)} fits {self.source} (checked in {self.seconds:.1f} s)", ""]
        rows = [("table", "from", "rows", "would land", "quarantined"), *(_cells(table) for table in self.tables)]
        widths = [max(len(row[number]) for row in rows) for number in range(5)]
        for row in rows:
            cells = [
                text.ljust(width) if number < 2 else text.rjust(width)
                for number, (text, width) in enumerate(zip(row, widths, strict=True))
            ]
            found.append("  ".join(cells).rstrip())
        for table in self.tables:
            if table.left_out:
                found.append(f"left out     {table.name}: {table.left_out:,} of {table.read:,} rows by `where`")
            for reason, count in table.reasons.items():
                found.append(f"quarantined  {table.name}: {count:,} for '{reason}', such as {table.examples[reason]}")
        found += [f"unreadable   {text}" for text in self.unreadable]
        found += [f"warning      {text}" for text in self.warnings]
        found += [f"without      {', '.join(tables)}: {off}" for off, tables in self.switched_off.items()]
        return found


@dataclass
class _Sampled:
    relations: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def check(folders: ShopFolders, rows: int = CHECKED_ROWS) -> Report:
    """Map `rows` rows of the shop's source and let staging judge them.

    Raises
    ------
    LandingError
        The mapping is wrong, or its source cannot be read.
    """
    scratch = ShopFolders(folders.shop, folders.data / "check")
    shutil.rmtree(scratch.data, ignore_errors=True)
    try:
        return _report(folders, scratch, rows)
    finally:
        # There are people's names in the rows, and nobody needs a second copy.
        shutil.rmtree(scratch.data, ignore_errors=True)


def _report(folders: ShopFolders, scratch: ShopFolders, rows: int) -> Report:
    started = time.perf_counter()
    file = folders.own / MAPPING_FILE
    zone = LandingZone(scratch.landing)
    mapping = read_mapping(file, zone.contract)
    source = open_source(mapping, file)
    tables = {name: source.table(name) for name in dict.fromkeys(m.from_ for m in mapping.tables.values())}
    bound = bind(mapping, tables, zone.contract, file)
    zone.prepare()
    with duckdb.connect() as connection:
        sampled = _Sampled()
        lines_from = mapping.tables["order_lines"].from_
        for number, (name, table) in enumerate(tables.items()):
            apart = name == mapping.tables["orders"].from_ and name != lines_from
            sample = source.sample(table, _SEARCHED_ROWS if apart else rows)
            connection.register(f"sample_{number}", sample)
            sampled.relations[name] = f"sample_{number}"
        mapped = map_rows(
            connection,
            bound,
            sampled.relations,
            mapping,
            zone,
            folders.shop,
            file,
            arrived_at=datetime.now(UTC).replace(tzinfo=None),
            is_first=True,
        )
        refuse_what_is_mapped_wrongly(mapped, connection, bound, file)
        _keep_orders_of_lines(connection, mapped, sampled)
        zone.land(
            connection,
            load_id=_LOAD_ID,
            source=SOURCE,
            load_date=_newest_day(connection),
            known_at_is_assumed=True,
            tables={
                table.name: f"select * exclude (_file, _row) from {table.mapped}"
                for table in bound
                if mapped.counts[table.name].rows
            },
        )
        sampled.warnings += _warnings(connection)
    sampled.warnings += drift(Receipts(folders.extracted / "receipts").newest(), tables)
    reasons = _judged_by_staging(scratch)
    return Report(
        file,
        source.shown,
        [_checked(table, mapped, reasons) for table in bound],
        [values.note for values in mapped.unreadable],
        zone.contract.switched_off(dict.fromkeys(mapping.tables, 1)),
        sampled.warnings,
        time.perf_counter() - started,
    )


def _keep_orders_of_lines(connection: duckdb.DuckDBPyConnection, mapped: Mapped, sampled: _Sampled) -> None:
    """Of the orders those that have a line among the checked, and the other way round where orders were cut."""
    connection.execute(
        "delete from mapped_orders where order_id is not null and order_id not in "
        "(select order_id from mapped_order_lines where order_id is not null) "
        "and exists (from mapped_order_lines)"
    )
    if mapped.counts["orders"].read >= _SEARCHED_ROWS:
        lost = connection.execute(
            "delete from mapped_order_lines where order_id not in "
            "(select order_id from mapped_orders where order_id is not null)"
        ).fetchone()
        if lost and lost[0]:
            sampled.warnings.append(
                f"{lost[0]:,} lines were not checked: their orders are not among the first {_SEARCHED_ROWS:,} rows"
            )
    for name in ("orders", "order_lines"):
        row = connection.execute(f"select count(*) from mapped_{name}").fetchone()
        count = mapped.counts[name]
        mapped.counts[name] = type(count)(count.read, count.left_out, count.collapsed, int(row[0]) if row else 0)


def _newest_day(connection: duckdb.DuckDBPyConnection) -> date:
    row = connection.execute("select max(occurred_at)::date from mapped_orders").fetchone()
    return row[0] if row and row[0] else date(2000, 1, 1)


def _warnings(connection: duckdb.DuckDBPyConnection) -> list[str]:
    row = connection.execute(
        "select count(*), count(nullif(trim(loyalty_id), '')), min(occurred_at), max(occurred_at) from mapped_orders"
    ).fetchone()
    if not row or not row[0]:
        return ["no order has a line: the ids of orders and order_lines do not meet"]
    orders, known, first, last = row
    found = []
    if not known:
        found.append("no order says who bought: without loyalty_id there are no customers, features or segments")
    elif known < orders:
        found.append(f"{orders - known:,} of {orders:,} orders do not say who bought: they count as sales only")
    if first.year < 1990 or last.year > 2100:
        found.append(f"orders lie between {first} and {last}: is occurred_at written another way?")
    return found


def _judged_by_staging(scratch: ShopFolders) -> dict[str, dict[str, tuple[int, str]]]:
    """Let dbt build the quarantine of the scratch shop; landing table to reason to (rows, one key)."""
    project = _staging_alone(scratch)
    command = [
        sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "--quiet", "--log-level-file", "none", "build",
        "--select", "+quarantine", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test",
        "--project-dir", str(project), "--profiles-dir", str(PROJECT_ROOT),
        "--target-path", str(project / "target"), "--log-path", str(project / "logs"),
    ]  # fmt: skip
    environment = {**os.environ, "AUDIENCE_SHOP": scratch.shop, "AUDIENCE_DATA_DIR": str(scratch.data_root)}
    environment.pop("AUDIENCE_WAREHOUSE", None)
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise LandingError(
            f"staging could not judge the rows: {(done.stdout + done.stderr).strip()} "
            "Next: correct the mapping, or the settings that it names."
        )
    with duckdb.connect(str(scratch.warehouse), read_only=True) as connection:
        found: dict[str, dict[str, tuple[int, str]]] = {}
        for table, reason, count, key in connection.execute(
            "select landing_table, reason, count(*), min(record_key) from staging.quarantine group by all "
            "order by count(*) desc, reason"
        ).fetchall():
            found.setdefault(table, {})[reason] = (count, key)
    return found


def _staging_alone(scratch: ShopFolders) -> Path:
    """A dbt project of the staging stage: to parse the other stages too would take as long as all the rest.

    A copy, because dbt does not follow links to folders; what it has parsed is kept for the next check.
    """
    settings = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    folder = scratch.data_root / "project"
    copies = {
        "models/staging": PROJECT_ROOT / "models" / "staging",
        "models/landing.yml": PROJECT_ROOT / "models" / "landing.yml",
        "own_models/staging": scratch.own / "models" / "staging",
        "macros": PROJECT_ROOT / "macros",
        "own_macros": scratch.own / "macros",
        "seeds": PROJECT_ROOT / "seeds",
    }
    for name in {name.split("/")[0] for name in copies}:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name, source in copies.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.exists():
            shutil.copyfile(source, folder / name)
    settings["model-paths"] = ["models", "own_models"]
    settings["macro-paths"] = ["macros", "own_macros"]
    settings["test-paths"] = []
    # They look after tables of the other stages.
    settings.pop("on-run-start", None)
    models = settings["models"][settings["name"]]
    stages = [name for name in models if not name.startswith("+") and name != "staging"]
    settings["models"][settings["name"]] = {name: value for name, value in models.items() if name not in stages}
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return folder


def _checked(table: BoundTable, mapped: Mapped, reasons: Mapping[str, Mapping[str, tuple[int, str]]]) -> CheckedTable:
    count, of_table = mapped.counts[table.name], reasons.get(table.name, {})
    return CheckedTable(
        table.name,
        table.source.name,
        count.read,
        count.left_out,
        count.rows,
        {reason: rows for reason, (rows, _) in of_table.items()},
        {reason: key for reason, (_, key) in of_table.items()},
    )


def _cells(table: CheckedTable) -> tuple[str, str, str, str, str]:
    return (table.name, table.source, f"{table.read:,}", f"{table.rows:,}", f"{sum(table.reasons.values()):,}")
