"""The identity graph: which records hang together, where a group must be divided, and when it grew together.

Records are numbers from 0 on, in the order in which they first arrived: the smallest number of a group is its anchor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
DECIDED = 2.0


def connected_components(records: int, left: Numbers, right: Numbers) -> Numbers:
    """The component of each record, named by its smallest record.

    Parameters
    ----------
    records
        How many records there are; they are numbered 0 to `records - 1`.
    left, right
        Ends of the edges, both of shape (edges,), in any order and direction.

    Returns
    -------
    Array of shape (records,).

    Notes
    -----
    SciPy's search over integer ids takes seconds for millions of edges where SQL takes minutes.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components as label

    graph = coo_matrix((np.ones(len(left), dtype=np.bool_), (left, right)), shape=(records, records))
    count, labels = label(graph, directed=False)
    smallest = np.full(count, records, dtype=np.int64)
    # Backwards, so that of several writes to one place the smallest record comes last and stays.
    smallest[labels[::-1]] = np.arange(records - 1, -1, -1, dtype=np.int64)
    components: Numbers = smallest[labels]
    return components


def absorptions(
    records: int, left: Numbers, right: Numbers, known_at: NDArray[np.generic]
) -> tuple[Numbers, NDArray[np.generic]]:
    """When each record gave up being an anchor, and to whom: the whole history of a graph that grew edge by edge.

    At first each record is a group of its own. An edge joins two groups at the moment it is known; the group with the
    later anchor takes the id of the one with the earlier anchor. So each record but the last anchor of a component is
    absorbed exactly once, and who follows the chain of a record knows to which customer it belonged at any time.

    Parameters
    ----------
    records
        How many records there are.
    left, right
        Ends of the edges, of shape (edges,).
    known_at
        When each edge was known, of shape (edges,): anything that sorts.

    Returns
    -------
    The absorbing record of each record (itself for the anchor of its component), and the place in `known_at` of the
    edge that joined them (-1 for none); both of shape (records,).
    """
    parent = np.arange(records, dtype=np.int64)
    edge_of = np.full(records, -1, dtype=np.int64)
    if len(left) == 0:
        return parent, edge_of
    component = connected_components(records, left, right)[left]
    order = np.lexsort((right, left, known_at, component))
    # The edges of one component follow one another; those of different components do not meet. So the n-th edges of
    # all components are processed at once.
    starts = np.flatnonzero(np.r_[True, np.diff(component[order]) != 0])
    lengths = np.diff(np.r_[starts, len(order)])
    by_length = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[by_length], lengths[by_length]
    for turn in range(int(lengths[0])):
        active = int(np.searchsorted(-lengths, -turn, side="left"))
        edges = order[starts[:active] + turn]
        one, other = _roots(parent, left[edges]), _roots(parent, right[edges])
        joins = one != other
        winner, loser = np.minimum(one, other)[joins], np.maximum(one, other)[joins]
        parent[loser] = winner
        edge_of[loser] = edges[joins]
    return parent, edge_of


def lives(
    parent: Numbers, edge_of: Numbers, known_at: Numbers, born_at: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """To whom each record belonged from when on.

    Parameters
    ----------
    parent, edge_of
        What `absorptions` gave, both of shape (records,).
    known_at
        When each edge was known, of shape (edges,).
    born_at
        When each record was known, of shape (records,).

    Returns
    -------
    Record, anchor, instant and edge (-1 for the record's own beginning), one entry a change, sorted by record and
    instant. Of changes at one instant only the last is there.
    """
    records = np.arange(len(parent), dtype=np.int64)
    rows = [(records, records, born_at, np.full(len(parent), -1, dtype=np.int64))]
    at = records
    while True:
        goes_on = edge_of[at] >= 0
        records, at = records[goes_on], at[goes_on]
        if len(records) == 0:
            break
        edges = edge_of[at]
        at = parent[at]
        rows.append((records, at, known_at[edges], edges))
    record, anchor, instant, edge = (np.concatenate(column) for column in zip(*rows, strict=True))
    # Steps of one record were appended in their order: a stable sort by record keeps it.
    order = np.argsort(record, kind="stable")
    record, anchor, instant, edge = record[order], anchor[order], instant[order], edge[order]
    is_last = np.r_[(record[1:] != record[:-1]) | (instant[1:] != instant[:-1]), True] if len(record) else record == 0
    return record[is_last], anchor[is_last], instant[is_last], edge[is_last]


def _roots(parent: Numbers, records: Numbers) -> Numbers:
    """The record at the end of each one's chain."""
    at = records
    while True:
        above = parent[at]
        if np.array_equal(above, at):
            return at
        at = above


@dataclass
class Person:
    """What is known of a group of records that may be one person.

    `limited` holds values of which one customer has only so many, by name (loyalty ids, logins); `described` values
    that must fit one another, by name (given names, birth dates).
    """

    size: int = 1
    limited: dict[str, set[str]] = field(default_factory=dict)
    described: dict[str, set[Any]] = field(default_factory=dict)
    # Records that somebody decided are not this person.
    excluded: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Bond:
    """Records that one piece of evidence ties together: an identifier that all carry, or a pair that a model matched.

    `strength` is from 0 to 1, or `DECIDED`: then somebody said so, and only a decision against it is stronger. A bond
    of at least `Limits.sure` is not undone by names or dates.
    """

    strength: float
    name: str
    members: tuple[int, ...]


@dataclass(frozen=True)
class Limits:
    """What one customer may be made of.

    `most` gives how many values of a kind, `fits` whether two values of a kind can be one person's.
    """

    most: dict[str, int]
    fits: dict[str, Callable[[Any, Any], bool]]
    max_records: int
    bridge_min_records: int
    sure: float = 0.98
    certain_bridge: float = 0.9


def divide(people: dict[int, Person], bonds: Sequence[Bond], limits: Limits) -> dict[int, int]:
    """Records of one component that cannot all be one person, as parts that can.

    The strongest bonds are followed first; one that would join what cannot be one person joins nothing there. What
    somebody decided comes last and joins the people that were found, whatever the limits say. The answer depends on
    the records and bonds alone, not on the order in which either is given.

    Parameters
    ----------
    people
        What each record says, by record.
    bonds
        What ties them.
    limits
        What one customer may be made of.

    Returns
    -------
    Each record's part, named by its smallest record.
    """
    root = {record: record for record in people}
    groups = dict(people)
    members: dict[int, set[int]] = {record: {record} for record in people}

    def find(record: int) -> int:
        while root[record] != record:
            root[record] = root[root[record]]
            record = root[record]
        return record

    for bond in sorted(bonds, key=lambda one: (one.strength >= DECIDED, -one.strength, one.name, sorted(one.members))):
        # Within a bond, whoever fits joins the first of its groups that it fits.
        tied: list[int] = []
        for record in sorted(bond.members):
            for place in tied:
                mine, theirs = find(record), find(place)
                if mine == theirs:
                    break
                if _can_be_one(groups[mine], groups[theirs], members[mine], members[theirs], bond.strength, limits):
                    keep, drop = min(mine, theirs), max(mine, theirs)
                    root[drop] = keep
                    groups[keep] = _joined(groups[keep], groups.pop(drop))
                    members[keep] |= members.pop(drop)
                    break
            else:
                tied.append(record)
    return {record: find(record) for record in people}


def _can_be_one(one: Person, other: Person, ours: set[int], theirs: set[int], strength: float, limits: Limits) -> bool:
    if one.excluded & theirs or other.excluded & ours:
        return False
    if strength >= DECIDED:
        return True
    for kind, most in limits.most.items():
        mine, yours = one.limited.get(kind, set()), other.limited.get(kind, set())
        # One record that has too many by itself is not made worse by a bond that brings no further one.
        if len(mine | yours) > max(most, len(mine), len(yours)):
            return False
    if one.size + other.size > limits.max_records:
        return False
    if strength >= limits.sure:
        return True
    if strength < limits.certain_bridge and min(one.size, other.size) >= limits.bridge_min_records:
        return False
    return all(
        fits(this, that)
        for kind, fits in limits.fits.items()
        for this in one.described.get(kind, set())
        for that in other.described.get(kind, set())
    )


def _joined(one: Person, other: Person) -> Person:
    return Person(
        one.size + other.size,
        {
            kind: one.limited.get(kind, set()) | other.limited.get(kind, set())
            for kind in {*one.limited, *other.limited}
        },
        {
            kind: one.described.get(kind, set()) | other.described.get(kind, set())
            for kind in {*one.described, *other.described}
        },
        one.excluded | other.excluded,
    )


def _united(one: dict[str, set[Any]], other: dict[str, set[Any]]) -> dict[str, set[Any]]:
    return {kind: one.get(kind, set()) | other.get(kind, set()) for kind in {*one, *other}}
