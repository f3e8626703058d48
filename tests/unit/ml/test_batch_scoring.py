"""Block-wise probabilities are the pipeline's own, whatever the trees, nulls, kinds and ties."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from ml import batch_scoring
from ml.batch_scoring import _Cuts, is_evaluated_block_wise, matrix_of, positive_probability, score_batches
from ml.frames import MissingColumnsError, WrongTypeError, feature_matrix
from ml.propensity.candidates import blend, boosting, boosting_pipeline, logistic, logistic_pipeline
from ml.threads import one_thread

NUMBERS = ("count", "amount", "share")
KINDS = ("type",)


def rows(seed: int, count: int, nulls: float = 0.2) -> pd.DataFrame:
    """Few distinct values, so that many lie on a threshold; nulls; kinds."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "count": generator.integers(0, 12, count).astype(float),
            "amount": np.round(generator.gamma(0.5, 40, count), 1) * generator.choice([1, 1e6], count, p=[0.99, 0.01]),
            "share": generator.random(count) - 0.5,
            "type": generator.choice(["A", "B", "C"], count),
        }
    )
    for name in NUMBERS:
        frame.loc[generator.random(count) < nulls, name] = np.nan
    return feature_matrix(frame, NUMBERS, KINDS, "the test")


def answers(frame: pd.DataFrame, seed: int) -> np.ndarray:
    known = frame[list(NUMBERS)].fillna(3.0)
    chance = 1 / (1 + np.exp(-(known["count"] - 6 + 4 * known["share"] + (frame["type"] == "B"))))
    return (np.random.default_rng(seed).random(len(frame)) < chance).astype(np.int64)


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 10_000), rounds=st.integers(1, 12), leaves=st.integers(2, 64), block=st.sampled_from([7, 1000])
)
def test_probabilities_are_those_of_the_pipeline(seed: int, rounds: int, leaves: int, block: int) -> None:
    learned = rows(seed, 600)
    pipeline = boosting_pipeline(NUMBERS, KINDS, rounds, 0.3, 1)
    pipeline[-1].set_params(max_leaf_nodes=leaves, l2_regularization=0.0)
    with one_thread(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_scoring, "MIN_ROWS", 1)
        patch.setattr(batch_scoring, "BLOCK_ROWS", block)
        pipeline.fit(learned, answers(learned, seed))
        assert is_evaluated_block_wise(pipeline)
        # the learned rows lie on the bins' edges; others have a kind that training did not see
        other = rows(seed + 1, 500).assign(type="new")
        for frame in (learned, other):
            expected = pipeline.predict_proba(frame)[:, 1]
            np.testing.assert_allclose(positive_probability(pipeline, frame), expected, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    # A tree parts off nothing at minus infinity; at infinity it parts nulls from all else.
    cuts=st.lists(st.floats(min_value=-1e308, allow_nan=False, width=64), min_size=1, max_size=60),
    others=st.lists(st.floats(allow_nan=False, width=64), max_size=60),
)
def test_a_number_is_placed_among_the_thresholds_exactly(cuts: list[float], others: list[float]) -> None:
    thresholds = np.array(cuts)
    with np.errstate(over="ignore"):
        near = np.concatenate([thresholds, np.nextafter(thresholds, np.inf), np.nextafter(thresholds, -np.inf), others])
    placed = _Cuts(thresholds)
    below = placed.count_below(near)
    for threshold in thresholds:
        assert ((below <= placed.place(threshold)) == (near <= threshold)).all()
        assert placed.null > placed.place(threshold)


def test_nulls_that_trees_part_themselves() -> None:
    frame = rows(3, 3000, nulls=0.4)[list(NUMBERS)]
    labels = (frame["count"].isna() ^ (frame["amount"] > 20)).astype(int).to_numpy()
    model = HistGradientBoostingClassifier(max_iter=20, random_state=0)
    pipeline = Pipeline([("prepare", boosting_pipeline(NUMBERS, (), 1, 0.1, 1)[0]), ("model", model)])
    pipeline[0].transformers[0][1].set_params(strategy="constant", fill_value=np.nan)
    with one_thread():
        pipeline.fit(frame, labels)
        found = batch_scoring._trees(model)
        assert found is not None
        inputs = [batch_scoring._Filled(name, np.nan) for name in NUMBERS]
        np.testing.assert_allclose(
            found.evaluate(inputs, frame), model.predict_proba(frame.to_numpy())[:, 1], atol=1e-12
        )
        assert any(node.is_null_left for tree in found.trees for node in tree.nodes)


def test_means_and_other_pipelines() -> None:
    frame = rows(5, 5000)
    labels = answers(frame, 5)
    line, steps = logistic(0.1), boosting(10, 0.1, 20)
    with one_thread():
        mean = blend(line, steps).build(NUMBERS, KINDS).fit(frame, labels)
        straight = logistic_pipeline(NUMBERS, KINDS, 1.0).fit(frame, labels)
        assert is_evaluated_block_wise(mean)
        assert not is_evaluated_block_wise(straight)
        for pipeline in (mean, straight):
            np.testing.assert_allclose(
                positive_probability(pipeline, frame), pipeline.predict_proba(frame)[:, 1], atol=1e-12
            )
        assert positive_probability(mean, frame.iloc[:0]).shape == (0,)


def test_a_model_that_was_fitted_anew_is_read_anew() -> None:
    frame = rows(6, 5000)
    pipeline = boosting_pipeline(NUMBERS, KINDS, 5, 0.3, 20)
    with one_thread():
        for seed in (6, 7):
            labels = answers(frame, seed) if seed == 6 else 1 - answers(frame, seed)
            pipeline.fit(frame, labels)
            np.testing.assert_allclose(
                positive_probability(pipeline, frame), pipeline.predict_proba(frame)[:, 1], atol=1e-12
            )


def test_what_differs_from_the_pipeline_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = rows(8, 5000)
    with one_thread():
        pipeline = boosting_pipeline(NUMBERS, KINDS, 5, 0.3, 20).fit(frame, answers(frame, 8))
        monkeypatch.setattr(batch_scoring._Cuts, "place", lambda self, threshold: 0)
        with pytest.raises(batch_scoring.DisagreementError, match="predict_proba"):
            positive_probability(pipeline, frame)


def batch(count: int = 5) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "customer_id": [f"c{number}" for number in range(count)],
            "as_of_date": pa.array([17_000] * count, pa.date32()),
            "count": pa.array([None, *range(1, count)], pa.int64()),
            "amount": pa.array(range(count), pa.decimal128(10, 2)),
            "share": pa.array([0.5] * count),
            "type": pa.array(["A", None, *["B"] * (count - 2)]),
        }
    )


def test_a_batch_becomes_what_a_frame_would() -> None:
    given = batch()
    pd.testing.assert_frame_equal(
        matrix_of(given, NUMBERS, KINDS, "the test"), feature_matrix(given.to_pandas(), NUMBERS, KINDS, "the test")
    )
    (scored,) = score_batches([given], lambda frame: (np.arange(5) / 10, "model"), NUMBERS, KINDS)
    assert scored.column("score").to_pylist() == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert scored.column("fallback_tier").to_pylist() == ["model"] * 5
    (mixed,) = score_batches([given], lambda frame: (np.ones(5), np.array(["cohort"] * 5, dtype=object)), NUMBERS)
    assert mixed.column("fallback_tier").to_pylist() == ["cohort"] * 5


def test_bad_batches_are_refused() -> None:
    with pytest.raises(MissingColumnsError, match="nothing"):
        matrix_of(batch(), ("nothing",), (), "the test")
    with pytest.raises(WrongTypeError, match="type"):
        matrix_of(batch(), ("type",), (), "the test")
    with pytest.raises(ValueError, match="customer c0 is nan"):
        list(score_batches([batch()], lambda frame: (np.full(5, np.nan), "model"), NUMBERS))
