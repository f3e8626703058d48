"""Scores of past dates are facts: a later run adds what is missing and leaves them as they were written."""

import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from ml import readiness
from orchestration.readiness_asset import Refreshed, refresh
from shops import PROJECT_ROOT

HORIZON = 7
DATES = [datetime.date(2017, 1, 30) + datetime.timedelta(days=7 * week) for week in range(20)]
PAST = (
    "select customer_id, as_of_date, model_version, score, run_id from ml.scores "
    "where model_name = 'buy_readiness' and as_of_date < ? order by all"
)
TABLES = {
    "feat_customer_engagement": ("session_count_7d", "product_view_count_7d", "add_count_7d", "days_since_last_search"),
    "feat_customer_email": ("days_since_last_mail_opened", "mail_clicked_count_90d"),
}


def _fill(path: Path, current: datetime.date, shift: int = 0, customers: int = 60) -> None:
    """Features and labels as of `current`; `shift` moves what they say of every date."""
    drawn = np.random.default_rng(9)
    days = [day for day in DATES if day <= current]
    rate = drawn.gamma(1.5, 0.08, customers)
    keys = pd.DataFrame(
        {
            "customer_id": [f"c{n:02}" for _ in DATES for n in range(customers)],
            "as_of_date": np.repeat(DATES, customers),
        }
    )
    rates = np.tile(rate, len(DATES))
    rfm = keys.assign(
        purchase_day_count_28d=drawn.poisson(28 * rates) + shift,
        purchase_day_count_90d=drawn.poisson(90 * rates) + shift,
        days_since_last_order=np.minimum(1 + drawn.exponential(1 / rates), 200).astype(int),
        order_gap_ratio=drawn.gamma(2, 0.5, len(keys)),
    )
    bought = (drawn.random(len(keys)) < 1 - np.exp(-HORIZON * rates)).astype(int)
    labels = keys.assign(horizon_days=HORIZON, has_purchased=bought)
    dates = pd.DataFrame({"as_of_date": days, "is_scheduled": True, "is_current": [day == current for day in days]})
    ended = labels["as_of_date"] + datetime.timedelta(days=HORIZON) <= current
    frames = {
        "int_as_of_dates": dates,
        "feat_customer_rfm": rfm[rfm["as_of_date"] <= current],
        "label_readiness": labels[ended],
    }
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema if not exists features; create schema if not exists ml")
        for name, frame in frames.items():
            connection.register("incoming", frame)
            connection.execute(f"create or replace table features.{name} as from incoming")
            connection.execute(f"alter table features.{name} alter as_of_date type date")
            connection.unregister("incoming")
        for name, columns in TABLES.items():
            listed = ", ".join(f"{column} integer" for column in columns)
            connection.execute(
                f"create table if not exists features.{name} (customer_id varchar, as_of_date date, {listed})"
            )
        sources = yaml.safe_load((PROJECT_ROOT / "models/scores/_python_tables.yml").read_text())["sources"]
        for table in next(source["tables"] for source in sources if source["name"] == "ml"):
            listed = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in table["columns"])
            connection.execute(f"create table if not exists ml.{table['name']} ({listed})")


def _run(path: Path, run_id: str) -> Refreshed | None:
    return refresh(path, path.parent / "models", HORIZON, run_id)


def _rows(path: Path, query: str, *values: object) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query, list(values)).fetchall()


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    _fill(path, DATES[15])
    return path


def test_scores_of_past_dates_stay_as_they_were_written(warehouse: Path) -> None:
    first = _run(warehouse, "first")
    assert first is not None
    assert first.rows_kept == 0
    before = _rows(warehouse, PAST, DATES[15])
    assert len(before) == 60 * (first.dates_written - 1)
    # Everything about every date has changed since, and there is one date more.
    _fill(warehouse, DATES[16], shift=3)
    second = _run(warehouse, "second")
    assert second is not None
    # What was the current date then is a past one now, and stays as well.
    assert (second.dates_written, second.rows_kept) == (1, 60 * first.dates_written)
    assert _rows(warehouse, PAST, DATES[15]) == before
    assert {row[4] for row in _rows(warehouse, PAST, DATES[16])} == {"first"}
    newest = _rows(warehouse, "select distinct run_id from ml.scores where as_of_date = ?", DATES[16])
    assert newest == [("second",)]
    cited = "select count(*) from ml.scores anti join ml.model_versions using (model_version)"
    assert _rows(warehouse, cited) == [(0,)]
    trained_by = dict(_rows(warehouse, "select model_version, run_id from ml.model_versions"))
    assert set(trained_by.values()) == {"first", "second"}
    assert all((warehouse.parent / "models" / str(version) / "manifest.json").is_file() for version in trained_by)


def test_a_run_of_the_same_day_scores_that_day_anew(warehouse: Path) -> None:
    _run(warehouse, "first")
    before = _rows(warehouse, PAST, DATES[15])
    _fill(warehouse, DATES[15], shift=3)
    _run(warehouse, "again")
    assert _rows(warehouse, PAST, DATES[15]) == before
    now = _rows(warehouse, "select distinct run_id from ml.scores where as_of_date = ?", DATES[15])
    assert now == [("again",)]


def test_dates_that_are_gone_and_another_horizon_go(warehouse: Path) -> None:
    _run(warehouse, "first")
    gone = DATES[12]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from features.int_as_of_dates where as_of_date = ?", [gone])
        connection.execute("update ml.scores set horizon_days = 14 where as_of_date = ?", [DATES[13]])
    _run(warehouse, "second")
    found = dict(_rows(warehouse, "select as_of_date, any_value(run_id) from ml.scores group by all"))
    assert gone not in found
    assert (found[DATES[13]], found[DATES[14]]) == ("second", "first")


def test_a_shop_with_too_little_has_no_readiness_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    _fill(path, DATES[2])
    assert _run(path, "first") is None
    assert _rows(path, "select count(*) from ml.scores") == [(0,)]
    assert "needs 4 earlier dates" in readiness.WHY_NONE
