"""The card of a model of amounts: its figures in money, and the groups whose amounts mean something else."""

import datetime
import json

import numpy as np
import pandas as pd

from ml.catalogue import read_catalogue
from ml.lifetime.candidates import CANDIDATES, USED_BY
from ml.lifetime.value_evidence import Judged, performance
from ml.model_card.amounts import make_amount_card
from ml.model_card.fairness import amount_differences
from ml.model_card.rendering import as_html, as_markdown
from ml.model_card.sections import Recorded
from ml.reasons.importance import importance

CHOSEN = "purchase_value"


def judged(bias: float = 0.0, size: int = 1_000) -> pd.DataFrame:
    """Amounts that are right on average, but for group B: it spends `bias` more than is expected of it."""
    generator = np.random.default_rng(4)
    expected = generator.gamma(2, 100, size)
    group = np.where(generator.random(size) < 0.4, "B", "A")
    spent = expected * generator.gamma(4, 0.25, size) + bias * (group == "B")
    names = [f"c{place:04}" for place in range(size)]
    return pd.DataFrame({"customer_id": names, "expected": expected, "spent": spent, "age_band": group})


def recorded(rows: pd.DataFrame) -> Recorded:
    spent, expected = rows["spent"].to_numpy(), rows["expected"].to_numpy()
    said = {
        CHOSEN: pd.DataFrame({"expected": expected, "low": expected / 2, "high": expected * 2}),
        "mean_spend": pd.DataFrame({"expected": np.full(len(rows), 200.0), "low": 0.0, "high": 900.0}),
    }
    held = Judged(spent, {name: frame["expected"].to_numpy() for name, frame in said.items()}, rows["customer_id"])
    keys = {"model_name": "lifetime_value_90d", "model_version": "lifetime_value_90d-1", "slice": "all"}
    gain = {"over": "mean_spend", "value_low_high": [81.0, 60.5, 101.25]}
    parameters = {
        "chosen": CHOSEN,
        "candidates": [
            {"candidate": "mean_spend", "rmse": 190.0, "mae": 140.0},
            {"candidate": CHOSEN, "rmse": 109.0, "mae": 76.0, "rmse_gain": gain},
        ],
        "not_fitted": {"boosted_value": "too little to learn from"},
        "hold_out": "2017-08-14",
        "chosen_on": "2017-05-15",
        "learned_from": ["2017-01-30", "2017-05-15"],
        "learned_rows": 1_900,
        "horizon_days": 90,
        "yearly_discount": 0.1,
        "widening": {"low": 0.1, "high": 0.2},
        "purchase_value": {"r": 1.3, "alpha": 8.9},
    }
    return Recorded(
        version={
            "model_name": "lifetime_value_90d",
            "model_version": "lifetime_value_90d-1",
            "algorithm": CHOSEN,
            "trained_through": datetime.date(2017, 8, 13),
            "parameters": json.dumps(parameters),
        },
        performance=performance(held, spent, said, CHOSEN, as_of_date=datetime.date(2017, 8, 14), **keys),
        judged=rows,
        dimensions=["age_band"],
        importance=importance(("Spend", "Shopping frequency"), np.array([3.0, 1.0]), 2),
        method="walked through",
        features=read_catalogue().named(USED_BY[CHOSEN]),
        theme_of_feature=["Shopping frequency", "Time as a customer", "Time since the last order", "Spend"],
        tiers={"model": 950, "cohort": 50},
        unit="USD spent within 90 days",
        shop="A shop",
    )


def test_a_card_says_what_was_recorded_in_money() -> None:
    rows = judged()
    card = make_amount_card(recorded(rows), "USD")
    text = as_markdown(card, with_pictures=False)
    error = (rows["spent"] - rows["expected"]).abs().mean()
    for said in (
        "Lifetime value of 90 days",
        "On the hold-out of 1,000 customers",
        f"off by {error:,.0f} USD a customer on average",
        "BG/NBD and Gamma-Gamma",
        "+81.0 (+60.5 to +101.2) on everybody's mean",
        "boosted_value too little to learn from",
        "950 by the model, 50 by a group of such customers",
        "as of 2017-05-15",
        "logarithm of the expected amount",
    ):
        assert said in text, said
    assert "nan" not in text
    assert [section.title for section in card.sections][-1] == "Promotion"
    assert {picture.name for section in card.sections for picture in section.pictures} == {"tenths", "importance"}
    assert as_html(card) == as_html(make_amount_card(recorded(rows), "USD"))


def test_without_the_rows_of_the_hold_out_the_card_says_so() -> None:
    whole = recorded(judged())
    card = make_amount_card(Recorded(**{**vars(whole), "judged": judged().head(0)}), "USD")
    assert "so that groups cannot be told apart" in as_markdown(card)


def test_a_group_that_spends_more_is_found_and_chance_is_not() -> None:
    assert not amount_differences(judged(), ["age_band"])["is_clear"].any()
    found = amount_differences(judged(bias=30.0), ["age_band"]).set_index("group")
    assert found["is_clear"].all()
    assert found.loc["B", "difference"] > 15 > 0 > found.loc["A", "difference"]
    shuffled = amount_differences(judged(bias=30.0).sample(frac=1, random_state=1), ["age_band"]).set_index("group")
    assert np.allclose(shuffled["difference"], found["difference"])


def test_every_candidate_has_words() -> None:
    from ml.model_card.amounts import WORDS

    assert set(CANDIDATES) <= set(WORDS)
