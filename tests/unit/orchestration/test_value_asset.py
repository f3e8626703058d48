"""Lifetime value in a warehouse: what is written, what is not, and in which words."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml

from ml.catalogue import read_catalogue
from ml.lifetime.candidates import FEATURES
from orchestration.value_asset import Refreshed, refresh
from shops import PROJECT_ROOT, Settings, load_settings
from tests.unit.ml.lifetime.conftest import make_shop

__all__ = ["make_shop"]

Shop = tuple[pd.DataFrame, pd.DataFrame]


def _settings(**value: object) -> Settings:
    settings = load_settings("demo")
    section = settings.models.lifetime_value.model_copy(update={"test_as_of_date": None, **value})
    return settings.model_copy(update={"models": settings.models.model_copy(update={"lifetime_value": section})})


@pytest.fixture
def warehouse(tmp_path: Path, make_shop: Callable[..., Shop]) -> Path:
    path = tmp_path / "warehouse.duckdb"
    features, labels = make_shop()
    current = features["as_of_date"].max()
    days = sorted(features["as_of_date"].unique())
    dates = pd.DataFrame({"as_of_date": days, "is_scheduled": True, "is_current": [day == current for day in days]})
    tables: dict[str, list[str]] = {}
    for feature in read_catalogue().named(FEATURES):
        tables.setdefault(feature.table, []).append(feature.name)
    frames = {name: features[["customer_id", "as_of_date", *columns]] for name, columns in tables.items()}
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema features; create schema ml")
        for name, frame in {**frames, "int_as_of_dates": dates, "label_value": labels}.items():
            connection.register("incoming", frame)
            connection.execute(f"create table features.{name} as from incoming")
            connection.execute(f"alter table features.{name} alter as_of_date type date")
            connection.unregister("incoming")
        sources = yaml.safe_load((PROJECT_ROOT / "models/scores/_python_tables.yml").read_text())["sources"]
        for table in next(source["tables"] for source in sources if source["name"] == "ml"):
            listed = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in table["columns"])
            connection.execute(f"create table ml.{table['name']} ({listed})")
    return path


def _run(path: Path, run_id: str, **value: object) -> Refreshed:
    return refresh(path, path.parent / "models", _settings(horizons_days=[42, 365], **value), run_id)


def _rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_everybody_now_has_a_value_and_the_long_horizon_has_no_rows(warehouse: Path) -> None:
    done = _run(warehouse, "first")
    assert set(done.models) == {42}
    assert done.without[365].startswith("not enough history: ")
    (written,) = _rows(
        warehouse,
        "select count(*), count(distinct customer_id), any_value(model_name), any_value(score_kind), any_value(unit), "
        "any_value(run_id), bool_and(score between score_low and score_high) from ml.scores",
    )
    customers = _rows(
        warehouse,
        "select count(*) from features.feat_customer_rfm join features.int_as_of_dates using (as_of_date) "
        "where is_current",
    )[0][0]
    assert written == (
        customers, customers, "lifetime_value_42d", "money", "USD spent within 42 days, discounted at 10% a year",
        "first", True,
    )  # fmt: skip
    ((version, algorithm),) = _rows(warehouse, "select model_version, algorithm from ml.model_versions")
    assert algorithm == done.models[42].scorer.algorithm
    assert (warehouse.parent / "models" / "lifetime_value_42d" / str(version) / "manifest.json").is_file()
    metrics = {name for (name,) in _rows(warehouse, "select distinct metric from ml.model_performance")}
    assert {"rmse", "rmse_gain", "mae", "spearman", "total_bias", "interval_coverage"} <= metrics


def test_a_second_run_replaces_the_first_and_says_the_same(warehouse: Path) -> None:
    _run(warehouse, "first")
    query = "select customer_id, model_version, score, score_low, score_high from ml.scores order by all"
    before = _rows(warehouse, query)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("insert into ml.scores (model_name, score) values ('lifetime_value_30d', 1), ('other', 1)")
    _run(warehouse, "second")
    found = _rows(warehouse, query.replace("order by", "where model_name = 'lifetime_value_42d' order by"))
    assert found == before
    names = _rows(warehouse, "select distinct model_name, run_id from ml.scores order by all")
    assert names == [("lifetime_value_42d", "second"), ("other", None)]


def test_the_hold_out_that_a_shop_names_is_the_one_that_judges(warehouse: Path) -> None:
    newest = _rows(warehouse, "select max(as_of_date) from features.label_value")[0][0]
    assert isinstance(newest, datetime.date)
    asked = newest - datetime.timedelta(days=14)
    done = _run(warehouse, "first", test_as_of_date=asked)
    assert done.models[42].hold_out == asked
    assert done.seen[42]["as_of_date"].max() <= pd.Timestamp(asked + datetime.timedelta(days=42))
    assert _rows(warehouse, "select distinct as_of_date from ml.model_performance") == [(asked,)]


def test_without_history_nothing_is_written_and_what_stood_goes(warehouse: Path) -> None:
    _run(warehouse, "first")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from features.label_value")
    done = _run(warehouse, "second")
    assert not done.models
    assert all(why.startswith("not enough history") for why in done.without.values())
    for table in ("scores", "model_performance", "model_versions"):
        assert _rows(warehouse, f"select count(*) from ml.{table}") == [(0,)]
