from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from benchmarks.clusters_planted import GOAL, LEAST_CEILING, plant
from ml.clusters import comparison
from ml.clusters.algorithms import Algorithm, clusterer
from ml.clusters.choice import MIN_AGREEMENT, WEIGHTS, Choice, choose, score
from ml.clusters.comparison_plot import comparison_plot
from ml.clusters.preparation import preparation

QUICK: tuple[Algorithm, ...] = ("k_means", "ward", "gaussian_mixture", "hdbscan")


@pytest.fixture(autouse=True, scope="module")
def few_draws() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "REFERENCES", 2)
        patch.setattr(comparison, "RESAMPLES", 3)
        yield


def clouds(rows: int = 450, count: int = 3, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, count, rows)
    return np.eye(4)[truth] * 7 + generator.normal(size=(rows, 4)) + shift


@cache
def of_clouds() -> Choice:
    earlier = [clouds(shift=0.1, seed=1), clouds(shift=0.2, seed=2)]
    return choose(clouds(), earlier, floor=20, algorithms=QUICK, cluster_counts=range(2, 7))


@cache
def of_one_cloud() -> Choice:
    rows = np.random.default_rng(5).normal(size=(450, 4))
    return choose(rows, floor=20, algorithms=("k_means", "hdbscan"), cluster_counts=range(2, 7))


def test_clear_clouds_are_natural_and_counted() -> None:
    choice = of_clouds()
    assert choice.n_clusters == 3
    assert choice.is_natural


def test_one_cloud_is_sliced_and_said_to_be() -> None:
    choice = of_one_cloud()
    assert not choice.is_natural
    assert not choice.scores["is_natural"].any()


@pytest.mark.parametrize("seed", [3, 25])
def test_planted_clouds_are_found_without_knowing_their_number(seed: int) -> None:
    planted = plant(seed)
    assert planted.ceiling >= LEAST_CEILING
    rows, truth = preparation("z_score").fit_transform(planted.rows[:900]), planted.truth[:900]
    choice = choose(rows, floor=20, algorithms=("k_means", "gaussian_mixture"), cluster_counts=range(2, 7))
    labels = clusterer(choice.algorithm, choice.n_clusters).fit_predict(rows)
    assert adjusted_rand_score(truth, labels) >= GOAL * planted.ceiling


def test_the_whole_comparison_is_told() -> None:
    long = of_clouds().comparison
    assert list(long.columns) == ["algorithm", "cluster_count", "criterion", "value", "is_chosen"]
    assert long.notna().all().all()
    assert not long.duplicated(["algorithm", "cluster_count", "criterion"]).any()
    for algorithm in ("k_means", "ward", "gaussian_mixture"):
        assert set(long.loc[long["algorithm"] == algorithm, "cluster_count"]) == {2, 3, 4, 5, 6}
    assert set(long.loc[long["algorithm"] == "hdbscan", "cluster_count"]) == {3}
    criteria = {"silhouette", "reference_mean", "reference_highest", "davies_bouldin", "within_squares"}
    criteria |= {"information_gain", "agreement_over_dates", "kept_over_dates", "agreement_under_resampling"}
    criteria |= {"smallest_cluster", "score", "is_within_limits", "is_natural", "scaled_elbow"}
    told = set(long.loc[(long["algorithm"] == "k_means") & (long["cluster_count"] == 4), "criterion"])
    assert criteria <= told
    chosen = long.loc[long["is_chosen"], ["algorithm", "cluster_count"]].drop_duplicates()
    assert chosen.to_numpy().tolist() == [[of_clouds().algorithm, of_clouds().n_clusters]]


def test_the_same_rows_give_the_same_choice() -> None:
    again = choose(clouds(), floor=20, algorithms=("k_means", "ward"), cluster_counts=(2, 3))
    once_more = choose(clouds(), floor=20, algorithms=("k_means", "ward"), cluster_counts=(2, 3))
    pd.testing.assert_frame_equal(again.comparison, once_more.comparison)


def test_other_processes_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"floor": 20, "algorithms": ("gaussian_mixture", "k_means"), "cluster_counts": (2, 3)}
    here = choose(clouds(), [clouds(seed=1)], **asked)
    monkeypatch.setattr(comparison, "ROWS_WORTH_PROCESSES", 1)
    pd.testing.assert_frame_equal(choose(clouds(), [clouds(seed=1)], **asked).comparison, here.comparison)


def test_without_earlier_dates_their_criterion_is_missing_and_weighs_nothing() -> None:
    scores = of_one_cloud().scores
    assert scores["agreement_over_dates"].isna().all()
    row = scores[scores["algorithm"] == "k_means"].iloc[0]
    shares = {name: weight for name, weight in WEIGHTS.items() if not np.isnan(row[f"scaled_{name}"])}
    mean = sum(weight * row[f"scaled_{name}"] for name, weight in shares.items()) / sum(shares.values())
    assert row["score"] == pytest.approx(mean)


def candidates() -> pd.DataFrame:
    """Three that are equal but for what a test changes."""
    return pd.DataFrame(
        {
            "algorithm": ["k_means", "k_means", "ward"],
            "cluster_count": [3, 4, 3],
            "smallest_cluster": [80.0, 80.0, 80.0],
            "silhouette": [0.3, 0.3, 0.3],
            "reference_mean": [0.2, 0.2, 0.2],
            "reference_highest": [0.21, 0.21, 0.21],
            "davies_bouldin": [1.0, 1.0, 1.0],
            "within_squares": [100.0, 80.0, 110.0],
            "information_gain": [0.5, 0.5, 0.5],
            "agreement_over_dates": [0.9, 0.9, 0.9],
            "agreement_under_resampling": [0.9, 0.9, 0.9],
        }
    )


@pytest.mark.parametrize(
    ("criterion", "better"),
    [
        ("silhouette", 0.4),
        ("davies_bouldin", 0.5),
        ("information_gain", 0.6),
        ("agreement_over_dates", 1.0),
        ("agreement_under_resampling", 1.0),
        ("reference_mean", 0.1),
    ],
)
def test_each_criterion_speaks_for_what_is_better(criterion: str, better: float) -> None:
    frame = candidates()
    frame.loc[2, criterion] = better
    scores = score(frame, floor=50)["score"]
    assert scores[2] > scores[0] == pytest.approx(scores[1])


@pytest.mark.parametrize(
    ("criterion", "worse", "limit"),
    [
        ("smallest_cluster", 49.0, "floor"),
        ("agreement_over_dates", MIN_AGREEMENT - 0.01, "agreement"),
        ("agreement_under_resampling", MIN_AGREEMENT - 0.01, "agreement"),
        ("silhouette", 0.19, "structureless"),
    ],
)
def test_limits_hold_whatever_the_score(criterion: str, worse: float, limit: str) -> None:
    frame = candidates()
    frame.loc[0, "information_gain"] = 9.0
    frame.loc[0, criterion] = worse
    scores = score(frame, floor=50)
    assert scores["failed_limit"][0] == limit
    assert scores["failed_limit"][1:].isna().all()


def test_natural_needs_more_than_the_references_differ() -> None:
    frame = candidates()
    assert score(frame, floor=50)["is_natural"].all()
    frame["reference_mean"] = 0.1
    assert not score(frame, floor=50)["is_natural"].any()
    assert not score(candidates().assign(silhouette=0.25), floor=50)["is_natural"].any()


def test_a_core_and_its_tails_are_not_natural_groups() -> None:
    """Heavy tails: a mixture divides them with a good silhouette, k-means cannot."""
    frame = candidates()
    frame.loc[2, "silhouette"] = 0.5
    frame.loc[0, "silhouette"] = 0.22
    assert score(frame, floor=50)["is_natural"].tolist() == [False, True, False]


def test_what_stands_is_kept_until_another_is_clearly_better(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = candidates()
    frame.loc[2, ["agreement_over_dates", "agreement_under_resampling"]] = 1.0
    monkeypatch.setattr("ml.clusters.choice.compare", lambda *_: [])
    monkeypatch.setattr("ml.clusters.choice.as_rows", lambda _: frame)

    def chosen(**settings: object) -> tuple[str, int]:
        choice = choose(clouds(), floor=50, **settings)  # type: ignore[arg-type]
        return choice.algorithm, choice.n_clusters

    assert chosen() == ("ward", 3)
    assert chosen(current=("k_means", 4)) == ("k_means", 4)
    assert chosen(current=("k_means", 4), keep_margin=0.001) == ("ward", 3)
    # what stands, but no longer within the limits, goes
    frame.loc[1, "smallest_cluster"] = 10.0
    assert chosen(current=("k_means", 4)) == ("ward", 3)
    # nothing within the limits: the one that agrees most above the floor
    frame["silhouette"] = 0.1
    assert chosen() == ("ward", 3)
    frame["smallest_cluster"] = 10.0
    assert chosen() == ("k_means", 1)


def test_a_floor_that_nothing_reaches_leaves_one_group() -> None:
    choice = choose(clouds(120), floor=70, algorithms=("k_means",), cluster_counts=(2, 3))
    assert (choice.n_clusters, choice.is_natural) == (1, False)
    assert not choice.comparison["is_chosen"].any()


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_hardly_any_rows_are_one_group(rows: int) -> None:
    choice = choose(clouds(rows), floor=1, algorithms=("k_means",))
    assert choice.n_clusters == 1
    assert choice.comparison.empty


def test_large_inputs_are_compared_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "COMPARED_ROWS", 300)
    choice = choose(clouds(3_000), floor=600, algorithms=("k_means",), cluster_counts=(2, 3, 4))
    assert choice.n_clusters == 3
    smallest = choice.scores.set_index("cluster_count")["smallest_cluster"]
    assert 800 < smallest[3] <= 1_000


def test_gaps_and_other_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="no gaps"):
        choose([[np.nan, 1.0]], floor=1)
    with pytest.raises(ValueError, match="3 columns, the current one 4"):
        choose(clouds(), [clouds()[:, :3]], floor=1)


def test_a_picture_of_every_comparison() -> None:
    """With earlier dates and without, with an algorithm that found one cluster; the same rows give the same bytes."""
    picture = comparison_plot(of_clouds().comparison, floor=20)
    assert picture.startswith(b"\x89PNG")
    alone = comparison_plot(of_one_cloud().comparison, floor=20)
    assert alone == comparison_plot(of_one_cloud().comparison, floor=20)
