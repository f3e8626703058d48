"""Generates an overlay and writes it: truth beside the landing zone, then the landing tables as one load."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.landing_zone import LandingError, LandingZone, LoadSummary, TableWriter
from ingestion.overlay.agents import MONTHS, browser_agents
from ingestion.overlay.base import open_base
from ingestion.overlay.bots import BOT_FAMILIES, BotFamily, BotSurroundings, BotTraffic, bot_traffic
from ingestion.overlay.consent import consent_events_sql
from ingestion.overlay.contacts import COLUMNS as CONTACT_COLUMNS
from ingestion.overlay.contacts import open_contacts
from ingestion.overlay.dirt import DIRT_RECIPES, DirtRecipe
from ingestion.overlay.events import WebEvents
from ingestion.overlay.mail import email_events_sql, open_mail
from ingestion.overlay.people import open_people
from ingestion.overlay.places import external_attributes_sql
from ingestion.overlay.plan import EVERYTHING_KNOWN, PERIOD_DAYS, PERIOD_START, OverlayPlan
from ingestion.overlay.pools import AREA_CODES, NUMBERS_PER_AREA_CODE, open_pools
from ingestion.overlay.scripts import open_scripts
from ingestion.overlay.service import support_tickets_sql, survey_answers_sql
from ingestion.overlay.truth import truth_queries
from ingestion.overlay.web import open_sessions
from ingestion.sql import literal

SOURCE = "synthetic-overlay"
MOST_PEOPLE = len(AREA_CODES) * NUMBERS_PER_AREA_CODE // 2
DUCKDB_MEMORY = "3000MB"


@dataclass
class Overlay:
    """A generated overlay, on the connection that it was made on.

    Attributes
    ----------
    people
        How many.
    pools
        How many rows each pool of names and places has.
    """

    connection: duckdb.DuckDBPyConnection
    plan: OverlayPlan
    people: int
    pools: Mapping[str, int]
    bots: BotTraffic
    _has_contacts: bool = False

    def tables(self, known_from: datetime | None = None, known_before: datetime | None = None) -> Mapping[str, str]:
        """Landing tables as queries, all but the web events; only rows with known_at in [known_from, known_before)."""
        self._open_contacts()
        tables = {
            "crm_contacts": f"select {', '.join(CONTACT_COLUMNS)} from contacts",
            "email_events": email_events_sql(self.plan),
            "consent_events": consent_events_sql(self.plan),
            "support_tickets": support_tickets_sql(self.plan),
            "survey_answers": survey_answers_sql(self.plan),
            "external_attributes": external_attributes_sql(),
        }
        limits = [f"known_at >= timestamp '{known_from}'"] if known_from else []
        limits += [f"known_at < timestamp '{known_before}'"] if known_before else []
        if not limits:
            return tables
        return {name: f"select * from ({query}) where {' and '.join(limits)}" for name, query in tables.items()}

    @property
    def truth(self) -> Mapping[str, str]:
        """Truth tables as queries."""
        self._open_contacts()
        return truth_queries(self.plan)

    def _open_contacts(self) -> None:
        # Not before they are asked for: web events do without, and are written meanwhile.
        if not self._has_contacts:
            open_contacts(self.connection, self.plan, self.people, self.pools)
            self._has_contacts = True

    def web_events(self, known_from: datetime | None = None, known_before: datetime | None = None) -> WebEvents:
        """The one large table, made while it is written; the same limits."""
        return WebEvents(self.connection, self.plan, self.bots, known_from, known_before)


@contextmanager
def new_connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory that spills what does not fit: the whole process stays under 6 GB."""
    with tempfile.TemporaryDirectory(prefix="overlay-") as spill, duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{DUCKDB_MEMORY}'")
        connection.execute(f"set temp_directory = '{spill}'")
        connection.execute("set enable_progress_bar = false")
        yield connection


def generate(connection: duckdb.DuckDBPyConnection, base: Mapping[str, str], plan: OverlayPlan) -> Overlay:
    """Draw an overlay for the shop whose landing tables `base` queries.

    Parameters
    ----------
    connection
        Where the queries of `base` run and where the overlay's own temporary tables are made; one overlay at a time.
    base
        Landing table to query: loyalty_members, products, orders, order_lines, campaigns, campaign_recipients.
    """
    open_base(connection, base)
    counted = connection.execute("select count(*) from base_households").fetchone()
    assert counted is not None
    people = int(counted[0]) * plan.scale
    if people > MOST_PEOPLE:
        raise LandingError(
            f"{people:,} people are more than there are phone numbers for. "
            f"Next: choose a scale of at most {MOST_PEOPLE // int(counted[0])}."
        )
    pools = open_pools(connection, plan.draws, people)
    open_people(connection, plan, pools)
    open_mail(connection, plan)
    open_scripts(connection, plan.draws)
    open_sessions(connection, plan, people)
    bots = _open_bots(connection, plan, people)
    return Overlay(connection, plan, people, pools, bots)


def _open_bots(connection: duckdb.DuckDBPyConnection, plan: OverlayPlan, people: int) -> BotTraffic:
    """What all families ask for; also the table `bot_visitors`, one row a cookie."""
    catalogue = connection.execute("select count(*) from base_shelf where month_no = -1").fetchone()
    assert catalogue is not None
    bots = bot_traffic(
        plan.bot_families, plan.draws, PERIOD_START,
        BotSurroundings(
            period_days=PERIOD_DAYS, products=int(catalogue[0]), people=people, events=plan.wanted_events(people),
            browser_agents=browser_agents(), months=MONTHS,
        ),
    )  # fmt: skip
    cookies, first, requests = np.unique(bots.cookie, return_index=True, return_counts=True)
    rows = pa.table({"cookie_no": cookies, "family_no": bots.family[first], "requests": requests})
    connection.register("bot_rows", rows)
    connection.execute("create or replace temp table bot_visitors as from bot_rows")
    connection.unregister("bot_rows")
    return bots


def land_overlay(
    zone: LandingZone,
    truth_folder: Path,
    base: Mapping[str, str],
    plan: OverlayPlan,
    known_from: datetime | None = None,
    known_before: datetime | None = None,
) -> LoadSummary:
    """Land the overlay of the shop whose landing tables `base` queries; a second time changes nothing."""
    landed = landed_overlay(zone, plan, known_from, known_before)
    if landed is not None:
        return landed
    with new_connection() as connection:
        return land_generated(zone, truth_folder, generate(connection, base, plan), known_from, known_before)


def landed_overlay(
    zone: LandingZone,
    plan: OverlayPlan,
    known_from: datetime | None = None,
    known_before: datetime | None = None,
) -> LoadSummary | None:
    """The load of this overlay, if it has landed.

    Raises
    ------
    LandingError
        The zone holds another overlay: people would be there twice.
    """
    load_id, whole = load_name(plan, known_from, known_before), load_name(plan)
    for earlier in zone.loads():
        if earlier.load_id == load_id:
            return earlier
        is_part = earlier.load_id.startswith((f"{whole}-from", f"{whole}-before"))
        if earlier.source == SOURCE and earlier.load_id != whole and not is_part:
            raise LandingError(
                f"{zone.root} already holds the overlay '{earlier.load_id}', and a landing zone only grows. "
                f"Next: choose another folder for '{load_id}', e.g. AUDIENCE_DATA_DIR=data/other make demo."
            )
    return None


def land_generated(
    zone: LandingZone,
    truth_folder: Path,
    overlay: Overlay,
    known_from: datetime | None = None,
    known_before: datetime | None = None,
) -> LoadSummary:
    """Write what a generated overlay has as a load of its own, and its whole truth under `truth_folder`.

    With `known_from` and `known_before`, what the shop knew in that span: loads that follow each other, each row in
    one of them, as if the shop had landed every day.
    """

    def tables() -> Iterator[tuple[str, str | TableWriter]]:
        # First what writes itself, so that the rest is made beside it; the truth before the load becomes visible.
        yield "web_events", overlay.web_events(known_from, known_before).write
        yield from overlay.tables(known_from, known_before).items()
        _write_truth(overlay, truth_folder)

    return zone.land(
        overlay.connection,
        load_id=load_name(overlay.plan, known_from, known_before),
        source=SOURCE,
        # The first day on which all of it is known.
        load_date=EVERYTHING_KNOWN if known_before is None else known_before.date(),
        known_at_is_assumed=True,
        is_synthetic=True,
        tables=tables(),
    )


def _write_truth(overlay: Overlay, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, query in overlay.truth.items():
        file = folder / f"{name}.parquet"
        unfinished = file.with_suffix(".parquet.unfinished")
        overlay.connection.execute(f"copy ({query}) to {literal(unfinished)} (format parquet, compression zstd)")
        unfinished.replace(file)


def load_name(plan: OverlayPlan, known_from: datetime | None = None, known_before: datetime | None = None) -> str:
    """The load's id: what it holds."""
    parts = [SOURCE, f"seed{plan.seed}"]
    if plan.scale > 1:
        parts.append(f"scale{plan.scale}")
    if plan.events is not None:
        parts.append(f"events{plan.events}")
    planted = _planted(plan.dirt_recipes, plan.bot_families)
    if planted != _planted(DIRT_RECIPES, BOT_FAMILIES):
        parts.append(f"planted{hashlib.sha256('|'.join(planted).encode()).hexdigest()[:8]}")
    if known_from is not None:
        parts.append(f"from{known_from:%Y%m%dT%H%M}")
    if known_before is not None:
        parts.append(f"before{known_before:%Y%m%dT%H%M}")
    return "-".join(parts)


def _planted(recipes: Sequence[DirtRecipe], families: Sequence[BotFamily]) -> list[str]:
    return [*(recipe.name for recipe in recipes), *(family.name for family in families)]
