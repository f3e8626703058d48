"""Clusters stay themselves: kept without drift, carried over a refit, never fitted on the future."""

import dataclasses
import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from ml.artifacts import ArtifactError
from ml.clusters.model import assign, fit
from ml.clusters.segment_model import FEATURES
from ml.clusters.settings import ClusterSettings
from ml.clusters.storing import load_model, save_model
from ml.frames import MissingColumnsError

Groups = Callable[..., tuple[pd.DataFrame, np.ndarray]]
LATER = datetime.date(2018, 1, 8)


def moved(frame: pd.DataFrame, share: float, seed: int = 1) -> pd.DataFrame:
    """The same customers a week later, each a little different, `share` of them very much so."""
    generator = np.random.default_rng(seed)
    later = frame.assign(as_of_date=LATER)
    columns = [name for name in frame if name not in ("customer_id", "as_of_date")]
    later[columns] *= np.exp(generator.normal(0, 0.02, (len(frame), len(columns))))
    far = generator.random(len(frame)) < share
    later.loc[far, list(FEATURES[:3])] *= 3.0
    return later


def test_planted_groups_are_found_and_named(make_groups: Groups, quick: ClusterSettings) -> None:
    frame, truth = make_groups(groups=4, members=60)
    found = fit(frame, settings=quick)
    assert (found.action, found.previous_version) == ("chosen", None)
    assert adjusted_rand_score(truth, found.divided["broad_key"]) > 0.95
    assert found.model.broad_keys == ("1", "2", "3", "4")
    assert len(set(found.names.values())) == len(found.model.all_keys)
    spend = found.rows["spend_90d"].groupby(found.divided["broad_key"].to_numpy()).mean()
    assert spend.sort_values(ascending=False).index.tolist() == ["1", "2", "3", "4"]
    assert set(found.lineage["event"]) == {"born"}


def test_without_drift_the_model_only_assigns(make_groups: Groups, quick: ClusterSettings) -> None:
    frame, _ = make_groups(groups=3, members=60)
    first = fit(frame, settings=quick)
    later = fit(moved(frame, 0.0), first.model, reference=frame, settings=quick)
    assert later.action == "assigned"
    assert later.model is first.model
    assert later.lineage.empty
    assert not later.drift["is_alarm"].any()
    again = fit(frame.sample(frac=1, random_state=3), first.model, reference=frame, settings=quick)
    pd.testing.assert_frame_equal(again.assignments, first.assignments)


def test_a_rerun_without_a_past_gives_the_same_model_whatever_the_order(
    make_groups: Groups, quick: ClusterSettings, tmp_path: Path
) -> None:
    frame, _ = make_groups(groups=3, members=60, spread=0.3)
    first, second = (fit(one, settings=quick) for one in (frame, frame.sample(frac=1, random_state=5)))
    pd.testing.assert_frame_equal(first.assignments, second.assignments)
    assert first.names == second.names
    assert save_model(tmp_path / "a", first.model) == save_model(tmp_path / "b", second.model)


def test_over_the_threshold_it_is_fitted_again_and_keys_stay(make_groups: Groups, quick: ClusterSettings) -> None:
    frame, _ = make_groups(groups=4, members=60, spread=0.3)
    first = fit(frame, settings=quick)
    settings = dataclasses.replace(quick, choose_drift=100.0)
    later = fit(moved(frame, 0.3), first.model, reference=frame, settings=settings)
    assert later.action == "refitted"
    assert later.model.model_version != first.model.model_version
    assert set(later.lineage["event"]) == {"continued"}
    assert later.model.broad_keys == first.model.broad_keys
    assert later.names == first.names
    same = first.model.divide(later.rows)["broad_key"] == later.divided["broad_key"]
    assert same.mean() >= 0.9
    assert later.model.chosen_on == first.model.chosen_on
    assert later.model.fitted_on == LATER


def test_far_over_it_everything_is_chosen_anew_and_numbers_go_on(make_groups: Groups, quick: ClusterSettings) -> None:
    frame, _ = make_groups(groups=2, members=100)
    first = fit(frame, settings=quick)
    other, _ = make_groups(groups=4, members=50)
    other[list(FEATURES)] *= 4.0
    later = fit(other.assign(as_of_date=LATER), first.model, reference=frame, settings=quick, used_keys=["1", "2", "8"])
    assert later.action == "chosen"
    assert "times the least effect" in later.reason
    fresh = set(later.model.broad_keys) - {"1", "2"}
    assert fresh
    assert all(int(key) > 8 for key in fresh)
    assert set(later.lineage["old_key"].dropna()) == {"1", "2"}


def test_without_the_old_features_it_is_fitted_again(make_groups: Groups, quick: ClusterSettings) -> None:
    frame, _ = make_groups(groups=3, members=60)
    first = fit(frame, settings=quick)
    later = fit(moved(frame, 0.0), first.model, settings=quick)
    assert (later.action, later.reason[:12]) == ("refitted", "the features")
    changed = dataclasses.replace(quick, max_clusters=5)
    assert fit(moved(frame, 0.0), first.model, reference=frame, settings=changed).action == "chosen"


def test_a_group_that_shrank_below_the_floor_is_folded_and_told(make_groups: Groups, quick: ClusterSettings) -> None:
    frame, _ = make_groups(groups=4, members=60)
    first = fit(frame, settings=quick)
    gone = first.divided["broad_key"].to_numpy()[50]
    inside = np.flatnonzero(first.divided["broad_key"] == gone)
    fewer = first.rows.drop(index=inside[12:]).assign(as_of_date=LATER)
    settings = dataclasses.replace(quick, choose_drift=100.0)
    later = fit(fewer, first.model, reference=fewer.assign(as_of_date=datetime.date(2018, 1, 1)), settings=settings)
    assert later.action == "refitted"
    assert "the floor is" in later.reason
    assert gone not in later.model.broad_keys
    (fold,) = later.model.facts["folds"]
    assert (fold["member_count"], fold["floor"]) == (12, 19)
    assert fold["folded_into"] in later.model.broad_keys
    assert later.divided["broad_key"].value_counts().min() >= 19
    assert gone in set(later.lineage["old_key"])


def test_a_model_of_the_future_is_refused_but_may_give_its_keys(make_groups: Groups, quick: ClusterSettings) -> None:
    frame, _ = make_groups(groups=3, members=60, spread=0.2)
    later = fit(frame, settings=quick)
    renumbered = dataclasses.replace(
        later.model,
        broad=dataclasses.replace(later.model.broad, keys=tuple(f"{10 + int(key)}" for key in later.model.broad.keys)),
        names={f"{10 + int(key)}": parts for key, parts in later.model.names.items()},
        used_keys=("11", "12", "13"),
    )
    earlier = frame.assign(as_of_date=datetime.date(2017, 6, 5))
    with pytest.raises(ValueError, match="has seen the future"):
        fit(earlier, later.model, settings=quick)
    found = fit(earlier, settings=quick, namesake=renumbered)
    assert found.action == "chosen"
    assert found.model.broad_keys == ("11", "12", "13")
    assert found.model.fitted_on == datetime.date(2017, 6, 5)


def test_micro_segments_lie_within_their_parent(make_groups: Groups, quick: ClusterSettings) -> None:
    wide, _ = make_groups(groups=2, members=200)
    half = np.arange(len(wide)) % 2 == 0
    for name in FEATURES[:2]:
        wide.loc[half, name] *= 1.4
    settings = dataclasses.replace(quick, max_clusters=2, max_micro_clusters=3)
    found = fit(wide, settings=settings)
    micro = found.divided.dropna(subset="micro_key")
    assert found.model.micro
    assert (micro["micro_key"].str.rpartition(".")[0] == micro["broad_key"]).all()
    assert adjusted_rand_score(half[micro.index], micro["micro_key"].str[-1]) > 0.5
    names = [found.names[key] for key in found.model.all_keys if "." in key]
    assert all(": " in name for name in names)
    assert set(found.assignments["level"]) == {"broad", "micro"}
    assert (found.assignments["level"] == "broad").sum() == len(wide)
    later = fit(moved(wide, 0.0), found.model, settings=settings)
    assert later.action == "refitted"
    assert later.model.all_keys == found.model.all_keys
    assert later.names == found.names


@pytest.mark.parametrize("customers", [1, 2, 9])
def test_too_few_customers_are_one_group(customers: int, make_groups: Groups, quick: ClusterSettings) -> None:
    frame = make_groups(groups=1, members=customers)[0]
    frame[list(FEATURES)] = 1.0
    found = fit(frame, settings=quick)
    assert found.names == {"1": "All customers"}
    assert found.divided["broad_key"].tolist() == ["1"] * customers
    later = fit(frame.assign(as_of_date=LATER), found.model, reference=frame, settings=quick)
    assert (later.action, later.names) == ("assigned", found.names)


def test_other_dates_are_divided_by_the_same_model(make_groups: Groups, quick: ClusterSettings) -> None:
    frame, _ = make_groups(groups=3, members=60)
    found = fit(frame, settings=quick)
    two = pd.concat([frame.assign(as_of_date=day) for day in ("2017-12-25", "2017-12-18")]).sample(frac=1)
    assigned = assign(found.model, two)
    assert len(assigned) == 2 * len(frame)
    for _, part in assigned.groupby("as_of_date"):
        assert part["cluster_key"].tolist() == found.assignments["cluster_key"].tolist()
        assert part["customer_id"].tolist() == found.assignments["customer_id"].tolist()


def test_a_stored_model_divides_the_same_and_a_changed_one_is_refused(
    make_groups: Groups, quick: ClusterSettings, tmp_path: Path
) -> None:
    frame, _ = make_groups(groups=3, members=60)
    found = fit(frame, settings=dataclasses.replace(quick, max_micro_clusters=2))
    checksum = save_model(tmp_path, found.model)
    stored = load_model(tmp_path, checksum)
    pd.testing.assert_frame_equal(stored.divide(found.rows), found.divided)
    assert stored.names == found.model.names
    pd.testing.assert_frame_equal(stored.selection, found.model.selection, check_dtype=False)
    assert save_model(tmp_path / "again", stored) == checksum
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace("shopping_clusters-2", "shopping_clusters-3"))
    with pytest.raises(ArtifactError, match="was changed"):
        load_model(tmp_path, checksum)


def test_bad_frames_are_named(make_groups: Groups, quick: ClusterSettings) -> None:
    frame, _ = make_groups(groups=2, members=30)
    with pytest.raises(MissingColumnsError, match="repeat_line_share"):
        fit(frame.drop(columns="repeat_line_share"), settings=quick)
    frame.loc[0, "as_of_date"] = datetime.date(2017, 1, 1)
    with pytest.raises(ValueError, match="one as-of date, not at 2"):
        fit(frame, settings=quick)
