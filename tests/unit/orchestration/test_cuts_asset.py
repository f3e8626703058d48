"""Cuts as an asset: goals from settings, and tables that hold the last run's cuts alone."""

import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from ml.cuts import Goal
from orchestration.cuts_asset import goals_of, refresh
from shops import PROJECT_ROOT, load_settings

GOALS = [
    Goal("conversion", "purchase_propensity", "precision", 0.7),
    Goal("budget", "purchase_propensity", "people", 50),
]
NOW = datetime.date(2017, 11, 6)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Empty tables of Python, as `dbt build` leaves them on a fresh warehouse."""
    path = tmp_path / "warehouse.duckdb"
    sources = yaml.safe_load((PROJECT_ROOT / "models/scores/_python_tables.yml").read_text())["sources"]
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema ml")
        for table in next(source["tables"] for source in sources if source["name"] == "ml"):
            listed = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in table["columns"])
            connection.execute(f"create table ml.{table['name']} ({listed})")
    return path


def fill(path: Path) -> None:
    """Judged predictions that mean what they say, and scores of two dates."""
    drawn = np.random.default_rng(2)
    days = {"selection": datetime.date(2017, 9, 4), "hold_out": datetime.date(2017, 10, 2)}
    parts = [
        pd.DataFrame({"judged_for": judged_for, "as_of_date": day, "probability": drawn.random(300).round(3)})
        for judged_for, day in days.items()
    ]
    judged = pd.concat(parts, ignore_index=True)
    judged = judged.assign(customer_id=[f"c{n}" for n in range(len(judged))], label=drawn.random(600))
    judged["label"] = (judged["label"] < judged["probability"]).astype(int)
    named = "'purchase_propensity', 'v1'"
    with duckdb.connect(str(path)) as connection:
        connection.register("judged", judged)
        connection.execute(
            "insert into ml.judged_predictions by name select customer_id, as_of_date, judged_for, probability, label, "
            "'purchase_propensity' as model_name, 'v1' as model_version, 'r' as run_id from judged"
        )
        for day in (days["selection"], NOW):
            connection.execute(
                "insert into ml.scores (customer_id, as_of_date, model_name, model_version, score, score_kind) "
                f"select customer_id, ?, {named}, probability, 'probability' from judged where judged_for = 'hold_out'",
                [day],
            )


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_cuts_and_curves_of_the_last_run_stand_alone(warehouse: Path) -> None:
    fill(warehouse)
    refresh(warehouse, GOALS, "first")
    refresh(warehouse, GOALS, "second")
    found = rows(
        warehouse,
        "select goal, run_id, current_as_of_date, current_people, cut is not null from ml.score_cuts order by goal",
    )
    assert found == [("budget", "second", NOW, 300, True), ("conversion", "second", NOW, 300, True)]
    curves = rows(warehouse, "select distinct run_id from ml.score_cut_curves")
    assert curves == [("second",)]


def test_without_judged_predictions_tables_are_empty_and_the_reason_is_told(warehouse: Path) -> None:
    fill(warehouse)
    refresh(warehouse, GOALS, "first")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from ml.judged_predictions")
    found = refresh(warehouse, GOALS, "second")
    assert found.unasked == ("budget, conversion: no prediction of purchase_propensity was judged",)
    assert rows(warehouse, "select count(*) from ml.score_cuts") == [(0,)]
    assert rows(warehouse, "select count(*) from ml.score_cut_curves") == [(0,)]


def test_the_demo_shop_has_no_cut_by_profit_and_the_reason() -> None:
    goals, unset = goals_of(load_settings("demo"))
    assert {goal.name for goal in goals} == {"conversion", "retention", "upsell", "budget"}
    assert unset == ["profit: goals.profit.unit_cost and goals.profit.margin not set in the shop's settings.yml"]
    wished = {(goal.name, goal.model_name): goal.wanted for goal in goals}
    assert wished["conversion", "purchase_propensity_14d"] == 0.9


def test_a_shop_with_both_amounts_has_a_profit_for_every_goal() -> None:
    settings = load_settings("demo")
    profit = settings.goals.profit.model_copy(update={"unit_cost": 0.5, "margin": 6.0})
    goals, unset = goals_of(settings.model_copy(update={"goals": settings.goals.model_copy(update={"profit": profit})}))
    assert not unset
    assert all(goal.has_money for goal in goals)
    assert {goal.model_name for goal in goals if goal.name == "profit"} == set(profit.models)
