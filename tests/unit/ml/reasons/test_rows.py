import datetime

import numpy as np
import pandas as pd
import pytest

from ml import scorecard
from ml.catalogue import read_catalogue
from ml.frames import MissingColumnsError
from ml.reasons.importance import importance
from ml.reasons.reference import typical
from ml.reasons.rows import REASON_COLUMNS, tell_reasons
from ml.reasons.scorecards import ScorecardExplainer
from ml.reasons.words import Teller, shipped_words
from ml.scorecard import Input, Scorecard

CARD = Scorecard(
    (
        Input("purchase_day_count_28d", (1, 4), "rising", "days"),
        Input("days_since_last_order", (8, 29), "falling", "pause"),
    ),
    {"purchase_day_count_28d": (0, 10, 20, 3), "days_since_last_order": (15, 5, 0, 2)},
    12.0,
)
NAMES = ("purchase_day_count_28d", "days_since_last_order")
TELLER = Teller(read_catalogue().named(NAMES), shipped_words(), "EUR")


def scored(days: list[float], pause: list[float], tier: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [f"c{place}" for place in range(len(days))],
            "as_of_date": datetime.date(2017, 10, 16),
            "campaign_id": None,
            "fallback_tier": tier,
            NAMES[0]: days,
            NAMES[1]: pause,
        }
    )


ROWS = scored([0, 5, 2, 9], [40, 3, 10, 3], ["model", "model", "cohort", "base_rate"])
TYPICAL = pd.DataFrame({NAMES[0]: [2.0], NAMES[1]: [10.0]})
EXPLAINER = ScorecardExplainer(CARD, TYPICAL)


def test_points_are_the_reasons_of_a_scorecard() -> None:
    points = CARD.sums(ROWS) - CARD.sums(TYPICAL)
    found = EXPLAINER.contributions(ROWS)
    np.testing.assert_allclose(found.sum(axis=1), points * np.log(2) / 10)
    np.testing.assert_allclose(found.sum(axis=1), EXPLAINER.margin(ROWS) - EXPLAINER.margin(TYPICAL)[0])


def test_a_scorecard_comes_back_from_its_facts() -> None:
    np.testing.assert_array_equal(scorecard.from_facts(CARD.facts()).rates(ROWS), CARD.rates(ROWS))


def test_each_score_has_reasons_or_a_sentence_instead() -> None:
    told = tell_reasons(ROWS, EXPLAINER, TELLER, "m", "m-1")
    assert list(told.rows.columns) == list(REASON_COLUMNS)
    by_customer = told.rows.sort_values(["customer_id", "reason_rank"]).groupby("customer_id")["reason"].apply(list)
    assert by_customer["c0"] == [
        "Did not shop in the last 28 days (typical: 2 days), which lowers the score.",
        "Last ordered 40 days ago (typical: 10 days ago), which lowers the score.",
    ]
    assert [text.endswith("raises the score.") for text in by_customer["c1"]] == [True, True]
    assert by_customer["c2"] == [shipped_words().fallbacks["cohort"]]
    assert by_customer["c3"] == [shipped_words().fallbacks["base_rate"]]
    own = told.rows[told.rows["direction"].notna()]
    assert ((own["direction"] == "raises") == (own["contribution"] > 0)).all()
    assert (told.explained, told.left_out) == (2, 0)
    assert importance(told.themes, told.sizes, told.explained)["share"].sum() == pytest.approx(1, abs=1e-5)


def test_who_is_typical_is_told_so() -> None:
    told = tell_reasons(scored([2], [10], ["model"]), EXPLAINER, TELLER, "m", "m-1").rows
    assert told["reason"].tolist() == [shipped_words().like_typical]
    assert told["theme"].isna().all()


def test_rows_in_any_order_get_the_same_reasons() -> None:
    def in_order(rows: pd.DataFrame) -> pd.DataFrame:
        found = tell_reasons(rows, EXPLAINER, TELLER, "m", "m-1").rows
        return found.sort_values(["customer_id", "reason_rank"]).reset_index(drop=True)

    pd.testing.assert_frame_equal(in_order(ROWS), in_order(ROWS.iloc[[2, 0, 3, 1]]))


def test_a_model_that_is_a_fallback_as_a_whole_has_no_reasons() -> None:
    told = tell_reasons(ROWS, None, TELLER, "m", "m-1")
    assert len(told.rows) == 4
    assert told.explained == 0


def test_what_is_missing_or_strange_is_said() -> None:
    with pytest.raises(MissingColumnsError, match="lacks days_since_last_order"):
        tell_reasons(ROWS.drop(columns=NAMES[1]), EXPLAINER, TELLER, "m", "m-1")
    with pytest.raises(ValueError, match="m: a score rests on 'guess'"):
        tell_reasons(ROWS.assign(fallback_tier="guess"), EXPLAINER, TELLER, "m", "m-1")


def test_the_reference_is_the_median_of_those_scored() -> None:
    assert typical(ROWS[list(NAMES)], NAMES, ())[NAMES[0]].iloc[0] == 2
