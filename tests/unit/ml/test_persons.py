"""What can be said of one person, in Python, is what the macros say in SQL."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from ml.persons import dates_fit, names_fit
from shops import PROJECT_ROOT

# Few letters, so that texts are near one another.
WORDS = st.text("ab", min_size=1, max_size=5)
NAMES = st.tuples(WORDS, st.one_of(st.just(""), WORDS))
DATES = st.dates(date(1980, 1, 1), date(1981, 12, 31))


def _sql(call: str) -> str:
    """What the macros make of a call, on DuckDB."""
    files = [*(PROJECT_ROOT / "macros/identity").glob("*_fit.sql")]
    macros = "".join(file.read_text(encoding="utf-8") for file in files)
    environment = Environment()
    distance = environment.from_string(
        (PROJECT_ROOT / "macros/engine/edit_distance.sql").read_text(encoding="utf-8")
    ).module.duckdb__edit_distance  # type: ignore[attr-defined]
    return environment.from_string(macros + "{{ " + call + " }}").render(edit_distance=distance)


GIVEN_NAMES = _sql("given_names_fit('this', 'other')")
BIRTH_DATES = _sql("birth_dates_fit('a', 'b')")


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@given(NAMES, NAMES)
@settings(max_examples=300, deadline=None)
def test_names(connection: duckdb.DuckDBPyConnection, one: tuple[str, str], other: tuple[str, str]) -> None:
    names = "select ? as given_name, nullif(?, '') as last_name"
    query = f"select {GIVEN_NAMES} from ({names}) as this, ({names}) as other"
    assert connection.execute(query, [*one, *other]).fetchone() == (names_fit(one, other),)


@given(DATES, DATES)
@settings(max_examples=300, deadline=None)
def test_birth_dates(connection: duckdb.DuckDBPyConnection, one: date, other: date) -> None:
    query = f"select {BIRTH_DATES} from (select ?::date as a, ?::date as b)"
    assert connection.execute(query, [one, other]).fetchone() == (dates_fit(one.isoformat(), other.isoformat()),)


@pytest.mark.parametrize(
    ("one", "other", "fit"),
    [
        (("robert", "miller"), ("rboert", "jones"), True),
        (("r", ""), ("robert", "miller"), True),
        (("miller", "ann"), ("ann", "miller"), True),
        (("patrick", "foster"), ("patricia", "foster"), False),
        (("ann", "miller"), ("anna", "miller"), False),
    ],
)
def test_names_people_write(one: tuple[str, str], other: tuple[str, str], fit: bool) -> None:
    assert names_fit(one, other) is fit
    assert names_fit(other, one) is fit
