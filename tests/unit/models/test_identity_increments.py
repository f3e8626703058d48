"""An increment of the identity stage gives what a full build gives: whatever changes, in whatever order it arrives."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.content import HOW_IT_WAS_BUILT
from tests.unit.models.compiled import CompiledModels, at, order, rows
from tests.unit.models.test_identity import ANN, BOB, FEW, Shop, contact, visit

Tables = dict[str, list[tuple[Any, ...]]]


class Continued(Shop):
    """A shop whose identity stage continues what stands."""

    def __init__(self, models: CompiledModels, increments: Path) -> None:
        super().__init__(models)
        self.increments, self.through = increments, 0

    def resolve(self) -> Continued:
        """A full build."""
        super().resolve()
        self.through = self.loads
        return self

    def go_on(self) -> Continued:
        """An increment after a full build or another increment."""
        self.rebuild_staging()
        self.models.continue_identity(self.warehouse, self.increments, self.through)
        self.through = self.loads
        return self

    def tables(self) -> Tables:
        """All rows of all tables of the stage that hold results."""
        names = rows(self.warehouse, "select table_name from duckdb_tables() where schema_name = 'identity' order by all")
        return {
            name: rows(self.warehouse, f"from identity.{name} select * order by all")
            for (name,) in names
            if not f"identity.{name}".startswith(HOW_IT_WAS_BUILT)
        }

    def is_as_if_built_anew(self) -> bool:
        """Whether a full build changes nothing; shows what it changes."""
        continued = self.tables()
        anew = self.resolve().tables()
        different = {
            name: {
                "more in the increment": list((Counter(continued[name]) - Counter(anew[name])).elements()),
                "more in the full build": list((Counter(anew[name]) - Counter(continued[name])).elements()),
            }
            for name in anew
            if continued[name] != anew[name]
        }
        for name, rows_of in different.items():
            print(name, rows_of)
        return not different


# Cards, logins, cookies and contacts are called alike, as where one system hands out the ids of others.
IDS = ["C1", "C2"]


def some_contact(draw: random.Random) -> dict[str, Any]:
    """A version of one of few contacts, of few values."""
    first = draw.choice([None, "Ann", "Bob"])
    return contact(
        f"C{draw.randrange(6)}", f"2024-01-{draw.randint(1, 28):02}", loyalty_id=draw.choice([None, *IDS]),
        email=draw.choice([None, "a@x.com", "b@x.com", "info@x.com"]), user_id=draw.choice([None, None, *IDS]),
        phone=draw.choice([None, "+15417543010"]), first_name=first, last_name=first and draw.choice(["Miller", "Test Account"]),
        birth_date=draw.choice([None, "1950-01-02", "1983-11-24"]),
    )  # fmt: skip


def some_order(draw: random.Random) -> dict[str, Any]:
    """A version of one of few orders; who bought may differ from version to version."""
    card = draw.choice([None, *IDS])
    return order(
        f"o{draw.randrange(3)}", "2024-01-05", card, user_id=draw.choice([None, "C1"]),
        email=draw.choice([None, "A@x.com ", "b@x.com"]), known_at=at(f"2024-01-{draw.randint(6, 28):02}"),
    )  # fmt: skip


def some_mail(draw: random.Random) -> dict[str, Any]:
    """A mail; the same message may name another address, and be known earlier."""
    return {
        "message_id": f"m{draw.randrange(3)}", "event_type": "sent", "email": draw.choice(["a@x.com", "b@x.com", "c@x.com"]),
        "loyalty_id": draw.choice([None, *IDS]), "occurred_at": at("2024-01-03"),
        "known_at": at(f"2024-01-{draw.randint(4, 28):02}"),
    }  # fmt: skip


def some_member(draw: random.Random) -> dict[str, Any]:
    """A loyalty card."""
    return {"loyalty_id": draw.choice([*IDS, "C3"]), "occurred_at": at(f"2024-01-{draw.randint(1, 28):02}")}


LANDED: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "crm_contacts": some_contact,
    "orders": some_order,
    "email_events": some_mail,
    "loyalty_members": some_member,
}


def something_happens(shop: Shop, draw: random.Random) -> None:
    """A load of some rows; people decide, the linkage model thinks again, a visitor turns out to be a bot, or not."""
    kinds = [draw.choice([*LANDED, "crm_contacts", "visits"]) for _ in range(draw.randint(0, 5))]
    tables = {kind: [LANDED[kind](draw) for one in kinds if one == kind] for kind in LANDED if kind in kinds}
    visits = [
        visit(draw.choice(IDS), draw.choice([None, *IDS]), draw.choice(["a@x.com", "b@x.com"]))
        for kind in kinds
        if kind == "visits"
    ]
    shop.land(visits=visits, **tables)
    if draw.random() < 0.4:
        shop.warehouse.execute("delete from staging.stg_web__visitors")
    elif not rows(shop.warehouse, "from staging.stg_web__visitors"):
        shop.warehouse.execute("insert into staging.stg_web__visitors by name select 'C1' as anonymous_id, true as is_bot")
    if draw.random() < 0.3:
        one, other = draw.sample(["C0", "C1", "C2", "C3"], 2)
        shop.decide(draw.choice(["same", "not same"]), one, other, hour=shop.loads)
    elif draw.random() < 0.2 and shop.loads > 1:
        shop.decide("undo", undoes=f"d{draw.randrange(1, shop.loads)}", hour=shop.loads)
    if draw.random() < 0.4:
        shop.warehouse.execute("delete from ml.identity_matches")
        records = "select source_record_key from identity.int_identity__source_records where source_system = 'crm_contacts'"
        keys = sorted(key for (key,) in rows(shop.warehouse, records))
        for left, right in {tuple(sorted(draw.sample(keys, 2))) for _ in range(2)} if len(keys) > 1 else ():
            shop.warehouse.execute(
                "insert into ml.identity_matches by name select ? as left_record_key, ? as right_record_key, "
                "? as match_probability", [left, right, draw.choice([0.5, 0.97, 0.99])],
            )  # fmt: skip
    if draw.random() < 0.4:
        shop.promote()


HISTORIES = given(st.randoms(use_true_random=False), st.integers(1, 4))


@HISTORIES
@FEW
def test_increments_give_what_a_full_build_gives(
    models: CompiledModels, increments: Path, draw: random.Random, loads: int
) -> None:
    assert after_some_days(models, increments, draw, loads).is_as_if_built_anew()


@pytest.mark.slow
@HISTORIES
@settings(FEW, max_examples=40)
def test_many_histories_of_increments_give_what_a_full_build_gives(
    models: CompiledModels, increments: Path, draw: random.Random, loads: int
) -> None:
    assert after_some_days(models, increments, draw, loads).is_as_if_built_anew()


def after_some_days(models: CompiledModels, increments: Path, draw: random.Random, loads: int) -> Continued:
    """A shop that was continued load by load."""
    shop = Continued(models, increments)
    something_happens(shop.land(crm_contacts=[some_contact(draw)]).resolve(), draw)
    for _ in range(loads):
        shop.go_on()
        something_happens(shop, draw)
    return shop.go_on()


def test_an_increment_looks_at_what_changed_alone(models: CompiledModels, increments: Path) -> None:
    contacts = [contact(f"C{number}", email=f"{number}@x.com", loyalty_id=f"k{number}") for number in range(50)]
    shop = Continued(models, increments)
    shop.land(crm_contacts=contacts).resolve()
    shop.land(crm_contacts=[contact("C50", email="7@x.com")]).go_on()
    touched = (
        "select source_record_id from identity.int_identity__source_records "
        "where source_record_key in (select source_record_key from identity.int_identity__{})"
    )
    assert shop.ask(touched.format("changed_records")) == [("C50",)]
    assert set(shop.ask(touched.format("touched_records"))) == {("C7",), ("C50",)}
    assert shop.together("crm_contacts:C7", "crm_contacts:C50")
    assert shop.go_on().ask("select count(*) from identity.int_identity__touched_records") == [(0,)]


def test_records_of_two_systems_may_have_one_name(models: CompiledModels, increments: Path) -> None:
    shop = Continued(models, increments)
    shop.land(crm_contacts=[contact("77", **ANN)], visits=[visit("a1", "77")]).resolve()
    shop.land(crm_contacts=[contact("77", "2024-02-01", **BOB)]).go_on()
    assert shop.ask("select count(*) from identity.int_identity__source_records") == [(3,)]
    assert shop.is_as_if_built_anew()
    shop.land(visits=[visit("a2", "77")]).go_on()
    assert shop.ask("select count(*) from identity.int_identity__persons") == [(1,)]
    assert shop.is_as_if_built_anew()


def test_a_new_match_ties_without_a_new_row(models: CompiledModels, increments: Path) -> None:
    shop = Continued(models, increments)
    shop.land(crm_contacts=[contact("C1"), contact("C2"), contact("C3")]).resolve()
    keys = dict(shop.ask("select source_record_id, source_record_key from identity.int_identity__source_records"))
    left, right = sorted((keys["C1"], keys["C2"]))
    shop.warehouse.execute(
        "insert into ml.identity_matches by name select ? as left_record_key, ? as right_record_key, "
        "0.995 as match_probability", [left, right],
    )  # fmt: skip
    assert shop.go_on().together("crm_contacts:C1", "crm_contacts:C2")
    assert shop.is_as_if_built_anew()
    shop.warehouse.execute("update ml.identity_matches set match_probability = 0.5")
    assert not shop.go_on().together("crm_contacts:C1", "crm_contacts:C2")
    assert shop.is_as_if_built_anew()


def test_an_address_is_one_person_s_again_when_the_other_turns_out_to_be_a_test(
    models: CompiledModels, increments: Path
) -> None:
    shop = Continued(models, increments)
    shop.land(crm_contacts=[contact("C1", email="a@x.com", first_name="Ann"), contact("C2", email="a@x.com", first_name="Bob"),
                            contact("C3", email="a@x.com")]).resolve()  # fmt: skip
    assert not shop.together("crm_contacts:C1", "crm_contacts:C3")
    shop.land(crm_contacts=[contact("C2", "2024-02-01", first_name="Test", last_name="Account")]).go_on()
    assert ("test account",) in shop.ask("select set_aside_reason from identity.int_identity__source_records")
    assert shop.together("crm_contacts:C1", "crm_contacts:C3")
    assert shop.is_as_if_built_anew()


def test_a_buyer_whose_only_order_was_another_one_s_stays_a_record(models: CompiledModels, increments: Path) -> None:
    shop = Continued(models, increments)
    shop.land(orders=[order("o1", "2024-01-05", "k1")]).resolve()
    shop.land(orders=[order("o1", "2024-01-05", "k2", known_at=at("2024-02-01"))]).go_on()
    reasons = "select source_record_id, set_aside_reason from identity.int_identity__source_records order by all"
    assert shop.ask(reasons) == [("card:k1", "no row of it stands"), ("card:k2", None)]
    assert shop.is_as_if_built_anew()


@pytest.mark.parametrize("table", ["int_identity__edges", "int_identity__golden_values"])
def test_the_comparison_can_fail(models: CompiledModels, increments: Path, table: str) -> None:
    shop = Continued(models, increments)
    shop.land(crm_contacts=[contact("C1", email="a@x.com"), contact("C2", email="a@x.com")]).resolve()
    shop.warehouse.execute(f"delete from identity.{table}")
    assert not shop.is_as_if_built_anew()
