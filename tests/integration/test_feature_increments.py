"""The features stage through dbt: only late rows, merges and new dates are computed, as a full build would."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from orchestration.content import content_hashes
from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from orchestration.warehouse import reading
from tests.integration.test_identity_increments import IdentityShop
from tests.unit.models.compiled import at, line, order
from tests.unit.models.test_identity import contact


class FeatureShop(IdentityShop):
    """A shop whose features are built, and nothing after them."""

    def sell(self, *orders: dict[str, Any], **more: list[dict[str, Any]]) -> None:
        """Land orders of one line each."""
        lines = [line(sold["order_id"], 1, f"{sold['occurred_at']:%Y-%m-%d}") for sold in orders]
        self.land(orders=list(orders), order_lines=lines, **more)

    def features(self, *options: str) -> dict[str, str]:
        """Build up to the features; gives hashes of their tables."""
        dbt = InProcessDbt(self.folders)
        with write_lock(self.folders.lock, "test"), dbt._environment(self.folders.warehouse):
            # Each command with a manifest of its own: ephemeral models do not compile twice.
            only_models = [option for kind in ("test", "unit_test") for option in ("--exclude-resource-type", kind)]
            result = dbt._invoke(["build", *only_models, "--select", "+tag:features", *options])
        assert result.success, result.exception
        found = content_hashes(self.folders.warehouse)
        return {table: content for table, content in found.items() if table.startswith("features.")}

    def build_anew(self, model: str) -> str:
        """Build one table alone and from nothing; gives what dbt says of it."""
        dbt = InProcessDbt(self.folders)
        with write_lock(self.folders.lock, "test"), dbt._environment(self.folders.warehouse):
            result = dbt._invoke(["build", "--select", model, "--full-refresh"])
        return " ".join(str(one.message) for one in result.result.results)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with reading(self.folders.warehouse) as connection:
            return connection.execute(query).fetchall()

    def computed(self) -> tuple[int, int]:
        """How many customers were computed at all dates, and how many dates were new."""
        ((customers, dates),) = self.ask(
            "select (select count(*) from features.int_activity__fingerprints where is_changed), "
            "(select count(*) from features.int_as_of_dates where is_new)"
        )
        return customers, dates


@pytest.mark.slow
def test_an_increment_computes_what_changed_and_gives_what_a_full_build_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shop = FeatureShop(tmp_path)
    cards = ("k1", "k2", "k3")
    shop.sell(
        *(order(f"{card}-{day}", f"2024-01-{day:02}", card) for card in cards for day in (2, 9, 20)),
        order("web-1", "2024-01-12", None, user_id="u1"), order("last", "2024-02-20", "k1"),
    )  # fmt: skip
    shop.features()
    customers, dates = shop.computed()
    assert (customers, dates > 3) == (4, True), "the first build computes all"

    # A late order of one customer, and a contact that ties a login to the card of another.
    shop.sell(
        order("late", "2024-01-15", "k2"), crm_contacts=[contact("C1", "2024-02-18", loyalty_id="k3", user_id="u1")],
    )  # fmt: skip
    after = shop.features()
    assert shop.computed() == (3, 0), "k2, k3, and the login's customer, who is gone"
    assert after == shop.features("--full-refresh")

    # A new day: everybody at the new date, and the one who bought at all dates.
    shop.sell(order("new", "2024-02-26", "k1"))
    after = shop.features()
    assert shop.computed() == (1, 2), "the new current date, and a Monday before it"
    assert after == shop.features("--full-refresh")
    assert shop.features() == after
    assert shop.computed() == (0, 0), "nothing new"
    # What is due is not all that a table built anew would have to hold.
    assert "Next: dbt build --select tag:features --full-refresh" in shop.build_anew("int_features__rfm")
    assert shop.features() == after

    # A date of the past that somebody asks for stays.
    asked = shop.features("--vars", json.dumps({"as_of_dates": ["2024-01-31"]}))
    assert shop.computed() == (0, 1)
    assert shop.features() == asked
    rows = shop.ask("select count(*) from features.feat_customer_rfm where as_of_date = date '2024-01-31'")
    assert rows == [(3,)]
    assert shop.features("--full-refresh") == asked

    own = tmp_path / "shops" / "demo" / "settings.yml"
    own.parent.mkdir(parents=True)
    own.write_text("features: {retention_days: 14}\n")
    shop.features()
    assert shop.ask("select min(as_of_date) >= date '2024-02-13' from features.int_features__rfm") == [(True,)]
    own.write_text("features: {identity_basis: as_known}\n")
    shop.features()
    assert shop.computed()[0] == 4, "another basis is another table"
    assert shop.ask("select distinct identity_basis from features.feat_customer_rfm") == [("as_known",)]
    as_of = shop.ask("select as_of_date from features.int_as_of_dates where is_current")
    assert as_of == [(date(2024, 2, 27),)]


@pytest.mark.slow
def test_a_late_price_touches_who_bought_of_the_category_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their own rows did not change; what they are held against did."""
    monkeypatch.chdir(tmp_path)
    shop = FeatureShop(tmp_path)

    def buy(name: str, on: str, card: str, price: float) -> None:
        shop.land(orders=[order(name, on, card)], order_lines=[line(name, 1, on, net=price, gross_amount=price)])

    shop.land(products=[{"product_id": "apple", "product_category": "fruit", "occurred_at": at("2024-01-01")}])
    buy("before", "2024-01-20", "k1", 10)
    buy("since", "2024-02-02", "k2", 20)
    shop.features()
    index = "select price_index from features.feat_customer_taste where price_index is not null"
    ((first,),) = shop.ask(index)
    buy("late", "2024-01-21", "k3", 1000)
    after = shop.features()
    assert shop.computed()[0] == 2, "who bought late and who bought since"
    ((second,),) = shop.ask(index)
    assert (round(first, 1), round(second, 1)) == (2.0, 0.2)
    assert after == shop.features("--full-refresh")


class Walk:
    """Random loads of a shop: purchases, what comes back, visits and answers, and who turns out to be whom."""

    def __init__(self, shop: FeatureShop, seed: int) -> None:
        self.shop, self.draw = shop, random.Random(seed)
        self.bought: list[tuple[str, str, str]] = []
        self.day, self.names = 3, count()

    def go_on(self) -> None:
        """One load of a few of the things that happen, all of which are days before it or long before."""
        landed: dict[str, list[dict[str, Any]]] = {}
        self.day += self.draw.randint(3, 9)
        for happen in self.draw.choices(
            [self.buy, self.give_back, self.browse, self.answer, self.merge, self.tell], k=6
        ):
            for table, row in happen():
                landed.setdefault(table, []).append(row)
        for table, row in self.buy():  # the last order says which date is current
            landed.setdefault(table, []).append(row)
        self.shop.land(**landed)

    def on(self, back: int | None = None) -> str:
        """A day of the past, at random unless it is said how far `back`."""
        return str(date(2023, 12, 31) + timedelta(self.draw.randint(1, self.day) if back is None else self.day - back))

    def card(self) -> str:
        return f"k{self.draw.randint(1, 15)}"

    def buy(self) -> Iterator[tuple[str, dict[str, Any]]]:
        name, on = f"o{next(self.names)}", self.on()
        product = self.draw.choice(["apple", "milk", "nails"])
        anonymous = self.draw.random() < 0.3
        yield "orders", order(name, on, None if anonymous else self.card(), user_id=self.login() if anonymous else None)
        price = self.draw.randint(1, 50)
        yield "order_lines", line(name, 1, on, net=price, gross_amount=price, product_id=product)
        self.bought.append((name, on, product))

    def give_back(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if self.bought:
            original, _, product = self.draw.choice(self.bought)
            name, on = f"r{next(self.names)}", self.on(back=0)
            yield "orders", order(name, on, self.card())
            yield "order_lines", line(
                name, 1, on, -1, -self.draw.randint(1, 5), product_id=product, line_type="return",
                original_order_id=original, original_line_number=1,
            )  # fmt: skip

    def browse(self) -> Iterator[tuple[str, dict[str, Any]]]:
        when = at(f"{self.on()} {self.draw.randint(10, 20)}:00")
        for minute, name in enumerate(["Product Viewed", "Product Added"]):
            yield "web_events", {
                "event_id": f"e{next(self.names)}", "event_type": "track", "event_name": name, "anonymous_id": "v",
                "user_id": self.login(), "product_id": "milk", "shown_price": 3, "list_price": 4, "cart_id": "c",
                "quantity": 1, "occurred_at": when + timedelta(minutes=minute),
                "sent_at": when + timedelta(minutes=minute),
            }  # fmt: skip

    def answer(self) -> Iterator[tuple[str, dict[str, Any]]]:
        name = f"a{next(self.names)}"
        yield "survey_answers", {
            "survey_id": "s", "response_id": name, "question_id": "q", "answer": name, "loyalty_id": self.card(),
            "occurred_at": at(self.on()),
        }  # fmt: skip

    def merge(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """A contact ties a login to a card; its next version may tie another, and part the two."""
        yield "crm_contacts", contact(
            f"C{self.draw.randint(1, 3)}", self.on(), loyalty_id=self.card(), user_id=self.login(),
            region=self.draw.choice(["OH", "KY"]), country="US",
        )  # fmt: skip

    def tell(self) -> Iterator[tuple[str, dict[str, Any]]]:
        age = self.draw.choice(["25-34", "65+", None])
        yield "loyalty_members", {"loyalty_id": self.card(), "age_band": age, "occurred_at": at(self.on())}

    def login(self) -> str:
        return f"u{self.draw.randint(1, 3)}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_increments_of_random_loads_are_full_builds(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shop = FeatureShop(tmp_path)
    shop.land(products=[
        {"product_id": name, "department": name, "product_category": kind, "occurred_at": at("2024-01-01")}
        for name, kind in [("apple", "fruit"), ("milk", "dairy")]
    ])  # fmt: skip
    walk = Walk(shop, seed)
    for _ in range(4):
        walk.go_on()
        walk.go_on()
        continued = shop.features()
    assert continued == shop.features("--full-refresh")
