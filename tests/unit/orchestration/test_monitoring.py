"""Past scores are judged once they have come true; without any, the tables are empty and the run says so."""

import dataclasses
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from ml.monitoring import plots
from orchestration.model_ledger import Choice
from orchestration.monitoring_asset import monitor, stored_reasons
from shops import load_settings
from tests.unit.orchestration.test_readiness_asset import DATES, _fill, _rows, _run

MODEL = "buy_readiness"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    _fill(path, DATES[15], customers=120)
    return path


def test_without_scores_there_is_nothing(warehouse: Path) -> None:
    found = monitor(warehouse, load_settings("demo"), "r")
    assert (len(found.outcomes), len(found.drift), found.reasons, found.skipped) == (0, 0, {}, [])
    assert plots.over_time(found.outcomes, found.drift) == {}
    assert _rows(warehouse, "select count(*) from ml.model_outcomes") == [(0,)]


def test_dates_that_came_true_are_judged_beside_the_promise(warehouse: Path) -> None:
    _run(warehouse, "first")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("insert into ml.scores (customer_id, as_of_date, model_name, score) "
                           "values ('c00', '2017-02-06', 'another_model', 1)")  # fmt: skip
    for run_id in ("r1", "r2"):  # the second finds the tables full
        found = monitor(warehouse, load_settings("demo"), run_id)
        assert found.skipped == ["another_model"]
        scored = {
            day for (day,) in _rows(warehouse, "select distinct as_of_date from ml.scores where model_name = ?", MODEL)
        }
        judged = {day for (day,) in _rows(warehouse, "select distinct as_of_date from ml.model_outcomes")}
        assert judged == scored - {DATES[15]}
        assert _rows(warehouse, "select distinct run_id from ml.model_outcomes") == [(run_id,)]
    assert set(found.drift["as_of_date"].astype(str)) == {"2017-05-15"}
    assert found.reasons == {MODEL: []}
    assert {name.removeprefix(f"{MODEL}_") for name in plots.over_time(found.outcomes, found.drift)} == {
        "log_loss", "roc_auc", "calibration_intercept", "drift",
    }  # fmt: skip


def test_drift_of_past_dates_stays_and_a_shift_alarms(warehouse: Path) -> None:
    _run(warehouse, "first")
    monitor(warehouse, load_settings("demo"), "r1")
    _fill(warehouse, DATES[16], customers=120)
    _run(warehouse, "second")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update features.feat_customer_rfm set purchase_day_count_28d = 0 where as_of_date = ?",
                           [DATES[16]])  # fmt: skip
        connection.execute("update ml.scores set score = score / 2 where as_of_date = ?", [DATES[16]])
    found = monitor(warehouse, load_settings("demo"), "r2")
    assert found.drift["as_of_date"].nunique() == 2
    alarms = found.drift[
        found.drift["is_alarm"].astype(bool) & (pd.to_datetime(found.drift["as_of_date"]) == pd.Timestamp(DATES[16]))
    ]
    assert "purchase_day_count_28d" in set(alarms["name"])
    assert any("purchase_day_count_28d" in reason for reason in found.reasons[MODEL])
    # The next run asks for them, one as of an earlier date does not.
    champion = _champion(warehouse)
    assert stored_reasons(warehouse, champion) == found.reasons[MODEL]
    assert stored_reasons(warehouse, dataclasses.replace(champion, model_version="another")) == []
    _fill(warehouse, DATES[15], customers=120)
    assert stored_reasons(warehouse, champion) == []


def test_windows_that_reach_a_set_day_are_not_judged(warehouse: Path) -> None:
    _run(warehouse, "first")
    settings = load_settings("demo")
    until = DATES[12]
    own = settings.models.monitoring.model_copy(update={"judged_until_date": until})
    models = settings.models.model_copy(update={"monitoring": own})
    found = monitor(warehouse, settings.model_copy(update={"models": models}), "r1")
    assert len(found.outcomes)
    assert pd.to_datetime(found.outcomes["matured_on"]).max() <= pd.Timestamp(until)


def _champion(warehouse: Path) -> Choice:
    """The version that the newest reasons are about, as the ledger would name it."""
    ((version, day),) = _rows(warehouse, "select distinct model_version, as_of_date from ml.retrain_reasons")
    return Choice(
        model_name=MODEL, choice_number=1, model_version=version, choice="promoted", is_fallback=False, known_from=day,
        hold_out_from=day, trained_through=day, feature_schema_hash="", artifact_sha256="", reason="",
        chosen_by="gate", chosen_at=None, run_id=None,
    )  # fmt: skip
