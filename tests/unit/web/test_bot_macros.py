"""What the evidence of the bot flags is made of: addresses, spreads of pauses, evenness, mixes."""

from __future__ import annotations

import math
from collections.abc import Callable

import duckdb
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.web.web_models import CompiledModels

KINDS = [
    "checkout",
    "product",
    "add",
    "remove",
    "search",
    "cart",
    "account",
    "promotion",
    "reading",
    "category",
    "home",
    "other",
]
Apply = Callable[..., float]


@pytest.fixture(scope="module")
def apply(compiled: CompiledModels) -> Apply:
    """A function that gives what a macro makes of named columns."""
    connection = duckdb.connect()

    def applied(macro: str, **columns: object) -> float:
        listed = ", ".join(f"? as {name}" for name in columns)
        row = connection.execute(
            f"select {compiled.macros[macro]} from (select {listed})", list(columns.values())
        ).fetchone()
        assert row is not None
        return row[0]

    return applied


@pytest.mark.parametrize(
    ("written", "address", "network"),
    [
        ("192.0.2.17", "192.0.2.17", "192.0.2"),
        ("::ffff:192.0.2.17", "192.0.2.17", "192.0.2"),
        ("2001:db8:1:2:a:b:c:d", "2001:db8:1:2", "2001:db8:1"),
        ("2001:db8:1:2::5", "2001:db8:1:2", "2001:db8:1"),
        ("unknown", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_whom_an_address_stands_for(
    apply: Apply, written: str | None, address: str | None, network: str | None
) -> None:
    assert apply("web_address", given=written) == address
    assert apply("web_network", given=written) == network


@given(st.lists(st.integers(500, 1_800_000), min_size=2, max_size=60))
def test_the_spread_is_the_standard_deviation_of_the_logarithms(apply: Apply, pauses: list[int]) -> None:
    logs = [apply("log_of_pause", pause_ms=pause) for pause in pauses]
    spread = apply(
        "log_spread",
        pause_count=len(logs),
        pause_log_sum=int(sum(logs)),
        pause_log_square_sum=int(sum(log * log for log in logs)),
    )
    assert spread == pytest.approx(float(np.std(np.log(np.array(pauses) / 1000), ddof=1)), abs=0.002)


@given(st.integers(1, 500), st.floats(0, 3), st.floats(0, 3), st.floats(0.3, 1.5))
def test_the_more_even_the_more_evidence(apply: Apply, pauses: int, one: float, other: float, usual: float) -> None:
    even, uneven = sorted((one, other))
    assume(uneven > 0.05)
    more = apply("evenness", pauses=pauses, spread=even, usual=usual)
    less = apply("evenness", pauses=pauses, spread=uneven, usual=usual)
    assert more >= less - 1e-9
    assert less >= 0
    assert apply("evenness", pauses=2 * pauses, spread=even, usual=usual) == pytest.approx(2 * more)
    if even >= usual:
        assert more == 0


def test_even_pauses_weigh_what_the_likelihoods_say(apply: Apply) -> None:
    """Twenty pauses that spread by half of what is usual: ln 2 - 3/8 each."""
    assert apply("evenness", pauses=20, spread=0.4, usual=0.8) == pytest.approx(20 * (math.log(2) - 0.375))


@pytest.mark.parametrize(("distance", "evidence"), [(-5.0, 0), (1.9, 0), (3.0, 2.5), (4.0, 6.0)])
def test_excess_counts_beyond_two_deviations(apply: Apply, distance: float, evidence: float) -> None:
    assert apply("excess", distance=distance) == pytest.approx(evidence)


@given(st.lists(st.integers(0, 200), min_size=len(KINDS), max_size=len(KINDS)))
def test_a_mix_is_as_far_as_kullback_and_leibler_say(apply: Apply, counts: list[int]) -> None:
    total = sum(counts)
    assume(total > 0)
    shares = {kind: (number + 1) / 78 for number, kind in enumerate(KINDS)}
    columns = {f"{kind}_count": count for kind, count in zip(KINDS, counts, strict=True)}
    summed = apply("kind_log_sum", **columns)
    kinds = apply("kind_count", **columns)
    logs = {f"usual_{kind}_log": math.log(share) for kind, share in shares.items()}
    distance = apply("mix_distance", total=total, kind_count=kinds, kind_log_sum=summed, **columns, **logs)
    divergence = sum(
        count / total * math.log(count / total / share)
        for count, share in zip(counts, shares.values(), strict=True)
        if count
    )
    assert kinds == sum(count > 0 for count in counts)
    assert distance == pytest.approx(divergence - (kinds - 1) / (2 * total), abs=1e-9)
