"""What a BI tool finds when it connects: every table and column described, plain types, keys to join by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from orchestration.dbt_in_process import InProcessDbt
from orchestration.foreign_keys import ForeignKey, foreign_keys
from orchestration.postgres import prepared
from orchestration.publishing import DATABASE_FILE, SCHEMA
from shops import ShopFolders
from tests.conftest import run_command
from tests.postgres_server import running_postgres

# What every driver maps: no HUGEINT (a sum of integers in DuckDB), no nested types, no enumerations.
PLAIN = {"BOOLEAN", "INTEGER", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "VARCHAR"}


@pytest.fixture(scope="module")
def database(good_shop: Path) -> Path:
    return ShopFolders.of("demo", good_shop).current / DATABASE_FILE


@pytest.fixture
def published(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(database), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def manifest() -> Mapping[str, Any]:
    return InProcessDbt(ShopFolders.of("demo")).manifest_dict


@pytest.fixture(scope="module")
def keys(manifest: Mapping[str, Any]) -> list[ForeignKey]:
    return foreign_keys(manifest, SCHEMA)


def test_every_table_and_column_says_what_it_is(published: duckdb.DuckDBPyConnection) -> None:
    nothing_said = published.execute(
        "select table_name, null from duckdb_tables() where coalesce(comment, '') = '' "
        "union all select table_name, column_name from duckdb_columns() "
        "where schema_name = 'marts' and coalesce(comment, '') = ''"
    ).fetchall()
    assert nothing_said == []
    assert published.execute("select count(*) > 30 from duckdb_tables()").fetchone() == (True,)


def test_types_are_plain(published: duckdb.DuckDBPyConnection) -> None:
    types = published.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'marts'"
    ).fetchall()
    odd = [(table, column, kind) for table, column, kind in types if kind not in PLAIN and not _is_decimal(kind)]
    assert odd == []


def _is_decimal(kind: str) -> bool:
    return kind.startswith("DECIMAL(")


def test_the_keys_of_the_contracts_are_there(published: duckdb.DuckDBPyConnection, keys: list[ForeignKey]) -> None:
    declared = published.execute(
        "select table_name, unnest(constraint_column_names), referenced_table, unnest(referenced_column_names) "
        "from duckdb_constraints() where constraint_type = 'FOREIGN KEY'"
    ).fetchall()
    to_others = [key for key in keys if key.table != key.parent]
    assert {ForeignKey(*each) for each in declared} == set(to_others), "a circle would cost one of them its key"
    # Facts without a key of their own are written more than once a key; what is looked up has one.
    without = published.execute(
        "select table_name from duckdb_tables() where table_name like 'dim_%' and not has_primary_key"
    ).fetchall()
    assert without == [("dim_model_versions",)]


def test_postgresql_takes_all_of_it(
    database: Path, published: duckdb.DuckDBPyConnection, keys: list[ForeignKey]
) -> None:
    with running_postgres() as url:
        with prepared(url, database, SCHEMA, "demo", "the test's", keys) as fresh:
            fresh.swap()
        with psycopg.connect(url) as connection:
            for table, rows in published.execute(
                "select table_name, estimated_size from duckdb_tables() where schema_name = 'marts'"
            ).fetchall():
                assert connection.execute(f"select count(*) from marts.{table}").fetchone() == (rows,)
            found = connection.execute("select count(*) from pg_constraint where contype = 'f'").fetchone()
            assert found == (len(keys),)


def test_what_reads_the_tables_has_an_owner_and_reads_nothing_else(manifest: Mapping[str, Any]) -> None:
    exposures = manifest["exposures"].values()
    assert len(exposures) >= 3
    for exposure in exposures:
        assert exposure["owner"]["name"]
        assert exposure["description"]
        schemas = {manifest["nodes"][node]["schema"] for node in exposure["depends_on"]["nodes"]}
        assert schemas == {SCHEMA}, exposure["name"]


@pytest.mark.slow
def test_dbts_docs_are_one_page_that_calls_nobody(shop: ShopFolders) -> None:
    done = run_command(shop.data_root, "-m", "orchestration", "docs")
    assert done.returncode == 0, done.stderr
    page = shop.reports / "dbt" / "index.html"
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]
    text = page.read_text(encoding="utf-8")
    assert "Dashboards of a BI tool" in text
    # The page has code that loads a tracker from outside; it asks this of the manifest before.
    assert '"send_anonymous_usage_stats": false' in text
    assert '"send_anonymous_usage_stats": true' not in text
