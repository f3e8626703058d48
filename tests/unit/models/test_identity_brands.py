"""Identity spans brands unless the shop says that a customer has only one."""

from __future__ import annotations

from pathlib import Path

import pytest

import shops
from tests.unit.models.compiled import CompiledModels, compile_models, order
from tests.unit.models.test_identity import contact, resolved

ORDERS = [
    order("o1", "2024-01-05", "k1", brand="Fresh"),
    order("o2", "2024-01-06", "k1", brand=" Fresh "),
    order("o3", "2024-01-07", "k1", brand="Garden"),
    order("o4", "2024-01-08", "k1"),
]
CONTACTS = [contact("C1", loyalty_id="k1")]


@pytest.fixture
def one_brand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CompiledModels:
    """The models of a shop whose customers have one brand each; its settings lie where dbt and Python run."""
    own = tmp_path / "shops" / "demo" / "settings.yml"
    own.parent.mkdir(parents=True)
    own.write_text("identity: {one_customer_has: {brands: 1}}\n")
    monkeypatch.chdir(tmp_path)
    settings = shops.load_settings("demo")
    has = settings.identity.one_customer_has.model_copy(update={"brands": 1})
    identity = settings.identity.model_copy(update={"one_customer_has": has})
    monkeypatch.setattr(shops, "load_settings", lambda: settings.model_copy(update={"identity": identity}))
    compile_models(tmp_path, ["staging", "identity"])
    return CompiledModels(tmp_path)


def test_who_buys_of_two_brands_is_one_customer(models: CompiledModels) -> None:
    assert resolved(models, orders=ORDERS, crm_contacts=CONTACTS).partition() == {
        frozenset({"orders:card:k1", "crm_contacts:C1"})
    }


def test_unless_the_shop_says_that_a_customer_has_one(one_brand: CompiledModels) -> None:
    shop = resolved(one_brand, orders=ORDERS, crm_contacts=CONTACTS)
    fresh, garden = "orders:card:k1|Fresh", "orders:card:k1|Garden"
    assert {record for customer in shop.partition() for record in customer} == {
        fresh, garden, "orders:card:k1", "crm_contacts:C1",
    }  # fmt: skip
    assert not shop.together(fresh, garden)
    assert len(shop.partition()) == 2, "what says no brand belongs to one of the two"
    reasons = "select distinct suspect_reason from identity.int_identity__clusters"
    assert shop.ask(reasons) == [("more than 1 brands",)]
    # The other limits of the section hold as before.
    two_cards = resolved(one_brand, crm_contacts=[contact("C1", loyalty_id="k1", email="a@x.com"),
                                                  contact("C2", loyalty_id="k2", email="a@x.com")])  # fmt: skip
    assert not two_cards.together("crm_contacts:C1", "crm_contacts:C2")
