"""Components, the history of a graph that grows edge by edge, and groups that are divided into people."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.graph import DECIDED, Bond, Limits, Person, absorptions, connected_components, divide, lives

RECORDS = 12
Edge = tuple[int, int, int]
EDGES = st.lists(
    st.tuples(st.integers(0, RECORDS - 1), st.integers(0, RECORDS - 1), st.integers(0, 6)).filter(
        lambda edge: edge[0] != edge[1]
    ),
    max_size=20,
)
LIMITS = Limits(
    most={"loyalty_id": 1},
    fits={"given_name": lambda one, other: one == other},
    max_records=6,
    bridge_min_records=2,
)


def ends(edges: list[Edge]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Left, right and known_at as arrays."""
    columns = np.array(edges, dtype=np.int64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2]


def groups_by_hand(edges: list[Edge], until: int) -> dict[int, int]:
    """The smallest record of each one's group, from the edges known until then, found by looking again and again."""
    smallest = {record: record for record in range(RECORDS)}
    changed = True
    while changed:
        changed = False
        for left, right, known_at in edges:
            low = min(smallest[left], smallest[right])
            if known_at <= until and (smallest[left], smallest[right]) != (low, low):
                smallest[left] = smallest[right] = low
                changed = True
    return smallest


@given(EDGES)
def test_components_are_named_by_their_smallest_record(edges: list[Edge]) -> None:
    left, right, _ = ends(edges)
    found = connected_components(RECORDS, left, right)
    assert dict(enumerate(found.tolist())) == groups_by_hand(edges, until=99)


@given(EDGES)
@settings(max_examples=200)
def test_history_tells_the_group_of_every_instant(edges: list[Edge]) -> None:
    left, right, known_at = ends(edges)
    parent, edge_of = absorptions(RECORDS, left, right, known_at)
    record, anchor, instant, _ = lives(parent, edge_of, known_at, np.full(RECORDS, -1))
    for until in range(-1, 7):
        told = {}
        for one, its_anchor, since in zip(record.tolist(), anchor.tolist(), instant.tolist(), strict=True):
            if since <= until:
                told[one] = its_anchor
        assert told == groups_by_hand(edges, until)


@given(EDGES, st.randoms(use_true_random=False))
def test_history_does_not_depend_on_the_order_of_edges(edges: list[Edge], shuffler: random.Random) -> None:
    shuffled = list(edges)
    shuffler.shuffle(shuffled)
    turned = [(right, left, known_at) for left, right, known_at in shuffled]
    histories = []
    for these in (edges, turned):
        left, right, known_at = ends(these)
        parent, edge_of = absorptions(RECORDS, left, right, known_at)
        told = lives(parent, edge_of, known_at, np.full(RECORDS, -1))
        histories.append([column.tolist() for column in told[:3]])
    assert histories[0] == histories[1]


def test_no_records_and_no_edges() -> None:
    nothing = np.array([], dtype=np.int64)
    assert connected_components(0, nothing, nothing).tolist() == []
    parent, edge_of = absorptions(0, nothing, nothing, nothing)
    assert [column.tolist() for column in lives(parent, edge_of, nothing, nothing)] == [[], [], [], []]


@st.composite
def suspects(draw: st.DrawFn) -> tuple[dict[int, Person], list[Bond]]:
    """Up to seven records with a loyalty id and a name each or none, and what ties them."""
    count = draw(st.integers(1, 7))
    people = {}
    for record in range(count):
        card, name = draw(st.sampled_from(["", "", "k1", "k2"])), draw(st.sampled_from(["", "", "ann", "bob"]))
        people[record] = Person(
            limited={"loyalty_id": {card}} if card else {}, described={"given_name": {name}} if name else {}
        )
    bonds = draw(
        st.lists(
            st.builds(
                lambda strength, members, name: Bond(strength, name, tuple(sorted(members))),
                st.sampled_from([0.5, 0.95, 1.0]),
                st.sets(st.integers(0, count - 1), min_size=2, max_size=4) if count > 1 else st.just({0}),
                st.sampled_from("abcdef"),
            ),
            max_size=6,
        )
    )
    return people, bonds


@given(suspects(), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_division_keeps_the_limits_whatever_the_order(
    given_suspects: tuple[dict[int, Person], list[Bond]], shuffler: random.Random
) -> None:
    people, bonds = given_suspects
    parts = divide(people, bonds, LIMITS)
    shuffled = list(bonds)
    shuffler.shuffle(shuffled)
    turned = dict(sorted(people.items(), key=lambda _: shuffler.random()))
    assert divide(turned, shuffled, LIMITS) == parts
    for part in set(parts.values()):
        members = [people[record] for record, of in parts.items() if of == part]
        assert len({card for person in members for card in person.limited.get("loyalty_id", set())}) <= 1
        assert len(members) <= LIMITS.max_records
        assert min(record for record, of in parts.items() if of == part) == part


def test_the_stronger_bond_decides_who_keeps_the_nameless_one() -> None:
    ann, bob = Person(described={"given_name": {"ann"}}), Person(described={"given_name": {"bob"}})
    bonds = [Bond(0.95, "weak", (0, 1)), Bond(0.97, "strong", (1, 2))]
    assert divide({0: ann, 1: Person(), 2: bob}, bonds, LIMITS) == {0: 0, 1: 1, 2: 1}


def test_names_do_not_undo_sure_evidence_and_nothing_undoes_a_decision_but_another() -> None:
    ann, bob = Person(described={"given_name": {"ann"}}), Person(described={"given_name": {"bob"}})
    assert divide({0: ann, 1: bob}, [Bond(1.0, "card", (0, 1))], LIMITS) == {0: 0, 1: 0}
    cards = {0: Person(limited={"loyalty_id": {"k1"}}), 1: Person(limited={"loyalty_id": {"k2"}})}
    assert divide(cards, [Bond(1.0, "login", (0, 1))], LIMITS) == {0: 0, 1: 1}
    assert divide(cards, [Bond(DECIDED, "said so", (0, 1))], LIMITS) == {0: 0, 1: 0}
    # Two people of a card and a contact each: who says that the contacts are one joins the people.
    people = {**cards, 2: Person(), 3: Person()}
    bonds = [Bond(0.97, "a", (0, 2)), Bond(0.97, "b", (1, 3)), Bond(DECIDED, "said so", (2, 3))]
    assert set(divide(people, bonds, LIMITS).values()) == {0}
    apart = {0: Person(excluded={1}), 1: Person(excluded={0})}
    assert divide(apart, [Bond(DECIDED, "said so", (0, 1))], LIMITS) == {0: 0, 1: 1}


@pytest.mark.parametrize(("strength", "parts"), [(0.85, 2), (0.96, 1)])
def test_two_groups_are_not_joined_by_one_uncertain_bond(strength: float, parts: int) -> None:
    bonds = [Bond(1.0, "a", (0, 1)), Bond(1.0, "b", (2, 3)), Bond(strength, "c", (1, 2))]
    assert len(set(divide({record: Person() for record in range(4)}, bonds, LIMITS).values())) == parts
