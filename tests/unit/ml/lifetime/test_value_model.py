"""Lifetime value as a whole: dates in order, an honest choice, the same answer in any order, clear errors."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml import artifacts
from ml.artifacts import ArtifactError
from ml.frames import MissingColumnsError
from ml.lifetime import storing, value_model
from ml.lifetime.candidates import CANDIDATES, FEATURES
from ml.lifetime.histories import HistoryError
from ml.lifetime.value_model import NotEnoughHistoryError, ValueModel
from ml.score_rows import SCORE_COLUMNS

HORIZON = 42
Shop = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop()


@pytest.fixture(scope="module")
def model(shop: Shop) -> ValueModel:
    return value_model.train(*shop, HORIZON, 0.1)


@pytest.fixture(scope="module")
def now(shop: Shop) -> pd.DataFrame:
    features, _ = shop
    return features[features["as_of_date"] == features["as_of_date"].max()]


def test_windows_lie_one_after_the_other(shop: Shop) -> None:
    dates = value_model.plan(shop[1], HORIZON)
    window = datetime.timedelta(days=HORIZON)
    assert dates.hold_out == shop[1]["as_of_date"].max()
    assert dates.choice + window <= dates.hold_out
    assert max(dates.before_choice) + window <= dates.choice
    assert max(dates.before_hold_out) + window <= dates.hold_out
    asked = dates.hold_out - datetime.timedelta(days=14)
    assert value_model.plan(shop[1], HORIZON, asked).hold_out == asked


def test_too_short_a_history_says_so_in_these_words(shop: Shop) -> None:
    features, labels = shop
    for fewer in (labels.iloc[:0], labels[labels["as_of_date"] <= datetime.date(2017, 6, 10)], labels.iloc[:50]):
        with pytest.raises(NotEnoughHistoryError, match=r"^not enough history: .* three such windows"):
            value_model.train(features, fewer, HORIZON, 0.1)
    with pytest.raises(NotEnoughHistoryError, match="365 days from any date on were not observed"):
        value_model.train(features, labels, 365, 0.1)
    with pytest.raises(NotEnoughHistoryError, match="from 2017-08-01 on"):
        value_model.train(features, labels, HORIZON, 0.1, datetime.date(2017, 8, 1))


def test_the_one_that_ships_was_chosen_before_the_hold_out(shop: Shop, model: ValueModel) -> None:
    features, labels = shop
    assert model.scorer.algorithm in CANDIDATES
    assert [entry["candidate"] for entry in model.parameters["candidates"]] == [
        name for name in CANDIDATES if name not in model.parameters["not_fitted"]
    ]
    # What happened from the hold-out on changes neither the choice nor what is said: only the figures.
    late = labels["as_of_date"] == model.hold_out
    other = labels.assign(discounted_spend=labels["discounted_spend"].where(~late, 3.0))
    again = value_model.train(features, other, HORIZON, 0.1)
    assert again.parameters == model.parameters
    assert again.scorer.model_version == model.scorer.model_version
    assert again.metrics()["rmse"] != model.metrics()["rmse"]
    assert model.scorer.trained_through < model.hold_out


def test_it_is_better_than_the_mean_and_its_ranges_hold(model: ValueModel) -> None:
    gains = model.performance[model.performance["metric"] == "rmse_gain"].set_index("baseline_name")
    assert gains.loc["mean_spend", "ci_low"] > 0
    assert 0.85 <= model.metrics()["interval_coverage"] <= 1
    assert (model.performance["as_of_date"] == model.hold_out).all()


def test_any_order_of_rows_gives_the_same(shop: Shop, model: ValueModel, now: pd.DataFrame) -> None:
    features, labels = (frame.sample(frac=1, random_state=7) for frame in shop)
    again = value_model.train(features, labels, HORIZON, 0.1)
    pd.testing.assert_frame_equal(again.performance, model.performance)
    assert again.parameters == model.parameters
    pd.testing.assert_frame_equal(
        value_model.score(again.scorer, now.sample(frac=1, random_state=8), "EUR"),
        value_model.score(model.scorer, now, "EUR"),
    )


def test_scores_are_money_with_a_range_a_unit_and_a_tier(model: ValueModel, now: pd.DataFrame) -> None:
    now = now.reset_index(drop=True)
    now.loc[0, "total_spend"] = 0.0
    found = value_model.score(model.scorer, now, "EUR")
    assert tuple(found.columns) == SCORE_COLUMNS
    assert len(found) == now["customer_id"].nunique()
    assert (found["score_low"] <= found["score"]).all()
    assert (found["score"] <= found["score_high"]).all()
    assert (found["score_low"] >= 0).all()
    assert set(found["unit"]) == {"EUR spent within 42 days, discounted at 10% a year"}
    assert value_model.unit("EUR", 90, 0.0) == "EUR spent within 90 days, not discounted"
    assert set(found["model_name"]) == {"lifetime_value_42d"}
    assert found.set_index("customer_id").loc[now.loc[0, "customer_id"], "fallback_tier"] == "base_rate"
    assert (found["fallback_tier"] == "model").mean() > 0.9


def test_a_stored_model_says_the_same_and_a_changed_one_is_refused(
    model: ValueModel, now: pd.DataFrame, tmp_path: Path
) -> None:
    checksum = storing.save_scorer(tmp_path, model.scorer, model.metrics())
    loaded = storing.load_scorer(tmp_path, FEATURES, checksum)
    pd.testing.assert_frame_equal(value_model.score(loaded, now, "EUR"), value_model.score(model.scorer, now, "EUR"))
    row = model.version_row(checksum).iloc[0]
    assert json.loads(row["parameters"])["chosen"] == row["algorithm"]
    with pytest.raises(ArtifactError, match="other features"):
        storing.load_scorer(tmp_path, FEATURES[1:])
    file = tmp_path / artifacts.MODEL_FILE
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactError, match="was changed"):
        storing.load_scorer(tmp_path)


def test_every_candidate_can_be_stored(shop: Shop, model: ValueModel, now: pd.DataFrame, tmp_path: Path) -> None:
    import dataclasses

    from ml.lifetime.candidates import fit_candidate

    learned = shop[0].sample(300, random_state=1)
    for name in CANDIDATES:
        rows = now.assign(spend_90d=now["spend_90d"].fillna(0.0))
        estimator = fit_candidate(name, rows, learned, np.arange(300.0), HORIZON, 0.1)
        scorer = dataclasses.replace(model.scorer, algorithm=name, estimator=estimator)
        storing.save_scorer(tmp_path / name, scorer)
        loaded = storing.load_scorer(tmp_path / name)
        pd.testing.assert_frame_equal(loaded.ranges(rows), scorer.ranges(rows))


def test_where_nobody_comes_back_a_simpler_one_ships(make_shop: Callable[..., Shop]) -> None:
    features, labels = make_shop(leaving=1.0)
    found = value_model.train(features, labels, HORIZON, 0.1)
    assert "nobody came back" in found.parameters["not_fitted"]["purchase_value"]
    assert found.scorer.algorithm != "purchase_value"
    assert found.purchases is None
    assert set(found.plots("EUR", features)) == {"tenths"}


def test_bad_input_is_refused_by_name(shop: Shop, model: ValueModel, now: pd.DataFrame) -> None:
    features, labels = shop
    twice = features[features["as_of_date"] == model.hold_out].iloc[:3]
    with pytest.raises(ValueError, match="rows too many for its key"):
        value_model.train(pd.concat([features, twice]), labels, HORIZON, 0.1, model.hold_out)
    with pytest.raises(ValueError, match="rows too many for its key"):
        value_model.score(model.scorer, pd.concat([now, now.iloc[:1]]), "EUR")
    with pytest.raises(MissingColumnsError, match="spend_28d"):
        value_model.score(model.scorer, now.drop(columns="spend_28d"), "EUR")
    with pytest.raises(HistoryError, match="have no rows"):
        value_model.score(model.scorer, now.iloc[:0], "EUR")
    for column, value, said in (
        ("repeat_purchase_day_count", -1, "is negative"),
        ("days_since_last_order", -5, "the last purchase lies after the end"),
        ("customer_age_days", np.inf, "null or infinite"),
        ("total_spend", np.nan, "total_spend is null"),
    ):
        wrong = now.astype({column: float}).assign(
            **{column: now[column].astype(float).mask(now.index == now.index[2], value)}
        )
        with pytest.raises(HistoryError, match=said):
            value_model.score(model.scorer, wrong, "EUR")
    with pytest.raises(HistoryError, match="discounted_spend is null"):
        value_model.train(features, labels.assign(discounted_spend=np.nan), HORIZON, 0.1)


def test_plots_are_pictures(model: ValueModel, shop: Shop) -> None:
    plots = model.plots("EUR", shop[0])
    assert set(plots) == {"tenths", "tracking"}
    assert all(png.startswith(b"\x89PNG") for png in plots.values())
