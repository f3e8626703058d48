"""A company's own shop, from its files to published segments: nothing of the project is edited for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.content import content_hashes
from shops import ShopFolders
from tests.conftest import NETWORK_LOG, network_guard
from tests.integration.gift_shop import make_invoices, write_invoices
from tests.integration.outcome import sha256
from tests.integration.project_copy import copy_project, git

# A chain of its own: about a minute.
pytestmark = pytest.mark.slow

SHOP = "online_retail"
OWN_FILES = {
    "models/segments/rules/seg_bulk_buyers.sql": """
        select
            customer_id,
            as_of_date,
            threshold_form
        from {{ customers() }}
        where mean_order_value >= {{ threshold('order_value') }}
    """,
    "models/segments/rules/seg_bulk_buyers.yml": """
        version: 2

        models:
          - name: seg_bulk_buyers
            description: One row per customer, date and form of the thresholds.
            config:
              meta:
                segment:
                  name: Bulk Buyers
                  description: 'Spend {order_value} pounds or more on an average order.'
                  owner: wholesale
                  priority: 5
                  suggested_action: 'Call them.'
            columns:
              - {name: customer_id, data_type: varchar, description: The customer.}
              - {name: as_of_date, data_type: date, description: Date at which the rule was evaluated.}
              - {name: threshold_form, data_type: varchar, description: absolute or relative.}
    """,
    "macros/shop_segments.sql": """
        {%- macro shop_segments() -%}
            {{ return(['seg_bulk_buyers']) }}
        {%- endmacro -%}
    """,
    "expectations.yml": """
        - gate: marts
          table: marts.fct_orders
          name: every order is in pounds
          type: ExpectColumnValuesToBeInSet
          kwargs: {column: currency, value_set: [GBP]}
    """,
}
OWN_RULES = """    lapsed: {days: 45}
    bulk_buyers: {order_value: 60}
"""
# `segments` is the last section of the shop's settings.
OWN_NAMES = """  names:
    lapsed: Sleeping Customers
"""


@dataclass(frozen=True)
class Outcome:
    """The shop after one run of the chain, in a copy of the project."""

    project: Path
    folders: ShopFolders
    printed: str
    environment: Mapping[str, str]
    shipped_before: Mapping[str, str]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folders.current / "audience.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def _python(project: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=project, env=dict(environment), capture_output=True, text=True, timeout=900
    )


def _environment(root: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AUDIENCE_", "GIT_"))},
        "AUDIENCE_DATA_DIR": str(root / "data"),
        "ONLINE_RETAIL_FOLDER": str(root / "export"),
        "HOME": str(root / "home"),
    }


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The gift shop with a segment, an expectation, a threshold and a name of its own, run once."""
    root = tmp_path_factory.mktemp("own")
    project = copy_project(root / "project")
    write_invoices(root / "export")
    (root / "home").mkdir()
    own = project / "shops" / SHOP
    for name, text in OWN_FILES.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(textwrap.dedent(text).lstrip())
    settings = own / "settings.yml"
    settings.write_text(settings.read_text().replace("    lapsed: {days: 120}\n", OWN_RULES) + OWN_NAMES)
    hashes = {str(path): sha256(path) for path in own.rglob("*") if path.is_file()}
    environment = {**_environment(root), **network_guard(root / NETWORK_LOG)}
    done = _python(project, environment, "-m", "orchestration", "run", "--shop", SHOP)
    assert done.returncode == 0, done.stdout + done.stderr
    return Outcome(project, ShopFolders(SHOP, root / "data"), done.stdout, environment, hashes)


def test_the_whole_chain_is_green_with_only_orders_and_lines(outcome: Outcome) -> None:
    landed = make_invoices()
    kept = [row for row in landed.to_pylist() if row["Quantity"] > 0 or row["Invoice"].startswith("C")]
    assert outcome.query("select count(*) from marts.fct_order_lines") == [(len(kept),)]
    assert outcome.query("select count(*) from marts.fct_orders") == [(len({row["Invoice"] for row in kept}),)]
    customers = {row["CustomerID"] for row in kept} - {None}
    assert outcome.query("select count(*) from marts.dim_customers") == [(len(customers),)]
    assert outcome.query("select count(*) from marts.rpt_data_quality where not success and severity = 'critical'") == [
        (0,)
    ]
    scored = {name for (name,) in outcome.query("select distinct model_name from marts.fct_scores")}
    within = {f"purchase_propensity_{days}d" for days in (7, 14, 28)}
    assert scored == {"buy_readiness", "churn_propensity", *within}
    assert "redemption_propensity is switched off: it has no labels to learn from" in outcome.printed
    left_out = landed.num_rows - len(kept)
    assert f"order_lines: {left_out:,} of {landed.num_rows:,} rows were left out by `where`" in outcome.printed


def test_what_was_taken_back_is_no_sale(outcome: Outcome) -> None:
    kinds = dict(outcome.query("select line_type, count(*) from marts.fct_order_lines group by all"))
    assert set(kinds) == {"sale", "cancellation", "fee"}
    assert kinds["cancellation"] > 50
    # The bulk order that came and went within the hour leaves nothing with its customer.
    spend = outcome.query(
        "select max(order_total) from marts.fct_orders where order_total < 100000 union all "
        "select max(total_spend) from marts.dim_customers"
    )
    assert all(amount < 20_000 for (amount,) in spend)
    goods = outcome.query("select sum(sales_amount) from marts.fct_order_lines where product_id = '23843'")
    assert goods == [(0,)]


def test_a_companys_segment_name_threshold_and_expectation_hold(outcome: Outcome) -> None:
    segments = {
        key: (name, description, members)
        for key, name, description, members in outcome.query(
            "select segment_key, segment_name, description, member_count from marts.dim_segments"
        )
    }
    assert segments["bulk_buyers"][:2] == ("Bulk Buyers", "Spend 60 pounds or more on an average order.")
    assert segments["bulk_buyers"][2] > 0
    assert segments["lapsed"][0] == "Sleeping Customers"
    assert "45" in segments["lapsed"][1]
    assert "Sleeping Customers" in outcome.printed
    assert outcome.query(
        "select success from marts.rpt_data_quality where expectation = 'every order is in pounds'"
    ) == [(True,)]


def test_a_name_for_a_segment_that_is_not_there_is_refused(outcome: Outcome) -> None:
    settings = outcome.project / "shops" / SHOP / "settings.yml"
    text = settings.read_text()
    settings.write_text(text.replace("    lapsed: Sleeping", "    lapst: Sleeping"))
    environment = {**outcome.environment, "AUDIENCE_SHOP": SHOP}
    select = ("compile", "--quiet", "--select", "int_segments__rules")
    refused = _python(outcome.project, environment, "-m", "dbt.cli.main", *select)
    settings.write_text(text)
    assert refused.returncode != 0
    assert "segments.names.lapst: there is no such segment. Next: take one of" in refused.stdout


def test_only_the_companys_folder_was_written_by_it_and_the_run_left_it_alone(outcome: Outcome) -> None:
    own = outcome.project / "shops" / SHOP
    assert {str(path): sha256(path) for path in own.rglob("*") if path.is_file()} == outcome.shipped_before
    changed = git(outcome.project, "status", "--porcelain", "--untracked-files=all").splitlines()
    assert changed
    assert all(line[3:].startswith(f"shops/{SHOP}/") for line in changed), changed


def test_a_shop_stays_in_its_own_data_folder(outcome: Outcome) -> None:
    assert [path.name for path in outcome.folders.data_root.iterdir()] == [SHOP]
    assert not (outcome.project / "data").exists()
    assert not (Path(outcome.environment["HOME"]) / ".dlt").exists()


def test_nothing_calls_out_or_reaches_the_home_directory(outcome: Outcome, tmp_path: Path) -> None:
    environment = {**outcome.environment, "HOME": str(tmp_path)}
    for arguments in (("land", "--shop", SHOP), ("check", "--shop", SHOP), ("init", "export", "--shop", "another")):
        where = [str(outcome.folders.data_root.parent / part) if part == "export" else part for part in arguments]
        done = _python(outcome.project, environment, "-m", "ingestion", *where)
        assert done.returncode == 0, done.stderr
    log = (outcome.folders.data_root.parent / NETWORK_LOG).read_text().splitlines()
    assert set(log) == {"guarded process"}
    assert not list(tmp_path.rglob("*"))
    for file in ("mapping.yml", "settings.yml"):
        (outcome.project / "shops" / "another" / file).unlink()
    (outcome.project / "shops" / "another").rmdir()


KILLED = """
import os, signal, sys
from ingestion import landing_zone
from ingestion.mapping import sources
from ingestion.__main__ import main

def die():
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "extracting":
    batches = sources.FolderSource.batches
    def cut(self, *arguments):
        yield next(batches(self, *arguments))
        die()
    sources.FolderSource.batches = cut
else:
    write = landing_zone.LandingZone._write
    def cut(connection, query, file):
        written = write(connection, query, file)
        if "order_lines" in str(file) and "1970" not in str(file):
            die()
        return written
    landing_zone.LandingZone._write = staticmethod(cut)
main(["land", "--shop", "online_retail"])
"""


@pytest.mark.parametrize("moment", ["extracting", "landing"])
def test_a_killed_load_is_invisible_and_the_next_one_repeats_it(moment: str, outcome: Outcome, tmp_path: Path) -> None:
    environment = {**outcome.environment, "AUDIENCE_DATA_DIR": str(tmp_path)}
    folders = ShopFolders(SHOP, tmp_path)
    killed = _python(outcome.project, environment, "-c", KILLED, moment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not list((folders.landing / "loads").glob("load_date=20*/*.parquet"))

    again = _python(outcome.project, environment, "-m", "ingestion", "land", "--shop", SHOP)
    assert again.returncode == 0, again.stderr
    assert _landed(folders) == _landed(outcome.folders)


def _landed(folders: ShopFolders) -> list[tuple[Any, ...]]:
    """Content of the landed tables, but for the name of the load."""
    return [
        duckdb.sql(
            f"select count(*), bit_xor(hash(columns(* exclude load_id))) "
            f"from '{folders.landing}/{table}/load_date=20*/*.parquet'"
        ).fetchall()[0]
        for table in ("orders", "order_lines")
    ]


def test_two_that_land_at_once_land_once(outcome: Outcome, tmp_path: Path) -> None:
    environment = {**outcome.environment, "AUDIENCE_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "ingestion", "land", "--shop", SHOP]
    both = [
        subprocess.Popen(command, cwd=outcome.project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=900) for process in both]
    assert [process.returncode for process in both] == [0, 0], printed
    folders = ShopFolders(SHOP, tmp_path)
    assert len(list((folders.landing / "loads").glob("load_date=20*/*.parquet"))) == 1
    assert _landed(folders) == _landed(outcome.folders)


def test_what_arrives_later_lands_alone(outcome: Outcome, tmp_path: Path) -> None:
    """The next month's file beside the first: its rows, with the time at which they arrived."""
    export = write_invoices(tmp_path / "export")
    environment = {**outcome.environment, "AUDIENCE_DATA_DIR": str(tmp_path), "ONLINE_RETAIL_FOLDER": str(export)}
    assert _python(outcome.project, environment, "-m", "ingestion", "land", "--shop", SHOP).returncode == 0
    before = content_hashes(outcome.folders.warehouse)
    more = make_invoices(customers=3, seed=8).slice(0, 20)
    names = [f"7{invoice}" for invoice in more["Invoice"].to_pylist()]
    write_invoices(export, more.set_column(0, "Invoice", [names]), "online_retail_2.parquet")
    second = _python(outcome.project, environment, "-m", "ingestion", "land", "--shop", SHOP)
    assert second.returncode == 0, second.stderr
    (row,) = duckdb.sql(
        f"select json_extract(tables, '$.order_lines')::int, known_at_is_assumed "
        f"from '{tmp_path}/{SHOP}/landing/loads/*/*.parquet' where load_sequence = 2"
    ).fetchall()
    assert row == (20, False)
    assert content_hashes(outcome.folders.warehouse) == before, "another data folder's landing reached this one"
