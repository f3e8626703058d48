"""The identity stage through dbt: it continues what stands, and what makes it start anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import LandingZone
from ingestion.contract import read_contract
from orchestration.content import content_hashes
from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from orchestration.warehouse import reading
from shops import ShopFolders
from tests.unit.models.compiled import order
from tests.unit.models.test_identity import contact


class IdentityShop:
    """A shop with contacts and orders, and nothing after identity."""

    def __init__(self, root: Path) -> None:
        self.folders = ShopFolders.of("demo", root)
        self.zone = LandingZone(self.folders.landing)
        self.zone.prepare()
        self.loads = 0

    def land(self, **tables: list[dict[str, Any]]) -> None:
        """One load."""
        self.loads += 1
        with duckdb.connect() as connection:
            queries = {}
            for table, rows in tables.items():
                columns = ", ".join(f"{name} {kind}" for name, kind in read_contract().tables[table].items())
                connection.execute(f"create table {table} ({columns})")
                for row in rows:
                    given = {"known_at": row["occurred_at"], **row}
                    into = f"{table} ({', '.join(given)}) values ({', '.join('?' * len(given))})"
                    connection.execute(f"insert into {into}", list(given.values()))
                queries[table] = f"select * exclude (load_id) from {table}"
            self.zone.land(
                connection, load_id=f"load-{self.loads}", source="test", load_date=date(2024, 2, self.loads),
                known_at_is_assumed=False, tables=queries,
            )  # fmt: skip

    def run(self, *options: str, models: tuple[str, ...] = ("+tag:identity",)) -> bool:
        """Build the stage; gives whether it continued its tables."""
        # Each command with a manifest of its own: ephemeral models do not compile twice.
        dbt = InProcessDbt(self.folders)
        with write_lock(self.folders.lock, "test"), dbt._environment(self.folders.warehouse):
            only_models = [option for kind in ("test", "unit_test") for option in ("--exclude-resource-type", kind)]
            result = dbt._invoke(["build", *only_models, "--select", *models, *options])
        assert result.success, result.exception
        with reading(self.folders.warehouse) as connection:
            row = connection.execute(
                'select comment like \'%"follows": "%\' from duckdb_tables() '
                "where table_name = 'int_identity__changed_records'"
            ).fetchone()
        assert row is not None
        return bool(row[0])

    def content(self) -> dict[str, str]:
        """Hashes of the tables of the stage."""
        return {
            table: content
            for table, content in content_hashes(self.folders.warehouse).items()
            if not table.startswith(("staging.", "ml."))
        }


@pytest.mark.slow
def test_the_stage_continues_unless_something_else_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shop = IdentityShop(tmp_path)
    shop.land(
        crm_contacts=[contact("C1", email="a@x.com"), contact("C2", email="b@x.com")],
        orders=[order("o1", "2024-01-05", "k1")],
    )
    assert not shop.run(), "the first build is a full one"
    shop.land(crm_contacts=[contact("C3", email="a@x.com")], orders=[order("o1", "2024-01-06", "k2")])
    assert shop.run(), "a load is continued with"
    continued = shop.content()
    assert shop.run(), "so is nothing new"
    assert shop.content() == continued
    assert not shop.run("--full-refresh")
    assert shop.content() == continued, "a full build gives the same rows"

    shop.land(crm_contacts=[contact("C4", email="b@x.com")])
    assert shop.run(models=("int_identity__changed_records", "int_identity__source_records"))
    assert not shop.run(), "after a build that broke off"
    after = shop.content()
    assert after != continued
    assert shop.run()
    assert shop.content() == after

    own = tmp_path / "shops" / "demo" / "settings.yml"
    own.parent.mkdir(parents=True)
    own.write_text("identity: {max_records_per_identifier: 29}\n")
    assert not shop.run(), "after a changed setting"
    assert shop.run()
    (landed,) = shop.folders.landing.glob("orders/*/load-1.parquet")
    landed.touch()
    assert not shop.run(), "after a landing zone that was replaced"
