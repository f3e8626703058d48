"""Who is who: what ties records, what must not, whose id lasts, and what people decide."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.graph import connected_components
from shops import PROJECT_ROOT
from tests.unit.models.compiled import CompiledModels, Row, at, land, line, order, rows

WEB = ("stg_web__identifications", "stg_web__visitors", "base_web__events")
STAGED = (
    "stg_landing__loads",
    "stg_loyalty__members",
    "stg_shop__orders",
    "stg_campaigns__recipients",
    "stg_campaigns__coupon_redemptions",
    "stg_crm__contacts",
    "stg_email__events",
    "stg_service__tickets",
    "stg_service__survey_answers",
)
ANSWERS = (
    "int_identity__customers",
    "int_identity__review_queue",
    "int_identity__events",
    "int_identity__redirects",
    "int_identity__hashed_identifiers",
)
Partition = set[frozenset[str]]
FEW = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def contact(contact_id: str, occurred_at: str = "2024-01-01", **said: Any) -> Row:
    """A landed version of a CRM contact."""
    return {"contact_id": contact_id, "crm_system": "crm", "occurred_at": at(occurred_at), **said}


def visit(anonymous_id: str, user_id: str | None = None, email: str | None = None, seen: str = "2024-01-02") -> Row:
    """What a cookie said of itself."""
    return {"anonymous_id": anonymous_id, "user_id": user_id, "email": email, "first_seen_at": at(seen)}


class Shop:
    """A shop in memory: rows land, identity is resolved, runs are promoted, people decide."""

    def __init__(self, models: CompiledModels) -> None:
        self.models, self.warehouse, self.loads = models, models.warehouse(), 0
        models.empty(self.warehouse, *WEB)

    def land(self, visits: Iterable[Row] = (), bots: Iterable[str] = (), **tables: Iterable[Row]) -> Shop:
        """One load; `visits` go to staging as they are."""
        self.loads += 1
        land(self.warehouse, f"load-{self.loads}", sequence=self.loads, **tables)
        for row in visits:
            self._identify(row)
        for bot in bots:
            self.warehouse.execute(
                "insert into staging.stg_web__visitors by name select ? as anonymous_id, true as is_bot", [bot]
            )
        return self

    def _identify(self, row: Row) -> None:
        """What an event that names somebody leaves in staging; a second one like it is one more event."""
        said = {**row, "load_sequence": self.loads}
        self.warehouse.execute(
            "insert into staging.base_web__events by name select $anonymous_id as anonymous_id, $user_id as user_id, "
            "$email as email, $first_seen_at as event_at, $first_seen_at as received_at, $load_sequence as load_sequence",
            said,
        )
        self.warehouse.execute("""
            create or replace table staging.stg_web__identifications as
            select concat_ws('|', anonymous_id, user_id, email) as identification_key, anonymous_id, user_id, email,
                min(event_at) as first_seen_at, max(event_at) as last_seen_at, min(received_at) as first_known_at,
                min(load_sequence) as first_load_sequence, count(*) as event_count
            from staging.base_web__events where user_id is not null or email is not null
            group by anonymous_id, user_id, email
        """)

    def resolve(self) -> Shop:
        """Build staging and identity anew, as after the loss of the warehouse; the ledger stays."""
        self._drop("staging", "identity")
        self.models.build(self.warehouse, *ANSWERS)
        return self

    def rebuild_staging(self) -> None:
        """Build what identity reads anew, and nothing else."""
        self._drop("staging")
        self.models.build(self.warehouse, *STAGED)

    def _drop(self, *schemas: str) -> None:
        seeds_and_web = {*WEB, "nicknames", "street_words", "bot_user_agents", "generic_mailboxes"}
        for schema, table in rows(self.warehouse, "select schema_name, table_name from duckdb_tables()"):
            if schema in schemas and table not in seeds_and_web:
                self.warehouse.execute(f"drop table {schema}.{table}")

    def promote(self) -> Shop:
        """Append to the ledger what `orchestration.ledger.record_memberships` would."""
        self.warehouse.execute("""
            insert into ledger.identity_memberships by name
            select * exclude (valid_to) replace (
                (select coalesce(max(promotion_number), 0) + 1 from ledger.identity_memberships) as promotion_number
            ), (select last_known_at from identity.int_identity__known_through) as known_through
            from identity.int_identity__memberships where promotion_number is null
        """)
        return self

    def decide(self, verdict: str, one: str = "", other: str = "", undoes: str | None = None, hour: int = 1) -> str:
        """A decision about two contacts, or the undoing of one."""
        decision = f"d{hour}"
        self.warehouse.execute(
            "insert into ledger.identity_decisions by name select $1 as decision_id, $2 as verdict, "
            "'crm_contacts' as left_source_system, $3 as left_source_record_id, "
            "'crm_contacts' as right_source_system, $4 as right_source_record_id, $5 as undoes, $6 as decided_at",
            [decision, verdict, one or None, other or None, undoes, at("2025-01-01 00:00") + timedelta(hours=hour)],
        )
        return decision

    def partition(self, system: str = "%") -> Partition:
        """Which records are one customer now."""
        found = rows(
            self.warehouse,
            "select list(source_system || ':' || source_record_id) from identity.master_customer_index "
            f"where valid_to is null and source_system like '{system}' group by customer_id",
        )
        return {frozenset(records) for (records,) in found}

    def together(self, *names: str) -> bool:
        """Whether the records are one customer now."""
        return any(set(names) <= customer for customer in self.partition())

    def index(self, columns: str = "source_system, source_record_id, customer_id") -> list[tuple[Any, ...]]:
        """The index as it stands now."""
        return rows(
            self.warehouse, f"select {columns} from identity.master_customer_index where valid_to is null order by all"
        )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return rows(self.warehouse, query)


def resolved(models: CompiledModels, **tables: Any) -> Shop:
    """A shop after one load."""
    return Shop(models).land(**tables).resolve()


ANN = {"first_name": "Ann", "last_name": "Miller"}
BOB = {"first_name": "Bob", "last_name": "Smith"}


@pytest.mark.parametrize(
    ("rule", "tables", "tied"),
    [
        (
            "same loyalty id",
            {"crm_contacts": [contact("C1", loyalty_id="k1")], "orders": [order("o1", "2024-01-05", "k1")]},
            ("crm_contacts:C1", "orders:card:k1"),
        ),
        (
            "same login",
            {"crm_contacts": [contact("C1", user_id="u1")], "visits": [visit("a1", "u1")]},
            ("crm_contacts:C1", "web_users:u1"),
        ),
        (
            "same device",
            {"visits": [visit("a1", "u1"), visit("a2", "u1")]},
            ("web_visitors:a1", "web_visitors:a2", "web_users:u1"),
        ),
        (
            "same email",
            {"crm_contacts": [contact("C1", email="Ann+shop@x.com ")], "visits": [visit("a1", "u1", "ann@x.com")]},
            ("crm_contacts:C1", "web_users:u1", "web_visitors:a1"),
        ),
        (
            "same phone and name",
            {"crm_contacts": [contact("C1", phone="(541) 754-3010", **ANN), contact("C2", phone="+15417543010", **ANN)]},
            ("crm_contacts:C1", "crm_contacts:C2"),
        ),
        (
            "same email",
            {"orders": [order("o1", "2024-01-05", None, email="ann@x.com")],
             "email_events": [{"message_id": "m1", "event_type": "sent", "email": "Ann@x.com",
                               "occurred_at": at("2024-01-03")}]},
            ("orders:email:ann@x.com", "emails:ann@x.com"),
        ),
    ],
)  # fmt: skip
def test_a_rule_ties_and_says_its_name(
    models: CompiledModels, rule: str, tables: dict[str, Any], tied: tuple[str, ...]
) -> None:
    shop = resolved(models, **tables)
    assert shop.together(*tied)
    assert {name for (name,) in shop.ask("select match_rule from identity.int_identity__edges")} >= {rule}
    assert ("anchor",) in shop.index("match_rule")


def test_a_web_order_ties_the_login_to_the_card(models: CompiledModels) -> None:
    shop = Shop(models).land(visits=[visit("a1", "u1")], orders=[order("o1", "2024-01-05", "k1")])
    shop.warehouse.execute(
        "insert into staging.base_web__events by name select 'e1' as event_id, 'a1' as anonymous_id, 'u1' as user_id, "
        "'o1' as order_id, timestamp '2024-01-05 10:00' as event_at, timestamp '2024-01-05 10:01' as received_at"
    )
    assert shop.resolve().together("web_users:u1", "orders:card:k1", "web_visitors:a1")


FAMILY = [
    contact("C1", email="home@x.com", loyalty_id="k1", **ANN),
    contact("C2", email="home@x.com", loyalty_id="k2", **BOB),
    contact("C3", email="home@x.com", **ANN),
    contact("C4", email="home@x.com"),
]


def test_an_email_of_two_people_ties_only_those_of_one_name(models: CompiledModels) -> None:
    shop = resolved(models, crm_contacts=FAMILY)
    assert shop.partition() == {
        frozenset({"crm_contacts:C1", "crm_contacts:C3"}), frozenset({"crm_contacts:C2"}), frozenset({"crm_contacts:C4"}),
    }  # fmt: skip
    reason = "select identifier_value, reason, record_count from identity.int_identity__shared_identifiers"
    assert shop.ask(reason) == [("home@x.com", "people of different given names", 4)]


@pytest.mark.parametrize(
    ("what", "reason", "tables"),
    [
        (
            "a generic mailbox",
            "generic mailbox",
            {"crm_contacts": [contact("C1", email="info@x.com"), contact("C2", email="info+a@x.com")]},
        ),
        (
            "a recycled phone",
            "people of different given names",
            {"crm_contacts": [contact("C1", phone="+15417543010", **ANN), contact("C2", phone="+15417543010", **BOB)]},
        ),
        (
            "a phone of namesakes",
            "people of different last names",
            {"crm_contacts": [contact("C1", phone="+15417543010", **ANN),
                              contact("C2", phone="+15417543010", first_name="Ann", last_name="Jones")]},
        ),
        (
            "a kiosk",
            "several logins on one device",
            {"visits": [visit("kiosk", f"u{number}") for number in range(5)]},
        ),
        (
            "a card of ten thousand",
            "more than 30 records",
            {"crm_contacts": [contact(f"C{number}", loyalty_id="k0") for number in range(10_000)]},
        ),
        (
            "an address of ten thousand",
            "more than 30 records",
            {"crm_contacts": [contact(f"C{number}", email="everybody@x.com") for number in range(10_000)]},
        ),
        (
            "a phone of ten thousand, of one name",
            "more than 30 records",
            {"crm_contacts": [contact(f"C{number}", phone="+15417543010", **ANN) for number in range(10_000)]},
        ),
    ],
)  # fmt: skip
def test_what_many_share_glues_nobody(models: CompiledModels, what: str, reason: str, tables: dict[str, Any]) -> None:
    shop = resolved(models, **tables)
    assert all(len(customer) == 1 for customer in shop.partition()), what
    assert {why for (why,) in shop.ask("select reason from identity.int_identity__shared_identifiers")} == {reason}


def test_a_value_that_says_nothing_merges_nobody(models: CompiledModels) -> None:
    nothing = [None, "", "   ", "\t", "\u200b", "n/a", "-", "none", "null", "unknown", "\x00", "\ufffd\ufffd"]
    columns = ("loyalty_id", "user_id", "email", "phone", "first_name")
    said = [(column, value) for column in columns for value in nothing]
    said += [(column, "x" * 5000) for column in ("email", "phone", "first_name")]
    contacts = [
        contact(f"C{place}{twin}", **{column: value}) for place, (column, value) in enumerate(said) for twin in "ab"
    ]
    shop = resolved(models, crm_contacts=contacts)
    assert shop.partition() == {frozenset({f"crm_contacts:{row['contact_id']}"}) for row in contacts}


def test_bots_and_test_accounts_are_set_aside_with_the_reason(models: CompiledModels) -> None:
    shop = resolved(
        models,
        crm_contacts=[contact("C1", email="test@x.com", loyalty_id="k1"), contact("C2", loyalty_id="k1")],
        visits=[visit("a1", "u1"), visit("bot", "u1")],
        bots=["bot"],
    )
    aside = "select source_record_id, set_aside_reason from identity.int_identity__source_records order by all"
    assert [row for row in shop.ask(aside) if row[1]] == [("C1", "test account"), ("bot", "bot")]
    assert {name for customer in shop.partition() for name in customer} == {
        "crm_contacts:C2", "web_users:u1", "web_visitors:a1",
    }  # fmt: skip


def test_two_cards_are_not_one_customer_and_wait_for_review(models: CompiledModels) -> None:
    shop = resolved(
        models, crm_contacts=[contact("C1", loyalty_id="k1", email="a@x.com"), contact("C2", loyalty_id="k2", email="a@x.com")]
    )  # fmt: skip
    assert not shop.together("crm_contacts:C1", "crm_contacts:C2")
    queue = "select review_kind, reason, part_count, record_count from identity.int_identity__review_queue"
    assert shop.ask(queue) == [("divided", "more than 1 loyalty ids", 2, 2)]


def test_birth_dates_undo_a_guess_and_not_a_card(models: CompiledModels) -> None:
    def born(contact_id: str, day: str, **more: Any) -> Row:
        return contact(contact_id, birth_date=day, **ANN, **more)

    by_mail = resolved(models, crm_contacts=[born("C1", "1950-01-02", email="a@x.com"), born("C2", "1983-11-24", email="a@x.com")])
    assert not by_mail.together("crm_contacts:C1", "crm_contacts:C2")
    by_card = resolved(models, crm_contacts=[born("C1", "1950-01-02", loyalty_id="k"), born("C2", "1983-11-24", loyalty_id="k")])
    assert by_card.together("crm_contacts:C1", "crm_contacts:C2")
    assert by_card.ask("select review_kind, reason from identity.int_identity__review_queue") == [
        ("kept with a conflict", "conflicting birth dates")
    ]
    a_slip = resolved(models, crm_contacts=[born("C1", "1950-01-02", email="a@x.com"), born("C2", "1950-02-01", email="a@x.com")])
    assert a_slip.together("crm_contacts:C1", "crm_contacts:C2")


# Contacts of few values, so that they meet; named alike, so that no guard divides what a rule ties.
CONTACTS = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from([None, "k1", "k2", "k3"]),
        st.sampled_from([None, "a@x.com", "b@x.com", "c@x.com"]),
        st.sampled_from([None, "u1", "u2"]),
        st.integers(1, 28),
        st.sampled_from([None, "Ann", "Bob"]),
        st.sampled_from([None, "1950-01-02", "1983-11-24"]),
    ),
    min_size=2,
    max_size=9,
    unique_by=lambda row: row[0],
)
Drawn = tuple[int, str | None, str | None, str | None, int, str | None, str | None]


def drawn_contacts(drawn: Sequence[Drawn]) -> list[Row]:
    """Contacts as `CONTACTS` draws them."""
    return [
        contact(f"C{number}", f"2024-01-{day:02}", loyalty_id=card, email=email, user_id=user, first_name=name,
                last_name=name and "Miller", birth_date=born)
        for number, card, email, user, day, name, born in drawn
    ]  # fmt: skip


@given(CONTACTS, st.randoms(use_true_random=False), st.integers(1, 3))
@FEW
def test_membership_does_not_depend_on_the_order_of_arrival(
    models: CompiledModels, drawn: list[Drawn], shuffler: random.Random, pieces: int
) -> None:
    at_once = resolved(models, crm_contacts=drawn_contacts(drawn))
    shuffled = drawn_contacts(drawn)
    shuffler.shuffle(shuffled)
    in_pieces = Shop(models)
    for place in range(pieces):
        in_pieces.land(crm_contacts=shuffled[place::pieces]).resolve().promote()
    assert in_pieces.partition() == at_once.partition()


@pytest.mark.slow
@given(CONTACTS, st.integers(2, 3))
@FEW
def test_runs_load_by_load_give_the_ids_of_one_rebuild(models: CompiledModels, drawn: list[Drawn], pieces: int) -> None:
    shop = Shop(models)
    contacts = drawn_contacts(drawn)
    for place in range(pieces):
        shop.land(crm_contacts=contacts[place::pieces]).resolve().promote()
    every_row = "from identity.master_customer_index select * order by all"
    by_loads, history = shop.index(), shop.ask(every_row)
    assert shop.resolve().ask(every_row) == history, "a second run, and a rebuild, change nothing"
    assert shop.ask("select count(*) from identity.int_identity__memberships where promotion_number is null") == [(0,)]
    shop.warehouse.execute("delete from ledger.identity_memberships")
    assert shop.resolve().index() == by_loads, "the ids are the anchors', also without the ledger"


@given(CONTACTS, st.integers(1, 29))
@FEW
def test_the_index_of_an_instant_is_what_was_known_then(models: CompiledModels, drawn: list[Drawn], day: int) -> None:
    # Without names and dates no guard looks ahead: what is known later divides nobody earlier.
    plain = [(*row[:5], None, None) for row in drawn]
    cards = [(number, card, None, None, day, None, None) for number, card, _, _, day, _, _ in plain]
    instant = at(f"2024-01-{day:02} 23:00") if day < 29 else at("2024-01-31")
    whole = resolved(models, crm_contacts=drawn_contacts(cards))
    then = whole.ask(
        "select source_record_id, customer_id from identity.master_customer_index "
        f"where valid_from <= '{instant}' and (valid_to is null or valid_to > '{instant}') order by all"
    )
    known = [row for row in drawn_contacts(cards) if row["occurred_at"] <= instant]
    if known:
        assert resolved(models, crm_contacts=known).index("source_record_id, customer_id") == then
    else:
        assert then == []


def merged_later(models: CompiledModels) -> Shop:
    """Two customers that a third record joins in a second load; both runs were promoted."""
    shop = Shop(models).land(crm_contacts=[contact("C1", email="a@x.com"), contact("C2", user_id="u1")])
    shop.resolve().promote()
    return shop.land(crm_contacts=[contact("C3", "2024-02-01", email="a@x.com", user_id="u1")]).resolve()


def test_a_merge_keeps_the_older_anchor_and_leaves_a_redirect(models: CompiledModels) -> None:
    shop = merged_later(models)
    (kept,), (retired,) = shop.ask(
        "select 'c_' || source_record_key from identity.int_identity__source_records "
        "where source_record_id in ('C1', 'C2') order by source_record_id"
    )
    assert {customer for _, _, customer in shop.index()} == {kept}
    redirects = "select retired_customer_id, customer_id from identity.int_identity__redirects where retired_at >= '2024-02-01'"
    assert shop.ask(redirects) == [(retired, kept)]
    merges = "select customer_id, other_customer_id, happened_at, record_count from identity.int_identity__events where event_type = 'merge'"
    assert (retired, kept, at("2024-02-01"), 1) in shop.ask(merges)
    then = "select source_record_id, customer_id from identity.master_customer_index where valid_to = '2024-02-01 12:00' order by all"
    assert shop.ask(then) == [("C2", retired)]


def test_a_split_keeps_the_id_with_the_anchor(models: CompiledModels) -> None:
    shop = merged_later(models).promote()
    before = shop.index()
    shop.decide("not same", "C1", "C2")
    shop.resolve()
    assert not shop.together("crm_contacts:C1", "crm_contacts:C2")
    anchors = dict(shop.ask("select source_record_id, 'c_' || source_record_key from identity.int_identity__source_records"))
    now = {record: customer for _, record, customer in shop.index()}
    assert now["C1"] == anchors["C1"] == before[0][2]
    assert now["C2"] == anchors["C2"]
    events = "select event_type, customer_id from identity.int_identity__events where promotion_number is null"
    assert ("split", anchors["C1"]) in shop.ask(events)


def downstream(shop: Shop) -> list[list[tuple[Any, ...]]]:
    """All that later stages read of identity now."""
    tables = ("customers", "golden_values", "hashed_identifiers", "review_queue")
    customers = "* exclude (first_seen_at)"  # when the id was first used is history
    found = [shop.index()]
    for table in tables:
        columns = customers if table == "customers" else "*"
        found.append(shop.ask(f"select {columns} from identity.int_identity__{table} order by all"))
    return found


@pytest.mark.parametrize("is_promoted", [False, True])
def test_undo_is_as_if_the_merge_had_never_been(models: CompiledModels, is_promoted: bool) -> None:
    shop = resolved(models, crm_contacts=[contact("C1", **ANN), contact("C2", **BOB)])
    never = downstream(shop.promote())
    decision = shop.decide("same", "C1", "C2", hour=1)
    assert shop.resolve().together("crm_contacts:C1", "crm_contacts:C2")
    if is_promoted:
        shop.promote()
    shop.decide("undo", undoes=decision, hour=2)
    assert downstream(shop.resolve()) == never
    again = shop.promote().ask("from identity.master_customer_index select * order by all")
    assert shop.resolve().ask("from identity.master_customer_index select * order by all") == again


def test_decisions_win_over_evidence(models: CompiledModels) -> None:
    shop = Shop(models).land(
        crm_contacts=[
            contact("C1", loyalty_id="k1", **ANN), contact("C2", loyalty_id="k1", **ANN), contact("C3", loyalty_id="k2", **BOB),
        ]
    )  # fmt: skip
    shop.decide("not same", "C1", "C2", hour=1)
    shop.decide("same", "C2", "C3", hour=2)
    shop.resolve()
    assert not shop.together("crm_contacts:C1", "crm_contacts:C2")
    assert shop.together("crm_contacts:C2", "crm_contacts:C3")
    shop.decide("same", "C2", "C1", hour=3)
    assert shop.resolve().together("crm_contacts:C1", "crm_contacts:C2"), "of two on one pair the newest holds"


def test_likely_pairs_are_tied_and_possible_ones_wait(models: CompiledModels) -> None:
    shop = resolved(models, crm_contacts=[contact(f"C{number}", **ANN) for number in range(4)])
    keys = dict(shop.ask("select source_record_id, source_record_key from identity.int_identity__source_records"))
    for one, other, probability in (("C0", "C1", 0.99), ("C2", "C3", 0.7)):
        left, right = sorted((keys[one], keys[other]))
        shop.warehouse.execute(
            "insert into ml.identity_matches by name select ? as left_record_key, ? as right_record_key, "
            "? as match_probability", [left, right, probability],
        )  # fmt: skip
    shop.resolve()
    assert shop.together("crm_contacts:C0", "crm_contacts:C1")
    assert not shop.together("crm_contacts:C2", "crm_contacts:C3")
    assert ("probabilistic", 0.99) in shop.index("match_rule, match_confidence")
    assert shop.ask("select review_kind, match_probability from identity.int_identity__review_queue") == [
        ("possible match", 0.7)
    ]


def test_the_golden_record_takes_the_most_trusted_word_then_the_newest(models: CompiledModels) -> None:
    def said(contact_id: str, system: str, when: str, **fields: Any) -> Row:
        return {**contact(contact_id, when, loyalty_id="k1", **fields), "crm_system": system}

    shop = resolved(
        models,
        crm_contacts=[
            said("C1", "crm", "2024-01-01", first_name="Ann", city="Oldtown"),
            said("C1", "crm", "2024-01-05", first_name="Ann", city="Newtown"),
            said("T1", "till", "2024-01-09", first_name="Annie", city="Elsewhere", phone="+15417543010"),
        ],
        loyalty_members=[{"loyalty_id": "k1", "birth_date": "1980-05-06", "occurred_at": at("2024-01-01")}],
    )
    assert shop.ask("select first_name, city, phone, birth_date::varchar from identity.int_identity__customers") == [
        ("Ann", "Newtown", "+15417543010", "1980-05-06")
    ]
    provenance = "select source_record_id, said_count, value_count from identity.int_identity__golden_values where field = 'city'"
    assert shop.ask(provenance) == [("C1", 3, 3)]


@given(st.lists(st.tuples(st.integers(1, 15), st.integers(1, 15)).filter(lambda edge: edge[0] != edge[1]), max_size=25))
@settings(max_examples=40, deadline=None)
def test_components_in_sql_are_those_of_scipy(edges: list[tuple[int, int]]) -> None:
    sql = (PROJECT_ROOT / "models/identity/in_sql/int_identity__components.sql").read_text(encoding="utf-8")
    sql = re.sub(r"{{ ref\('(\w+)'\) }}", r"\1", re.sub(r"{#-.*?-#}", "", sql, flags=re.DOTALL))
    # Those up to 15 are touched, as whole components; of the others an increment keeps what stands.
    sql = re.sub(r"{{ is_among\('\w+', '(\w+)'.*?\) }}", r"\1 <= 15", sql)
    with duckdb.connect() as connection:
        connection.execute("create table int_identity__source_records as select unnest(range(1, 18)) as record_number")
        connection.execute("create table int_identity__edges (left_number bigint, right_number bigint)")
        connection.executemany("insert into int_identity__edges values (?, ?)", [*edges, (16, 17)])
        in_sql = connection.execute(f"from ({sql}) order by record_number").fetchall()
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2) - 1
    by_scipy = connected_components(15, ends[:, 0], ends[:, 1]) + 1
    assert in_sql == list(enumerate(by_scipy.tolist(), start=1))
