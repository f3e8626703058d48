"""Contacts, e-mail events, consent, tickets and survey answers, from hand-written landed rows through dbt."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ingestion import LandingZone
from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from orchestration.warehouse import reading
from shops import ShopFolders

Row = dict[str, Any]
TABLES = ("crm_contacts", "email_events", "consent_events", "support_tickets", "survey_answers")
MODELS = (
    "nicknames", "street_words", "stg_landing__loads", "stg_loyalty__members", "base_crm__phones", "stg_crm__contacts",
    "stg_crm__contact_checks", "stg_email__events", "stg_email__messages", "stg_consent__events",
    "stg_consent__periods", "stg_service__tickets", "stg_service__survey_answers", "stg_shop__exchange_rates",
    "stg_shop__orders", "stg_shop__returns", "stg_shop__order_lines", "base_web__events", "quarantine",
)  # fmt: skip
STAGED = {
    "crm_contacts": "stg_crm__contacts",
    "email_events": "stg_email__events",
    "consent_events": "stg_consent__events",
    "survey_answers": "stg_service__survey_answers",
}
START = datetime(2017, 1, 1, 12)


def at(day: int, **more: float) -> datetime:
    """Noon of a day of 2017, counted from 1."""
    return START + timedelta(days=day - 1, **more)


def _contact(contact_id: str | None, occurred_at: datetime | None = START, **fields: Any) -> Row:
    return {"contact_id": contact_id, "crm_system": "crm", "occurred_at": occurred_at, "known_at": at(2), **fields}


def _email(message_id: str | None, event_type: str, occurred_at: datetime, **fields: Any) -> Row:
    return {
        "message_id": message_id, "event_type": event_type, "campaign_id": "C1", "email": "Ann@Example.org",
        "occurred_at": occurred_at, "known_at": occurred_at, **fields,
    }  # fmt: skip


def _consent(event_id: str | None, action: str, day: int, record: str = "c1", **fields: Any) -> Row:
    return {
        "consent_event_id": event_id, "source_system": "crm_contacts", "source_record_id": record, "purpose": "email",
        "consent_action": action, "occurred_at": at(day), "known_at": at(day), **fields,
    }  # fmt: skip


def _ticket(ticket_id: str | None, known: int, **fields: Any) -> Row:
    return {"ticket_id": ticket_id, "status": "open", "occurred_at": at(1), "known_at": at(known), **fields}


def _answer(question_id: str | None, answer: str | None, day: int = 1, **fields: Any) -> Row:
    return {
        "survey_id": "s", "response_id": "r", "question_id": question_id, "answer": answer,
        "occurred_at": at(day), "known_at": at(day), **fields,
    }  # fmt: skip


PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 10_3 like Mac OS X) AppleWebKit/603.1.30"
PROXY = "Mozilla/5.0 (via mail-image-proxy.example; ImageProxy/1.0)"
LINK = "https://Shop.example/offers?utm_source=News&utm_campaign=C1&id=7#top"
FIRST_LOAD: dict[str, list[Row]] = {
    "loyalty_members": [
        {"loyalty_id": "L1", "age_band": "25-34", "birth_date": "03/04/1985"},
        {"loyalty_id": "L2", "age_band": "65+", "birth_date": "1985-03-04"},
        {"loyalty_id": "L3", "age_band": None, "birth_date": "2029-01-01"},
    ],
    "crm_contacts": [
        _contact("c1", first_name="Dr. Bob", last_name="O'Brien Jr.", email=" Bob.O+shop@GMail.com", loyalty_id="L1",
                 phone="(212) 555-0123", street="12 North Main Street, Apt. #4", city="St. Louis", postcode="2134",
                 region="mo", birth_date="3/4/1985"),
        _contact("c1", at(10), first_name="Robert", last_name="O'Brien", known_at=at(10), loyalty_id="L1",
                 birth_date="1985-03-04", country="us"),
        _contact("c1", at(10), first_name="Rupert", last_name="O'Brien", known_at=at(11), loyalty_id="L1"),
        _contact(" c2 ", first_name="Ann", email="ann@@example.org", phone="12", country="DE",
                 street="Hauptstraße 12 a", postcode="D-1067", birth_date="30.02.1985", loyalty_id="L2"),
        _contact("c3", email="n/a", phone="000-000-0000", postcode="n/a", birth_date="0000-00-00", street="-"),
        _contact("c4", birth_date="2029-03-18", loyalty_id="L3"),
        _contact("c5", birth_date="1850-01-01", loyalty_id="L2"),
        _contact("c6", birth_date="2010-01-01", loyalty_id="L9"),
        _contact("c7", phone="0049 30 901820", birth_date="1940-01-01", loyalty_id="L2"),
        _contact("c8", first_name="QA", last_name="Test", email="test+8@example.com", phone="123456"),
        _contact("c9", first_name="Tess", last_name="Testa", email="attest@example.com", phone="030 901820",
                 country="de"),
        _contact(None, first_name="Nobody"),
        _contact("  ", first_name="Nobody either"),
        _contact("late", at(9)),  # a week after it arrived
        _contact("undated", None),
        *(_contact(f"p{n}", city="Springfield", postcode="62701") for n in range(5)),
        _contact("p5", city="Shelbyville", postcode="62701"),
        *(_contact(f"q{n}", city="Ogdenville", postcode="62702") for n in range(3)),
        _contact("q3", city="Brockway", postcode="62702"),  # too few to say which is right
        *(_contact(f"n{n}", first_name="Mary", last_name="Smith") for n in range(8)),
        _contact("n8", first_name="Smith", last_name="Mary"),
        _contact("n9", first_name="Smith", last_name="Jones"),
    ],
    "email_events": [
        _email("m1", "sent", at(1)),
        _email("m1", "delivered", at(1, seconds=2)),
        _email("m1", "opened", at(1, seconds=5), user_agent=PERSON),  # 3 s after delivery: nobody is so fast
        _email("m1", " Opened", at(1, hours=3), user_agent=PROXY),
        _email("m1", "opened", at(2), user_agent=PERSON),
        _email("m1", "opened", at(3), user_agent=PERSON),
        _email("m1", "clicked", at(2, seconds=9), user_agent=PERSON, link_url=LINK),
        _email("m1", "clicked", at(2, seconds=9), user_agent=PERSON, link_url=LINK),
        _email("m1", "clicked", at(2, seconds=9), user_agent=PERSON, link_url="https://other.example"),
        _email("m1", "unsubscribed", at(4)),
        _email("m2", "sent", at(1), email="not an address"),
        _email("m2", "bounced", at(1, seconds=2), email="not an address", bounce_type="Hard"),
        _email("m2", "waved", at(1)),
        _email(None, "sent", at(1)),
        _email("m3", "opened", at(1), user_agent=PERSON),  # its delivery never landed
    ],
    "consent_events": [
        _consent("e1", "granted", 1), _consent("e2", " GRANTED ", 2), _consent("e3", "withdrawn", 3),
        _consent("e4", "granted", 5), _consent("e0", "withdrawn", 4),
        _consent("e5", "granted", 1, record="c2"), _consent("e6", "withdrawn", 1, record="c2"),
        _consent("e7", "granted", 1, purpose="gossip"), _consent("e8", "shrugged", 1),
        _consent("e9", "granted", 1, source_system="phone book"), _consent(None, "granted", 1),
        _consent("e10", "granted", 1, record=" "),
    ],
    "support_tickets": [
        _ticket("t1", 1, email="ANN@example.org", satisfaction=None, category="Delivery"),
        _ticket("t1", 3, email="ANN@example.org", status="solved", solved_at=at(3), satisfaction=5,
                category="delivery"),
        _ticket("t2", 1, email="nobody", status="solved", solved_at=at(-3), satisfaction=11),
        _ticket("t3", 1, status="pondered"),
        _ticket(None, 1),
    ],
    "survey_answers": [
        _answer("recommend", " 9 "), _answer("recommend", "10", day=2), _answer("favorite_department", "Deli"),
        _answer("open", "  "), _answer(None, "x"),
    ],
}  # fmt: skip


def _land(zone: LandingZone, load_id: str, tables: Mapping[str, Sequence[Row]]) -> None:
    with duckdb.connect() as connection:
        for table, rows in tables.items():
            rows = [{"occurred_at": at(1), "known_at": at(1), **row} for row in rows]
            names = list(dict.fromkeys(name for row in rows for name in row))
            connection.register(f"{table}_rows", pa.table({name: [row.get(name) for row in rows] for name in names}))
        zone.land(
            connection, load_id=load_id, source="test", load_date=date(2017, 3, 1), known_at_is_assumed=False,
            tables={table: f"select * from {table}_rows" for table in tables},
        )  # fmt: skip


def _build(folders: ShopFolders, *models: str) -> InProcessDbt:
    dbt = InProcessDbt(folders)  # anew: dbt leaves marks of a build in the manifest, with which no second one works
    with write_lock(folders.lock, "test"):
        result = dbt.build_models(models or MODELS, folders.warehouse)
    failures = [f"{node.node.name}: {node.message}" for node in result.result.results if str(node.status) != "success"]
    assert result.success, failures
    return dbt


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> InProcessDbt:
    """A shop without rows is built first, then its first load lands and all is built once more."""
    folders = ShopFolders.of("demo", tmp_path_factory.mktemp("people"))
    zone = LandingZone(folders.landing)
    zone.prepare()
    _build(folders)
    with reading(folders.warehouse) as warehouse:
        for model in MODELS[3:]:
            assert warehouse.execute(f"select count(*) from staging.{model}").fetchone() == (0,)
    _land(zone, "first", FIRST_LOAD)
    return _build(folders)


Select = Any


@pytest.fixture(scope="module")
def staging(dbt: InProcessDbt, tmp_path_factory: pytest.TempPathFactory) -> Select:
    """A function from SQL on the staging schema to its rows, on a copy that no later build changes."""
    copy: Path = tmp_path_factory.mktemp("staged") / "warehouse.duckdb"
    copy.write_bytes(dbt.folders.warehouse.read_bytes())

    def select(query: str) -> list[tuple[Any, ...]]:
        with reading(copy) as warehouse:
            warehouse.execute("use staging")
            return warehouse.execute(query).fetchall()

    return select


def _one(staging: Select, columns: str, contact: str) -> tuple[Any, ...]:
    (row,) = staging(f"select {columns} from stg_crm__contacts where contact_id = '{contact}' and is_current")
    return tuple(row)


def test_what_has_landed_is_staged_or_in_quarantine(staging: Select) -> None:
    for table, staged in STAGED.items():
        (counts,) = staging(
            f"select (select count(*) from {staged}), (select count(*) from quarantine where landing_table = '{table}')"
        )
        assert sum(counts) == len(FIRST_LOAD[table]), table
        assert all(counts), table
    assert staging("select sum(version_count) from stg_service__tickets") == [(4,)]


def test_reasons(staging: Select) -> None:
    query = "select landing_table, record_key, reason from quarantine order by all"
    first, second = "2017-01-01 12:00:00", "2017-01-10 12:00:00"
    assert staging(query) == [
        ("consent_events", "?", "consent_event_id is missing"),
        ("consent_events", "e10", "source_record_id is missing"),
        ("consent_events", "e7", "purpose is unknown"),
        ("consent_events", "e8", "consent_action is unknown"),
        ("consent_events", "e9", "source_system is unknown"),
        ("crm_contacts", f"? / {first}", "contact_id is missing"),
        ("crm_contacts", f"? / {first}", "contact_id is missing"),
        ("crm_contacts", f"c1 / {second}", "same key as an earlier row, other content"),
        ("crm_contacts", "late / 2017-01-09 12:00:00", "occurred_at lies after known_at"),
        ("crm_contacts", "undated / ?", "occurred_at is missing"),
        ("email_events", f"? / sent / {first}", "message_id is missing"),
        ("email_events", "m1 / clicked / 2017-01-02 12:00:09", "exact duplicate"),
        ("email_events", "m1 / clicked / 2017-01-02 12:00:09", "same key as an earlier row, other content"),
        ("email_events", f"m2 / waved / {first}", "event_type is unknown"),
        ("support_tickets", f"? / {first}", "ticket_id is missing"),
        ("survey_answers", "s / r / ?", "key is missing"),
        ("survey_answers", "s / r / recommend", "a later version of this key stands"),
    ]


def test_a_contact_has_a_history(staging: Select) -> None:
    assert staging(
        "select first_name, valid_from, valid_to, is_current from stg_crm__contacts where contact_id = 'c1' order by 2"
    ) == [("bob", at(1), at(10), False), ("robert", at(10), None, True)]


def test_a_contact_is_normalized_beside_what_was_written(staging: Select) -> None:
    columns = (
        "first_name, given_name, last_name, email, email_key, phone, street, street_number, city, postcode, region, "
        "country, birth_date, written_first_name, written_email, problems"
    )
    assert staging(f"select {columns} from stg_crm__contacts where contact_id = 'c1' and not is_current") == [
        (
            "bob", "robert", "obrien", "bob.o+shop@gmail.com", "bobo@gmail.com", "+12125550123", "12 n main st unit 4",
            "12", "saint louis", "02134", "MO", "US", date(1985, 3, 4), "Dr. Bob", " Bob.O+shop@GMail.com", None,
        )
    ]  # fmt: skip


FLAGS = "email_is_valid, phone_is_valid, postcode_is_valid, birth_date_is_valid, problems"


def test_a_bad_field_is_null_and_flagged_and_the_contact_stays(staging: Select) -> None:
    assert _one(staging, f"email, birth_date, written_email, street, postcode, {FLAGS}", "c2") == (
        None, None, "ann@@example.org", "hauptstr 12a", "01067",
        False, False, True, False, "email_invalid, phone_invalid, birth_date_unreadable",
    )  # fmt: skip


def test_a_field_that_is_only_filled_says_nothing(staging: Select) -> None:
    assert _one(staging, f"email, phone, street, postcode, {FLAGS}", "c3") == (None,) * 9


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("c4", (None, False, "born_after_written")),
        ("c5", (None, False, "age_impossible")),
        ("c6", (date(2010, 1, 1), True, "age_too_low")),
        ("c7", (date(1940, 1, 1), True, None)),
    ],
)
def test_birth_dates_that_cannot_be(staging: Select, contact: str, expected: tuple[Any, ...]) -> None:
    assert _one(staging, "birth_date, birth_date_is_valid, problems", contact) == expected


def test_phone_numbers_by_country(staging: Select) -> None:
    assert _one(staging, "phone", "c7") == ("+4930901820",)  # 00 in front
    assert _one(staging, "phone", "c9") == ("+4930901820",)  # the contact's own country
    assert _one(staging, "phone, phone_is_valid", "c8") == (None, False)


def test_test_accounts(staging: Select) -> None:
    assert staging("select contact_id from stg_crm__contacts where is_test_account") == [("c8",)]


def test_the_city_is_held_against_the_postcode(staging: Select) -> None:
    query = "select contact_id, usual_city from stg_crm__contacts where problems = 'city_not_of_postcode'"
    assert staging(query) == [("p5", "springfield")]
    assert _one(staging, "usual_city", "q3") == (None,)


def test_swapped_names(staging: Select) -> None:
    assert staging("select contact_id from stg_crm__contacts where problems like '%swapped%'") == [("n8",)]


def test_contacts_against_their_loyalty_cards(staging: Select) -> None:
    columns = "contact_id, card_is_known, birth_date_agrees, contact_age_agrees, card_age_agrees, problems"
    assert staging(f"select {columns} from stg_crm__contact_checks order by 1") == [
        ("c1", True, True, True, True, None),
        ("c2", True, None, None, False, "card_age_outside_band"),
        ("c4", True, None, None, None, None),
        ("c5", True, None, None, False, "card_age_outside_band"),
        ("c6", False, None, None, None, "card_unknown"),
        ("c7", True, False, True, False, "birth_date_not_of_card, card_age_outside_band"),
    ]


def test_opens_by_programs(staging: Select) -> None:
    assert staging(
        "select occurred_at, is_machine_open from stg_email__events where message_id = 'm1' and event_type = 'opened' "
        "order by 1"
    ) == [(at(1, seconds=5), True), (at(1, hours=3), True), (at(2), False), (at(3), False)]
    assert staging("select is_machine_open from stg_email__events where message_id = 'm3'") == [(False,)]


def test_links_and_recipients_of_emails(staging: Select) -> None:
    assert staging(
        "select link_url, utm_source, utm_medium, utm_campaign, email, is_machine_click from stg_email__events "
        "where event_type = 'clicked'"
    ) == [("https://shop.example/offers?id=7", "news", None, "c1", "ann@example.org", False)]
    assert staging("select distinct email from stg_email__events where message_id = 'm2'") == [(None,)]


def test_a_message_has_its_first_times(staging: Select) -> None:
    columns = (
        "message_id, sent_at, delivered_at, opened_by_person_at, opened_by_machine_at, clicked_by_person_at, "
        "bounced_at, unsubscribed_at, is_hard_bounce"
    )
    assert staging(f"select {columns} from stg_email__messages order by 1") == [
        ("m1", at(1), at(1, seconds=2), at(2), at(1, seconds=5), at(2, seconds=9), None, at(4), False),
        ("m2", at(1), None, None, None, None, at(1, seconds=2), None, True),
        ("m3", None, None, at(1), None, None, None, None, False),
    ]


def test_consent_is_a_history_of_states(staging: Select) -> None:
    """Repeats make one period, order of arrival does not matter, and at one instant a withdrawal wins."""
    columns = "source_record_id, is_granted, valid_from, valid_to, is_current"
    assert staging(f"select {columns} from stg_consent__periods order by 1, 3") == [
        ("c1", True, at(1), at(3), False),
        ("c1", False, at(3), at(5), False),
        ("c1", True, at(5), None, True),
        ("c2", False, at(1), None, True),
    ]


def test_tickets_in_their_newest_version(staging: Select) -> None:
    columns = "ticket_id, ticket_status, category, email, satisfaction, opened_at, solved_at, first_known_at, problems"
    wrong = "email_invalid, solved_at_impossible, satisfaction_out_of_range"
    assert staging(f"select {columns} from stg_service__tickets order by 1") == [
        ("t1", "solved", "delivery", "ann@example.org", 5, at(1), at(3), at(1), None),
        ("t2", "solved", None, None, None, at(1), None, at(1), wrong),
        ("t3", "pondered", None, None, None, at(1), None, at(1), "status_unknown"),
    ]  # fmt: skip


def test_the_later_answer_stands(staging: Select) -> None:
    assert staging("select question_id, answer, answer_number from stg_service__survey_answers order by 1") == [
        ("favorite_department", "Deli", None), ("open", None, None), ("recommend", "10", 10),
    ]  # fmt: skip


def test_columns_of_persons_say_so(dbt: InProcessDbt) -> None:
    personal = re.compile("(email|email_key|phone|street|street_number|postcode|birth_date|(first|last|given)_name)$")
    unmarked = [
        f"{node['name']}.{name}"
        for node in dbt.manifest_dict["nodes"].values()
        if node["resource_type"] == "model"
        and re.match("(stg|base)_(crm|email|consent|service|loyalty)__", node["name"])
        for name, column in node["columns"].items()
        if personal.search(name) and not column["config"]["meta"].get("contains_pii")
    ]
    assert not unmarked


def test_a_number_is_read_once(dbt: InProcessDbt, tmp_path: Path) -> None:
    """What the last build has read is taken from it, but for texts that are gone, new, or read by older rules."""
    phones = "staging.base_crm__phones"
    folders = ShopFolders.of("demo", Path(shutil.copytree(dbt.folders.data_root, tmp_path / "data")))
    with duckdb.connect(str(folders.warehouse)) as warehouse:
        before = warehouse.execute(f"select written_phone, phone from {phones} order by 1").fetchall()
        warehouse.execute(f"update {phones} set phone = 'kept' where written_phone = '123456'")
        warehouse.execute(f"update {phones} set phone = 'stale', parsed_by = 'older' where written_phone like '(212)%'")
        warehouse.execute(f"insert into {phones} select 'gone', null, null, any_value(parsed_by) from {phones}")
        warehouse.execute(f"delete from {phones} where written_phone = '030 901820'")
    _build(folders, "base_crm__phones")
    with reading(folders.warehouse) as warehouse:
        after = warehouse.execute(f"select written_phone, phone from {phones} order by 1").fetchall()
    assert after == [(text, "kept" if text == "123456" else number) for text, number in before]


def test_a_second_delivery_of_the_same_rows_changes_nothing(dbt: InProcessDbt, staging: Select) -> None:
    """All rows once more, in the other order: history keeps its load and its times."""
    again = {table: list(reversed(rows)) for table, rows in FIRST_LOAD.items() if table in TABLES}
    _land(LandingZone(dbt.folders.landing), "again", again)
    _build(dbt.folders)
    for model in [*STAGED.values(), "stg_consent__periods", "stg_email__messages"]:
        # Of survey answers the newest row stands, so that the load is another one; all else is the same.
        columns = "* exclude (load_id)" if model == "stg_service__survey_answers" else "*"
        query = f"select {columns} from {model} order by all"
        with reading(dbt.folders.warehouse) as warehouse:
            warehouse.execute("use staging")
            assert warehouse.execute(query).fetchall() == staging(query), model
