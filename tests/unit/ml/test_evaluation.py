import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as known

from ml import evaluation
from ml.evaluation import (
    METRICS,
    RANKING_METRICS,
    calibration_bins,
    estimate,
    performance_rows,
    resample_weights,
    sliced_rows,
)

ONCE = np.ones((1, 400))


@pytest.fixture
def judged() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    # rounded, so that there are ties
    scores = np.round(generator.random(400), 2)
    return (generator.random(400) < scores).astype(float), scores


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("roc_auc", known.roc_auc_score),
        ("average_precision", known.average_precision_score),
        ("brier_score", known.brier_score_loss),
    ],
)
def test_metrics_agree_with_scikit_learn(name: str, reference: object, judged: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = judged
    assert METRICS[name](labels, scores, ONCE)[0] == pytest.approx(reference(labels, scores))  # type: ignore[operator]


def test_log_loss_agrees_with_scikit_learn(judged: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = judged
    inside = np.clip(scores, 0.01, 0.99)
    assert METRICS["log_loss"](labels, inside, ONCE)[0] == pytest.approx(known.log_loss(labels, inside))


def test_a_weight_is_a_repeated_row(judged: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = judged
    counts = np.random.default_rng(5).poisson(1.0, 400)
    again = np.repeat(np.arange(400), counts)
    for name in ("roc_auc", "average_precision", "log_loss", "brier_score", "lift_at_10pct"):
        weighted = METRICS[name](labels, scores, counts[None, :].astype(float))[0]
        repeated = METRICS[name](labels[again], scores[again], np.ones((1, len(again))))[0]
        assert weighted == pytest.approx(repeated), name


def test_lift_of_perfect_and_of_constant_scores() -> None:
    labels = np.r_[np.ones(20), np.zeros(180)]
    once = np.ones((1, 200))
    assert METRICS["lift_at_10pct"](labels, labels, once)[0] == pytest.approx(10.0)
    assert METRICS["lift_at_10pct"](labels, np.full(200, 0.3), once)[0] == pytest.approx(1.0)


def test_calibration_error_is_the_bias_of_a_biased_score() -> None:
    generator = np.random.default_rng(1)
    chance = np.repeat(np.linspace(0.05, 0.75, 10), 2000)
    labels = (generator.random(20_000) < chance).astype(float)
    once = np.ones((1, 20_000))
    assert METRICS["calibration_error"](labels, chance, once)[0] < 0.02
    assert METRICS["calibration_error"](labels, chance + 0.2, once)[0] == pytest.approx(0.2, abs=0.02)


def test_bins_hold_tenths_and_part_no_ties() -> None:
    assert np.bincount(calibration_bins(np.arange(100.0))).tolist() == [10] * 10
    assert set(calibration_bins(np.full(50, 0.4))) == {0}


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.lists(st.booleans(), min_size=8, max_size=40))
def test_the_order_of_rows_does_not_matter(random: object, labels: list[bool]) -> None:
    frame = pd.DataFrame({"label": np.array(labels, dtype=float)})
    frame["score"] = np.round(np.linspace(0, 1, len(frame)), 1)
    frame["customer"] = [f"c{number % 5}" for number in range(len(frame))]
    order = list(range(len(frame)))
    random.shuffle(order)  # type: ignore[attr-defined]
    results = []
    for part in (frame, frame.iloc[order]):
        figures, _ = estimate(part["label"], {"model": part["score"]}, part["customer"], resamples=20)
        results.append([number for found in figures.values() for number in (found.value, found.low, found.high)])
    np.testing.assert_allclose(results[0], results[1])


def test_one_class_gives_no_ranking_and_no_crash() -> None:
    figures, _ = estimate(np.zeros(30), {"model": np.linspace(0.1, 0.9, 30)}, pd.Series(range(30)), resamples=10)
    assert all(np.isnan(figures["model", name].value) for name in RANKING_METRICS)
    assert figures["model", "log_loss"].value > 0


def test_customers_are_drawn_with_all_their_rows() -> None:
    customers = pd.Series(["b", "a", "b", "c", "a"])
    weights = np.vstack(list(resample_weights(customers, resamples=50)))
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    assert not (weights[:, 0] == weights[:, 1]).all()


def test_rows_of_one_customer_widen_the_interval(judged: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = judged
    alone, _ = estimate(labels, {"model": scores}, pd.Series(range(400)), metrics=("brier_score",))
    # the same 400 rows four times over are not 1,600 customers
    four, _ = estimate(
        np.tile(labels, 4), {"model": np.tile(scores, 4)}, pd.Series(np.tile(range(400), 4)), metrics=("brier_score",)
    )
    first, second = alone["model", "brier_score"], four["model", "brier_score"]
    assert second.high - second.low == pytest.approx(first.high - first.low, rel=0.01)


def test_a_paired_gain_is_surer_than_two_intervals(judged: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = judged
    noisy = scores + np.random.default_rng(2).normal(0, 0.25, 400)
    figures, gains = estimate(labels, {"model": scores, "noisy": noisy}, pd.Series(range(400)), metrics=("roc_auc",))
    gain = gains["noisy", "roc_auc"]
    assert gain.low > 0
    assert gain.value == pytest.approx(figures["model", "roc_auc"].value - figures["noisy", "roc_auc"].value)
    assert gain.high - gain.low < figures["model", "roc_auc"].high - figures["model", "roc_auc"].low


def test_performance_rows_have_the_shape_of_the_table(judged: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = judged
    frame = performance_rows(
        labels,
        {"model": scores, "base_rate": np.full(400, 0.5), "recency": -scores},
        pd.Series(range(400)),
        ranking_only=("recency",),
        resamples=20,
        model_name="m",
        model_version="v",
        as_of_date=None,
        slice="all",
        is_champion=True,
    )
    assert not frame.duplicated(["slice", "metric", "baseline_name"]).any()
    assert set(frame.loc[frame["baseline_name"] == "recency", "metric"]) == {
        "roc_auc",
        "roc_auc_gain",
        "average_precision",
        "average_precision_gain",
        "lift_at_10pct",
        "highest_lift_at_10pct",
    }
    assert (frame["ci_low"] <= frame["value"]).all()
    assert (frame["value"] <= frame["ci_high"]).all()
    assert (frame["rows"] == 400).all()
    assert (frame["positives"] == labels.sum()).all()


def test_the_highest_lift_is_that_of_scores_that_know_all() -> None:
    for positives in (5, 20, 150):
        labels = np.r_[np.ones(positives), np.zeros(200 - positives)]
        once = np.ones((1, 200))
        found = METRICS["highest_lift_at_10pct"](labels, np.full(200, 0.3), once)[0]
        assert found == pytest.approx(METRICS["lift_at_10pct"](labels, labels, once)[0])


def test_a_better_model_has_positive_gains_of_losses(judged: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = judged
    frame = performance_rows(labels, {"model": scores, "half": np.full(400, 0.5)}, pd.Series(range(400)), resamples=50)
    found = frame.set_index("metric")
    for metric in ("log_loss", "brier_score"):
        gain = found.loc[f"{metric}_gain"]
        assert gain["value"] == pytest.approx(gain["baseline"] - found.loc[metric, "value"], abs=2e-6)
        assert 0 < gain["ci_low"] < gain["value"] < gain["ci_high"]


def test_slices_are_judged_if_they_are_large_enough(judged: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = judged
    rows = pd.DataFrame({"customer_id": [f"c{number}" for number in range(400)], "as_of_date": "2017-01-02"})
    slices = pd.concat(
        [rows.iloc[:300].assign(slice="b"), rows.iloc[100:].assign(slice="a"), rows[:9].assign(slice="c")]
    )
    slices = pd.concat([slices, rows.iloc[:300].assign(slice="b"), rows.assign(slice="never", as_of_date="2016-01-01")])
    found = sliced_rows(labels, {"model": scores, "half": np.full(400, 0.5)}, rows, slices, model_name="m")
    assert found["slice"].unique().tolist() == ["a", "b"]
    assert set(found["rows"]) == {300}
    of_b = performance_rows(
        labels[:300], {"model": scores[:300], "half": np.full(300, 0.5)}, rows["customer_id"][:300], slice="b",
        model_name="m",
    )  # fmt: skip
    pd.testing.assert_frame_equal(found[found["slice"] == "b"].reset_index(drop=True), of_b)
    assert sliced_rows(labels, {"model": scores}, rows, slices, min_rows_per_class=180).empty


def test_many_rows_give_the_same_figures_by_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    scores = generator.random(6_000)
    labels = (generator.random(6_000) < scores).astype(float)
    customers = pd.Series([f"c{number % 1_500}" for number in range(6_000)])
    named = {"model": scores, "noisy": np.clip(scores + generator.normal(0, 0.2, 6_000), 0, 1)}
    exact, exact_gains = estimate(labels, named, customers, resamples=200)
    monkeypatch.setattr(evaluation, "MANY_ROWS", 1_000)
    quick, quick_gains = estimate(labels, named, customers, resamples=200)
    for one, other in ((exact, quick), (exact_gains, quick_gains)):
        for key, found in one.items():
            assert other[key].value == pytest.approx(found.value, abs=2e-3), key
            width = found.high - found.low
            assert other[key].low == pytest.approx(found.low, abs=0.35 * width + 1e-3), key
            assert other[key].high == pytest.approx(found.high, abs=0.35 * width + 1e-3), key
