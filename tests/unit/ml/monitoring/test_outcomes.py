"""Outcomes are the figures they say; a good model is called degraded as rarely as it says, a bad one is found."""

import datetime

import numpy as np
import pandas as pd
import pytest

from ml import evaluation
from ml.frames import MissingColumnsError
from ml.monitoring.labels import LABEL_SOURCES, source_of
from ml.monitoring.outcomes import OutcomeLimits, matured, outcomes

SOURCE = source_of("purchase_propensity_14d")
NO_PROMISE = pd.DataFrame(columns=["model_version", "slice", "metric", "value", "ci_low", "ci_high"])
NO_MARGIN = OutcomeLimits(margins={"log_loss": 0.0, "roc_auc": 0.0, "calibration_intercept": 0.0})


def frames(seed: int, dates: int = 1, customers: int = 400, worn: float = 0.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores, and labels of customers whose habit stays; `worn` of the customers do not follow their score any more."""
    generator = np.random.default_rng(seed)
    habit = generator.normal(size=customers)
    scores, labels = [], []
    for number in range(dates):
        day = datetime.date(2017, 1, 2) + datetime.timedelta(days=7 * number)
        chance = 1 / (1 + np.exp(-(habit + 0.3 * generator.normal(size=customers))))
        real = np.where(generator.random(customers) < worn, chance.mean(), chance)
        keys = {"customer_id": [f"c{n:05}" for n in range(customers)], "as_of_date": day}
        scores.append(pd.DataFrame({**keys, "model_version": "v1", "score": chance}))
        label = (generator.random(customers) < real).astype(int)
        labels.append(pd.DataFrame({**keys, "label": label, "matured_on": day + datetime.timedelta(days=14)}))
    return pd.concat(scores, ignore_index=True), pd.concat(labels, ignore_index=True)


def judged(seed: int, limits: OutcomeLimits | None = None, **how: float) -> pd.DataFrame:
    known = matured(*frames(seed, **how), SOURCE, "2018-01-01")  # type: ignore[arg-type]
    return outcomes(known, NO_PROMISE, SOURCE, limits, resamples=100)


def test_figures_are_those_of_the_evaluation() -> None:
    scores, labels = frames(1)
    found = judged(1).set_index("metric")
    own, _ = evaluation.estimate(labels["label"], {"model": scores["score"]}, scores["customer_id"], resamples=0)
    for metric in ("log_loss", "brier_score", "roc_auc", "calibration_error"):
        assert found.loc[metric, "value"] == pytest.approx(own["model", metric].value, abs=2e-6)
    assert found.loc["positive_rate", "value"] == pytest.approx(labels["label"].mean())
    assert found.loc["positive_rate", "expected"] == pytest.approx(scores["score"].mean())
    chance = scores["score"].to_numpy()
    entropy = -(chance * np.log(chance) + (1 - chance) * np.log(1 - chance)).mean()
    assert found.loc["log_loss", "expected"] == pytest.approx(entropy, abs=2e-6)
    shifted = 1 / (1 + np.exp(-(np.log(chance / (1 - chance)) + found.loc["calibration_intercept", "value"])))
    assert shifted.sum() == pytest.approx(labels["label"].sum(), abs=1e-2)
    assert (found["ci_low"] <= found["value"]).all()
    assert (found["value"] <= found["ci_high"]).all()


def test_a_good_model_is_called_degraded_in_few_quarters() -> None:
    quarters = 30
    alarms = sum(judged(seed, NO_MARGIN, dates=13, customers=200)["is_degraded"].any() for seed in range(quarters))
    assert alarms <= 5  # a rate of 5% gives more with a chance of 0.3%


def test_a_worn_model_is_found_and_a_margin_asks_for_more() -> None:
    assert judged(1, customers=2000, worn=0.5)["is_degraded"].any()
    wide = OutcomeLimits(margins={"log_loss": 0.9, "roc_auc": 0.4, "calibration_intercept": 3.0})
    assert not judged(1, wide, customers=2000, worn=0.5)["is_degraded"].any()


def test_worse_than_expected_is_not_enough_if_it_is_as_promised() -> None:
    known = matured(*frames(1, customers=2000, worn=0.5), SOURCE, "2018-01-01")
    said = outcomes(known, NO_PROMISE, SOURCE, resamples=100).set_index("metric")
    promise = pd.DataFrame(
        [("v1", "all", metric, said.loc[metric, "value"], said.loc[metric, "value"], said.loc[metric, "value"])
         for metric in ("log_loss", "roc_auc")],
        columns=list(NO_PROMISE.columns),
    )  # fmt: skip
    kept = outcomes(known, promise, SOURCE, resamples=100).set_index("metric")
    assert said.loc["log_loss", "is_degraded"]
    assert not kept.loc["log_loss", "is_degraded"]
    assert kept.loc["log_loss", "promised"] == said.loc["log_loss", "value"]


def test_the_order_of_rows_does_not_matter() -> None:
    scores, labels = frames(2, dates=2)
    first = outcomes(matured(scores, labels, SOURCE, "2018-01-01"), NO_PROMISE, SOURCE, resamples=50)
    shuffled = matured(
        scores.sample(frac=1, random_state=1), labels.sample(frac=1, random_state=2), SOURCE, "2018-01-01"
    )
    pd.testing.assert_frame_equal(first, outcomes(shuffled, NO_PROMISE, SOURCE, resamples=50))


def test_a_window_that_has_not_ended_is_not_known() -> None:
    scores, labels = frames(3, dates=3)
    assert matured(scores, labels, SOURCE, "2017-01-15").empty
    assert matured(scores, labels, SOURCE, "2017-01-16")["as_of_date"].nunique() == 1
    assert matured(scores, labels.iloc[::2], SOURCE, "2018-01-01").empty  # half of a date is not enough
    assert matured(scores, labels.iloc[::2], SOURCE, "2018-01-01", least=0.4)["as_of_date"].nunique() == 3


def test_nothing_and_too_little() -> None:
    scores, labels = frames(4, customers=20)
    assert outcomes(matured(scores.iloc[:0], labels, SOURCE, "2018-01-01"), NO_PROMISE, SOURCE).empty
    few = judged(4, customers=20)
    assert few["p_value"].isna().all()
    assert not few["is_degraded"].any()
    with pytest.raises(MissingColumnsError, match="score"):
        matured(scores.drop(columns="score"), labels, SOURCE, "2018-01-01")
    with pytest.raises(KeyError, match=r"labels\.py"):
        source_of("nobody")
    assert len({source.model_name for source in LABEL_SOURCES}) == len(LABEL_SOURCES)
