import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from ml import artifacts, clustering
from ml.frames import MissingColumnsError

Groups = Callable[..., tuple[pd.DataFrame, np.ndarray]]


@pytest.fixture(autouse=True)
def few_halvings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "HALVINGS", 3)


@pytest.mark.parametrize("groups", [3, 5])
def test_planted_groups_are_found(groups: int, make_groups: Groups) -> None:
    frame, truth = make_groups(groups=groups, members=80)
    found = clustering.fit(frame, min_members=20)
    assert found.parameters["cluster_count"] == groups
    assert adjusted_rand_score(truth, found.assignments["cluster_key"]) > 0.95


def test_a_group_below_the_floor_is_not_made(make_groups: Groups) -> None:
    frame, truth = make_groups(groups=4, members=150)
    few = np.flatnonzero(truth == 3)[:20]
    frame = frame.iloc[np.r_[np.flatnonzero(truth != 3), few]]
    found = clustering.fit(frame, min_members=40)
    assert found.clusters["member_count"].min() >= 40
    assert found.parameters["cluster_count"] == 3


def test_the_order_of_rows_does_not_matter(make_groups: Groups) -> None:
    frame, _ = make_groups(groups=3, members=60, spread=0.4)
    first = clustering.fit(frame)
    second = clustering.fit(frame.sample(frac=1, random_state=5))
    assert first.model_version == second.model_version
    for name in ("assignments", "profiles", "selection", "clusters"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))


def test_every_number_of_clusters_is_kept_with_every_criterion(make_groups: Groups) -> None:
    found = clustering.fit(make_groups(groups=3, members=60)[0])
    selection = found.selection
    assert sorted(selection["cluster_count"].unique()) == list(range(2, 11))
    assert set(selection["criterion"]) == {
        "agreement_of_halves",
        "smallest_cluster",
        "silhouette",
        "calinski_harabasz",
    }
    assert not selection.duplicated(["cluster_count", "criterion"]).any()
    assert set(selection.loc[selection["is_chosen"], "cluster_count"]) == {3}


def test_profiles_are_means_and_effects(make_groups: Groups) -> None:
    frame, _ = make_groups(groups=3, members=60)
    found = clustering.fit(frame)
    joined = frame.merge(found.assignments, on="customer_id")
    means = joined.groupby("cluster_key")["mean_order_value"].mean()
    profile = found.profiles[found.profiles["feature"] == "mean_order_value"].set_index("cluster_key")
    assert profile["cluster_mean"].to_dict() == pytest.approx(means.to_dict(), abs=1e-5)
    highest, lowest = means.idxmax(), means.idxmin()
    assert profile.loc[highest, "effect_size"] > 1
    assert profile.loc[lowest, "effect_size"] < -1
    assert profile["member_count"].sum() == len(frame)


def test_keys_follow_spend_and_names_are_distinct(make_groups: Groups) -> None:
    frame, _ = make_groups(groups=5, members=60)
    found = clustering.fit(frame, min_members=20)
    spend = frame.merge(found.assignments, on="customer_id").groupby("cluster_key")["spend_90d"].mean()
    assert spend.sort_values(ascending=False).index.tolist() == ["1", "2", "3", "4", "5"]
    assert found.clusters["cluster_name"].is_unique
    assert not found.clusters["cluster_name"].str.contains("luster").any()


def test_another_date_is_assigned_by_the_same_centers(make_groups: Groups) -> None:
    frame, _ = make_groups(groups=3, members=60)
    found = clustering.fit(frame)
    later = frame.assign(as_of_date=datetime.date(2018, 2, 1)).sample(frac=1, random_state=1)
    assigned = clustering.assign(found, later)
    columns = ["customer_id", "cluster_key", "cluster_name", "model_version"]
    pd.testing.assert_frame_equal(assigned[columns], found.assignments[columns])
    assert set(assigned["as_of_date"]) == {datetime.date(2018, 2, 1)}


@pytest.mark.parametrize("customers", [1, 2, 9])
def test_too_few_customers_are_one_group(customers: int, make_groups: Groups) -> None:
    frame = make_groups(groups=1, members=customers)[0]
    frame[list(clustering.FEATURES)] = 1.0
    found = clustering.fit(frame)
    assert found.clusters["cluster_name"].tolist() == ["All customers"]
    assert found.clusters["member_count"].tolist() == [customers]
    assert found.plots() == {}
    assert (found.profiles["effect_size"] == 0).all()


def test_a_feature_that_never_differs_does_no_harm(make_groups: Groups) -> None:
    frame, truth = make_groups(groups=3, members=60)
    frame["coupon_order_share"] = 0.0
    frame["private_brand_spend_share"] = np.nan
    found = clustering.fit(frame)
    assert adjusted_rand_score(truth, found.assignments["cluster_key"]) > 0.95
    assert found.profiles["effect_size"].notna().all()


def test_a_missing_feature_is_named(make_groups: Groups) -> None:
    with pytest.raises(MissingColumnsError, match="repeat_line_share"):
        clustering.fit(make_groups()[0].drop(columns="repeat_line_share"))


def test_two_dates_at_once_are_refused(make_groups: Groups) -> None:
    frame, _ = make_groups(groups=2, members=30)
    frame.loc[0, "as_of_date"] = datetime.date(2017, 1, 1)
    with pytest.raises(ValueError, match="one as-of date, not at 2"):
        clustering.fit(frame)


def test_a_group_cut_at_random_does_not_agree(make_groups: Groups) -> None:
    """One cluster too many must show, however clear the other clusters are."""
    rows = np.log(make_groups(groups=4, members=80)[0][list(clustering.FEATURES)].to_numpy())
    assert clustering.agreement_of_halves(rows, 4, halvings=4) == pytest.approx(1.0)
    assert clustering.agreement_of_halves(rows, 5, halvings=4) < clustering.MIN_AGREEMENT


def test_an_effect_without_any_spread_is_large_and_finite(make_groups: Groups) -> None:
    frame, truth = make_groups(groups=2, members=60)
    frame["category_count"] = truth.astype(float)
    profiles = clustering.fit(frame).profiles
    effects = profiles.loc[profiles["feature"] == "category_count", "effect_size"]
    assert sorted(effects) == [-clustering.MAX_EFFECT, clustering.MAX_EFFECT]


def test_a_stored_clustering_divides_the_same(make_groups: Groups, tmp_path: Path) -> None:
    frame, _ = make_groups(groups=3, members=60)
    found = clustering.fit(frame)
    stored = artifacts.load(tmp_path, clustering.FEATURES, artifacts.save_clustering(tmp_path, found))
    labels = stored.estimator.predict(frame[list(clustering.FEATURES)])
    keys = [stored.manifest["cluster_keys"][label] for label in labels]
    assert keys == found.assignments["cluster_key"].tolist()
    assert stored.manifest["names"] == found.names
