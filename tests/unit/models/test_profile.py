"""What customers told of themselves, as of any date: the latest that had been told, and "unknown" where nothing was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb
import pytest

from tests.unit.models.compiled import CompiledModels, Row, at, land, order, rows

DATES = [date(2024, 1, 10), date(2024, 2, 10), date(2024, 3, 10)]


def shop(
    models: CompiledModels, cards: Iterable[str] = ("k1",), sessions: Iterable[tuple[str, str, str]] = (), **landed: list[Row]
) -> duckdb.DuckDBPyConnection:
    """Profiles at `DATES` of the customers of some cards, each with a cookie and a contact of its own."""
    warehouse = models.warehouse()
    land(warehouse, load_date=date(2024, 4, 1), **landed)
    models.build(warehouse, "stg_shop__orders")
    known = "timestamp '2024-01-02' as {}"
    records = " union all ".join(
        f"select '{system}' as source_system, '{record}' as source_record_id, 'of {card}' as customer_id"
        for card in cards
        for system, record in [
            ("loyalty_members", card), ("crm_contacts", card), ("web_visitors", card), ("emails", f"{card}@shop.example"),
        ]
    )  # fmt: skip
    warehouse.execute(f"""
        create table identity.master_customer_index as
        select *, {known.format("valid_from")}, null::timestamp as valid_to from ({records});
        create table features.int_as_of_dates as
        select day as as_of_date, day = date '{DATES[-1]}' as is_current, true as is_scheduled, false as is_campaign_start,
            false as is_asked_for, true as is_new
        from unnest([{", ".join(f"date '{day}'" for day in DATES)}]) as days (day)
    """)
    models.empty(warehouse, "int_identity__source_records", "stg_web__sessions", "stg_web__visitors", "stg_web__events")
    warehouse.execute(f"""
        insert into identity.int_identity__source_records by name
        select source_system, source_record_id, {known.format("first_seen_at")}, {known.format("first_known_at")}
        from ({records})
    """)
    for card, day, region in sessions:
        warehouse.execute(
            "insert into staging.stg_web__sessions by name select ? as session_id, ? as session_started_at, "
            "? as session_ended_at, ?::date as session_date, ? as anonymous_id, ? as region",
            [card + day, at(day), at(day), day, card, region],
        )
        warehouse.execute(
            "insert into staging.stg_web__events by name select ? as session_id, ? as session_started_at, ? as received_at",
            [card + day, at(day), at(day)],
        )
    models.build(warehouse, "feat_customer_profile", "feat_customer_attribute")
    return warehouse


def member(day: str, card: str = "k1", **told: str) -> Row:
    return {"loyalty_id": card, "occurred_at": at(day), **told}


def contact(day: str, region: str | None, card: str = "k1") -> Row:
    return {"contact_id": card, "loyalty_id": card, "country": "US", "region": region, "occurred_at": at(day)}


AGES = "select age_band from features.feat_customer_profile order by as_of_date"
REGIONS = "select region from features.feat_customer_profile order by as_of_date"


def test_the_latest_version_before_the_date_counts(models: CompiledModels) -> None:
    versions = [member("2024-01-20", age_band="25-34"), member("2024-03-01", age_band="35-44")]
    assert rows(shop(models, loyalty_members=versions), AGES) == [("unknown",), ("25-34",), ("35-44",)]


@pytest.mark.parametrize("planted", ["2024-02-10", "2024-03-05"])
def test_what_is_told_from_the_date_on_changes_nothing(planted: str, models: CompiledModels) -> None:
    versions = [member("2024-01-05", age_band="25-34")]
    before = rows(shop(models, loyalty_members=versions), AGES)
    told_again = rows(shop(models, loyalty_members=[*versions, member(planted, age_band="65+")]), AGES)
    assert told_again[:2] == before[:2] == [("25-34",), ("25-34",)]
    assert told_again[2] == ("65+",)


def test_what_a_later_version_leaves_out_still_holds(models: CompiledModels) -> None:
    versions = [member("2024-01-05", age_band="25-34"), member("2024-02-01", income_band="50-74K")]
    assert rows(shop(models, loyalty_members=versions), AGES) == [("25-34",)] * 3


def test_known_late_counts_from_then(models_as_known: CompiledModels) -> None:
    late = {**member("2024-01-05", age_band="25-34"), "known_at": at("2024-02-20")}
    assert rows(shop(models_as_known, loyalty_members=[late]), AGES) == [("unknown",), ("unknown",), ("25-34",)]


def test_what_lands_again_without_news_is_known_from_the_first_time(models_as_known: CompiledModels) -> None:
    """And what is told once more after something else is told anew, though the card names no time of its own."""
    same = {"loyalty_id": "k1", "age_band": "25-34"}
    again = [{**same, "known_at": at(day)} for day in ("2024-01-05", "2024-01-20", "2024-03-01")]
    assert rows(shop(models_as_known, loyalty_members=again), AGES) == [("25-34",)] * 3
    other = {**same, "age_band": "35-44", "known_at": at("2024-02-01")}
    assert rows(shop(models_as_known, loyalty_members=[*again, other]), AGES) == [("25-34",), ("35-44",), ("25-34",)]


def test_of_versions_of_one_time_the_later_known_counts(models: CompiledModels) -> None:
    versions = [
        {**member("2024-01-05", income_band=band), "known_at": at(known)}
        for band, known in [("50-74K", "2024-01-06"), ("100-124K", "2024-01-07")]
    ]
    query = "select income_band from features.feat_customer_profile order by as_of_date"
    assert rows(shop(models, loyalty_members=versions), query) == [("100-124K",)] * 3


def test_a_time_before_the_calendar_is_its_first_day(models: CompiledModels) -> None:
    """Whether dates are few or many."""
    old = [attribute("1900-01-01", "7")]
    assert [row[2] for row in rows(shop(models, external_attributes=old), f"{TOLD} order by 1")] == [7] * 3


def test_everybody_seen_has_a_row_and_says_nothing_by_it(models: CompiledModels) -> None:
    query = "select customer_id, days_known, kids_count, region from features.feat_customer_profile"
    found = rows(shop(models, cards=["k1", "k2"]), f"{query} where as_of_date = '{DATES[0]}' order by 1")
    assert found == [("of k1", 9, "unknown", "unknown"), ("of k2", 9, "unknown", "unknown")]


def test_few_customers_of_a_region_are_others(models: CompiledModels) -> None:
    many, few = [f"m{number}" for number in range(20)], [f"f{number}" for number in range(19)]
    contacts = [contact("2024-01-05", "OH", card) for card in many] + [contact("2024-01-05", "KY", card) for card in few]
    warehouse = shop(models, cards=[*many, *few], crm_contacts=contacts)
    query = f"select region, count(*) from features.feat_customer_profile where as_of_date = '{DATES[0]}' group by 1"
    assert sorted(rows(warehouse, query)) == [("OH", 20), ("other", 19)]


def test_the_contact_says_where_and_else_the_visit(models: CompiledModels) -> None:
    cards = [f"m{number}" for number in range(20)]
    visits = [(card, "2024-01-05", "KY") for card in cards]
    moved = [contact("2024-02-01", "OH", card) for card in cards]
    found = rows(shop(models, cards=cards, sessions=visits, crm_contacts=moved), REGIONS)
    assert found == [("KY",)] * 20 + [("OH",)] * 40


def answer(day: str, value: str | None, **who: str) -> Row:
    return {
        "survey_id": "s", "response_id": day, "question_id": "recommend", "answer": value, "occurred_at": at(day), **who,
    }  # fmt: skip


def attribute(day: str, value: str, **more: object) -> Row:
    return {
        "provider": "census", "attribute": "median_income", "attribute_value": value, "source_system": "loyalty_members",
        "source_record_id": "k1", "occurred_at": at(day), **more,
    }  # fmt: skip


TOLD = "select as_of_date, attribute_value, attribute_number, days_since_told from features.feat_customer_attribute"


def test_answers_are_of_who_gave_them(models: CompiledModels) -> None:
    """By card or by address; of all customers, once anybody was asked."""
    answers = [answer("2024-01-20", "9", loyalty_id="k1"), answer("2024-02-21 03:00", "very", email="K1@shop.example")]
    warehouse = shop(models, cards=["k1", "k2"], survey_answers=answers)
    assert rows(warehouse, f"{TOLD} where customer_id = 'of k1' order by 1") == [
        (DATES[1], "9", 9, 21), (DATES[2], "very", None, 19),
    ]  # fmt: skip
    assert rows(warehouse, f"{TOLD} where customer_id = 'of k2' order by 1") == [
        (DATES[1], "unknown", None, None), (DATES[2], "unknown", None, None),
    ]  # fmt: skip


def test_a_skipped_question_keeps_the_earlier_answer(models: CompiledModels) -> None:
    answers = [answer("2024-01-05", "9", loyalty_id="k1"), answer("2024-02-01", None, loyalty_id="k1")]
    assert [row[1] for row in rows(shop(models, survey_answers=answers), f"{TOLD} order by 1")] == ["9"] * 3


def test_attributes_from_outside_hold_from_their_time(models: CompiledModels) -> None:
    values = [attribute("2024-01-05", "41000"), attribute("2024-02-01", "43000"), attribute("2024-03-10", "1")]
    assert [row[2] for row in rows(shop(models, external_attributes=values), f"{TOLD} order by 1")] == [41000, 43000, 43000]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"attribute": None}, "key is missing"),
        ({"source_record_id": None}, "source_record_id is missing"),
        ({"source_system": "fax"}, "source_system is unknown"),
        ({"known_at": at("2024-01-01")}, "occurred_at lies after known_at"),
    ],
)
def test_attributes_that_say_nothing_are_set_aside(broken: Row, reason: str, models: CompiledModels) -> None:
    warehouse = models.warehouse()
    land(warehouse, external_attributes=[attribute("2024-01-05", "1", **broken)], orders=[order("a", "2024-01-05")])
    models.build(warehouse, "quarantine")
    query = "select reason from staging.quarantine where landing_table = 'external_attributes'"
    assert rows(warehouse, query) == [(reason,)]


def test_a_session_past_midnight_is_known_once_it_has_ended(models: CompiledModels) -> None:
    """It is of the day on which it began; what it saw after midnight would be of the date itself."""
    warehouse = shop(models)
    night = "timestamp '2024-01-10 04:50' as session_started_at"
    warehouse.execute(f"""
        insert into staging.stg_web__sessions by name
        select 's' as session_id, {night}, timestamp '2024-01-10 05:05' as session_ended_at,
            date '2024-01-09' as session_date, 'k1' as anonymous_id, 3 as page_view_count, 1 as order_count;
        insert into staging.stg_web__events by name select 's' as session_id, {night}, timestamp '2024-01-10 05:05' as received_at
    """)
    models.build(
        warehouse, "int_activity__web_sessions", "int_activity__fingerprints", "int_activity__customers", "int_as_of_grid",
        "int_as_of_calendar", "int_activity__owners", "feat_customer_engagement",
    )  # fmt: skip
    query = "select as_of_date, page_view_count from features.feat_customer_engagement order by 1"
    assert rows(warehouse, query) == [(DATES[1], 3), (DATES[2], 3)]
