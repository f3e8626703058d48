"""Published databases to build the site from: the small shop's, one without web and mails, and one without a row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pages import build_site

_NOT_LANDED = ("web_events", "email_events", "consent_events", "crm_contacts", "external_attributes")


@pytest.fixture(scope="session")
def database(good_shop: Path) -> Path:
    """What the small shop published."""
    return good_shop / "demo" / "published" / "current" / "audience.duckdb"


@pytest.fixture(scope="session")
def copied(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bool], Path]:
    """A copy of the published tables without their keys, so that rows can be taken out of them."""

    def copy(name: str, with_rows: bool) -> Path:
        file = tmp_path_factory.mktemp(name) / "audience.duckdb"
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"attach '{database}' as published (read_only)")
            connection.execute("create schema marts")
            tables = connection.execute(
                "select table_name from duckdb_tables() where database_name = 'published' and schema_name = 'marts'"
            ).fetchall()
            for (table,) in tables:
                limit = "" if with_rows else "limit 0"
                connection.execute(f"create table marts.{table} as from published.marts.{table} {limit}")
        return file

    return copy


@pytest.fixture(scope="session")
def bare_database(copied: Callable[[str, bool], Path]) -> Path:
    """A shop that has orders, and neither web, mails, consents, contacts, clusters, models nor campaigns."""
    file = copied("bare", True)
    with duckdb.connect(str(file)) as connection:
        connection.execute("use marts")
        for table in (
            *("rpt_web_paths", "rpt_segment_web_paths", "rpt_score_cuts", "rpt_score_cut_curves"),
            *("rpt_model_performance", "rpt_model_curves", "fct_scores"),
        ):
            connection.execute(f"delete from {table}")
        connection.execute(
            "update rpt_sources set row_count = 0, load_count = 0, first_load_date = null, last_load_date = null "
            f"where landing_table in {_NOT_LANDED}"
        )
        connection.execute("update rpt_sources set synthetic_row_count = 0, is_synthetic = false")
        connection.execute(
            "update rpt_segment_responses set mailable_count = null, session_count = null, dwell_seconds = null, "
            "ordering_session_count = null, bounced_session_count = null, mail_sent_count = null, "
            "mail_clicked_count = null, is_synthetic = false"
        )
        for table in ("dim_segments", "rpt_segment_summary", "fct_segment_memberships", "fct_segment_flows"):
            connection.execute(f"delete from {table} where segment_type = 'cluster'")
        connection.execute(
            "delete from rpt_segment_responses where segment_key not in (select segment_key from dim_segments)"
        )
    return file


@pytest.fixture(scope="session")
def empty_database(copied: Callable[[str, bool], Path]) -> Path:
    """All tables, no row."""
    return copied("empty", False)


@pytest.fixture(scope="session")
def site(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the small shop."""
    return build_site(database, tmp_path_factory.mktemp("site") / "site").index.parent


@pytest.fixture(scope="session")
def bare_site(bare_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the shop with orders alone."""
    return build_site(bare_database, tmp_path_factory.mktemp("bare_site") / "site").index.parent


@pytest.fixture(scope="session")
def empty_site(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of nothing."""
    return build_site(empty_database, tmp_path_factory.mktemp("empty_site") / "site").index.parent
