"""Periods, flows, consent and representation, from a history that is written down by hand or drawn."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.unit.models.compiled import CompiledModels, rows

DAYS = [date(2024, 1, 1) + timedelta(7 * number) for number in range(5)]
# (segment, place of the date) to who is in it; a segment that is not there was not evaluated.
History = dict[tuple[str, int], set[str]]

EVALUATED = st.dictionaries(
    st.tuples(st.sampled_from(["lapsed", "new"]), st.integers(0, 4)), st.sets(st.sampled_from("abcd")), min_size=1
)


def shop(models: CompiledModels, history: History, redirects: dict[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    """A warehouse that knows who was in which segment."""
    warehouse = models.warehouse()
    models.empty(
        warehouse, "int_segments__history", "int_segments__evaluations", "int_as_of_dates", "int_identity__redirects"
    )
    for number, day in enumerate(DAYS):
        warehouse.execute(
            "insert into features.int_as_of_dates by name select ? as as_of_date, ? as is_current", [day, number == 4]
        )
    for (segment, number), members in history.items():
        warehouse.execute(
            "insert into segments.int_segments__evaluations by name select ? as segment_key, ? as as_of_date, "
            "'rule' as segment_type, 'one' as definition_hash, false as is_reconstructed",
            [segment, DAYS[number]],
        )
        for customer in members:
            warehouse.execute(
                "insert into segments.int_segments__history values (?, ?, ?)", [customer, segment, DAYS[number]]
            )
    for retired, kept in (redirects or {}).items():
        warehouse.execute(
            "insert into identity.int_identity__redirects by name select ? as retired_customer_id, ? as customer_id",
            [retired, kept],
        )
    models.build(warehouse, "int_segments__flows")
    return warehouse


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVALUATED)
def test_periods_say_what_the_history_says(models: CompiledModels, history: History) -> None:
    warehouse = shop(models, history)
    periods = rows(warehouse, "select customer_id, segment_key, valid_from, valid_to from segments.int_segments__periods")
    for (segment, number), members in history.items():
        day = DAYS[number]
        held = [c for c, s, first, end in periods if s == segment and first <= day and (end is None or day < end)]
        assert sorted(held) == sorted(members), "each in one period, and nobody else"
    calendar = {DAYS[number] for (_, number) in history}
    for customer, segment, first, end in periods:
        assert end is None or end > first
        evaluated = {DAYS[number] for (s, number) in history if s == segment}
        if end is None:
            assert max(evaluated) == DAYS[-1], "open: it holds at the current date"
        within = {day for day in calendar if first <= day and (end is None or day < end)}
        assert within <= evaluated, "where it was left out, nobody was in it"
        touching = [p for p in periods if p[:2] == (customer, segment) and p[2] == end]
        assert not touching, "periods that touch are one"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVALUATED)
def test_who_came_less_who_left_is_the_change(models: CompiledModels, history: History) -> None:
    flows = rows(
        shop(models, history),
        "select segment_key, as_of_date, previous_as_of_date, member_count, entered_count, exited_count "
        "from segments.int_segments__flows",
    )
    sizes = {(segment, DAYS[number]): len(members) for (segment, number), members in history.items()}
    assert set(sizes) <= {flow[:2] for flow in flows}
    sizes.update({flow[:2]: 0 for flow in flows if flow[:2] not in sizes})
    for segment, day, previous, count, entered, exited in flows:
        assert count == sizes[segment, day], "0 where it was left out"
        if previous is None:
            assert (entered, exited) == (None, None)
        else:
            assert count - sizes[segment, previous] == entered - exited


def test_a_merged_customer_is_the_one_who_has_its_records_now(models: CompiledModels) -> None:
    history: History = {("lapsed", 3): {"old", "b"}, ("lapsed", 4): {"kept", "b"}}
    found = rows(
        shop(models, history, {"old": "kept"}),
        "select customer_id, valid_from, valid_to from segments.int_segments__periods order by 1",
    )
    assert found == [("b", DAYS[3], None), ("kept", DAYS[3], None)], "nobody came or left"


def test_a_segment_that_is_given_up_ends_with_the_next_date(models: CompiledModels) -> None:
    found = rows(
        shop(models, {("lapsed", 1): {"a"}}), "select valid_from, valid_to from segments.int_segments__periods"
    )
    assert found == [(DAYS[1], DAYS[2])]


NOW = datetime(2024, 1, 10, 5)  # midnight in New York


def consents(models: CompiledModels, *periods: tuple[str, str, bool, int], unsubscribed: int | None = None) -> Any:
    """What ann (records c1, c2) has agreed to; periods as (record, purpose, granted, days before now)."""
    warehouse = models.warehouse()
    models.empty(
        warehouse, "stg_consent__periods", "stg_consent__events", "master_customer_index", "int_as_of_dates",
        "int_activity__mails", "int_activity__memberships", "stg_shop__orders",
    )  # fmt: skip
    warehouse.execute("insert into staging.stg_shop__orders by name select date '2024-01-09' as order_date")
    warehouse.execute("insert into staging.stg_consent__events by name select 'e' as consent_event_id")
    warehouse.execute(
        "insert into features.int_as_of_dates by name select date '2024-01-10' as as_of_date, true as is_current"
    )
    for record in ("c1", "c2"):
        warehouse.execute(
            "insert into identity.master_customer_index by name select 'crm_contacts' as source_system, "
            "? as source_record_id, 'ann' as customer_id", [record],
        )  # fmt: skip
    for record, purpose, is_granted, ago in periods:
        warehouse.execute(
            "insert into staging.stg_consent__periods by name select 'crm_contacts' as source_system, "
            "? as source_record_id, ? as purpose, ? as is_granted, ?::timestamp as valid_from",
            [record, purpose, is_granted, NOW - timedelta(ago)],
        )
    if unsubscribed is not None:
        warehouse.execute("insert into features.int_activity__memberships values (1, 'ann', null, null)")
        warehouse.execute(
            "insert into features.int_activity__mails by name select 1 as record_hash, 1 as unsubscribed_count, "
            "?::date as day, ?::date as counts_from", [NOW - timedelta(unsubscribed)] * 2
        )  # fmt: skip
    models.build(warehouse, "int_segments__consents")
    ((mail, advertise),) = rows(warehouse, "select may_mail, may_advertise from segments.int_segments__consents")
    return mail, advertise


def test_the_last_word_of_all_records_counts(models: CompiledModels) -> None:
    granted, withdrawn = ("c1", "email", True, 9), ("c2", "email", False, 3)
    assert consents(models, granted) == (True, False)
    assert consents(models, granted, withdrawn) == (False, False)
    assert consents(models, ("c1", "email", False, 9), ("c2", "email", True, 3)) == (True, False)
    assert consents(models, ("c1", "advertising", True, 9)) == (False, True)


def test_in_doubt_nobody_is_written_to(models: CompiledModels) -> None:
    assert consents(models) == (None, None), "nobody was ever asked: nobody knows"
    assert consents(models, ("c9", "email", True, 3)) == (False, False), "others were asked, they were not"
    at_once = ("c1", "email", True, 3), ("c2", "email", False, 3)
    assert consents(models, *at_once) == (False, False)
    assert consents(models, ("c1", "email", True, 0)) == (None, None), "from now on is not before now"
    assert consents(models, ("c1", "email", True, 3), unsubscribed=2) == (False, False)
    assert consents(models, ("c1", "email", True, 3), unsubscribed=3) == (False, False), "on the same day"
    assert consents(models, ("c1", "email", True, 3), unsubscribed=9) == (True, False), "given again since"


@pytest.mark.parametrize("comparisons", [1, 20, 400, 5000])
def test_the_quantile_of_the_normal_distribution(comparisons: int, models: CompiledModels) -> None:
    """The SQL of the model, with numbers in the place of its columns."""
    sql = (models.folder / "int_segments__representation.sql").read_text()
    expression = sql[sql.index("        *,", sql.index("leveled as")) + 10 : sql.index("as z")].strip()
    found = duckdb.execute(f"select {expression} from (select {comparisons} as comparison_count)").fetchone()
    assert found is not None
    assert found[0] == pytest.approx(stats.norm.ppf(1 - 0.025 / comparisons), abs=5e-4)


def test_representation_has_wilsons_interval_for_all_comparisons(models: CompiledModels) -> None:
    warehouse = models.warehouse()
    models.empty(
        warehouse, "int_segments__memberships", "int_segments__sizes", "feat_customer_profile", "int_as_of_dates"
    )
    warehouse.execute(
        "insert into features.int_as_of_dates by name select date '2024-01-10' as as_of_date, true as is_current"
    )
    # 40 of 100 are young; of the 20 members 16 are; 5 more said nothing of their age
    warehouse.execute(
        "insert into features.feat_customer_profile by name select 'c' || n as customer_id, date '2024-01-10' as as_of_date, "
        "case when n < 40 then '25-34' when n < 100 then '45-54' else 'unknown' end as age_band, "
        "'unknown' as income_band, 'unknown' as household_composition, 'unknown' as region from range(105) as t(n)"
    )
    warehouse.execute(
        "insert into segments.int_segments__memberships by name select 'c' || n as customer_id, 'lapsed' as segment_key "
        "from range(105) as t(n) where n < 16 or (n >= 40 and n < 44) or n >= 100"
    )
    warehouse.execute("insert into segments.int_segments__sizes by name select 'lapsed' as segment_key, 'ok' as status")
    models.build(warehouse, "int_segments__representation")
    found = rows(
        warehouse,
        "select attribute_value, member_count, told_member_count, customer_share, representation, representation_low, "
        "representation_high from segments.int_segments__representation order by 1",
    )
    assert [row[:4] for row in found] == [("25-34", 16, 20, 0.4), ("45-54", 4, 20, 0.6)]
    for (_, count, told, base, ratio, low, high) in found:
        interval = stats.binomtest(count, told).proportion_ci(1 - 0.05 / 2, method="wilson")
        assert (ratio, low, high) == pytest.approx(
            (count / told / base, interval.low / base, interval.high / base), abs=2e-3
        )
