import numpy as np
import pandas as pd
import pytest

from ml.reasons.reference import typical


def test_it_is_the_median_and_the_most_frequent_kind() -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0, 9.0, 4.0], "b": [np.nan, np.nan, np.nan, 3.0], "kind": ["y", "x", "x", "y"]})
    found = typical(rows, ["a", "b"], ["kind"])
    assert found["a"].iloc[0] == 2.0
    assert np.isnan(found["b"].iloc[0])
    assert found["kind"].iloc[0] == "x"


def test_half_of_the_rows_are_enough_for_a_number() -> None:
    assert typical(pd.DataFrame({"a": [np.nan, 3.0]}), ["a"], [])["a"].iloc[0] == 3.0


def test_the_order_of_rows_does_not_matter() -> None:
    rows = pd.DataFrame({"a": np.random.default_rng(0).normal(size=99), "kind": ["a", "b", "c"] * 33})
    shuffled = rows.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(typical(rows, ["a"], ["kind"]), typical(shuffled, ["a"], ["kind"]))


def test_nobody_is_typical_of_nobody() -> None:
    with pytest.raises(ValueError, match="nobody is typical of no rows"):
        typical(pd.DataFrame({"a": []}), ["a"], [])
