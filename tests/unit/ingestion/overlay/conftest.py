"""What the tests of the overlay share: a small landed shop, overlays of it, and a way to look at them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pytest

from ingestion import LandingZone, completejourney, read_contract
from ingestion.overlay import Overlay, OverlayPlan, generate
from shops import ShopFolders

HOUSEHOLDS = 120
CONTRACT = read_contract()


@dataclass
class Look:
    """An overlay as views on one connection: the landing tables by name, truth tables as `truth_<name>`."""

    connection: duckdb.DuckDBPyConnection
    overlay: Overlay

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.connection.execute(query).fetchall()

    def row(self, query: str) -> tuple[object, ...]:
        (only,) = self.rows(query)
        return only

    def number(self, query: str) -> float:
        (value,) = self.row(query)
        assert isinstance(value, int | float), query
        return value


def make_look(
    base: Mapping[str, str],
    plan: OverlayPlan,
    threads: int = 2,
    known_from: datetime | None = None,
    known_before: datetime | None = None,
) -> Look:
    """Generate, typed as the landing contract says."""
    connection = duckdb.connect(config={"threads": threads})
    overlay = generate(connection, base, plan)
    for table, query in overlay.tables(known_from, known_before).items():
        given = [name for name, *_ in connection.execute(f"describe {query}").fetchall()]
        connection.execute(f"create table {table} as select {CONTRACT.select_list(table, given)} from ({query})")
    schema = connection.execute(CONTRACT.empty_select("web_events")).to_arrow_table().schema
    connection.execute(f"create table web_events as {CONTRACT.empty_select('web_events')}")
    for chunk in overlay.web_events(known_from, known_before).tables(schema):
        connection.register("chunk", chunk)
        connection.execute("insert into web_events select * from chunk")
        connection.unregister("chunk")
    for name, query in overlay.truth.items():
        connection.execute(f"create table truth_{name} as {query}")
    for table, query in base.items():
        connection.execute(f"create view {table} as {query}")
    return Look(connection, overlay)


def content(look: Look, tables: tuple[str, ...] = ()) -> str:
    """A hash over all rows of the overlay's tables, whatever their order."""
    names = tables or (
        "crm_contacts", "web_events", "email_events", "consent_events", "support_tickets", "survey_answers",
        *(f"truth_{name}" for name in look.overlay.truth),
    )  # fmt: skip
    lines = [(name, *look.row(f"select count(*), sum(hash({name})) from {name}")) for name in names]
    return hashlib.sha256(repr(lines).encode()).hexdigest()


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> ShopFolders:
    """The demo shop with HOUSEHOLDS households landed, without an overlay."""
    folders = ShopFolders.of("demo", tmp_path_factory.mktemp("overlay"))
    completejourney.land(LandingZone(folders.landing), HOUSEHOLDS)
    return folders


@pytest.fixture(scope="session")
def base(folders: ShopFolders) -> Mapping[str, str]:
    """Queries of what landed."""
    return completejourney.landed_tables(LandingZone(folders.landing), f"completejourney-{HOUSEHOLDS}-households")


@pytest.fixture(scope="session")
def look(base: Mapping[str, str]) -> Look:
    """The overlay of seed 1, with more events than usual, so that rare things come often enough to be counted."""
    return make_look(base, OverlayPlan(events=60_000))
