"""Who was in a segment stays as it was said, whatever comes later: a past date, a threshold, a new segment."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.running import run_chain
from orchestration.warehouse import reading
from shops import ShopFolders
from tests.integration.dbt_here import dbt

EVALUATED = "select * from segments.int_segments__evaluations"
MEMBERS = "select segment_key, as_of_date, customer_id from segments.int_segments__history"
PAST = "2017-11-06"  # a Monday, as all dates of the schedule


def ask(shop: ShopFolders, query: str) -> list[tuple[Any, ...]]:
    with reading(shop.warehouse) as connection:
        return connection.execute(query).fetchall()


def ledger(shop: ShopFolders) -> list[str]:
    """Files of the ledger that tell who was in which segment."""
    return sorted(file.name for table in ("segment_evaluations", "segment_memberships")
                  for file in (shop.state / table).glob("[0-9]*.parquet"))  # fmt: skip


def build(shop: ShopFolders, **variables: Any) -> None:
    """`dbt build` of the segments, in place."""
    dbt(shop, "build", "--select", "tag:segments", **variables)


def test_another_threshold_changes_nothing_of_the_past(shop: ShopFolders) -> None:
    before = set(ask(shop, f"{MEMBERS} where segment_key in ('lapsed', 'at_risk')"))
    now = max(row[1] for row in before)
    said = set(ask(shop, f"select segment_key, as_of_date from ({EVALUATED})"))

    build(shop, settings={"segments": {"rules": {"lapsed": {"days": 20}}}})

    after = set(ask(shop, f"{MEMBERS} where segment_key in ('lapsed', 'at_risk')"))
    # With fewer days the rule can speak of earlier dates, too: those are new.
    assert {row for row in after if row[1] < now and row[:2] in said} == {row for row in before if row[1] < now}
    grown = {row for row in after if row[0] == "lapsed" and row[1] == now}
    assert len(grown) > len({row for row in before if row[0] == "lapsed" and row[1] == now})
    changed = ask(
        shop, "select segment_key, as_of_date from segments.int_segments__flows where is_definition_changed order by 1"
    )
    assert ("lapsed", now) in changed, "a change of definition is told from a change of customers"
    assert ("recent_buyers", now) not in changed


def test_a_new_segment_has_a_past_at_once(shop: ShopFolders) -> None:
    """A category that nobody had named before: the rule could say nothing, and now does of all dates."""
    key = "category_returners"
    named = {"segments": {"rules": {key: {"category": "SOFT DRINKS", "days": 1}}}}
    # As if it had been switched off until now: neither the tables nor the ledger know anything of it.
    for table in ("segment_evaluations", "segment_memberships"):
        for file in (shop.state / table).glob("[0-9]*.parquet"):
            file.unlink()
    import duckdb

    with duckdb.connect(str(shop.warehouse)) as connection:
        for table in ("int_segments__evaluations", "int_segments__history"):
            connection.execute(f"delete from segments.{table} where segment_key = '{key}'")
    others = set(ask(shop, f"{MEMBERS} where segment_key <> '{key}'"))

    build(shop, settings=named)

    found = ask(
        shop, f"select count(*), count(*) filter (is_reconstructed) from ({EVALUATED}) where segment_key = '{key}'"
    )
    possible = ask(
        shop,
        "select count(*), count(*) - 1 from segments.int_segments__rule_dates "
        f"where segment_key = '{key}' and missing_reason is null",
    )
    assert found == possible
    assert found[0][0] > 40
    assert ask(shop, f"select count(distinct as_of_date) > 3 from ({MEMBERS}) where segment_key = '{key}'") == [(True,)]
    assert set(ask(shop, f"{MEMBERS} where segment_key <> '{key}'")) == others


@pytest.mark.slow
def test_a_run_as_of_a_past_date_changes_nothing_after_it(shop: ShopFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(ask(shop, MEMBERS))
    files = ledger(shop)

    monkeypatch.setenv("AUDIENCE_AS_OF", PAST)
    assert run_chain(shop).success
    then = set(ask(shop, MEMBERS))
    assert max(str(row[1]) for row in then) == PAST, "a run as of a date knows nothing after it"
    assert {row for row in then if str(row[1]) < PAST} == {row for row in before if str(row[1]) < PAST}

    monkeypatch.delenv("AUDIENCE_AS_OF")
    assert run_chain(shop).success
    after = set(ask(shop, MEMBERS))
    assert {row for row in after if str(row[1]) != PAST} == {row for row in before if str(row[1]) != PAST}
    assert set(files) <= set(ledger(shop)), "the ledger only grows"
