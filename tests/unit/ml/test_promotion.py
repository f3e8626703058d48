"""The promotion gate: who is better gets through, who is not does not, whatever the order of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from ml import promotion
from ml.frames import MissingColumnsError
from ml.promotion import Decision, Rules, decide

Floats = npt.NDArray[np.float64]
DAY = pd.Timestamp("2017-06-05")
QUICK = Rules(resamples=400)


@dataclass(frozen=True)
class Shop:
    """Customers with their true log-odds, and what happened."""

    rows: pd.DataFrame
    truth: Floats
    labels: npt.NDArray[np.int64]
    slices: pd.DataFrame


def shop(seed: int, customers: int = 3000, spread: float = 1.5) -> Shop:
    drawn = np.random.default_rng(seed)
    rows = pd.DataFrame({"customer_id": [f"c{number:05}" for number in range(customers)], "as_of_date": DAY})
    truth = drawn.normal(-0.5, spread, customers)
    labels = (drawn.random(customers) < expit(truth)).astype(np.int64)
    kinds = np.array(["north", "south", "east"], dtype=object)[np.arange(customers) % 3]
    return Shop(rows, truth, labels, rows.assign(slice=kinds))


def guess(of: Shop, seed: int, noise: float) -> Floats:
    """A model that sees the truth through noise; the more of it, the worse."""
    found: Floats = expit(of.truth + np.random.default_rng(1000 + seed).normal(0, noise, len(of.truth)))
    return found


def failed(decision: Decision) -> set[str]:
    checks = decision.checks
    return set(checks.loc[~checks["has_passed"].fillna(True).astype(bool), "check_name"])


def test_a_planted_better_model_is_promoted() -> None:
    for seed in range(10):
        one = shop(seed)
        decision = decide(one.rows, one.labels, guess(one, seed, 0.1), {"champion": guess(one, 99 + seed, 1.0)},
                          slices=one.slices, rules=QUICK)  # fmt: skip
        assert decision.is_promoted, decision.in_words
        assert "more than noise" in decision.in_words
        assert "none of 3 large segments" in decision.in_words


def test_equal_models_are_promoted_no_more_often_than_the_level() -> None:
    """Both see the truth through as much noise of their own: a promotion is a mistake, one in forty at the most."""
    trials = 200
    promoted = 0
    for seed in range(trials):
        one = shop(seed, customers=600)
        own, other = guess(one, seed, 0.4), guess(one, 5000 + seed, 0.4)
        promoted += decide(one.rows, one.labels, own, {"champion": other}, rules=Rules(resamples=300)).is_promoted
    # Two standard errors above .025.
    assert promoted / trials <= 0.025 + 2 * np.sqrt(0.025 * 0.975 / trials)


def test_worse_in_one_large_segment_is_refused_however_good_overall() -> None:
    for seed in range(5):
        one = shop(seed, customers=6000)
        champion = guess(one, seed, 1.2)
        challenger = guess(one, seed + 50, 0.1)
        is_south = (one.slices["slice"] == "south").to_numpy()
        challenger[is_south] = guess(one, seed + 70, 1.5)[is_south]
        decision = decide(one.rows, one.labels, challenger, {"champion": champion}, slices=one.slices, rules=QUICK)
        better = decision.checks[decision.checks["check_name"] == "better"]
        assert better["has_passed"].all(), "better overall"
        assert not decision.is_promoted
        assert "not inferior" in failed(decision)
        assert decision.reasons[0].startswith("Of 3 large segments it may lose more than")
        assert "south" in decision.reasons[0]


@pytest.mark.parametrize(
    ("bend", "metric"),
    [
        (lambda odds: odds + 0.6, "odds_ratio"),
        (lambda odds: 2.0 * odds, "calibration_slope"),
        (lambda odds: np.where(np.abs(odds) < 1, -odds, odds), "calibration_error"),
    ],
    ids=["says too much", "too sure", "wrong in the middle"],
)
def test_a_miscalibrated_model_is_refused(bend: object, metric: str) -> None:
    one = shop(3, customers=20_000, spread=2.5)
    challenger = expit(bend(one.truth))  # type: ignore[operator]
    rough = expit(np.full(len(one.truth), logit(one.labels.mean())))
    decision = decide(one.rows, one.labels, challenger, {"champion": rough}, rules=QUICK)
    checks = decision.checks.set_index("metric")
    assert checks.loc["log_loss_gain", "has_passed"], "it is better all the same"
    assert not decision.is_promoted
    assert not checks.loc[metric, "has_passed"]
    honest = decide(one.rows, one.labels, expit(one.truth), {"champion": rough}, rules=QUICK)
    assert honest.is_promoted, honest.in_words


def test_a_calibrated_model_is_not_refused_for_noise() -> None:
    """A hundred small hold-outs of a perfect model: its calibration never falls."""
    refused = 0
    for seed in range(100):
        one = shop(seed, customers=300)
        decision = decide(one.rows, one.labels, expit(one.truth), {"champion": np.full(300, 0.4)}, rules=QUICK)
        refused += "calibrated" in failed(decision)
    assert refused <= 2


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(200)), seed=st.integers(0, 5))
def test_the_order_of_rows_changes_nothing(order: list[int], seed: int) -> None:
    one = shop(seed, customers=200)
    own, other, ranks = guess(one, seed, 0.2), guess(one, seed + 9, 0.9), guess(one, seed + 3, 2.0)
    rules = Rules(resamples=100, min_slice_rows=50, min_slice_class_rows=10)
    first = decide(one.rows, one.labels, own, {"champion": other}, {"recency": ranks}, one.slices, rules)
    again = decide(
        one.rows.iloc[order], one.labels[order], own[order], {"champion": other[order]}, {"recency": ranks[order]},
        one.slices.sample(frac=1, random_state=seed), rules,
    )  # fmt: skip
    assert (again.verdict, again.reasons) == (first.verdict, first.reasons)
    pd.testing.assert_frame_equal(again.checks, first.checks)


def test_customers_and_not_rows_are_drawn() -> None:
    """The same rows five times say no more than once: a customer with many rows is still one."""
    one = shop(4, customers=250)
    own, other = guess(one, 4, 0.3), guess(one, 13, 0.5)
    once = decide(one.rows, one.labels, own, {"champion": other}, rules=QUICK)
    five = pd.concat([one.rows.assign(campaign_id=f"k{number}") for number in range(5)], ignore_index=True)
    many = decide(five, np.tile(one.labels, 5), np.tile(own, 5), {"champion": np.tile(other, 5)}, rules=QUICK)
    width = [decision.checks[["ci_low", "ci_high"]].iloc[0].to_numpy() for decision in (once, many)]
    assert width[0] == pytest.approx(width[1], abs=1e-5)


def test_the_first_champion_has_to_beat_all_baselines() -> None:
    one = shop(5)
    own, rfm = guess(one, 5, 0.2), guess(one, 6, 0.2)
    base = np.full(len(own), one.labels.mean())
    recency = -one.truth + np.random.default_rng(1).normal(0, 2, len(own))
    good = decide(one.rows, one.labels, own, {"base_rate": base}, {"days_since_last_order": -recency}, rules=QUICK)
    assert good.is_promoted
    assert "days since last order alone" in good.in_words
    beside_equal = decide(
        one.rows, one.labels, own, {"base_rate": base, "logistic_regression_rfm": rfm}, rules=QUICK
    )  # fmt: skip
    assert not beside_equal.is_promoted
    assert "logistic regression rfm" in beside_equal.reasons[0]
    ranks_as_well = decide(one.rows, one.labels, own, {"base_rate": base}, {"recency": own * 2}, rules=QUICK)
    assert not ranks_as_well.is_promoted
    assert "ROC-AUC" in ranks_as_well.reasons[0]


def test_small_slices_are_shown_and_decide_nothing() -> None:
    one = shop(6)
    few = one.slices.assign(slice=np.where(np.arange(len(one.rows)) < 80, "handful", "rest"))
    challenger = guess(one, 6, 0.1)
    challenger[:80] = 1 - challenger[:80]
    decision = decide(one.rows, one.labels, challenger, {"champion": guess(one, 7, 1.5)}, slices=few, rules=QUICK)
    handful = decision.checks[decision.checks["slice"] == "handful"].iloc[0]
    assert pd.isna(handful["has_passed"])
    assert handful["value"] < 0
    assert decision.is_promoted


def test_too_little_to_judge_on_is_a_refusal_without_figures() -> None:
    one = shop(7, customers=40)
    decision = decide(one.rows, one.labels, expit(one.truth), {"champion": np.full(40, 0.4)})
    assert not decision.is_promoted
    assert "of the rarer label, and 30 are needed" in decision.in_words
    assert list(decision.checks.columns) == list(promotion.CHECK_COLUMNS)
    assert decision.checks.empty
    nobody = decide(one.rows.iloc[:0], [], [], {"champion": []})
    assert not nobody.is_promoted


def test_bad_input_is_named() -> None:
    one = shop(8, customers=100)
    own = guess(one, 8, 0.1)
    with pytest.raises(MissingColumnsError, match="as_of_date"):
        decide(one.rows[["customer_id"]], one.labels, own, {"champion": own})
    with pytest.raises(ValueError, match="rows too many for its key"):
        decide(one.rows.assign(customer_id="c"), one.labels, own, {"champion": own})
    with pytest.raises(ValueError, match=r"champion: .* values for 100 judged rows"):
        decide(one.rows, one.labels, own, {"champion": own[:50]})
    with pytest.raises(ValueError, match="the challenger: nan in judged row 0 is no probability"):
        decide(one.rows, one.labels, np.full(100, np.nan), {"champion": own})
    with pytest.raises(ValueError, match="nothing to hold the challenger against"):
        decide(one.rows, one.labels, own, {})
