"""Names say what sets clusters apart, are distinct, and stay with their keys; the table can be edited."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.catalogue import read_catalogue
from ml.clusters.naming import (
    NameParts,
    effect_sizes,
    name_parts,
    render,
    rendered_names,
    size_in_words,
    trait_text,
)
from ml.clusters.words import WordsError, shipped_words, words_of

ACTIVITY, SILENCE = "purchase_day_count_90d", "days_since_last_order"
WORDS = shipped_words()
COLUMNS = [ACTIVITY, SILENCE, *WORDS.adjectives]
KNOWN = [feature.name for feature in read_catalogue().features]


def effects(*rows: dict[str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows)).reindex(columns=COLUMNS).fillna(0.0)
    return frame.set_axis([str(number + 1) for number in range(len(frame))], axis=0)


def named(frame: pd.DataFrame, kept: dict[str, NameParts] | None = None) -> dict[str, str]:
    return rendered_names(name_parts(frame, WORDS, kept), WORDS)


def test_a_name_says_what_is_unusual() -> None:
    names = named(
        effects(
            {ACTIVITY: 1.2, "mean_order_value": 1.4, "coupon_order_share": 0.9},
            {ACTIVITY: 0.0, "private_brand_spend_share": 0.6},
            {ACTIVITY: -1.1, SILENCE: 1.3},
            {ACTIVITY: -0.6, SILENCE: 0.3, "mean_lines_per_order": -0.8},
        )
    )
    assert list(names.values()) == [
        "Big-basket, coupon-using regulars",
        "Own-brand steady shoppers",
        "Lapsing shoppers",
        "Small-basket occasional shoppers",
    ]


def test_equal_names_get_one_more_word() -> None:
    names = named(effects({ACTIVITY: 0.9, "coupon_order_share": 0.3}, {ACTIVITY: 0.8, "coupon_order_share": -0.3}))
    assert list(names.values()) == ["Coupon-using regulars", "Coupon-free regulars"]


def test_a_name_stays_with_its_key_though_its_traits_changed() -> None:
    first = effects({ACTIVITY: 1.2, "mean_order_value": 1.4}, {ACTIVITY: -1.1, SILENCE: 1.3})
    kept = name_parts(first, WORDS)
    later = effects(
        {ACTIVITY: 1.2, "coupon_order_share": 1.4}, {ACTIVITY: -1.1}, {ACTIVITY: 1.0, "mean_order_value": 1.4}
    )
    names = named(later, kept)
    assert names["1"] == "Big-basket regulars"
    assert names["2"] == "Lapsing shoppers"
    # The newcomer would have had the name of 1, which keeps it.
    assert names["3"] not in ("Big-basket regulars", "Lapsing shoppers")


@settings(max_examples=150, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(2, 10), st.just(len(COLUMNS))), elements=st.floats(-3, 3)),
    st.integers(0, 4),
)
def test_names_are_always_distinct_and_those_kept_stay(values: np.ndarray, old: int) -> None:
    frame = pd.DataFrame(values, columns=COLUMNS, index=[str(number) for number in range(len(values))])
    kept = name_parts(frame.iloc[: max(2, min(old, len(frame)))], WORDS) if old else {}
    parts = name_parts(frame, WORDS, kept)
    names = rendered_names(parts, WORDS)
    assert len(set(names.values())) == len(frame)
    assert all(parts[key] == kept[key] for key in kept)
    assert all(name[0].isupper() and ("shoppers" in name or "regulars" in name.lower()) for name in names.values())


def test_words_that_somebody_edits_show_at_once() -> None:
    parts = {"1": NameParts(0, (("mean_order_value", True),)), "2": NameParts(2)}
    own = {"adjectives": {"mean_order_value": {"theme": "basket", "high": "stock-up", "low": "top-up"}},
           "names": {"2": "Sleepers"}}  # fmt: skip
    words = words_of(own, "cluster_words.yml", KNOWN)
    assert rendered_names(parts, words) == {"1": "Stock-up regulars", "2": "Sleepers"}
    without = words_of({"adjectives": {"mean_order_value": None}}, "cluster_words.yml", KNOWN)
    assert render(parts["1"], without) == "Regulars"
    assert words_of(None, "cluster_words.yml", KNOWN) == WORDS
    same = words_of({"names": {"1": "Sleepers", "2": "Sleepers"}}, "f", KNOWN)
    assert rendered_names(parts, same) == {"1": "Sleepers (1)", "2": "Sleepers (2)"}


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"adjective": {}}, r"cluster_words\.yml: unknown section 'adjective'; did you mean 'adjectives'\? Next:"),
        ({"adjectives": {"mean_order_valu": {}}}, r"no feature 'mean_order_valu'; did you mean 'mean_order_value'\?"),
        ({"adjectives": {"mean_order_value": {"theme": "basket"}}}, r"adjectives mean_order_value high: .* Next:"),
        ({"nouns": [{"word": "fans", "at_least": {"purchase_days": 1}}]}, "no feature 'purchase_days'"),
        ({"nouns": []}, "nouns: .* Next: correct the entry"),
        ({"traits": {"spend_90d": {"label": "x", "as": "euro"}}}, "traits spend_90d as: "),
        ({"traits": ["spend_90d"]}, "traits must map features to words"),
        (["mean_order_value"], "must hold keys and values, not a list"),
    ],
)
def test_a_bad_entry_is_named_with_file_and_next_step(own: object, message: str) -> None:
    with pytest.raises(WordsError, match=message) as raised:
        words_of(own, "shops/mine/cluster_words.yml", KNOWN)
    assert str(raised.value).startswith("shops/mine/cluster_words.yml")


def test_shipped_words_are_of_features_that_exist() -> None:
    named_there = {*WORDS.adjectives, *WORDS.traits, *(name for noun in WORDS.nouns for name in noun.at_least)}
    assert named_there <= set(KNOWN)


def test_effects_are_against_the_others_and_finite() -> None:
    frame = pd.DataFrame({"a": [0.0, 0.0, 1.0, 1.0, 9.0], "b": [0.0, 2.0, 1.0, 3.0, 9.0]})
    found = effect_sizes(frame, ["1", "2"], np.array(["1", "1", "2", "2", None], dtype=object))
    assert found.loc["1", "a"] == -10
    assert found.loc["1", "b"] == pytest.approx(-1.0)
    assert found.loc["2", "b"] == pytest.approx(1.0)
    assert effect_sizes(frame, ["1"], np.array(["1"] * 5, dtype=object)).eq(0).all().all()


def test_a_trait_reads_as_a_phrase() -> None:
    assert trait_text("mean_order_value", 48.2, 26.0, 1.1, WORDS) == "spend per order: 48, others 26 (much more)"
    assert trait_text("coupon_order_share", 0.123, 0.02, 0.6, WORDS).endswith("12%, others 2% (more)")
    assert trait_text("order_count_28d", 1.5, 0.02, -0.3, WORDS) == "order count 28d: 1.5, others 0.02 (a little less)"
    assert size_in_words(-0.9) == "much less"
