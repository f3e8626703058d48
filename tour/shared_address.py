"""A stranger orders as a guest under a customer's e-mail address: two people are taken for one, until somebody says so.

The rules are right to tie them: nothing says that the guest is somebody else. What they cannot know, a person decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import duckdb

from ingestion import LandingZone
from ingestion.sql import literal
from orchestration import identity
from orchestration.warehouse import reading
from shops import ShopFolders
from tour.telling import Teller

TITLE = "two strangers, glued by an e-mail address that they share"
NEEDS = ("landing", "state", "dbt", "warehouse.duckdb")
GUEST_ORDERS = 3
GUEST_AMOUNT = Decimal("100.00")
LOAD = "tour-guest"


@dataclass(frozen=True)
class Totals:
    """What counts on a customer."""

    orders: int
    spend: Decimal


@dataclass(frozen=True)
class Figures:
    """Totals of the customer, and of the guest, who is a customer of its own once they are un-merged."""

    customer: str
    before: Totals
    glued: Totals
    after: Totals
    guest_customer: str
    guest: Totals


def play(copy: ShopFolders, tell: Teller) -> Figures:
    """Land a guest's orders, let identity glue them to the customer, look why, decide, let identity build again."""
    from orchestration.dbt_in_process import InProcessDbt

    customer, contact, address = _customer_with_an_address(copy)
    before = _totals(copy, customer)
    tell.does(f"{customer} has the address {address} to itself")
    _land_guest(copy, address)
    tell.does(
        f"a stranger orders {GUEST_ORDERS} times without card or login, and types the same address; build identity"
    )
    dbt = InProcessDbt(copy)
    dbt.build_with(["stg_landing__loads", "+stg_shop__orders,tag:staging", "tag:identity"], copy.warehouse, {})
    glued, guest = _totals(copy, customer), _guest(copy)
    tell.does(f"ask why: python -m orchestration identity explain {guest} {contact}")
    with tell.quoted() as console:
        identity.explain(copy, guest, contact, console)
    decision = identity.decide(copy, "not same", guest, contact, "the customer says so", decided_by="the tour")
    tell.does(f"decide: python -m orchestration identity not-same {guest} {contact}; build identity again")
    dbt.build_with(["tag:identity"], copy.warehouse, {})
    after, guest_customer = _totals(copy, customer), _whose(copy, guest)
    found = Figures(customer, before, glued, after, guest_customer, _totals(copy, guest_customer))
    tell.shows(
        "Totals",
        ("", "before", "glued", "un-merged"),
        [
            (f"{customer}: orders", *(f"{one.orders:,}" for one in (before, glued, after))),
            (f"{customer}: spend", *(f"{one.spend:,.2f}" for one in (before, glued, after))),
            (f"{guest_customer} (the guest): orders", "-", "-", f"{found.guest.orders:,}"),
            (f"{guest_customer} (the guest): spend", "-", "-", f"{found.guest.spend:,.2f}"),
        ],
    )
    tell.look(
        [
            (f"python -m orchestration identity undo {decision.decision_id}", "takes the decision back (in the copy)"),
            ("python -m orchestration identity review", "what waits for a person in your shop"),
            ("docs/identity.md", "what ties records, and what must not be tied"),
        ]
    )
    return found


def _customer_with_an_address(copy: ShopFolders) -> tuple[str, str, str]:
    """A customer with orders whose address no other record carries: id, a contact with the address, the address."""
    with reading(copy.warehouse) as connection:
        row = connection.execute(
            """
            select customer_id, 'crm_contacts:' || index.source_record_id, identifiers.identifier_value
            from identity.int_identity__identifiers as identifiers
            inner join identity.master_customer_index as index using (source_record_key)
            anti join identity.int_identity__shared_identifiers as shared
                on identifiers.identifier_type = shared.identifier_type
                and identifiers.identifier_value = shared.identifier_value
            semi join marts.fct_orders using (customer_id)
            where identifiers.identifier_type = 'email' and identifiers.source_system = 'crm_contacts'
                and identifiers.given_name is not null and index.valid_to is null
            order by all limit 1
            """
        ).fetchone()
    assert row is not None, "a shop whose customers have addresses"
    return row


def _land_guest(copy: ShopFolders, address: str) -> None:
    """Orders of the last days that name nothing but an e-mail address, as one more load."""
    zone = LandingZone(copy.landing)
    days = f"range({GUEST_ORDERS}) as days (ago)"
    with duckdb.connect() as connection:
        connection.execute(
            f"create table template as select max(occurred_at) as newest, any_value(currency) as currency, "
            f"any_value(business_timezone) as business_timezone from ({zone.visible('orders')})"
        )
        times = "'guest-' || ago as order_id, newest - to_days(ago::integer) as occurred_at, newest as known_at"
        (day,) = connection.execute("select newest::date from template").fetchone() or ()
        zone.land(
            connection,
            load_id=LOAD,
            source="tour",
            load_date=day,
            known_at_is_assumed=False,
            tables={
                "orders": f"select {times}, {literal(address)} as email, 'web' as channel, 'completed' as status, "
                f"currency, business_timezone from template, {days}",
                "order_lines": f"select {times}, 1 as line_number, 'any' as product_id, 'sale' as line_type, "
                f"1 as quantity, {GUEST_AMOUNT} as gross_amount, {GUEST_AMOUNT} as net_amount from template, {days}",
            },
        )


def _totals(copy: ShopFolders, customer: str) -> Totals:
    """Orders of whom identity says they are, and the spend that landed with them: staging all lines takes longer."""
    with reading(copy.warehouse) as connection:
        row = connection.execute(
            f"""
            with own as (
                select orders.order_id from staging.stg_shop__orders as orders
                inner join identity.master_customer_index as index
                    on orders.buyer = index.source_record_id and index.source_system = 'orders'
                where index.customer_id = ? and index.valid_to is null
            )
            select (select count(*) from own), coalesce(sum(net_amount), 0)
            from ({LandingZone(copy.landing).visible("order_lines")}) semi join own using (order_id)
            """,
            [customer],
        ).fetchone()
    assert row is not None
    return Totals(*row)


def _guest(copy: ShopFolders) -> str:
    """The record that the guest's orders name."""
    with reading(copy.warehouse) as connection:
        row = connection.execute(
            "select 'orders:' || any_value(buyer) from staging.stg_shop__orders where load_id = ?", [LOAD]
        ).fetchone()
    assert row is not None
    return str(row[0])


def _whose(copy: ShopFolders, record: str) -> str:
    system, _, record_id = record.partition(":")
    with reading(copy.warehouse) as connection:
        row = connection.execute(
            "select customer_id from identity.master_customer_index "
            "where source_system = ? and source_record_id = ? and valid_to is null",
            [system, record_id],
        ).fetchone()
    assert row is not None
    return str(row[0])
