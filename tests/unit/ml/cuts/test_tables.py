"""Rows of cuts: chosen on one slice, reported on the other, in words, with intervals."""

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.cuts import CURVE_COLUMNS, CUT_COLUMNS, Goal, cut_tables
from ml.frames import MissingColumnsError
from ml.splits import LeakError
from tests.unit.ml.cuts.conftest import HOLD_OUT_DAY, KEY, NOW, SELECTION_DAY, slice_of

MODEL = KEY["model_name"]
GOALS = (
    Goal("conversion", MODEL, "precision", 0.8, unit_cost=1.0, margin=4.0),
    Goal("upsell", MODEL, "recall", 0.9, unit_cost=1.0, margin=4.0),
    Goal("budget", MODEL, "people", 100, unit_cost=1.0, margin=4.0),
    Goal("profit", MODEL, "profit", unit_cost=1.0, margin=4.0),
)
Make = Callable[..., pd.DataFrame]


def by_goal(cuts: pd.DataFrame) -> dict[str, dict[Hashable, Any]]:
    return {str(row["goal"]): row for row in cuts.to_dict("records")}


def test_a_row_says_what_the_cut_gave_on_the_hold_out(make_judged: Make, current: pd.DataFrame) -> None:
    judged = make_judged()
    found = cut_tables(judged, current, GOALS)
    assert tuple(found.cuts.columns) == CUT_COLUMNS
    hold_out = judged[judged["judged_for"] == "hold_out"]
    now = current[current["as_of_date"] == NOW]
    for row in found.cuts.to_dict("records"):
        above = hold_out[hold_out["probability"] >= row["cut"]]
        hits = int(above["label"].sum())
        assert (row["people_contacted"], row["expected_positives"]) == (len(above), hits)
        assert row["missed_positives"] == hold_out["label"].sum() - hits
        assert row["precision"] == pytest.approx(hits / len(above), abs=1e-6)
        assert row["recall"] == pytest.approx(hits / hold_out["label"].sum(), abs=1e-6)
        assert row["precision_low"] < row["precision"] < row["precision_high"]
        assert row["recall_low"] < row["recall"] < row["recall_high"]
        assert row["expected_profit"] == pytest.approx(4 * hits - len(above))
        assert row["expected_profit_low"] < row["expected_profit"] < row["expected_profit_high"]
        assert row["current_contacted"] == (now["score"] >= row["cut"]).sum()
        assert row["current_people"] == len(now)
        assert row["current_expected_positives"] == pytest.approx(now.loc[now["score"] >= row["cut"], "score"].sum())
        assert (row["selection_last_date"], row["hold_out_date"]) == (SELECTION_DAY, HOLD_OUT_DAY)
        assert str(row["caution"]).startswith("High scorers may buy anyway")
    rows = by_goal(found.cuts)
    assert rows["conversion"]["precision_in_words"] == (
        f"of 100 people contacted {round(100 * float(str(rows['conversion']['precision'])))} buy"
    )
    assert rows["upsell"]["recall_in_words"] == (
        f"of 100 who buy {round(100 * float(str(rows['upsell']['recall'])))} are reached"
    )
    assert rows["budget"]["current_contacted"] <= 100
    assert rows["budget"]["selection_contacted"] <= 100


def test_choosing_never_reads_labels_of_the_hold_out(make_judged: Make, current: pd.DataFrame) -> None:
    judged = make_judged()
    before = cut_tables(judged, current, GOALS).cuts
    is_hold_out = judged["judged_for"] == "hold_out"
    turned = judged.assign(label=judged["label"].where(~is_hold_out, 1 - judged["label"]))
    after = cut_tables(turned, current, GOALS).cuts
    chosen = [name for name in CUT_COLUMNS if name.startswith(("selection", "current", "cut"))]
    pd.testing.assert_frame_equal(before[chosen], after[chosen])
    assert not before["precision"].equals(after["precision"])


def test_the_order_of_rows_does_not_matter(make_judged: Make, current: pd.DataFrame) -> None:
    judged = make_judged()
    found = cut_tables(judged, current, GOALS)
    mixed = cut_tables(
        judged.sample(frac=1, random_state=1), current.sample(frac=1, random_state=2), tuple(reversed(GOALS))
    )
    pd.testing.assert_frame_equal(found.cuts, mixed.cuts)
    pd.testing.assert_frame_equal(found.curves, mixed.curves)


def test_the_curve_is_told_from_few_to_all(make_judged: Make, current: pd.DataFrame) -> None:
    judged = make_judged()
    curve = cut_tables(judged, current, GOALS).curves
    assert tuple(curve.columns) == CURVE_COLUMNS
    assert 20 <= len(curve) <= 50
    assert curve["cut"].is_monotonic_decreasing
    assert curve["people_contacted"].is_monotonic_increasing
    assert curve["recall"].is_monotonic_increasing
    last = curve.iloc[-1]
    assert (last["contacted_share"], last["recall"], last["lift"]) == (1.0, 1.0, 1.0)
    hold_out = judged[judged["judged_for"] == "hold_out"]
    for row in curve.to_dict("records"):
        above = hold_out["probability"] >= row["cut"]
        assert row["people_contacted"] == above.sum()
        assert row["expected_positives"] == hold_out.loc[above, "label"].sum()


def test_the_interval_covers_what_the_cut_gives_in_truth(make_judged: Make, current: pd.DataFrame) -> None:
    """The scores mean what they say, so that the true precision of a cut is their mean above it."""
    goal = (Goal("conversion", MODEL, "precision", 0.8),)
    covered = []
    for seed in range(40):
        judged = make_judged(400, seed=seed)
        (row,) = cut_tables(judged, current, goal).cuts.to_dict("records")
        scores = judged.loc[judged["judged_for"] == "hold_out", "probability"]
        truth = float(scores[scores >= row["cut"]].mean())
        covered.append(row["precision_low"] <= truth <= row["precision_high"])
    assert np.mean(covered) >= 0.85


def test_a_goal_that_cannot_be_met_has_a_reason_and_no_cut(current: pd.DataFrame) -> None:
    scores = np.tile(np.linspace(0.01, 0.99, 50), 4)
    labels = np.tile([0, 1], 100)
    judged = pd.concat(
        [
            slice_of(scores, labels, "selection", SELECTION_DAY),
            slice_of(scores, labels, "hold_out", HOLD_OUT_DAY),
        ]
    )
    found = by_goal(cut_tables(judged, current, (*GOALS[:2], Goal("profit", MODEL, "profit", None, 5, 4))).cuts)
    assert np.isnan(found["conversion"]["cut"])
    assert "no cut of the selection slice reaches 80.0%" in str(found["conversion"]["reason"])
    assert found["conversion"]["hold_out_rows"] == 200
    assert "every cut costs more than it brings" in str(found["profit"]["reason"])
    assert found["upsell"]["reason"] is None


def test_the_version_that_scores_is_the_one_that_is_cut(make_judged: Make, current: pd.DataFrame) -> None:
    judged = make_judged()
    refused = judged.assign(model_version="challenger", probability=1 - judged["probability"])
    found = cut_tables(pd.concat([judged, refused]), current, GOALS)
    assert set(found.cuts["model_version"]) == {"v1"}
    unknown = cut_tables(refused, current, GOALS)
    assert unknown.cuts.empty
    assert unknown.curves.empty
    assert unknown.unasked == (
        "budget, conversion, profit, upsell: purchase_propensity scores with v1, of which no prediction was judged",
    )


def test_nothing_judged_is_told_and_not_made_up(make_judged: Make, current: pd.DataFrame) -> None:
    nothing = make_judged().iloc[:0]
    found = cut_tables(nothing, current.iloc[:0], GOALS)
    assert found.cuts.empty
    assert tuple(found.cuts.columns) == CUT_COLUMNS
    assert found.unasked == ("budget, conversion, profit, upsell: no prediction of purchase_propensity was judged",)
    judged = make_judged()
    without = cut_tables(judged[judged["judged_for"] == "hold_out"], current, GOALS[:1]).cuts
    assert "no prediction of an earlier slice" in without["reason"].iloc[0]
    unjudged = cut_tables(judged[judged["judged_for"] == "selection"], current, GOALS[:1])
    assert "no prediction of a hold-out" in unjudged.cuts["reason"].iloc[0]
    assert unjudged.curves.empty


def test_without_scores_of_today_nothing_is_said_of_today(make_judged: Make, current: pd.DataFrame) -> None:
    found = cut_tables(make_judged(), current.iloc[:0], GOALS)
    assert found.cuts["current_contacted"].isna().all()
    assert found.cuts["precision"].notna().all()


def test_a_customer_is_drawn_with_all_rows(make_judged: Make, current: pd.DataFrame) -> None:
    """The same customers on four dates say less than four times as many would."""
    judged = make_judged()
    hold_out = judged[judged["judged_for"] == "hold_out"]
    dates = pd.date_range(HOLD_OUT_DAY, periods=4, freq="7D")
    repeated = pd.concat(
        [judged[judged["judged_for"] == "selection"], *(hold_out.assign(as_of_date=day.date()) for day in dates)]
    )
    once = cut_tables(judged, current, GOALS[:1]).cuts.iloc[0]
    often = cut_tables(repeated, current, GOALS[:1]).cuts.iloc[0]
    assert often["people_contacted"] == 4 * once["people_contacted"]
    assert often["precision_high"] - often["precision_low"] == pytest.approx(
        once["precision_high"] - once["precision_low"], abs=1e-6
    )


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            {"probability": 1.2},
            ValueError,
            "probability of customer c00000.*is .*1.2.*; it must be a number from 0 to 1",
        ),
        ({"probability": np.nan}, ValueError, "probability of customer"),
        ({"label": 2}, ValueError, "label of customer c00000.*it must be 0 or 1"),
        ({"judged_for": "training"}, ValueError, "judged_for is 'training'"),
        ({"customer_id": "c1"}, ValueError, "rows too many for the key"),
        ({"as_of_date": HOLD_OUT_DAY}, LeakError, "the selection slice of purchase_propensity v1 reaches 2017-10-02"),
    ],
)
def test_bad_rows_are_refused(
    make_judged: Make, current: pd.DataFrame, change: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        cut_tables(make_judged(100).assign(**change), current, GOALS)  # type: ignore[arg-type]


def test_a_missing_column_is_named(make_judged: Make, current: pd.DataFrame) -> None:
    with pytest.raises(MissingColumnsError, match="lacks judged_for"):
        cut_tables(make_judged(100).drop(columns="judged_for"), current, GOALS)


def test_the_picture_is_the_same_bytes(make_judged: Make, current: pd.DataFrame) -> None:
    pictures = [cut_tables(make_judged(), current, GOALS).plots() for _ in range(2)]
    assert pictures[0] == pictures[1]
    assert list(pictures[0]) == [MODEL]
    assert pictures[0][MODEL].startswith(b"\x89PNG")
