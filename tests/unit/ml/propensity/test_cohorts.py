import numpy as np
import pandas as pd
import pytest

from ml.frames import MissingColumnsError
from ml.propensity.cohorts import MIN_AGE_DAYS, MIN_COHORT_ROWS, Fallback, cohort_names, fit_fallback, tier_counts


def customers(young: int = 100, old: int = 300) -> tuple[pd.DataFrame, np.ndarray]:
    """Of the young a tenth says yes, of the old seven tenths."""
    frame = pd.DataFrame({"customer_age_days": [10] * young + [200] * old, "campaign_type": "A"})
    labels = np.r_[np.arange(young) % 10 == 0, np.arange(old) % 10 < 7].astype(np.int64)
    return frame, labels


def test_cohorts_are_named_by_age_and_type() -> None:
    frame = pd.DataFrame({"customer_age_days": [None, 1, 27, 28, 400], "kind": ["A", "A", None, "B", "B"]})
    assert cohort_names(frame).tolist() == [
        "no order yet", "first order 0 to 27 days ago", "first order 0 to 27 days ago",
        "first order 28 to 89 days ago", "first order 365 days ago or more",
    ]  # fmt: skip
    assert cohort_names(frame, "kind")[2] == "first order 0 to 27 days ago, unknown"
    with pytest.raises(MissingColumnsError, match="customer_age_days"):
        cohort_names(frame[["kind"]])


def test_who_is_little_known_gets_the_cohort_and_then_the_base_rate() -> None:
    frame, labels = customers()
    found = fit_fallback(frame, labels, ["customer_age_days"])
    asked = pd.DataFrame({"customer_age_days": [10.0, 200.0, 50.0, np.nan]})
    rates, tiers = found.rates(asked)
    assert tiers.tolist() == ["cohort", "cohort", "base_rate", "base_rate"]
    assert 0.1 < rates[0] < 0.25 < 0.65 < rates[1] < 0.7
    assert rates[2] == rates[3] == found.base_rate == pytest.approx(0.55, abs=0.01)


@pytest.mark.parametrize(("rows", "has_cohort"), [(MIN_COHORT_ROWS - 1, False), (MIN_COHORT_ROWS, True)])
def test_a_cohort_needs_rows(rows: int, has_cohort: bool) -> None:
    frame, labels = customers(young=rows)
    assert ("first order 0 to 27 days ago" in fit_fallback(frame, labels).cohorts) is has_cohort


def test_the_model_speaks_of_whom_enough_is_known() -> None:
    known = Fallback(0.5, {}, ("customer_age_days", "rhythm"))
    frame = pd.DataFrame(
        {"customer_age_days": [MIN_AGE_DAYS - 1, MIN_AGE_DAYS, 90, None], "rhythm": [1.0, 1.0, None, 1.0]}
    )
    assert known.knows_enough(frame).tolist() == [False, True, False, False]


def test_without_rows_the_rate_is_a_half() -> None:
    found = fit_fallback(pd.DataFrame({"customer_age_days": []}), np.zeros(0, dtype=np.int64))
    assert found.base_rate == 0.5
    assert found.cohorts == {}


def test_tiers_are_counted() -> None:
    scores = pd.DataFrame(
        {
            "model_name": "m", "model_version": "v", "as_of_date": ["2017-01-01"] * 3 + ["2017-01-08"],
            "fallback_tier": ["model", "model", "cohort", "base_rate"],
        }
    )  # fmt: skip
    found = tier_counts(scores).set_index(["as_of_date", "fallback_tier"])
    assert found.loc[("2017-01-01", "model"), ["rows", "share"]].tolist() == [2, pytest.approx(2 / 3)]
    assert found.loc[("2017-01-01", "base_rate"), "rows"] == 0
    assert found.loc[("2017-01-08", "base_rate"), "share"] == 1
    assert len(found) == 6
