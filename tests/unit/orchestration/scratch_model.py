"""A small shop whose customers buy at rates of their own, and a model of them that is quick to train."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import yaml

from ml.catalogue import read_catalogue
from ml.evaluation import performance_rows
from ml.frames import as_days, feature_matrix, model_version
from ml.propensity import Judged, PropensityScorer, TrainedModel
from ml.propensity.calibration import Calibration
from ml.propensity.candidates import logistic
from ml.propensity.scorer import fit_scorer
from ml.propensity.tasks import purchase_within
from orchestration.model_inputs import CustomerInputs, TrainingRows
from orchestration.model_ledger import record_models
from orchestration.propensity_models import PropensityModel, newest_date
from shops import PROJECT_ROOT, ShopFolders

NAME = "purchase_propensity"
HORIZON = 14
# Its labels stand in a table that has one column of them.
TASK = dataclasses.replace(purchase_within(HORIZON), label_column="has_purchased")
FIRST = date(2017, 1, 30)
CUSTOMERS = 1400
GOOD = ("order_count_28d", "days_since_last_order", "order_count_90d")
POOR = ("days_since_last_order",)


@cache
def declared() -> list[dict[str, Any]]:
    """The sources that Python writes."""
    text = (PROJECT_ROOT / "models/scores/_python_tables.yml").read_text()
    found: list[dict[str, Any]] = yaml.safe_load(text)["sources"]
    return found


def day(week: int) -> date:
    return FIRST + timedelta(days=7 * week)


def build(folders: ShopFolders, week: int, keep: bool = False) -> None:
    """The warehouse as of `week`: features of all weeks until then, labels as far as they are known.

    `keep` leaves what Python has written into it.
    """
    folders.data.mkdir(parents=True, exist_ok=True)
    if not keep:
        folders.warehouse.unlink(missing_ok=True)
    features = read_catalogue().of_model(NAME)
    days = [day(number) for number in range(week + 1)]
    frames, labels = [], []
    for number, one in enumerate(days):
        drawn = np.random.default_rng(number)
        rate = np.random.default_rng(7).gamma(1.0, 0.08, CUSTOMERS)
        frame = pd.DataFrame(
            {feature.name: 1.0 for feature in features},
            index=pd.RangeIndex(CUSTOMERS),
        ).assign(
            customer_id=[f"c{place:04}" for place in range(CUSTOMERS)],
            as_of_date=one,
            order_count_28d=drawn.poisson(28 * rate),
            order_count_90d=drawn.poisson(90 * rate),
            days_since_last_order=np.minimum(1 + drawn.exponential(1 / rate), 300).astype(int),
        )
        frames.append(frame)
        bought = (drawn.random(CUSTOMERS) < 1 - np.exp(-HORIZON * rate)).astype(int)
        if one + timedelta(days=HORIZON) <= days[-1]:
            labels.append(frame[["customer_id", "as_of_date"]].assign(horizon_days=HORIZON, has_purchased=bought))
    with duckdb.connect(str(folders.warehouse)) as connection:
        for schema in ("features", "quality"):
            connection.execute(f"create schema if not exists {schema}")
        connection.register("everything", pd.concat(frames))
        for table in dict.fromkeys(["feat_customer_rfm", *(feature.table for feature in features)]):
            own = [feature.name for feature in features if feature.table == table]
            listed = ", ".join(["customer_id", "as_of_date::date as as_of_date", *own])
            connection.execute(f"create or replace table features.{table} as select {listed} from everything")
        connection.execute(
            "create or replace table features.feat_customer_profile as select customer_id, "
            "as_of_date::date as as_of_date, if(hash(customer_id) % 2 = 0, 'north', 'south') as region "
            "from everything"
        )
        known = pd.concat(labels) if labels else pd.DataFrame(
            {"customer_id": ["c"], "as_of_date": [FIRST], "horizon_days": [0], "has_purchased": [0]}
        )  # fmt: skip
        connection.register("known", known)
        connection.execute(
            "create or replace table features.label_purchase as select customer_id, as_of_date::date as as_of_date, "
            f"horizon_days, has_purchased from known where horizon_days = {HORIZON}"
        )
        connection.execute(
            "create or replace table features.int_as_of_dates as select distinct as_of_date::date as as_of_date, "
            f"true as is_scheduled, as_of_date::date = date '{days[-1]}' as is_current from everything"
        )
        for source in declared():
            connection.execute(f"create schema if not exists {source['schema']}")
            for table in source["tables"]:
                listed = ", ".join(f"{column['name']} {column['data_type']}" for column in table["columns"])
                connection.execute(f"create table if not exists {source['schema']}.{table['name']} ({listed})")


def promote(folders: ShopFolders, run_id: str, is_good: bool = True) -> None:
    """As when a run is promoted: what it wrote goes into the ledger, twice, which is as once."""
    with duckdb.connect(str(folders.warehouse)) as connection:
        connection.execute(
            "insert into quality.gate_results by name select 'scores' as gate, 'x' as expectation, ? as success, "
            "'critical' as severity, ? as run_id",
            [is_good, run_id],
        )
    record_models(folders, folders.warehouse, run_id)
    record_models(folders, folders.warehouse, run_id)


def ask(folders: ShopFolders, query: str, *values: object) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folders.warehouse), read_only=True) as connection:
        return connection.execute(query, list(values)).fetchall()


def contents(folders: ShopFolders) -> dict[str, list[tuple[Any, ...]]]:
    """What the tables of models say, but for which run wrote it."""
    tables = ("scores", "model_versions", "model_performance", "judged_predictions", "model_decisions",
              "model_decision_checks", "model_champions")  # fmt: skip
    return {table: ask(folders, f"select * exclude (run_id) from ml.{table} order by all") for table in tables}


def toy(learns_from: Sequence[str] = GOOD, bent: float = 0.0, fixed: date | None = None) -> PropensityModel:
    """A logistic regression on a few features; `bent` moves what it says away from what comes true."""
    names = tuple(learns_from)

    def train(rows: TrainingRows) -> TrainedModel:
        joined = rows.labels.assign(as_of_date=as_days(rows.labels["as_of_date"])).merge(
            rows.features.assign(as_of_date=as_days(rows.features["as_of_date"])), on=["customer_id", "as_of_date"]
        )
        joined = joined.sort_values(["as_of_date", "customer_id"]).reset_index(drop=True)
        begin = pd.Timestamp(rows.hold_out_from)
        learned = joined[joined["as_of_date"] + pd.Timedelta(days=HORIZON) <= begin]
        judged = joined[joined["as_of_date"] == begin].reset_index(drop=True)
        through = rows.hold_out_from - timedelta(days=1)
        identity = {
            "model_name": NAME,
            "model_version": model_version(NAME, through, names, bent, len(learned)),
            "trained_through": through,
            "horizon_days": HORIZON,
        }
        truth = learned["has_purchased"].to_numpy(dtype=np.int64)

        def fitted(of: Sequence[str], shift: float) -> PropensityScorer:
            return fit_scorer(
                logistic(1.0), feature_matrix(learned, of, (), "the toy"), truth, Calibration(1.0, shift),
                of, (), **identity,
            )  # fmt: skip

        scorer = fitted(names, bent)
        scores = {
            "model": scorer.probabilities(judged),
            "base_rate": np.full(len(judged), scorer.base_rate),
            "logistic_regression_rfm": fitted(("days_since_last_order",), 0.0).probabilities(judged),
        }
        labels = judged["has_purchased"].to_numpy(dtype=np.int64)
        performance = performance_rows(
            labels, scores, judged["customer_id"], resamples=20, model_name=NAME, model_version=scorer.model_version,
            as_of_date=rows.hold_out_from, slice="all", is_champion=True,
        )  # fmt: skip
        shown = judged[["customer_id", "as_of_date", *dict.fromkeys(("days_since_last_order", *names))]]
        hold_out = Judged(shown, labels, scores, scorer.tiers(judged))
        return TrainedModel(scorer, performance, {"features": names}, hold_out, hold_out, "a toy")

    return PropensityModel(
        NAME, NAME, "A toy.", CustomerInputs("label_purchase"), train, "probability", newest_date(TASK, fixed),
        {"features": names, "bent": bent},
    )  # fmt: skip
