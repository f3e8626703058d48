import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.naming import ACTIVITY, SILENCE, TRAITS, describe_cluster, name_clusters

COLUMNS = [ACTIVITY, SILENCE, *TRAITS]


def effects(*rows: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).reindex(columns=COLUMNS).fillna(0.0)


def test_a_name_says_what_is_unusual() -> None:
    names = name_clusters(
        effects(
            {ACTIVITY: 1.2, "mean_order_value": 1.4, "coupon_order_share": 0.9},
            {ACTIVITY: 0.0, "private_brand_spend_share": 0.6},
            {ACTIVITY: -1.1, SILENCE: 1.3},
            {ACTIVITY: -0.6, SILENCE: 0.3, "mean_lines_per_order": -0.8},
        )
    )
    assert names == [
        "Big-basket, coupon-using regulars",
        "Own-brand steady shoppers",
        "Lapsing shoppers",
        "Small-basket occasional shoppers",
    ]


def test_small_differences_are_not_named() -> None:
    assert name_clusters(effects({ACTIVITY: 0.9, "coupon_order_share": 0.2}, {ACTIVITY: -0.9})) == [
        "Regulars",
        "Occasional shoppers",
    ]


def test_equal_names_get_one_more_word() -> None:
    names = name_clusters(
        effects({ACTIVITY: 0.9, "coupon_order_share": 0.3}, {ACTIVITY: 0.8, "coupon_order_share": -0.3})
    )
    assert names == ["Coupon-using regulars", "Coupon-free regulars"]


@settings(max_examples=150, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(2, 10), st.just(len(COLUMNS))), elements=st.floats(-3, 3)))
def test_names_are_always_distinct_and_readable(values: np.ndarray) -> None:
    names = name_clusters(pd.DataFrame(values, columns=COLUMNS))
    assert len(set(names)) == len(names)
    assert all((name[0].isupper() and "shoppers" in name.lower()) or "regulars" in name.lower() for name in names)


def test_identical_clusters_still_get_distinct_names() -> None:
    names = name_clusters(effects({ACTIVITY: 1.0}, {ACTIVITY: 1.0}, {ACTIVITY: 1.0}))
    assert len(set(names)) == 3


def test_a_description_puts_the_figures_beside_those_of_all() -> None:
    means = pd.Series({ACTIVITY: 19.2, "mean_order_value": 48.4, SILENCE: 4.4})
    overall = pd.Series({ACTIVITY: 12.6, "mean_order_value": 31.6, SILENCE: 21.9})
    assert describe_cluster(means, overall, 1_609, 6_436) == (
        "1,609 customers (25%), on average 19 shopping days in 13 weeks (all: 13), 48 an order (all: 32), "
        "last order 4 days ago (all: 22)."
    )
