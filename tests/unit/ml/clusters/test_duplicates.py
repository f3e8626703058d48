import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.clusters.duplicates import drop_near_duplicates


def frame(rows: int = 300) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    spend, visits = generator.lognormal(size=rows), generator.normal(size=rows)
    return pd.DataFrame(
        {
            "spend": spend,
            "visits": visits,
            "log_spend": np.log(spend),
            "minus_visits": -visits + generator.normal(0, 0.01, rows),
            "other": generator.normal(size=rows),
            "constant": 1.0,
        }
    )


def test_the_first_of_a_bundle_is_kept_and_the_rest_say_why() -> None:
    kept, told = drop_near_duplicates(frame())
    assert kept == ("spend", "visits", "other")
    told = told.set_index("feature")
    assert told.loc["log_spend", "kept_instead"] == "spend"
    assert told.loc["log_spend", "correlation"] == pytest.approx(1.0)
    assert told.loc["minus_visits", "kept_instead"] == "visits"
    assert told.loc["constant", "reason"] == "never differs"
    assert told["is_kept"].sum() == 3
    assert (told["reason"] != "").all()


def test_the_order_decides() -> None:
    order = ["log_spend", "minus_visits", "visits", "spend", "other", "constant"]
    assert drop_near_duplicates(frame(), order)[0] == ("log_spend", "minus_visits", "other")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 1.0))
def test_no_two_kept_are_duplicates_and_each_dropped_has_one(seed: int, most: float) -> None:
    generator = np.random.default_rng(seed)
    base = generator.normal(size=(60, 3))
    features = pd.DataFrame(base @ generator.normal(size=(3, 7)), columns=list("abcdefg"))
    features.iloc[::5, 2] = np.nan
    kept, told = drop_near_duplicates(features, most=most)
    correlations = features.corr(method="spearman").abs()
    for place, one in enumerate(kept):
        assert (correlations.loc[one, list(kept[:place])] < most).all()
    for row in told[~told["is_kept"]].itertuples():
        assert correlations.loc[row.feature, row.kept_instead] >= most
        assert row.kept_instead in kept


def test_the_order_of_rows_does_not_matter() -> None:
    first, second = drop_near_duplicates(frame()), drop_near_duplicates(frame().sample(frac=1, random_state=1))
    assert first[0] == second[0]
    pd.testing.assert_frame_equal(first[1], second[1])


def test_another_set_of_names_is_refused() -> None:
    with pytest.raises(ValueError, match="the order names"):
        drop_near_duplicates(frame(), ["spend"])
    with pytest.raises(ValueError, match="between 0 and 1"):
        drop_near_duplicates(frame(), most=95)
