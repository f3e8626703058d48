"""Features and labels of the questions that propensities answer, read from a warehouse as the chain reads them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pandas as pd

from ml.catalogue import read_catalogue
from ml.propensity import Task
from ml.propensity.tasks import OFFER_TABLE
from shops import ShopFolders, load_settings

POPULATION = "feat_customer_rfm"


def demo_warehouse() -> Path:
    """Where the demo shop's warehouse lies."""
    return ShopFolders.of("demo").warehouse


def read(warehouse: Path, task: Task, also: Sequence[datetime.date] = ()) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features and labels of a task, at scheduled dates and those of `also`, or of all campaigns."""
    learned = read_catalogue().of_model(task.family)
    base = OFFER_TABLE if task.is_per_offer else POPULATION
    tables = dict.fromkeys(feature.table for feature in learned if feature.table != base)
    joins = " ".join(f"left join features.{table} using (customer_id, as_of_date)" for table in tables)
    listed = ", ".join([f"{base}.{key}" for key in task.keys] + [f"{f.table}.{f.name}" for f in learned])
    dates = (
        "join features.int_as_of_dates using (as_of_date) where is_scheduled or list_contains(?::date[], as_of_date)"
    )
    where, values = ("", []) if task.is_per_offer else (dates, [list(also)])
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        features = connection.execute(f"select {listed} from features.{base} {joins} {where}", values).df()
        labels = connection.execute(f"select * from features.{task.label_table} {where}", values).df()
    return features, labels


# Nothing that happened on this day or later is read while a model is built: the last hold-outs begin here.
UNTIL = datetime.date(2017, 11, 13)
FINAL = (UNTIL, datetime.date(2017, 12, 3))


def hold_out(task: Task) -> datetime.date:
    """The demo shop's hold-out of a task, as its settings say."""
    models = load_settings("demo").models
    chosen = {
        "churn_propensity": models.churn.test_as_of_date,
        "redemption_propensity": models.redemption.test_from_date,
        "click_propensity": models.click.test_from_date,
    }
    found = chosen.get(task.model_name, models.purchase.test_as_of_date)
    assert found is not None, f"shops/demo/settings.yml has no hold-out for {task.model_name}"
    assert found < UNTIL, f"{task.model_name} would be judged on the last hold-outs"
    return found
