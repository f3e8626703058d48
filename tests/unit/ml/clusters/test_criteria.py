import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score

from ml.clusters.criteria import (
    distances_between,
    elbow,
    information_gain,
    kept_by_cluster,
    share_kept,
    silhouettes,
    structureless,
    within_squares,
)


def labels_of(seed: int, rows: int, count: int) -> np.ndarray:
    """Random labels without an empty cluster."""
    drawn = np.random.default_rng(seed).integers(0, count, rows)
    drawn[:count] = np.arange(count)
    return drawn


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9))
def test_silhouettes_are_scikit_learns(seed: int, count: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(80, 3))
    divisions = [labels_of(seed, 80, count), labels_of(seed + 1, 80, 2), np.zeros(80, dtype=int)]
    found = silhouettes(distances_between(rows), divisions)
    expected = [silhouette_score(rows, labels) for labels in divisions[:2]]
    assert found == pytest.approx([*expected, 0.0], abs=1e-5)


def test_structureless_rows_have_the_means_and_covariances() -> None:
    generator = np.random.default_rng(0)
    rows = generator.exponential(size=(3_000, 4)) @ generator.normal(size=(4, 4))
    drawn = structureless(rows, 20_000, 1)
    assert drawn.mean(axis=0) == pytest.approx(rows.mean(axis=0), abs=0.1)
    assert np.cov(drawn.T) == pytest.approx(np.cov(rows.T), abs=0.3)


def test_the_bend_is_where_the_curve_bends() -> None:
    near = elbow({2: 100, 3: 60, 4: 20, 5: 18, 6: 16})
    assert near[4] == 1.0
    assert near[2] == near[6] == 0.0
    assert 0 < near[3] < 1
    assert elbow({2: 3.0, 3: 2.0}) == {}
    assert elbow({2: 3.0, 3: 2.0, 4: 1.0}) == {}


def test_squares_within_are_squares_to_the_means() -> None:
    rows = np.array([[0.0], [2.0], [10.0]])
    assert within_squares(rows, np.array([0, 0, 1])) == pytest.approx(2.0)


def test_information_knows_the_right_number_and_shape() -> None:
    """Three long parallel clouds: the right division beats one too coarse, one too fine and one across."""
    generator = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 300)
    rows = np.column_stack([truth * 6 + generator.normal(size=900), 8 * generator.normal(size=900)])
    right = information_gain(rows, truth)
    assert right > 0.5
    assert right > information_gain(rows, np.minimum(truth, 1)) + 0.1
    assert right > information_gain(rows, np.where((truth == 1) & (rows[:, 1] > 0), 3, truth)) + 0.02
    assert information_gain(rows, (rows[:, 1] > 0).astype(int)) < 0.1


def test_one_cloud_gains_nothing_by_any_division() -> None:
    rows = np.random.default_rng(1).normal(size=(2_000, 5))
    assert information_gain(rows, np.zeros(2_000, dtype=int)) == pytest.approx(0.0)
    assert information_gain(rows, (rows[:, 0] > 0).astype(int)) < 0
    assert information_gain(rows, labels_of(0, 2_000, 4)) < 0


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_a_renumbered_division_agrees_wholly(seed: int, count: int) -> None:
    labels = labels_of(seed, 60, count)
    renumbered = np.random.default_rng(seed).permutation(count)[labels]
    assert kept_by_cluster(labels, renumbered, count) == pytest.approx(1.0)
    assert share_kept(labels, renumbered, count) == 1.0


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(2, 6))
def test_agreement_is_a_share_and_never_more_than_what_is_kept(seed: int, old_count: int, new_count: int) -> None:
    old, new = labels_of(seed, 60, old_count), labels_of(seed + 1, 60, new_count)
    kept = kept_by_cluster(old, new, old_count)
    assert kept.shape == (old_count,)
    assert ((kept >= 0) & (kept <= 1)).all()
    sizes = np.bincount(old, minlength=old_count)
    assert (kept * sizes).sum() <= 60 * share_kept(old, new, old_count) + 1e-9


def test_a_cluster_cut_in_two_keeps_a_half_and_the_worst_shows() -> None:
    old = np.repeat([0, 1, 2], 100)
    new = old.copy()
    new[250:] = 3
    assert kept_by_cluster(old, new, 3) == pytest.approx([1.0, 1.0, 0.5])
    united = np.where(old == 2, 1, old)
    assert sorted(kept_by_cluster(old, united, 3)) == pytest.approx([0.0, 0.5, 1.0])
    assert share_kept(old, united, 3) == pytest.approx(2 / 3)


def test_every_parameter_has_its_price() -> None:
    """A cluster cut into two equal ones costs a bit a row (which half) and mean, variance and share of the second."""
    half = np.random.default_rng(0).normal(size=(200, 1))
    gain = information_gain(np.vstack([half, half]), np.repeat([0, 1], 200))
    assert gain == pytest.approx(-1 - 3 * 0.5 * np.log2(400) / 400)
