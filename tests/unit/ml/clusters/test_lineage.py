"""Keys follow members: whatever the clusters are numbered, and whatever became of them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.clusters.lineage import EVENTS, Lineage, key_order, trace
from ml.clusters.matching import match, overlap


def labels(*sizes: tuple[str, int]) -> np.ndarray:
    return np.array([label for label, size in sizes for _ in range(size)], dtype=object)


def told(lineage: Lineage) -> list[tuple[str, str | None, str | None]]:
    return list(lineage.events[["event", "old_key", "new_key"]].itertuples(index=False, name=None))


def test_a_split_keeps_the_key_with_the_larger_part() -> None:
    old = labels(("1", 100), ("2", 60))
    new = labels(("a", 60), ("b", 40), ("c", 60))
    lineage = trace(old, new, ["1", "2"], ["a", "b", "c"])
    assert lineage.keys == {"a": "1", "b": "3", "c": "2"}
    assert told(lineage) == [("split", "1", "1"), ("split", "1", "3"), ("continued", "2", "2")]


def test_a_merger_keeps_the_key_of_the_larger_one() -> None:
    old = labels(("1", 40), ("2", 60), ("3", 50))
    lineage = trace(old, labels(("a", 100), ("b", 50)), ["1", "2", "3"], ["a", "b"])
    assert lineage.keys == {"a": "2", "b": "3"}
    assert told(lineage) == [("merged", "1", "2"), ("merged", "2", "2"), ("continued", "3", "3")]


def test_what_is_made_of_everything_is_born_and_what_scatters_dies() -> None:
    # A third of 1 each goes to a, b and c; a, b, c keep their own; d takes a fifth of 2, 3 and 4.
    old = labels(("1", 30), ("2", 100), ("3", 100), ("4", 100))
    new = labels(*[("a", 10), ("b", 10), ("c", 10), ("a", 80), ("d", 20), ("b", 80), ("d", 20), ("c", 80), ("d", 20)])
    lineage = trace(old, new, ["1", "2", "3", "4"], ["a", "b", "c", "d"], used=["7"])
    assert lineage.keys == {"a": "2", "b": "3", "c": "4", "d": "8"}
    assert ("died", "1", None) in told(lineage)
    assert ("born", None, "8") in told(lineage)


def test_a_number_that_was_used_never_comes_back() -> None:
    lineage = trace(labels(("2", 10)), labels(("a", 5), ("b", 5)), ["2"], ["a", "b"], used=["1", "2", "9"])
    assert sorted(lineage.keys.values()) == ["10", "2"]


def test_within_a_parent_numbers_are_its_own() -> None:
    old, new = labels(("3.1", 10), ("3.2", 10)), labels(("x", 10), ("y", 5), ("z", 5))
    lineage = trace(old, new, ["3.1", "3.2"], ["x", "y", "z"], used=["3.4", "12.9"], parent="3")
    assert lineage.keys == {"x": "3.1", "y": "3.2", "z": "3.5"}


def test_first_keys_go_by_rank() -> None:
    none = np.array([None] * 30, dtype=object)
    new = labels(("a", 15), ("b", 10), ("c", 5))
    first = trace(none, new, [], ["a", "b", "c"], rank={"a": 1.0, "b": 2.0, "c": 3.0})
    assert first.keys == {"c": "1", "b": "2", "a": "3"}
    assert {event for event, _, _ in told(first)} == {"born"}


def test_distance_decides_between_equal_shares() -> None:
    old, new = labels(("1", 20), ("2", 20)), labels(("a", 10), ("b", 10), ("a", 10), ("b", 10))
    near = pd.DataFrame([[0.0, 5.0], [5.0, 0.0]], index=["1", "2"], columns=["a", "b"])
    members = overlap(old, new, ["1", "2"], ["a", "b"])
    assert match(members, near) == {"a": "1", "b": "2"}
    assert match(members, near.iloc[:, ::-1].set_axis(["a", "b"], axis=1)) == {"a": "2", "b": "1"}


def test_a_cluster_that_is_not_listed_is_named() -> None:
    with pytest.raises(ValueError, match=r"the new model has no cluster \['z'\]"):
        trace(labels(("1", 3)), labels(("z", 3)), ["1"], ["a"])
    with pytest.raises(ValueError, match="same customers, not 3 and 2"):
        trace(labels(("1", 3)), labels(("a", 2)), ["1"], ["a"])


divisions = st.integers(1, 6).flatmap(
    lambda count: st.tuples(st.just(count), st.lists(st.integers(0, count - 1), min_size=40, max_size=40))
)


def _named(division: tuple[int, list[int]], first: int = 1) -> tuple[list[str], np.ndarray]:
    count, members = division
    keys = [str(first + number) for number in range(count)]
    return keys, np.array([keys[member] for member in members], dtype=object)


@settings(max_examples=200, deadline=None)
@given(divisions, divisions, st.randoms(use_true_random=False))
def test_how_new_clusters_are_numbered_changes_nothing(before, after, random) -> None:  # type: ignore[no-untyped-def]
    old_keys, old = _named(before)
    new_labels, new = _named(after)
    # Old keys mean something; new labels do not. A cluster without members has nothing to be known by.
    new_labels = sorted(set(new.tolist()))
    shuffled = random.sample(new_labels, len(new_labels))
    renamed = {label: f"x{other}" for label, other in zip(new_labels, shuffled, strict=True)}
    first = trace(old, new, old_keys, new_labels)
    second = trace(
        old,
        np.array([renamed[label] for label in new], dtype=object),
        random.sample(old_keys, len(old_keys)),
        [renamed[label] for label in shuffled],
    )
    assert {renamed[label]: key for label, key in first.keys.items()} == second.keys
    pd.testing.assert_frame_equal(first.events, second.events)


@settings(max_examples=200, deadline=None)
@given(divisions, divisions, st.integers(0, 12))
def test_every_cluster_appears_and_every_key_is_one_cluster(before, after, retired) -> None:  # type: ignore[no-untyped-def]
    old_keys, old = _named(before)
    new_labels, new = _named(after, first=100)
    lineage = trace(old, new, old_keys, new_labels, used=[str(retired)])
    assert set(lineage.keys) == set(new_labels)
    assert len(set(lineage.keys.values())) == len(new_labels)
    events = lineage.events
    assert set(events["old_key"].dropna()) == set(old_keys)
    assert set(events["new_key"].dropna()) == set(lineage.keys.values())
    assert set(events["event"]) <= set(EVENTS)
    assert not events.duplicated(["event", "old_key", "new_key"]).any()
    fresh = set(lineage.keys.values()) - set(old_keys)
    assert all(int(key) > max(retired, *map(int, old_keys)) for key in fresh)
    born = events[events["event"] == "born"]
    assert born["old_key"].isna().all()
    assert set(born["new_key"]) <= fresh


@settings(max_examples=100, deadline=None)
@given(divisions)
def test_the_same_model_continues_in_all_clusters_that_have_members(division) -> None:  # type: ignore[no-untyped-def]
    _, old = _named(division)
    keys = sorted(set(old.tolist()), key=key_order)
    lineage = trace(old, old, keys, keys)
    assert lineage.keys == {key: key for key in keys}
    assert told(lineage) == [("continued", key, key) for key in keys]
