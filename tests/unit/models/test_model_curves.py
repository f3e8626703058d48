"""Curves of models: tenths of the hold-out, Wilson's intervals, and the share of all positives down to each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from ml.plots import _wilson
from tests.unit.models.compiled import CompiledModels, rows

AS_OF = date(2024, 1, 2)


def curved(
    models: CompiledModels, probabilities: Sequence[float], labels: Sequence[int]
) -> duckdb.DuckDBPyConnection:
    """A warehouse with curves of the model `m`, whose hold-out has these rows, and one more that chose it."""
    warehouse = models.warehouse()
    judged = pd.DataFrame(  # noqa: F841 (read by DuckDB)
        {
            "model_name": "m",
            "model_version": "m-1",
            "judged_for": ["selection"] + ["hold_out"] * len(labels),
            "customer_id": [f"c{number}" for number in range(len(labels) + 1)],
            "as_of_date": AS_OF,
            "probability": [0.99, *probabilities],
            "label": [1, *labels],
            "run_id": "run",
        }
    )
    warehouse.execute("insert into ml.judged_predictions by name select * from judged")
    warehouse.execute(
        "insert into ml.model_performance by name "
        "select 'm' as model_name, 'm-1' as model_version, 'roc_auc' as metric, ?::date as as_of_date, "
        "true as is_champion",
        [AS_OF],
    )
    models.build(warehouse, "rpt_model_curves")
    return warehouse


def test_tenths_have_what_was_said_what_came_true_and_who_is_reached(models: CompiledModels) -> None:
    drawn = np.random.default_rng(7)
    said = drawn.uniform(0.02, 0.9, 400)
    came = (drawn.uniform(size=400) < said).astype(int)
    warehouse = curved(models, said.tolist(), came.tolist())
    found = warehouse.execute("from marts.rpt_model_curves order by band").df()
    order = np.argsort(-said)
    said, came = said[order].reshape(10, 40), came[order].reshape(10, 40)
    low, high = _wilson(came.mean(axis=1), np.full(10, 40))
    assert list(found["band"]) == list(range(1, 11))
    assert set(found["rows"]) == {40}
    assert bool(found["is_champion"].all())
    reached = came.sum(axis=1).cumsum() / came.sum()
    expected = {
        "mean_predicted": said.mean(axis=1),
        "observed": came.mean(axis=1),
        "observed_low": low,
        "observed_high": high,
        "contacted_share": np.arange(1, 11) / 10,
        "recall": reached,
        "lift": reached / (np.arange(1, 11) / 10),
    }
    for column, values in expected.items():
        assert found[column].to_numpy() == pytest.approx(values, abs=2e-6), column


def test_equal_scores_are_never_parted(models: CompiledModels) -> None:
    warehouse = curved(models, [0.5] * 35 + [0.1] * 65, [1] * 35 + [0] * 65)
    found = rows(warehouse, "select band, rows, observed, recall from marts.rpt_model_curves order by band")
    assert found == [(1, 35, 1.0, 1.0), (2, 65, 0.0, 1.0)]


def test_a_hold_out_of_few_rows_has_no_curve(models: CompiledModels) -> None:
    warehouse = curved(models, [number / 100 for number in range(49)], [0, 1] * 24 + [0])
    assert rows(warehouse, "from marts.rpt_model_curves") == []


def test_buy_readiness_has_the_bands_that_it_was_judged_in(models: CompiledModels) -> None:
    warehouse = models.warehouse()
    warehouse.execute(
        "insert into ml.model_performance by name select 'buy_readiness' as model_name, 'b-1' as model_version, "
        "?::date as as_of_date, 'purchase_rate' as metric, came as value, came - 0.1 as ci_low, came + 0.1 as ci_high, "
        "'mean_readiness' as baseline_name, said as baseline, 100 as rows, 100 * came as positives, true as is_champion "
        "from (values (0.25, 0.2), (0.75, 0.6)) as bands (said, came)",
        [AS_OF],
    )
    models.build(warehouse, "rpt_model_curves")
    found = rows(
        warehouse, "select band, mean_predicted, observed, contacted_share, recall from marts.rpt_model_curves order by 1"
    )
    assert found == [(1, 0.75, 0.6, 0.5, 0.75), (2, 0.25, 0.2, 1.0, 1.0)]
