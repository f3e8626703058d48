from pathlib import Path

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, ward
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from benchmarks.clusters_planted import plant
from ml import artifacts
from ml.clusters import algorithms, base
from ml.clusters.algorithms import ALGORITHMS, WITH_COUNT, Algorithm, clusterer
from ml.clusters.criteria import within_squares
from ml.clusters.k_means import anchored_k_means
from ml.clusters.micro import micro_centroids_of
from ml.clusters.mixture import NormalMixture, exchanges
from ml.clusters.ward import cut, ward_merges

NO_LABELS = {
    "check_clustering": "labels_ are the training rows; they have no place in a stored model",
    "check_clusterer_compute_labels_predict": "the same",
}


def clouds(rows: int = 1_500, count: int = 4, spread: float = 0.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Round clouds of unequal size around the corners of a tetrahedron, and who is where."""
    generator = np.random.default_rng(seed)
    centers = np.eye(5)[:count] * 6
    truth = generator.choice(count, rows, p=np.arange(1, count + 1) / np.arange(1, count + 1).sum())
    return centers[truth] + generator.normal(0, spread, (rows, 5)), truth


def of(algorithm: Algorithm, count: int = 4, **settings: object) -> base.Clusterer:
    return clusterer(algorithm, count, **settings)  # type: ignore[arg-type]


@parametrize_with_checks(
    [clusterer(name, 3 if name in WITH_COUNT else None) for name in ALGORITHMS],
    expected_failed_checks=lambda estimator: NO_LABELS,
)
def test_scikit_learns_own_checks(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("rows", [200, 1_500])
def test_clear_clouds_are_found(algorithm: Algorithm, rows: int) -> None:
    matrix, truth = clouds(rows)
    model = of(algorithm).fit(matrix)
    assert model.n_clusters_ == 4
    labels = model.predict(matrix)
    assert adjusted_rand_score(truth, labels) > 0.99
    assert sorted(np.unique(labels)) == [0, 1, 2, 3]
    own = np.stack([matrix[labels == cluster].mean(axis=0) for cluster in range(4)])
    assert model.centers_ == pytest.approx(own, abs=0.25)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_largest_cluster_is_the_first_and_a_fit_repeats_itself(algorithm: Algorithm) -> None:
    matrix, _ = clouds()
    labels = of(algorithm).fit_predict(matrix)
    assert (np.diff(np.bincount(labels)) <= 0).all()
    np.testing.assert_array_equal(labels, of(algorithm).fit_predict(matrix))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_outlier_has_a_cluster_and_is_told(algorithm: Algorithm) -> None:
    matrix, truth = clouds()
    wild = np.vstack([matrix, np.eye(5)[[1]] * 14])
    model = of(algorithm).fit(wild)
    labels = model.predict(wild)
    assert labels[-1] == labels[np.flatnonzero(truth == 1)[0]]
    told = model.is_outlier(wild)
    assert told[-1]
    assert told[:-1].mean() < 0.05
    np.testing.assert_array_equal(told, model.outlier_scores(wild) > 1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_clusters_keep_the_numbers_of_their_start(algorithm: Algorithm) -> None:
    matrix, truth = clouds()
    start = np.eye(5)[:4][[2, 0, 3, 1]] * 5.5
    labels = of(algorithm, start=start).fit_predict(matrix)
    for number, cloud in enumerate([2, 0, 3, 1]):
        assert (labels[truth == cloud] == number).mean() > 0.99


@pytest.mark.parametrize("algorithm", WITH_COUNT)
def test_an_anchor_holds_the_centers(algorithm: Algorithm) -> None:
    matrix, _ = clouds()
    start = np.eye(5)[:4] * 6 + 1.0
    ways = [
        np.linalg.norm(of(algorithm, start=start, anchor=anchor).fit(matrix).centers_ - start, axis=1).mean()
        for anchor in (0.0, 1.0, 1e6)
    ]
    # at weight 1 the old center and the members pull alike
    assert ways == pytest.approx([np.sqrt(5), np.sqrt(5) / 2, 0.0], abs=0.1)


def test_anchored_rounds_never_raise_what_they_minimize() -> None:
    """Rows to centers plus pseudo-members to old centers, against any other centers near the found ones."""
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(400, 3))
    start = generator.normal(size=(4, 3))
    first = ((matrix[:, None] - start) ** 2).sum(axis=2).argmin(axis=1)
    pseudo = 0.5 * np.bincount(first, minlength=4)

    def cost(centers: np.ndarray) -> float:
        to_rows = ((matrix[:, None] - centers) ** 2).sum(axis=2).min(axis=1).sum()
        return float(to_rows + (pseudo * ((centers - start) ** 2).sum(axis=1)).sum())

    _, found = anchored_k_means(matrix, start, 0.5)
    assert cost(found) < cost(start)
    for _ in range(50):
        assert cost(found) <= cost(found + generator.normal(0, 0.05, found.shape)) + 1e-9


def test_weights_are_rows() -> None:
    generator = np.random.default_rng(3)
    points, weights = generator.normal(size=(50, 2)), generator.integers(1, 6, 50)
    start = points[:3]
    _, weighted = anchored_k_means(points, start, 0.3, weights.astype(float))
    _, repeated = anchored_k_means(np.repeat(points, weights, axis=0), start, 0.3)
    assert weighted == pytest.approx(repeated)


@pytest.mark.parametrize("seed", range(4))
def test_ward_of_single_rows_is_scipys(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(120, 3))
    merges, heights = ward_merges(points, np.ones(120))
    theirs = ward(points)
    assert heights == pytest.approx(theirs[:, 2])
    for count in (1, 2, 5, 30, 120):
        assert adjusted_rand_score(cut(merges, 120, count), fcluster(theirs, count, "maxclust")) == 1.0


def test_ward_of_weighted_points_is_scipys_of_repeated_rows() -> None:
    generator = np.random.default_rng(5)
    points, weights = generator.normal(size=(40, 2)), generator.integers(1, 7, 40)
    merges, heights = ward_merges(points, weights.astype(float))
    theirs = ward(np.repeat(points, weights, axis=0))
    assert heights == pytest.approx(theirs[-39:, 2])
    for count in (2, 3, 6):
        ours = np.repeat(cut(merges, 40, count), weights)
        assert adjusted_rand_score(ours, fcluster(theirs, count, "maxclust")) == 1.0


def test_ward_copes_with_equal_points() -> None:
    merges, heights = ward_merges(np.zeros((6, 2)), np.ones(6))
    assert len(merges) == 5
    assert (heights == 0).all()
    assert len(np.unique(cut(merges, 6, 3))) == 3


def test_micro_centroids_weigh_all_rows() -> None:
    matrix, _ = clouds(3_000)
    means, weights = micro_centroids_of(matrix, 100, 500, seed=0)
    assert weights.sum() == 3_000
    assert (weights[:, None] * means).sum(axis=0) == pytest.approx(matrix.sum(axis=0))


def test_k_means_on_a_sample_is_nearly_that_of_all_rows() -> None:
    matrix, _ = clouds(6_000, spread=3.0)
    model = clusterer("k_means", 6).set_params(fit_rows=3_000)
    ours = within_squares(matrix, model.fit_predict(matrix))
    assert ours < 1.01 * KMeans(6, n_init=10, random_state=0).fit(matrix).inertia_


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_stored_model_holds_nobody(algorithm: Algorithm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row of the training data in any array of the model, and it divides the same when it comes back."""
    matrix, _ = clouds(400)
    model = of(algorithm).fit(matrix)
    for name, value in vars(model).items():
        if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] == 5:
            assert not (value[:, None] == matrix[None]).all(axis=2).any(), name
        assert np.size(value) < len(matrix) * 5 or name == "mixture_", name
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    monkeypatch.setattr(artifacts, "TRUSTED_TYPES", (*artifacts.TRUSTED_TYPES, kind))
    artifacts.save(tmp_path, model, {"feature_names": list("abcde")})
    loaded = artifacts.load(tmp_path, "abcde").estimator
    np.testing.assert_array_equal(loaded.predict(matrix), model.predict(matrix))
    np.testing.assert_array_equal(loaded.outlier_scores(matrix), model.outlier_scores(matrix))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_rows_of_one_kind_are_no_trouble(algorithm: Algorithm) -> None:
    same = np.ones((30, 3))
    labels = of(algorithm, 2).fit_predict(same)
    assert len(np.unique(labels)) <= 2


def test_what_cannot_be_is_refused() -> None:
    matrix, _ = clouds(100)
    with pytest.raises(ValueError, match="there are k_means"):
        clusterer("k_medoids", 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs a number"):
        clusterer("ward")
    with pytest.raises(ValueError, match="needs a start"):
        clusterer("k_means", 3, anchor=1.0).fit(matrix)
    with pytest.raises(ValueError, match="shape"):
        clusterer("gaussian_mixture", 3, start=matrix[:2]).fit(matrix)
    with pytest.raises(ValueError, match="0 or more"):
        clusterer("k_means", 3, start=matrix[:3], anchor=-1.0).fit(matrix)


def test_parameters_survive_a_clone() -> None:
    model = clone(clusterer("ward", 5, start=np.zeros((5, 2)), anchor=0.2, seed=3))
    assert isinstance(model, algorithms.MicroWard)
    assert (model.n_clusters, model.anchor, model.seed) == (5, 0.2, 3)


def test_a_mixture_leaves_an_optimum_in_which_two_clusters_share_a_cloud() -> None:
    drawn = plant(59)
    rows, truth = drawn.rows[:2_500], drawn.truth[:2_500]
    stuck, freed = (NormalMixture(drawn.cloud_count, n_init=1, successes=successes).fit(rows) for successes in (0, 5))
    assert freed.mixture_.lower_bound_ > stuck.mixture_.lower_bound_ + 0.1
    assert adjusted_rand_score(truth, stuck.predict(rows)) < 0.9 * drawn.ceiling
    assert adjusted_rand_score(truth, freed.predict(rows)) > 0.97 * drawn.ceiling


def test_an_exchange_unites_two_clusters_and_cuts_a_third() -> None:
    matrix, truth = clouds(400)
    # the clouds 0 and 1 as one cluster, the last one cut in two by chance
    wrong = np.where(truth == 1, 0, truth)
    wrong[np.flatnonzero(truth == 3)[::2]] = 1
    best = next(exchanges(matrix, wrong, 4))
    assert adjusted_rand_score(truth, best) > 0.99
    assert adjusted_rand_score(truth, wrong) < 0.9
