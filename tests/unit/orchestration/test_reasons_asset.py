"""Reasons of the current scores of a small warehouse: written, replaced, refused where a model cannot be read."""

from __future__ import annotations

import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ml import artifacts, readiness, scorecard
from ml.readiness import Formula
from ml.score_rows import score_rows
from orchestration.model_card_asset import write_cards
from orchestration.reasons_asset import Written, write_reasons
from orchestration.workspace import RunWorkspace
from shops import PROJECT_ROOT, ShopFolders, load_settings

NOW = datetime.date(2017, 6, 5)
BEFORE = NOW - datetime.timedelta(days=7)
TABLES = {
    "feat_customer_rfm": readiness.FEATURES[:4],
    "feat_customer_engagement": readiness.FEATURES[4:8],
    "feat_customer_email": readiness.FEATURES[8:],
}
CUSTOMERS = 300


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema features; create schema ml; create schema staging")
    sources = yaml.safe_load((PROJECT_ROOT / "models/scores/_python_tables.yml").read_text())["sources"]
    for table in next(source["tables"] for source in sources if source["name"] == "ml"):
        listed = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in table["columns"])
        connection.execute(f"create table ml.{table['name']} ({listed})")
    connection.execute(
        "create table staging.stg_landing__loads as select true as is_synthetic, '{\"web_events\": 9}' as rows_by_table"
    )


@pytest.fixture
def workspace(tmp_path: Path) -> RunWorkspace:
    folders = ShopFolders("demo", tmp_path)
    folders.data.mkdir()
    drawn = np.random.default_rng(4)
    days = [BEFORE, NOW]
    keys = pd.DataFrame(
        {"customer_id": [f"c{n:03}" for _ in days for n in range(CUSTOMERS)], "as_of_date": np.repeat(days, CUSTOMERS)}
    )
    features = keys.assign(**{name: drawn.poisson(6, len(keys)).astype(float) for name in readiness.FEATURES})
    bought = (drawn.random(len(keys)) < 1 / (1 + np.exp(6 - features["purchase_day_count_28d"]))).astype(int)
    formula = Formula(scorecard.fit(readiness.INPUTS, features, bought), BEFORE, BEFORE, 7, (BEFORE,), len(keys), 1)
    scores = readiness.score(days, {BEFORE: formula}, features)
    checksum = artifacts.save(
        folders.models / readiness.MODEL_NAME / formula.model_version,
        None,
        {"model_name": readiness.MODEL_NAME, "feature_names": list(readiness.FEATURES), **formula.facts()},
    )
    frames = {
        "ml.scores": scores.assign(run_id="r0"),
        "ml.model_versions": formula.version_row(checksum).assign(run_id="r0"),
    }
    profile = keys.assign(age_band=np.where(np.arange(len(keys)) % 2, "25-34", "35-44"))
    tables = {
        **{table: features[["customer_id", "as_of_date", *names]] for table, names in TABLES.items()},
        "feat_customer_profile": profile,
        "label_readiness": keys.assign(horizon_days=7, has_purchased=bought)[keys["as_of_date"] == BEFORE],
    }
    with duckdb.connect(str(folders.warehouse)) as connection:
        _create_tables(connection)
        for table, frame in frames.items():
            connection.register("incoming", frame)
            connection.execute(f"insert into {table} by name select * from incoming")
            connection.unregister("incoming")
        for table, frame in tables.items():
            connection.register("incoming", frame)
            connection.execute(f"create table features.{table} as from incoming")
            connection.unregister("incoming")
    return cast(RunWorkspace, SimpleNamespace(warehouse=folders.warehouse, folders=folders, run_id="r1"))


def _rows(workspace: RunWorkspace, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        return connection.execute(query).fetchall()


def _written(workspace: RunWorkspace) -> Written:
    (found,) = write_reasons(workspace, load_settings("demo"))
    return found


def test_every_current_score_has_reasons_and_earlier_ones_have_none(workspace: RunWorkspace) -> None:
    found = _written(workspace)
    assert (found.method, found.left_out) == ("exact", 0)
    assert found.reasons > CUSTOMERS
    assert _rows(workspace, "select distinct as_of_date, model_name, run_id from ml.score_reasons") == [
        (NOW, "buy_readiness", "r1")
    ]
    assert _rows(workspace, "select count(distinct customer_id) from ml.score_reasons where reason_rank = 1") == [
        (CUSTOMERS,)
    ]
    assert found.importance["theme"].iloc[0] == "Shopping frequency"


def test_another_run_takes_the_place_of_the_first(workspace: RunWorkspace) -> None:
    query = "select * exclude (run_id) from ml.score_reasons order by all"
    first = _written(workspace).reasons
    before = _rows(workspace, query)
    _written(workspace)
    assert _rows(workspace, query) == before
    assert len(before) == first


def test_a_fallback_says_what_it_rests_on(workspace: RunWorkspace) -> None:
    with duckdb.connect(str(workspace.warehouse)) as connection:
        connection.execute("update ml.scores set fallback_tier = 'cohort' where customer_id = 'c007'")
    _written(workspace)
    ((theme, reason),) = _rows(workspace, "select theme, reason from ml.score_reasons where customer_id = 'c007'")
    assert theme is None
    assert "group of such customers" in reason


def test_a_missing_model_or_features_that_are_gone_stop_the_run_and_leave_what_stood(workspace: RunWorkspace) -> None:
    _written(workspace)
    count = _rows(workspace, "select count(*) from ml.score_reasons")
    with duckdb.connect(str(workspace.warehouse)) as connection:
        connection.execute("delete from features.feat_customer_rfm where customer_id = 'c001'")
    with pytest.raises(dg.Failure, match=r"1 of 300 current scores .* have no features"):
        _written(workspace)
    for file in workspace.folders.models.rglob("manifest.json"):
        file.unlink()
    with pytest.raises(dg.Failure, match="Next: restore"):
        _written(workspace)
    assert _rows(workspace, "select count(*) from ml.score_reasons") == count


def test_a_card_is_written_for_each_model_and_stale_ones_go(workspace: RunWorkspace) -> None:
    folder = workspace.folders.reports / "models"
    folder.mkdir(parents=True)
    (folder / "gone.html").write_text("old")
    (card,) = write_cards(workspace, load_settings("demo")).values()
    assert sorted(file.name for file in folder.iterdir()) == ["buy_readiness.html", "buy_readiness.md"]
    page = (folder / "buy_readiness.html").read_text()
    assert card.model_version in page
    assert "25-34" in page
    assert "web_events" in page


def test_a_regression_of_a_shop_s_own_has_reasons_and_a_card(workspace: RunWorkspace) -> None:
    names = list(readiness.FEATURES[:4])
    with duckdb.connect(str(workspace.warehouse)) as connection:
        rows = connection.execute("from features.feat_customer_rfm where as_of_date = ?", [NOW]).df()
        spend = 5 * rows["purchase_day_count_28d"] + 1
        pipeline = Pipeline([("scale", StandardScaler()), ("model", PoissonRegressor())]).fit(rows[names], spend)
        checksum = artifacts.save(
            workspace.folders.models / "own_spend" / "own_spend-1",
            pipeline,
            {"model_name": "own_spend", "feature_names": names},
        )
        scores = score_rows(
            rows[["as_of_date", "customer_id"]],
            pipeline.predict(rows[names]),
            model_name="own_spend",
            model_version="own_spend-1",
            feature_schema_hash="0",
            score_kind="money",
            unit="USD within 14 days",
            horizon_days=14,
        )
        figure = {
            "model_name": "own_spend", "model_version": "own_spend-1", "as_of_date": BEFORE, "slice": "all",
            "metric": "root_mean_squared_error", "value": 64.0, "baseline_name": "spend_of_the_last_28_days",
            "baseline": 1_070.7, "rows": 300, "positives": 250, "is_champion": True, "run_id": "r0",
        }  # fmt: skip
        version = {
            "model_name": "own_spend", "model_version": "own_spend-1", "algorithm": "poisson",
            "trained_through": BEFORE, "feature_names": "[]", "feature_schema_hash": "0",
            "parameters": '{"alpha": 0.01}',
            "artifact_sha256": checksum, "run_id": "r0",
        }  # fmt: skip
        for table, frame in (
            ("ml.scores", scores.assign(run_id="r0")),
            ("ml.model_performance", pd.DataFrame([figure])),
            ("ml.model_versions", pd.DataFrame([version])),
        ):
            connection.register("incoming", frame)
            connection.execute(f"insert into {table} by name select * from incoming")
            connection.unregister("incoming")
    own = next(one for one in write_reasons(workspace, load_settings("demo")) if one.model.model_name == "own_spend")
    assert (own.method, own.left_out) == ("walked through", 0)
    assert own.importance["theme"].iloc[0] == "Shopping frequency"
    page = next(page for page in write_cards(workspace, load_settings("demo")) if page.stem == "own_spend")
    text = page.with_suffix(".md").read_text()
    assert "its root mean squared error is 64.00; spend of the last 28 days alone has 1,070.70." in text
    assert "logarithm of the expected amount" in text
