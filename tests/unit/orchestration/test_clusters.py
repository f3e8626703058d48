"""Clusters over many runs: keys, names and memberships survive re-runs, a lost warehouse and runs of the past."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from ml.catalogue import read_catalogue
from ml.clusters import comparison
from ml.clusters.segment_model import DESCRIBED, FEATURES
from orchestration.cluster_asset import segment
from orchestration.cluster_inputs import read_words
from orchestration.cluster_ledger import record_clusters, recorded_models, used_keys
from shops import PROJECT_ROOT, Settings, ShopFolders, load_settings

FIRST = date(2017, 6, 5)
TABLES = (
    "customer_clusters", "clusters", "cluster_profiles", "cluster_selection", "cluster_models", "cluster_lineage",
    "cluster_migrations", "cluster_folds", "cluster_typical_customers", "cluster_drift", "cluster_merge_proposals",
    "model_versions",
)  # fmt: skip
MEMBERS = "select customer_id, as_of_date, level, cluster_key, cluster_name, is_reconstructed from ml.customer_clusters"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "REFERENCES", 1)
    monkeypatch.setattr(comparison, "RESAMPLES", 2)


@pytest.fixture
def settings() -> Settings:
    shipped = load_settings("demo").model_dump()
    shipped["models"]["clusters"] |= {
        "min_members": 15, "algorithms": ["k_means"], "max_clusters": 3, "max_micro_clusters": 1, "history_dates": 3,
    }  # fmt: skip
    return Settings.model_validate(shipped)


def build(folders: ShopFolders, week: int, moved: float = 0.0) -> None:
    """A warehouse as of week `week`, with the features of all weeks before: three kinds of customers."""
    columns = (*FEATURES, *DESCRIBED)
    features = read_catalogue().named(columns)
    generator = np.random.default_rng(3)
    kind = np.repeat([0, 1, 2], 50)
    habit = np.exp(0.9 * generator.permuted(np.tile([0.0, 1.0, 2.0], (len(columns), 1)), axis=1).T)[kind]
    habit *= np.exp(generator.normal(0, 0.2, habit.shape))
    folders.data.mkdir(parents=True, exist_ok=True)
    folders.warehouse.unlink(missing_ok=True)
    days = [FIRST + timedelta(days=7 * number) for number in range(week + 1)]
    with duckdb.connect(str(folders.warehouse)) as connection:
        connection.execute("create schema features; create schema quality")
        rows = []
        for number, day in enumerate(days):
            values = habit * np.exp(np.random.default_rng(number).normal(0, 0.03, habit.shape))
            if day == days[-1] and moved:
                values[:, :3] *= np.where(np.arange(len(values)) % 10 < 10 * moved, 2.5, 1.0)[:, None]
            frame = pd.DataFrame(values, columns=list(columns))
            rows.append(frame.assign(customer_id=[f"c{place:04d}" for place in range(len(frame))], as_of_date=day))
        connection.register("everything", pd.concat(rows))
        for table in dict.fromkeys(["feat_customer_rfm", *(feature.table for feature in features)]):
            own = [feature.name for feature in features if feature.table == table]
            listed = ", ".join(["customer_id", "as_of_date::date as as_of_date", *own])
            connection.execute(f"create table features.{table} as select {listed} from everything")
        connection.execute(
            "create table features.int_as_of_dates as select distinct as_of_date::date as as_of_date, "
            f"true as is_scheduled, as_of_date::date = date '{days[-1]}' as is_current from everything"
        )
        connection.execute(
            "create table features.label_purchase as select customer_id, as_of_date::date as as_of_date, "
            "14 as horizon_days, 1 as has_purchased, spend_90d as spend from everything "
            f"where as_of_date::date <= date '{days[-1]}' - 14"
        )
        sources = yaml.safe_load((PROJECT_ROOT / "models/scores/_python_tables.yml").read_text())["sources"]
        for source in sources:
            connection.execute(f"create schema if not exists {source['schema']}")
            for table in source["tables"]:
                listed = ", ".join(f"{column['name']} {column['data_type']}" for column in table["columns"])
                connection.execute(f"create table {source['schema']}.{table['name']} ({listed})")


def promote(folders: ShopFolders, run_id: str, is_good: bool = True) -> None:
    with duckdb.connect(str(folders.warehouse)) as connection:
        connection.execute(
            "insert into quality.gate_results by name select 'scores' as gate, 'x' as expectation, ? as success, "
            "'critical' as severity, ? as run_id",
            [is_good, run_id],
        )
    record_clusters(folders, folders.warehouse, run_id)
    record_clusters(folders, folders.warehouse, run_id)


def ask(folders: ShopFolders, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folders.warehouse), read_only=True) as connection:
        return connection.execute(f"{query} order by all").fetchall()


def test_keys_names_and_memberships_outlive_reruns_and_the_warehouse(tmp_path: Path, settings: Settings) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    build(folders, 5)
    first = segment(folders.warehouse, folders, settings, "run-1")
    assert first.segmentation.action == "chosen"
    promote(folders, "run-1")
    members, models = ask(folders, MEMBERS), recorded_models(folders)
    dates = {row[1]: row[5] for row in members}
    assert list(dates.values()) == [True, True, True, False]
    assert len(models) == 1
    assert set(used_keys(folders)) == {row[3] for row in members}

    # Again on the same data: nothing is recorded anew.
    again = segment(folders.warehouse, folders, settings, "run-2")
    assert again.segmentation.action == "assigned"
    promote(folders, "run-2")
    assert ask(folders, MEMBERS) == members
    assert {row[0] for row in ask(folders, "select run_id from ml.customer_clusters")} == {"run-1"}
    assert len(list((folders.state / "cluster_memberships").glob("0*.parquet"))) == 1

    # The warehouse is lost, and so are the features of the oldest dates; what was recorded stays.
    build(folders, 5)
    with duckdb.connect(str(folders.warehouse)) as connection:
        connection.execute(
            "update features.feat_customer_rfm set days_since_last_order = 0 where as_of_date < '2017-07-10'"
        )
    segment(folders.warehouse, folders, settings, "run-3")
    promote(folders, "run-3")
    assert ask(folders, MEMBERS) == members
    assert recorded_models(folders) == models

    # A week later the past is as it was, and the new date is there.
    build(folders, 6)
    later = segment(folders.warehouse, folders, settings, "run-4")
    assert later.segmentation.action == "assigned"
    promote(folders, "run-4")
    with_new = ask(folders, MEMBERS)
    assert [row for row in with_new if row[1] < FIRST + timedelta(days=42)] == members
    assert len({row[1] for row in with_new}) == 5


def test_a_refit_is_recorded_with_its_lineage_and_both_migrations(tmp_path: Path, settings: Settings) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    build(folders, 4)
    first = segment(folders.warehouse, folders, settings, "run-1")
    promote(folders, "run-1")
    build(folders, 5, moved=0.2)
    later = segment(folders.warehouse, folders, settings, "run-2")
    assert later.segmentation.action in ("refitted", "chosen")
    promote(folders, "run-2")
    versions = [first.segmentation.model.model_version, later.segmentation.model.model_version]
    assert [one.model_version for one in recorded_models(folders)] == versions
    assert recorded_models(folders)[-1].previous_model_version == versions[0]
    assert ask(folders, "select distinct model_version from ml.cluster_lineage") == [(one,) for one in sorted(versions)]
    assert {row[0] for row in ask(folders, "select distinct kind from ml.cluster_migrations")} == {
        "definition",
        "population",
    }
    assert ask(folders, "select count(*) > 0, bool_or(is_alarm) from ml.cluster_drift") == [(True, True)]
    # The next run on the same data keeps the new model, and says again what decided and what the refit changed.
    once = {table: ask(folders, f"select columns(* exclude run_id) from ml.{table}") for table in TABLES}
    segment(folders.warehouse, folders, settings, "run-3")
    for table, rows in once.items():
        assert ask(folders, f"select columns(* exclude run_id) from ml.{table}") == rows, table
    kinds = ask(folders, "select distinct kind, from_model_version, to_model_version from ml.cluster_migrations")
    assert ("definition", *versions) in kinds


def test_a_run_of_the_past_knows_no_later_model_and_changes_nothing_after_it(
    tmp_path: Path, settings: Settings
) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    build(folders, 8)
    segment(folders.warehouse, folders, settings, "run-1")
    promote(folders, "run-1")
    members = ask(folders, MEMBERS)

    build(folders, 6)
    past = segment(folders.warehouse, folders, settings, "run-2")
    day = FIRST + timedelta(days=42)
    assert past.segmentation.action == "chosen"
    assert past.segmentation.model.fitted_on == day
    assert set(past.segmentation.model.broad_keys) <= set(used_keys(folders))
    assert max(row[1] for row in ask(folders, MEMBERS)) == day
    promote(folders, "run-2")

    build(folders, 8)
    segment(folders.warehouse, folders, settings, "run-3")
    promote(folders, "run-3")
    now = ask(folders, MEMBERS)
    assert [row for row in now if row[1] > day] == [row for row in members if row[1] > day]
    # The date itself was run: its own memberships stand in the place of the reconstructed ones.
    assert {row[5] for row in now if row[1] == day} == {False}
    assert {row[5] for row in members if row[1] == day} == {True}


def test_a_run_of_the_past_says_nothing_of_the_weeks_before_it(tmp_path: Path, settings: Settings) -> None:
    clusters = settings.models.clusters.model_copy(update={"history_dates": 2})
    brief = settings.model_copy(update={"models": settings.models.model_copy(update={"clusters": clusters})})
    folders = ShopFolders.of("demo", tmp_path)
    build(folders, 8)
    segment(folders.warehouse, folders, brief, "run-1")
    promote(folders, "run-1")
    assert len({row[1] for row in ask(folders, MEMBERS)}) == 3

    build(folders, 5)
    segment(folders.warehouse, folders, brief, "run-2")
    assert {row[1] for row in ask(folders, MEMBERS)} == {FIRST + timedelta(days=35)}


def test_what_did_not_pass_its_gate_is_not_recorded(tmp_path: Path, settings: Settings) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    build(folders, 4)
    segment(folders.warehouse, folders, settings, "run-1")
    promote(folders, "run-1", is_good=False)
    assert recorded_models(folders) == []


def test_a_lost_or_changed_model_says_what_to_do(tmp_path: Path, settings: Settings) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    build(folders, 4)
    found = segment(folders.warehouse, folders, settings, "run-1")
    promote(folders, "run-1")
    folder = folders.models / "shopping_clusters" / found.segmentation.model.model_version
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["content"] = manifest["content"].replace('"is_natural": true', '"is_natural": false')
    manifest["content"] = manifest["content"].replace('"kept"', '"lost"') + " "
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(dg.Failure, match=r"was changed.*Next: restore .*move .*cluster_models away"):
        segment(folders.warehouse, folders, settings, "run-2")
    (folder / "manifest.json").unlink()
    with pytest.raises(dg.Failure, match="is missing"):
        segment(folders.warehouse, folders, settings, "run-2")

    # As it says: the ledger's models are moved away. The clusters begin anew with keys that none ever had.
    (folders.state / "cluster_models").rename(tmp_path / "away")
    used = set(used_keys(folders))
    anew = segment(folders.warehouse, folders, settings, "run-2")
    assert not set(anew.segmentation.model.broad_keys) & used


def test_a_shop_has_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    monkeypatch.setattr(ShopFolders, "own", property(lambda self: tmp_path))
    assert read_words(folders).names == {}
    (tmp_path / "cluster_words.yml").write_text('names: {"3": Family stock-up}')
    assert read_words(folders).names == {"3": "Family stock-up"}
    (tmp_path / "cluster_words.yml").write_text("names: [")
    with pytest.raises(ValueError, match="is not valid YAML"):
        read_words(folders)
