"""A move is a matter of customers or of definition, and a matrix loses nobody."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.clusters.folding import fold_small
from ml.clusters.migration import Divided, kept_share, migration, migrations

OLD, NEW = datetime.date(2017, 12, 25), datetime.date(2018, 1, 1)


def divided(keys: dict[str, tuple[str, str | None]], day: datetime.date = NEW, version: str = "m1") -> Divided:
    frame = pd.DataFrame(
        [(customer, broad, micro) for customer, (broad, micro) in keys.items()],
        columns=["customer_id", "broad_key", "micro_key"],
    )
    return Divided(day, version, frame.astype(object).where(frame.notna(), None))


BEFORE = {"a": ("1", "1.1"), "b": ("1", "1.2"), "c": ("2", None), "d": ("10", None)}
AFTER = {"a": ("1", "1.1"), "b": ("2", None), "c": ("2", None), "e": ("10", None)}


def test_customers_move_between_dates() -> None:
    found = migration(divided(BEFORE, OLD), divided(AFTER))
    assert set(found["kind"]) == {"population"}
    moves = found[found["level"] == "broad"][["from_key", "to_key", "customer_count", "share_of_from"]]
    assert moves.to_numpy().tolist() == [
        [None, "10", 1, 1.0],
        ["1", "1", 1, 0.5],
        ["1", "2", 1, 0.5],
        ["2", "2", 1, 1.0],
        ["10", None, 1, 1.0],
    ]
    assert kept_share(found) == pytest.approx(2 / 3)
    micro = found[found["level"] == "micro"][["from_key", "to_key"]].to_numpy().tolist()
    assert micro == [["1.1", "1.1"], ["1.2", None]]


def test_definitions_differ_at_one_date() -> None:
    found = migration(divided(BEFORE), divided(AFTER, version="m2"))
    assert set(found["kind"]) == {"definition"}
    with pytest.raises(ValueError, match="hold one of them still"):
        migration(divided(BEFORE, OLD), divided(AFTER, version="m2"))


def test_a_run_has_each_step_the_span_and_the_refit() -> None:
    dates = [divided(BEFORE, OLD - datetime.timedelta(days=7)), divided(BEFORE, OLD), divided(AFTER)]
    found = migrations(dates, divided(AFTER, version="m0"))
    matrices = found[["kind", "from_as_of_date", "from_model_version"]].drop_duplicates()
    assert matrices["kind"].tolist() == ["population"] * 2 + ["definition"]
    spans = found[["from_as_of_date", "to_as_of_date"]].drop_duplicates()
    assert len(spans) == 4
    assert len(migrations(dates[-1:])) == 0
    assert set(migrations(dates, dates[-1])["kind"]) == {"population"}


keys = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([("1", "1.1"), ("1", None), ("2", "2.1")]))


@settings(max_examples=100, deadline=None)
@given(keys, keys)
def test_nobody_is_lost(before: dict[str, tuple[str, str | None]], after: dict[str, tuple[str, str | None]]) -> None:
    found = migration(divided(before, OLD), divided(after))
    broad = found[found["level"] == "broad"]
    assert broad["customer_count"].sum() == len(set(before) | set(after))
    assert broad.loc[broad["from_key"].notna(), "customer_count"].sum() == len(before)
    assert broad.loc[broad["to_key"].notna(), "customer_count"].sum() == len(after)
    assert not found.duplicated(["level", "from_key", "to_key"]).any()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(1, 30))
def test_folding_leaves_no_group_below_the_floor_but_one_of_all(labels: list[int], floor: int) -> None:
    array = np.array(labels)
    rows = array[:, None].astype(float) ** 2
    groups, folds = fold_small(rows, array, 6, floor)
    sizes = pd.Series(np.array(groups)[array]).value_counts()
    assert sizes.sum() == len(labels)
    assert sizes.min() >= floor or len(sizes) == 1
    assert all(fold.members < floor for fold in folds)
    assert len({fold.group for fold in folds}) == len(folds)


def test_a_small_group_goes_to_the_nearest() -> None:
    rows = np.array([[0.0]] * 20 + [[1.0]] * 3 + [[9.0]] * 20)
    groups, (fold,) = fold_small(rows, np.repeat([0, 1, 2], [20, 3, 20]), 3, 10)
    assert groups == (0, 0, 2)
    assert (fold.group, fold.into, fold.members, fold.distance) == (1, 0, 3, 1.0)
