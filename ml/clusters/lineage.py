"""What became of the clusters at a refit: continued, split, merged, born, died; and which keys they go by.

Told from members: both models have divided the same customers. With i an old and j a new cluster::

    continued   j was matched with i (`ml.clusters.matching`): at least half of one is in the other. j keeps i's key.
    split       j is mostly (half or more) made of i, which goes on in another cluster too; a part below a tenth of i
                is not called one.
    merged      at least half of i is now in j, and so is at least half of another old cluster.
    born        j has no old cluster behind it in one of these ways.
    died        i goes on in no new cluster in one of these ways.

A key is a number, within a parent ``parent.number``. New clusters get the next free one; none is ever used again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ml.clusters.matching import MIN_PART, MIN_SHARE, Labels, Overlap, match, overlap

EVENTS = ("continued", "split", "merged", "born", "died")
COLUMNS = ("event", "old_key", "new_key", "shared_members", "old_members", "new_members", "share_of_old",
           "share_of_new", "center_distance")  # fmt: skip


@dataclass(frozen=True)
class Lineage:
    """Keys of the new clusters and how they came about.

    Attributes
    ----------
    keys : dict
        New label to key.
    events : DataFrame with `COLUMNS`
        At least one row for each old and each new cluster. old_key is null for born, new_key for died.
    """

    keys: dict[str, str]
    events: pd.DataFrame


def trace(
    old: Labels,
    new: Labels,
    old_keys: Sequence[str],
    new_labels: Sequence[str],
    *,
    used: Iterable[str] = (),
    parent: str | None = None,
    rank: Mapping[str, float] | None = None,
    distances: pd.DataFrame | None = None,
) -> Lineage:
    """Carry keys over from an old model to a new one.

    Parameters
    ----------
    old, new : arrays of shape (n_customers,)
        Old key and new label of each customer, in the order of customer ids; None for one that a model leaves out.
    old_keys, new_labels : all clusters of either model
    used : keys that were ever given, also those of clusters that are gone
    parent : the key within which the clusters are numbered; None for the broad level
    rank : new label to number; the highest gets the first free key. By default the number of members.
    distances : DataFrame, index old keys, columns new labels; between centers
    """
    members = overlap(old, new, old_keys, new_labels)
    matched = match(members, distances)
    keys = dict(matched)
    waiting = [label for label in members.new if label not in matched]
    place = {label: position for position, label in enumerate(members.new)}
    sizes = dict(zip(members.new, members.new_members.tolist(), strict=True))
    waiting.sort(key=lambda label: (-(rank or sizes)[label], place[label]))
    number = max((_number(key, parent) for key in {*used, *old_keys}), default=0)
    for label in waiting:
        number += 1
        keys[label] = str(number) if parent is None else f"{parent}.{number}"
    return Lineage(keys, _events(members, matched, keys, distances))


def _number(key: str, parent: str | None) -> int:
    """The number of `key` under `parent`; 0 for a key that does not belong there."""
    head, _, tail = key.rpartition(".")
    return int(tail) if head == (parent or "") else 0


def key_order(key: str) -> tuple[int, ...]:
    """What keys are sorted by: 2 before 10, and 2.1 after 2."""
    return tuple(int(part) for part in key.split("."))


def _events(
    members: Overlap, matched: Mapping[str, str], keys: Mapping[str, str], distances: pd.DataFrame | None
) -> pd.DataFrame:
    of_old, of_new = members.of_old, members.of_new
    heir = {old_key: label for label, old_key in matched.items()}
    # Where most of an old cluster is now, and what each new one is mostly made of.
    flows = [
        (row, column)
        for row in range(len(members.old))
        for column in range(len(members.new))
        if members.shared[row, column] > 0
    ]
    taken_in = {pair for pair in flows if of_old[pair] >= MIN_SHARE}
    made_of = {pair for pair in flows if of_new[pair] >= MIN_SHARE and of_old[pair] >= MIN_PART}
    found: list[tuple[str, int | None, int | None]] = []
    for row, column in flows:
        old_key, label = members.old[row], members.new[column]
        is_heir = matched.get(label) == old_key
        merges = sum((other, column) in taken_in for other in range(len(members.old))) > 1
        parts = {other for other in range(len(members.new)) if (row, other) in made_of}
        if old_key in heir:
            parts.add(members.new.index(heir[old_key]))
        if (row, column) in taken_in and merges:
            found.append(("merged", row, column))
        if column in parts and len(parts) > 1:
            found.append(("split", row, column))
        if is_heir and not any(event[1:] == (row, column) for event in found[-2:]):
            found.append(("continued", row, column))
    has_past = {column for _, _, column in found}
    goes_on = {row for _, row, _ in found}
    found += [("born", None, column) for column in range(len(members.new)) if column not in has_past]
    found += [("died", row, None) for row in range(len(members.old)) if row not in goes_on]
    found.sort(
        key=lambda event: (
            key_order("0" if event[1] is None else members.old[event[1]]),
            key_order("0" if event[2] is None else keys[members.new[event[2]]]),
            event[0],
        )
    )
    rows = [_event(event, row, column, members, keys, distances) for event, row, column in found]
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=_dtype(name)) for name in COLUMNS})


def _dtype(column: str) -> str:
    if column in ("event", "old_key", "new_key"):
        return "object"  # null stays None: what a table wants
    return "int64" if column.endswith("_members") else "float64"


def _event(
    event: str,
    row: int | None,
    column: int | None,
    members: Overlap,
    keys: Mapping[str, str],
    distances: pd.DataFrame | None,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "event": event,
        "old_key": None if row is None else members.old[row],
        "new_key": None if column is None else keys[members.new[column]],
        "shared_members": 0,
        "old_members": 0 if row is None else int(members.old_members[row]),
        "new_members": 0 if column is None else int(members.new_members[column]),
        "share_of_old": np.nan,
        "share_of_new": np.nan,
        "center_distance": np.nan,
    }
    if row is None or column is None:
        return found
    found["shared_members"] = int(members.shared[row, column])
    found["share_of_old"] = round(float(members.of_old[row, column]), 6)
    found["share_of_new"] = round(float(members.of_new[row, column]), 6)
    if distances is not None:
        apart = distances.to_numpy()[
            list(distances.index).index(members.old[row]), list(distances.columns).index(members.new[column])
        ]
        found["center_distance"] = round(float(apart), 6)
    return found
