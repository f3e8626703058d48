"""The figures of lifetime value against plain formulas, and purchases as they add up."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from ml.evaluation import PERFORMANCE_COLUMNS
from ml.lifetime import value_evidence, value_plots
from ml.lifetime.value_evidence import Judged

KEYS = {"model_name": "m", "model_version": "v", "as_of_date": datetime.date(2017, 8, 14), "slice": "all"}


def said(expected: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"expected": expected, "low": expected * 0.2, "high": expected * 2.5})


@pytest.fixture(scope="module")
def figures() -> tuple[np.ndarray, dict[str, pd.DataFrame], pd.DataFrame, pd.Series]:
    generator = np.random.default_rng(6)
    truth = generator.gamma(2.0, 30.0, 800)
    spend = generator.gamma(2.0, truth / 2) * (generator.random(800) < 0.8)
    both = {"good": said(truth * 0.8), "poor": said(np.full(800, spend.mean()))}
    customers = pd.Series([f"c{number}" for number in range(800)])
    judged = Judged(spend, {name: frame["expected"].to_numpy() for name, frame in both.items()}, customers)
    return spend, both, value_evidence.performance(judged, spend, both, "good", **KEYS), customers


def test_each_figure_is_its_formula(
    figures: tuple[np.ndarray, dict[str, pd.DataFrame], pd.DataFrame, pd.Series],
) -> None:
    spend, both, table, _ = figures
    assert tuple(table.columns) == PERFORMANCE_COLUMNS
    found = table.set_index("metric")
    good, poor = (both[name]["expected"].to_numpy() for name in ("good", "poor"))
    rmse = [np.sqrt(np.mean((values - spend) ** 2)) for values in (good, poor)]
    assert found.loc["rmse", ["value", "baseline"]].tolist() == pytest.approx(rmse, abs=1e-5)
    assert found.loc["rmse_gain", "value"] == pytest.approx(rmse[1] - rmse[0], abs=1e-5)
    assert found.loc["rmse_gain", "ci_low"] > 0
    assert found.loc["mae", "value"] == pytest.approx(np.abs(good - spend).mean(), abs=1e-5)
    assert found.loc["spearman", "value"] == pytest.approx(spearmanr(good, spend).statistic, abs=1e-5)
    assert np.isnan(found.loc["spearman", "baseline"])
    assert found.loc["total_bias", "value"] == pytest.approx(good.sum() / spend.sum() - 1, abs=1e-5)
    held = (both["good"]["low"] <= spend) & (spend <= both["good"]["high"])
    assert found.loc["interval_coverage", "value"] == pytest.approx(held.mean(), abs=1e-5)
    assert found.loc["interval_coverage", "baseline"] == 0.95
    assert (found["ci_low"] <= found["value"]).all()
    assert (found["value"] <= found["ci_high"]).all()
    assert set(found["positives"]) == {int((spend > 0).sum())}


def test_alone_a_candidate_has_its_figures_too(
    figures: tuple[np.ndarray, dict[str, pd.DataFrame], pd.DataFrame, pd.Series],
) -> None:
    spend, both, _, customers = figures
    judged = Judged(spend, {"good": both["good"]["expected"].to_numpy()}, customers)
    table = value_evidence.performance(judged, spend, {"good": both["good"]}, "good", **KEYS)
    assert {"rmse", "mae", "spearman", "total_bias", "interval_coverage"} <= set(table["metric"])


def test_tenths_hold_all_customers_and_become_a_picture(
    figures: tuple[np.ndarray, dict[str, pd.DataFrame], pd.DataFrame, pd.Series],
) -> None:
    spend, both, _, customers = figures
    table = value_evidence.by_tenth(spend, both["good"]["expected"].to_numpy(), customers)
    assert len(table) == 10
    assert table["rows"].sum() == 800
    assert (table["rows"] * table["observed"]).sum() == pytest.approx(spend.sum(), rel=1e-3)
    assert len(value_evidence.by_tenth(spend, np.ones(800), customers)) == 1
    png = value_plots.tenths(table, "title", "USD")
    assert png.startswith(b"\x89PNG")
    assert png == value_plots.tenths(table, "title", "USD")


def test_purchases_add_up_for_those_who_were_there_when_the_model_was_fitted() -> None:
    days = [datetime.date(2017, 3, 6), datetime.date(2017, 3, 13)]
    seen = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "b", "late"],
            "as_of_date": [*days, *days, days[1]],
            "customer_age_days": [10, 17, 3, 10, 1],
            "repeat_purchase_day_count": [2, 4, 0, 1, 0],
        }
    )
    found = value_evidence.tracked(seen.iloc[::-1], days[0], lambda ages: ages / 10)
    assert found.table["observed"].tolist() == [2, 5]
    assert found.table["expected"].tolist() == pytest.approx([1.3, 2.7])
    assert found.table["customers"].tolist() == [2, 2]
    assert value_plots.tracking(found).startswith(b"\x89PNG")
