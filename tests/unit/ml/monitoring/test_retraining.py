"""Weekly at the most, with a reason in words, and never without one."""

import datetime
from datetime import date
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.monitoring.retraining import ModelFacts, retrain_reasons

DAYS = st.dates(date(2017, 1, 1), date(2018, 12, 31))


def drift(day: date, is_alarm: bool = True, version: str = "v1") -> pd.DataFrame:
    own = {"model_version": version, "as_of_date": day, "min_effect": 0.1, "is_alarm": is_alarm}
    return pd.DataFrame(
        [
            {"kind": "feature", "name": "visits", "effect": 0.14, **own},
            {"kind": "score", "name": "score", "effect": 0.12, **own},
        ]
    )


def outcome(matured_on: date, is_degraded: bool = True) -> pd.DataFrame:
    return pd.DataFrame(
        [{"model_version": "v1", "as_of_date": matured_on - datetime.timedelta(days=14), "matured_on": matured_on,
          "metric": "log_loss", "value": 0.61, "expected": 0.55, "promised": 0.52, "is_degraded": is_degraded}]
    )  # fmt: skip


@settings(deadline=None)
@given(as_of=DAYS, trained=st.one_of(st.none(), DAYS), is_bad=st.booleans(), is_drifted=st.booleans(), through=DAYS)
def test_never_twice_within_a_week_and_never_without_a_cause(
    as_of: date, trained: date | None, is_bad: bool, is_drifted: bool, through: date
) -> None:
    facts = ModelFacts(as_of, trained, "v1", through, "a", "a", drift(as_of, is_drifted), outcome(as_of, is_bad))
    if trained is not None and trained > as_of:
        with pytest.raises(ValueError, match="last trained"):
            retrain_reasons(facts)
        return
    reasons = retrain_reasons(facts)
    is_old = (as_of - through).days > 91
    is_due = trained is None or (as_of - trained).days >= 7
    assert bool(reasons) == (is_due and (is_bad or is_drifted or is_old))
    assert all(reason.endswith(".") for reason in reasons)


@settings(deadline=None)
@given(days=st.lists(st.integers(1, 10), min_size=1, max_size=40))
def test_of_a_year_of_bad_news_a_training_a_week_at_most(days: list[int]) -> None:
    trained: list[date] = []
    day = date(2017, 1, 2)
    for step in days:
        day += datetime.timedelta(days=step)
        facts = ModelFacts(day, trained[-1] if trained else None, "v1", day, "a", "a", drift(day), outcome(day))
        if retrain_reasons(facts):
            trained.append(day)
    assert trained
    assert all((later - earlier).days >= 7 for earlier, later in pairwise(trained))


def test_the_reasons_say_what_and_how_much() -> None:
    now = date(2017, 10, 2)
    facts = ModelFacts(now, date(2017, 9, 1), "v1", date(2017, 5, 1), "a", "a", drift(now), outcome(now))
    assert retrain_reasons(facts) == [
        "Degraded: the log loss of 2017-09-18 is 0.610, promised 0.520, expected of these customers 0.550.",
        "Drift: 12% of the customers have a score in another place than at the training, where 10% is an alarm; of the "
        "features most in visits (14%).",
        "Age: its last label is of 2017-05-01, 154 days ago; 91 are allowed.",
    ]
    assert retrain_reasons(facts, max_age_days=None)[-1].startswith("Drift")


def test_features_that_moved_without_the_score_are_no_reason() -> None:
    now = date(2017, 10, 2)
    found = drift(now)
    facts = ModelFacts(now, None, "v1", now, "a", "a", found[found["kind"] == "feature"])
    assert retrain_reasons(facts) == []


def test_what_cannot_score_is_trained_at_once() -> None:
    now = date(2017, 10, 2)
    assert retrain_reasons(ModelFacts(now)) == ["There is no model yet."]
    (reason,) = retrain_reasons(ModelFacts(now, now, "v1", now, "a", "b"))
    assert "schema a, now b" in reason


def test_what_came_true_before_the_last_training_or_of_another_model_does_not_count() -> None:
    now = date(2017, 10, 2)
    old = outcome(date(2017, 9, 1))
    assert not retrain_reasons(ModelFacts(now, date(2017, 9, 11), "v1", now, "a", "a", outcomes=old))
    assert not retrain_reasons(ModelFacts(now, None, "v2", now, "a", "a", drift(now), old))
    assert not retrain_reasons(ModelFacts(now, None, "v1", now, "a", "a", drift(date(2017, 9, 25))))
