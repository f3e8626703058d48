from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.utils.estimator_checks import parametrize_with_checks

from ml import artifacts
from ml.clusters import preparation as module
from ml.clusters.preparation import SCALINGS, RobustSpread, Winsorizer, preparation


def skewed(rows: int = 400, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    matrix = np.column_stack(
        [
            generator.normal(5, 2, rows),
            generator.lognormal(3, 1, rows),
            np.where(generator.random(rows) < 0.97, 0.0, 500.0 * generator.random(rows)),
            np.full(rows, 7.0),
        ]
    )
    matrix[::9, 0] = np.nan
    return matrix


@parametrize_with_checks([Winsorizer(), RobustSpread()])
def test_scikit_learns_own_checks(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("components", [None, 2, 0.9])
def test_every_row_comes_out_with_numbers(scaling: module.Scaling, components: int | float | None) -> None:
    rows = skewed()
    pipeline = preparation(scaling, components).fit(rows)
    rows[0] = [1e9, -1e9, np.nan, np.nan]
    prepared = pipeline.transform(rows)
    assert len(prepared) == len(rows)
    assert np.isfinite(prepared).all()
    # an absurd row is a far one and no more (the rare feature's own rows are some 15 deviations away)
    assert np.abs(prepared).max() < 25
    if components == 2:
        assert prepared.shape[1] == 2


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, (30, 2), elements=st.floats(-1e6, 1e6)), st.floats(0.5, 5))
def test_pulling_in_keeps_order_and_lets_the_middle_be(rows: np.ndarray, clip: float) -> None:
    winsorizer = Winsorizer(clip).fit(rows)
    pulled = winsorizer.transform(rows)
    low, high = np.percentile(rows, [5, 95], axis=0)
    for column in range(2):
        order = np.argsort(rows[:, column], kind="stable")
        assert (np.diff(pulled[order, column]) >= 0).all()
        if clip >= 1:
            inside = (rows[:, column] >= low[column]) & (rows[:, column] <= high[column])
            assert pulled[inside, column] == pytest.approx(rows[inside, column])


def test_an_outlier_is_pulled_in_and_moves_nobody_else() -> None:
    rows = np.random.default_rng(1).normal(size=(500, 1))
    rows[3] = 1e6
    pulled = Winsorizer().fit_transform(rows)
    assert 4 < pulled[3] < 6
    np.testing.assert_array_equal(np.delete(pulled, 3), np.delete(rows, 3))


def test_nothing_lies_beyond_what_was_seen() -> None:
    """A power that fits positive values makes hundreds of a negative one."""
    rows = np.random.default_rng(1).lognormal(3, 1, (500, 1))
    pipeline = preparation().fit(rows)
    assert pipeline.transform([[-1e3]]) == pytest.approx(pipeline.transform([[rows.min()]]))


def test_rare_values_are_not_pulled_to_the_usual_one() -> None:
    """Quartiles of a feature that is mostly 0 coincide; nobody's coupons may vanish for that."""
    rows = skewed()[:, [2]]
    assert (rows > 0).mean() < 0.05
    assert Winsorizer().fit_transform(rows) == pytest.approx(rows)


def test_robust_scaling_gives_a_rare_feature_a_scale_of_its_own() -> None:
    scaled = preparation("robust").fit_transform(skewed())
    assert scaled[:, 2].std() == pytest.approx(1.0)
    assert scaled[:, 3].std() == 0.0


def test_numbers_out_of_range_stay_in_a_range_scaled_by_its_ends() -> None:
    pipeline = preparation("min_max").fit(np.arange(10.0)[:, None])
    assert pipeline.transform([[-100.0], [100.0]]).ravel() == pytest.approx([0.0, 1.0])


def test_the_fitted_state_is_small_and_can_be_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        artifacts,
        "TRUSTED_TYPES",
        (*artifacts.TRUSTED_TYPES, f"{module.__name__}.Winsorizer", f"{module.__name__}.RobustSpread"),
    )
    small, large = skewed(100), skewed(20_000)
    for scaling in SCALINGS:
        sizes = []
        for rows in (small, large):
            pipeline = preparation(scaling, 0.9).fit(rows)
            artifacts.save(tmp_path, pipeline, {"feature_names": list("abcd")})
            sizes.append((tmp_path / artifacts.MODEL_FILE).stat().st_size)
            loaded = artifacts.load(tmp_path, "abcd").estimator
            np.testing.assert_array_equal(loaded.transform(rows), pipeline.transform(rows))
        assert abs(sizes[1] - sizes[0]) < 500


@pytest.mark.parametrize("components", [0, 1.5, True, 0.0])
def test_components_that_are_neither_a_count_nor_a_share_are_refused(components: float) -> None:
    with pytest.raises(ValueError, match="count from 1 or a share"):
        preparation(components=components)


def test_an_unknown_scaling_is_refused() -> None:
    with pytest.raises(ValueError, match="there are power"):
        preparation("log")  # type: ignore[arg-type]
