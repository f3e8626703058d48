"""Which of several rows of one key stands: always one, the same one in whatever order the rows come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CALL = "{{ first_arrivals('landed', key=['key'], content=['said', 'noted']) }}"
START = datetime(2024, 1, 1)
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def judge(render: Callable[[str], str]) -> Callable[[list[Row]], dict[int, str | None]]:
    """From rows (key, said, noted, problem, hours, load) to the reason of each, by its position."""
    connection = duckdb.connect()
    sql = render(CALL)

    def judged(rows: list[Row]) -> dict[int, str | None]:
        connection.execute(
            "create or replace table landed (position integer, key varchar, said varchar, noted varchar, "
            "problem varchar, known_at timestamp, load_sequence integer)"
        )
        for position, (key, said, noted, problem, hours, load) in rows:
            connection.execute(
                "insert into landed values (?, ?, ?, ?, ?, ?, ?)",
                [position, key, said, noted, problem, START + timedelta(hours=hours), load],
            )
        return dict(connection.execute(f"select position, reject_reason from ({sql})").fetchall())

    return judged


ROWS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.one_of(st.none(), st.sampled_from("xy")),
        st.one_of(st.none(), st.sampled_from("xy")),
        st.one_of(st.none(), st.just("broken")),
        st.integers(0, 2),
        st.integers(1, 2),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, random=st.randoms(use_true_random=False))
def test_one_row_a_key_stands_whatever_the_order(judge: Any, rows: list[Row], random: Any) -> None:
    numbered = list(enumerate(rows))
    shuffled = random.sample(numbered, len(numbered))
    reasons, reasons_again = judge(numbered), judge(shuffled)
    standing = {rows[n][0]: rows[n] for n, reason in reasons.items() if reason is None}
    # Equal rows may change places, so rows are compared and not positions.
    assert standing == {rows[n][0]: rows[n] for n, reason in reasons_again.items() if reason is None}
    assert list(reasons.values()).count(None) == len(standing)
    for n, (key, said, noted, problem, hours, load) in numbered:
        if problem is not None:
            assert reasons[n] == "broken"
            continue
        _, stood_for, noted_for, _, first_hour, first_load = standing[key]
        assert (first_hour, first_load) <= (hours, load)
        if reasons[n] is not None:
            same = (said, noted) == (stood_for, noted_for)
            assert reasons[n] == ("exact duplicate" if same else "same key as an earlier row, other content")


def test_a_good_row_stands_when_an_earlier_one_cannot(judge: Any) -> None:
    rows = [("a", "x", "x", "broken", 0, 1), ("a", "y", "y", None, 1, 1), ("a", "y", "y", None, 2, 2)]
    assert judge(list(enumerate(rows))) == {0: "broken", 1: None, 2: "exact duplicate"}
