import datetime
import json

import numpy as np
import pandas as pd
import pytest

from ml.catalogue import read_catalogue
from ml.evaluation import performance_rows
from ml.model_card.fairness import group_differences
from ml.model_card.making import make_card
from ml.model_card.rendering import as_html, as_markdown
from ml.model_card.sections import Recorded, about_model
from ml.reasons.importance import importance


def judged(bias: float = 0.0, size: int = 1_200) -> pd.DataFrame:
    """Predictions that are right, but for group B: the rate there is `bias` above what was said."""
    generator = np.random.default_rng(2)
    said = generator.uniform(0.1, 0.7, size)
    group = np.where(generator.random(size) < 0.4, "B", "A|<i>")
    happened = generator.random(size) < said + bias * (group == "B")
    return pd.DataFrame(
        {
            "customer_id": [f"c{place}" for place in range(size)],
            "probability": said,
            "label": happened.astype(int),
            "age_band": group,
        }
    )


def recorded(rows: pd.DataFrame, **changed: object) -> Recorded:
    performance = performance_rows(
        rows["label"],
        {"model": rows["probability"], "base_rate": np.full(len(rows), 0.4)},
        rows["customer_id"],
        resamples=50,
        model_name="purchase_propensity",
        model_version="purchase_propensity-1",
        as_of_date=datetime.date(2017, 10, 16),
        slice="all",
        is_champion=True,
    )
    facts: dict[str, object] = {
        "version": {
            "model_name": "purchase_propensity",
            "model_version": "purchase_propensity-1",
            "algorithm": "logistic_regression(C=0.01)",
            "trained_through": datetime.date(2017, 10, 15),
            "parameters": json.dumps({"training_rows": 100, "training_positives": 40, "horizon_days": 14}),
        },
        "performance": performance,
        "judged": rows,
        "dimensions": ["age_band"],
        "importance": importance(("Shopping frequency",), np.array([3.0]), 2),
        "method": "exact",
        "features": read_catalogue().named(["order_count_28d"]),
        "theme_of_feature": ["Shopping frequency"],
        "tiers": {"model": 90, "cohort": 10},
        "unit": "probability of an order within 14 days",
        "shop": "A shop",
        "synthetic_sources": frozenset({"web_events"}),
    }
    return Recorded(**{**facts, **changed})  # type: ignore[arg-type]


def test_a_card_says_what_was_recorded() -> None:
    card = make_card(recorded(judged()))
    text = as_markdown(card, with_pictures=False)
    for said in (
        "purchase_propensity-1",
        "100, of which 40 positive (40.0%)",
        "90 by the model, 10 by a group of such customers",
        "Of 100 current scores so many do not come from the model: 10 by a group of such customers.",
        "none of its features rests on them",
        "longer than the history of the shop",
        "No decisions are kept in this warehouse",
    ):
        assert said in text
    assert [section.title for section in card.sections] == [
        "What it is for", "Data", "Algorithm", "How good it is", "Calibration", "For whom it is how good", "Features",
        "Known limits", "Promotion",
    ]  # fmt: skip


def test_the_page_needs_nothing_else_and_escapes() -> None:
    page = as_html(make_card(recorded(judged(), shop="<b>A & B</b>")))
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in page
    assert "A|&lt;i&gt;" in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("data:image/png;base64,") == 2
    assert "A\\|<i>" in as_markdown(make_card(recorded(judged())))


def test_without_predictions_or_decisions_the_card_says_so() -> None:
    nothing = judged().iloc[:0]
    text = as_markdown(make_card(recorded(judged(), judged=nothing, decisions=[])))
    assert "No single predictions of the hold-out were kept" in text
    assert "No decision about this version is on record." in text
    refused = {"as_of_date": pd.Timestamp(2017, 10, 16), "verdict": "refused", "reason": "not better than noise"}
    assert "| 2017-10-16 | refused | not better than noise |" in as_markdown(
        make_card(recorded(judged(), decisions=[refused]))
    )


def test_a_model_that_was_never_judged_says_so() -> None:
    rows = judged()
    card = make_card(recorded(rows, performance=recorded(rows).performance.iloc[:0]))
    assert "It has not been judged" in as_markdown(card)


def test_the_same_card_is_the_same_page() -> None:
    assert as_html(make_card(recorded(judged()))) == as_html(make_card(recorded(judged())))


def test_an_underrated_group_is_found_and_chance_is_not() -> None:
    fair = group_differences(judged(), ["age_band"])
    assert not fair["is_clear"].any()
    unfair = group_differences(judged(bias=0.25), ["age_band"]).set_index("group")
    assert unfair["is_clear"].all()
    assert unfair.loc["B", "calibration_difference"] == pytest.approx(0.25, abs=0.06)
    assert unfair.loc["B", "calibration_low"] > 0.15
    # two groups are each other's rest
    assert unfair.loc["B", "calibration_difference"] == pytest.approx(-unfair.loc["A|<i>", "calibration_difference"])


def test_differences_do_not_depend_on_the_order_of_rows() -> None:
    rows = judged(bias=0.1)
    shuffled = rows.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        group_differences(rows, ["age_band"]), group_differences(shuffled, ["age_band"]), rtol=1e-9
    )


def test_small_groups_and_one_class_say_nothing() -> None:
    assert group_differences(judged(size=150), ["age_band"]).empty
    assert group_differences(judged().assign(label=0), ["age_band"]).empty


def test_a_model_that_nobody_described_is_told_by_its_unit() -> None:
    assert about_model("purchase_propensity_28d", "x", 28)["title"] == "Propensity to buy within 28 days"
    assert "money within 90 days" in about_model("something_new", "money within 90 days")["question"]
