import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.evaluation import METRICS
from ml.propensity.calibration import (
    BETA_ROWS_PER_CLASS,
    Calibration,
    OutOfTime,
    calibrate,
    fit_calibration,
    rows_per_class,
    unweighted,
)

PLAIN = Calibration()


def expit(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def overconfident(rows: int, seed: int = 0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores three times too sure of themselves, and labels whose log-odds are `shift` higher."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=rows)
    return expit(3 * logits + 1), (generator.random(rows) < expit(logits + shift)).astype(np.int64)


def test_it_repairs_overconfidence() -> None:
    said, labels = overconfident(1_500)
    found = fit_calibration(said, labels)
    assert found.slope == pytest.approx(1 / 3, abs=0.06)
    assert found.intercept == pytest.approx(-1 / 3, abs=0.15)
    assert found.bend == 0
    error, once = METRICS["calibration_error"], np.ones((1, 1_500))
    assert error(labels, found.apply(said), once)[0] < error(labels, said, once)[0] / 3


def test_many_rows_get_a_curve_that_bends() -> None:
    generator = np.random.default_rng(3)
    said = generator.random(12_000)
    # right below, far too sure above
    truth = np.where(said < 0.5, said, 0.5 + 0.4 * (said - 0.5))
    labels = (generator.random(len(said)) < truth).astype(np.int64)
    assert rows_per_class(labels) > BETA_ROWS_PER_CLASS
    found = fit_calibration(said, labels)
    few = fit_calibration(said[:1_500], labels[:1_500])
    assert found.bend != 0
    assert few.bend == 0
    assert np.abs(found.apply(said) - truth).mean() < np.abs(few.apply(said) - truth).mean()


def test_it_never_turns_the_order_around() -> None:
    labels = np.r_[np.ones(50), np.zeros(50)].astype(np.int64)
    assert fit_calibration(np.linspace(0.1, 0.9, 100), labels) == PLAIN


def test_few_rows_or_one_class_are_not_calibrated() -> None:
    labels = np.r_[np.ones(10), np.zeros(90)].astype(np.int64)
    assert fit_calibration(np.linspace(0.9, 0.1, 100), labels) == PLAIN
    assert fit_calibration(np.linspace(0.9, 0.1, 100), np.zeros(100, dtype=np.int64)) == PLAIN


def test_classes_that_a_threshold_parts_give_no_infinity() -> None:
    labels = np.r_[np.zeros(50), np.ones(50)].astype(np.int64)
    found = fit_calibration(np.linspace(0.1, 0.9, 100), labels)
    assert np.isfinite([found.slope, found.intercept]).all()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=30),
    st.floats(0.01, 5), st.floats(-3, 3), st.floats(0, 2), st.floats(-2, 2),
)  # fmt: skip
def test_ranks_within_a_type_and_range_are_kept(
    values: list[float], slope: float, intercept: float, bend: float, shift: float
) -> None:
    ordered = np.sort(np.array(values))
    calibration = Calibration(slope, intercept, bend, {"A": shift})
    for types in (np.full(len(ordered), "A"), np.full(len(ordered), "unheard of")):
        calibrated = calibration.apply(ordered, types)
        assert (np.diff(calibrated) >= 0).all()
        assert ((calibrated >= 0) & (calibrated <= 1)).all()


def test_a_type_gets_its_own_level_and_few_rows_stay_at_the_common_one() -> None:
    said, labels = overconfident(2_000)
    high, more = overconfident(2_000, seed=1, shift=1.0)
    rare, rare_labels = overconfident(6, seed=2, shift=1.0)
    types = np.array(["usual"] * 2_000 + ["high"] * 2_000 + ["rare"] * 6, dtype=object)
    found = fit_calibration(np.r_[said, high, rare], np.r_[labels, more, rare_labels], types)
    assert found.shifts["high"] - found.shifts["usual"] == pytest.approx(1.0, abs=0.25)
    assert abs(found.shifts["rare"]) < 0.45
    of_high = found.apply(high, np.full(2_000, "high", dtype=object))
    assert of_high.mean() == pytest.approx(more.mean(), abs=0.02)
    curve = Calibration(found.slope, found.intercept, found.bend)
    assert (found.apply(said, np.full(2_000, "new", dtype=object)) == curve.apply(said)).all()


def test_a_window_that_was_cut_short_is_no_lower_probability() -> None:
    generator = np.random.default_rng(5)
    chance = generator.uniform(0.1, 0.7, 6_000)
    seen = np.where(np.arange(6_000) % 2, 1.0, 0.4)
    labels = (generator.random(6_000) < chance * seen).astype(np.int64)
    found = fit_calibration(chance, labels, seen=seen)
    assert np.abs(found.apply(chance) - chance).mean() < 0.02
    assert fit_calibration(chance, labels).apply(chance).mean() < chance.mean() - 0.05


def test_weights_are_undone_by_the_odds_of_the_training_rows() -> None:
    labels = np.r_[np.ones(100), np.zeros(300)].astype(np.int64)
    assert unweighted(labels, is_balanced=False) == PLAIN
    assert unweighted(labels, is_balanced=True).apply(np.array([0.5]))[0] == pytest.approx(0.25)
    assert unweighted(np.zeros(5, dtype=np.int64), is_balanced=True) == PLAIN


def test_a_curve_is_taken_if_it_would_have_helped() -> None:
    parts = [OutOfTime(*overconfident(400, seed)) for seed in range(3)]
    found, losses = calibrate(parts, PLAIN)
    assert found.slope < 0.5
    assert losses["curve"] < losses["none"]


def test_a_curve_that_would_have_misled_is_left_out() -> None:
    """The oldest model was far too sure; those after it, which had learned from more, were right."""
    generator = np.random.default_rng(0)
    right = [generator.uniform(0.05, 0.95, 600) for _ in range(2)]
    parts = [OutOfTime(*overconfident(400))]
    parts += [OutOfTime(said, (generator.random(600) < said).astype(np.int64)) for said in right]
    found, losses = calibrate(parts, PLAIN)
    assert found == PLAIN
    assert losses["none"] < losses["curve"]


def test_types_are_taken_if_they_would_have_helped() -> None:
    def part(seed: int) -> OutOfTime:
        generator = np.random.default_rng(seed)
        types = np.where(generator.random(800) < 0.5, "A", "B").astype(object)
        said = generator.uniform(0.1, 0.9, 800)
        truth = expit(np.log(said / (1 - said)) + np.where(types == "A", 1.0, -1.0))
        return OutOfTime(said, (generator.random(800) < truth).astype(np.int64), types)

    found, losses = calibrate([part(1), part(2), part(3)], PLAIN)
    assert found.shifts["A"] > 0.5 > -0.5 > found.shifts["B"]
    assert losses["curve and types"] < losses["curve"]


def test_one_part_or_none_cannot_tell() -> None:
    found, losses = calibrate([OutOfTime(*overconfident(900))], PLAIN)
    assert found.slope < 0.5
    assert losses == {}
    assert calibrate([], PLAIN) == (PLAIN, {})
