import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.propensity.inputs import BadInputError, checked_labels, checked_matrix, sampled, silent_features
from ml.propensity.limits import Limits


def test_an_infinite_number_is_refused_with_its_row() -> None:
    frame = pd.DataFrame({"spend": [1.0, np.inf, -np.inf]})
    with pytest.raises(BadInputError, match="the features of m: spend is infinite in 2 of 3 rows, first in row 1"):
        checked_matrix(frame, ["spend"], [], "the features of m")


def test_silent_columns_are_named() -> None:
    matrix = pd.DataFrame({"a": [1.0, 2.0], "b": [np.nan, np.nan], "c": [3.0, 3.0], "d": [3.0, np.nan]})
    assert silent_features(matrix, list("abcd")) == {"all_null": ["b"], "constant": ["c"]}
    assert silent_features(matrix[:0], list("abcd")) == {"all_null": [], "constant": []}


@pytest.mark.parametrize("wrong", [2, 0.5, None, "yes"])
def test_a_label_that_is_neither_yes_nor_no_is_refused(wrong: object) -> None:
    labels = pd.Series([0, 1, wrong], name="has_left", dtype=object)
    with pytest.raises(BadInputError, match=r"has_left is .* in row 2 and has to be 0 or 1"):
        checked_labels(labels, "label_left")
    assert checked_labels(labels[:2], "label_left").tolist() == [0, 1]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.randoms(use_true_random=False))
def test_a_sample_takes_whole_customers_whatever_the_order(few: int, many: int, random: object) -> None:
    customers = pd.Series([f"c{number % 150}" for number in range(450)])
    chosen = set(customers[sampled(customers, few)])
    order = list(range(450))
    random.shuffle(order)  # type: ignore[attr-defined]
    again = customers.iloc[order]
    assert set(again[sampled(again, few)]) == chosen
    assert sampled(customers, few).sum() == 3 * len(chosen)
    larger = set(customers[sampled(customers, max(few, many))])
    assert chosen <= larger


def test_a_sample_is_about_as_large_as_asked() -> None:
    customers = pd.Series([f"c{number}" for number in range(20_000)])
    assert sampled(customers, 5_000).sum() == pytest.approx(5_000, rel=0.05)
    assert sampled(customers, 20_000).all()


def test_limits_are_positive() -> None:
    with pytest.raises(ValueError, match="search_fits, judged_rows"):
        Limits(search_fits=0, judged_rows=-1)
