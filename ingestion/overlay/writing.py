"""Generates an overlay and writes it: truth beside the landing zone, then the landing tables as one load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from ingestion.landing_zone import LandingError, LandingZone, LoadSummary
from ingestion.overlay.base import open_base
from ingestion.overlay.consent import consent_events_sql
from ingestion.overlay.contacts import COLUMNS as CONTACT_COLUMNS
from ingestion.overlay.contacts import open_contacts
from ingestion.overlay.events import open_bots, web_events_sql
from ingestion.overlay.mail import email_events_sql, open_mail
from ingestion.overlay.people import open_people
from ingestion.overlay.plan import EVERYTHING_KNOWN, OverlayPlan
from ingestion.overlay.pools import open_pools
from ingestion.overlay.scripts import open_scripts
from ingestion.overlay.service import support_tickets_sql, survey_answers_sql
from ingestion.overlay.truth import truth_queries
from ingestion.overlay.web import open_sessions

SOURCE = "synthetic-overlay"


@dataclass(frozen=True)
class Overlay:
    """A generated overlay: landing tables and truth tables, as queries on the connection that it was made on."""

    plan: OverlayPlan
    people: int
    tables: Mapping[str, str]
    truth: Mapping[str, str]


def generate(
    connection: duckdb.DuckDBPyConnection,
    base: Mapping[str, str],
    plan: OverlayPlan,
    known_from: datetime | None = None,
    known_before: datetime | None = None,
) -> Overlay:
    """Draw an overlay for the shop whose landing tables `base` queries.

    Parameters
    ----------
    connection
        Where the queries of `base` run and where the overlay's own tables are made.
    base
        Landing table to query: loyalty_members, products, orders, order_lines, campaigns, campaign_recipients.
    known_from, known_before
        Only rows with known_at in [known_from, known_before); each row is the same as in the whole.
    """
    open_base(connection, base)
    counted = connection.execute("select count(*) from base_households").fetchone()
    assert counted is not None
    people = int(counted[0]) * plan.scale
    open_pools(connection, plan.draws, people)
    open_people(connection, plan)
    open_contacts(connection, plan, people)
    open_mail(connection, plan)
    open_scripts(connection, plan.draws)
    open_sessions(connection, plan, people)
    open_bots(connection, plan, people)
    tables = {
        "crm_contacts": f"select {', '.join(CONTACT_COLUMNS)} from contacts",
        "email_events": email_events_sql(plan),
        "consent_events": consent_events_sql(plan),
        "support_tickets": support_tickets_sql(plan),
        "survey_answers": survey_answers_sql(plan),
    }
    limits = [f"known_at >= timestamp '{known_from}'"] if known_from else []
    limits += [f"known_at < timestamp '{known_before}'"] if known_before else []
    if limits:
        tables = {name: f"select * from ({query}) where {' and '.join(limits)}" for name, query in tables.items()}
    tables["web_events"] = web_events_sql(plan, known_from, known_before)
    return Overlay(plan, people, tables, truth_queries(plan))


def land_overlay(
    zone: LandingZone,
    truth_folder: Path,
    connection: duckdb.DuckDBPyConnection,
    base: Mapping[str, str],
    plan: OverlayPlan,
    known_from: datetime | None = None,
    known_before: datetime | None = None,
) -> LoadSummary:
    """Write the overlay as a load of its own, and its truth under `truth_folder`; a second time changes nothing."""
    load_id = load_name(plan, known_from, known_before)
    for earlier in zone.loads():
        if earlier.load_id == load_id:
            return earlier
        if earlier.source == SOURCE and not _same_overlay(earlier.load_id, load_name(plan)):
            raise LandingError(
                f"{zone.root} already holds the overlay '{earlier.load_id}', and a landing zone only grows. "
                f"Next: choose another folder for '{load_id}', e.g. AUDIENCE_DATA_DIR=data/other make demo."
            )
    overlay = generate(connection, base, plan, known_from, known_before)
    truth_folder.mkdir(parents=True, exist_ok=True)
    for name, query in overlay.truth.items():
        file = truth_folder / f"{name}.parquet"
        unfinished = file.with_suffix(".parquet.unfinished")
        connection.execute(f"copy ({query}) to '{unfinished}' (format parquet, compression zstd)")
        unfinished.replace(file)
    return zone.land(
        connection,
        load_id=load_id,
        source=SOURCE,
        load_date=EVERYTHING_KNOWN if known_before is None else _day_of(known_before),
        known_at_is_assumed=True,
        is_synthetic=True,
        tables=overlay.tables,
    )


def load_name(plan: OverlayPlan, known_from: datetime | None = None, known_before: datetime | None = None) -> str:
    """The load's id: what it holds."""
    parts = [SOURCE, f"seed{plan.seed}"]
    if plan.scale > 1:
        parts.append(f"scale{plan.scale}")
    if plan.events is not None:
        parts.append(f"events{plan.events}")
    if known_from is not None:
        parts.append(f"from{known_from:%Y%m%dT%H%M}")
    if known_before is not None:
        parts.append(f"before{known_before:%Y%m%dT%H%M}")
    return "-".join(parts)


def _same_overlay(load_id: str, whole: str) -> bool:
    """Whether a load is the overlay `whole`, or what was known of it in some span of time."""
    return load_id == whole or load_id.startswith((f"{whole}-from", f"{whole}-before"))


def _day_of(instant: datetime) -> date:
    return instant.date()
