"""Scores in batches: all or nothing, in the place of those before, whatever the size of a batch."""

import datetime
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from ml.score_rows import SCORE_COLUMNS
from orchestration.batch_scoring import Query, score_in_batches

FACTS = {"model_name": "m", "model_version": "m-1", "feature_schema_hash": "h", "score_kind": "probability",
         "unit": "chance", "horizon_days": 14}  # fmt: skip
TYPES = {"as_of_date": "date", "score": "double", "score_low": "double", "score_high": "double", "horizon_days": "int"}


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    listed = ", ".join(f"{name} {TYPES.get(name, 'varchar')}" for name in (*SCORE_COLUMNS, "run_id"))
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"create schema ml; create table ml.scores ({listed})")
        connection.execute(
            "create table features as select 'c' || n as customer_id, date '2018-01-01' as as_of_date, "
            "n::decimal(10, 2) as amount from range(5000) as numbers(n)"
        )
        connection.execute("insert into ml.scores (model_name, score) values ('m', 9), ('other', 8)")
    return path


def predict(frame: pd.DataFrame) -> tuple[np.ndarray, str]:
    return frame["amount"].to_numpy() / 5000, "model"


def run(warehouse: Path, query: str = "from features where as_of_date = ?", batch_rows: int = 2048) -> int:
    asked = Query(query, [datetime.date(2018, 1, 1)])
    return score_in_batches(
        warehouse, asked, predict, ["amount"], facts=FACTS, where={"model_name": "m"}, run_id="r", batch_rows=batch_rows
    )


def test_everybody_is_scored_once_whatever_the_batches(warehouse: Path) -> None:
    for batch_rows in (2048, 100_000):
        assert run(warehouse, batch_rows=batch_rows) == 5000
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            rows = connection.execute("from ml.scores where model_name = 'm'").df()
            assert connection.execute("select count(*) from ml.scores where model_name = 'other'").fetchone() == (1,)
        assert len(rows) == rows["customer_id"].nunique() == 5000
        assert (rows["score"] == rows["customer_id"].str[1:].astype(int) / 5000).all()
        for name, value in {**FACTS, "run_id": "r", "fallback_tier": "model"}.items():
            assert (rows[name] == value).all()
        assert rows[["campaign_id", "score_low", "score_high"]].isna().all().all()


def test_after_an_error_the_scores_are_as_they_were(warehouse: Path) -> None:
    broken = (
        "select customer_id, as_of_date, case when customer_id = 'c4999' then 'nan'::double else amount end as amount "
        "from features where as_of_date = ?"
    )
    with pytest.raises(ValueError, match="c4999"):
        run(warehouse, broken)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        assert connection.execute("select model_name, score from ml.scores order by all").fetchall() == [
            ("m", 9.0),
            ("other", 8.0),
        ]


def test_a_fact_that_is_no_column_is_refused(warehouse: Path) -> None:
    with pytest.raises(ValueError, match="color"):
        score_in_batches(
            warehouse, Query("from features"), predict, ["amount"], facts={**FACTS, "color": "red"},
            where={"model_name": "m"}, run_id="r",
        )  # fmt: skip


def test_few_batches_are_held_at_a_time(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many customers there are: what is written is let go before the transaction ends."""
    from ml import batch_scoring

    made: list[weakref.ref[object]] = []
    held: list[int] = []
    score_batches = batch_scoring.score_batches

    def watched(*arguments: Any) -> Iterator[Any]:
        for batch in score_batches(*arguments):
            made.append(weakref.ref(batch))
            held.append(sum(one() is not None for one in made))
            yield batch

    monkeypatch.setattr(batch_scoring, "score_batches", watched)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("insert into features select 'd' || n, date '2018-01-01', 1 from range(45_000) as more(n)")
    assert run(warehouse) == 50_000
    assert len(made) > 20
    assert max(held) <= 4
