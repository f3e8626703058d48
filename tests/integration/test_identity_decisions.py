"""`python -m orchestration identity`: answers, and decisions that take effect and can be taken back."""

from __future__ import annotations

import pytest

from orchestration.__main__ import main
from orchestration.content import content_hashes
from orchestration.ledger import read_decisions
from orchestration.warehouse import reading
from shops import ShopFolders
from tests.integration.dbt_here import dbt

# What counts on customers; the rest of identity also tells how they came about.
DOWNSTREAM = ("features.", "segments.", "scores.", "marts.", "identity.int_identity__customers",
              "identity.int_identity__golden_values", "identity.int_identity__hashed_identifiers")  # fmt: skip


@pytest.fixture(autouse=True)
def _this_shop(shop: ShopFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line looks for the shop where the environment says."""
    monkeypatch.setenv("AUDIENCE_DATA_DIR", str(shop.data_root))


def _ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["identity", *arguments])
    said = capsys.readouterr()
    return code, said.out + said.err


def _contacts_of_two_customers(shop: ShopFolders) -> tuple[tuple[str, str], tuple[str, str]]:
    """Two contacts, of different customers who both have orders: name and customer of each."""
    with reading(shop.warehouse) as warehouse:
        rows = warehouse.execute(
            "select 'crm_contacts:' || min(source_record_id), customer_id from identity.master_customer_index "
            "semi join (select distinct customer_id from marts.fct_orders) using (customer_id) "
            "where source_system = 'crm_contacts' and valid_to is null "
            "group by customer_id order by customer_id limit 2"
        ).fetchall()
    return rows[0], rows[1]


def test_a_customer_and_two_records_are_explained(shop: ShopFolders, capsys: pytest.CaptureFixture[str]) -> None:
    (contact, customer), (other, _) = _contacts_of_two_customers(shop)
    code, said = _ask(capsys, "explain", customer)
    assert code == 0
    for part in (
        f"customer {customer}",
        "Golden record",
        "source records",
        "same loyalty id",
        "What happened",
        "birth",
    ):
        assert part in said
    code, said = _ask(capsys, "explain", contact, other)
    assert code == 0
    assert f"{contact} and {other} are not the same customer" in said
    with reading(shop.warehouse) as warehouse:
        mate = warehouse.execute(
            "select source_system || ':' || source_record_id from identity.master_customer_index "
            "where customer_id = ? and valid_to is null and source_system = 'orders'",
            [customer],
        ).fetchone()
    assert mate is not None
    code, said = _ask(capsys, "explain", contact, mate[0])
    assert code == 0
    assert "are the same customer" in said
    assert "What leads from one to the other" in said


def test_a_compared_pair_has_a_chart(shop: ShopFolders, capsys: pytest.CaptureFixture[str]) -> None:
    with reading(shop.warehouse) as warehouse:
        pair = warehouse.execute(
            "select l.source_record_id, r.source_record_id, match_probability from ml.identity_matches "
            "join identity.int_identity__source_records as l on left_record_key = l.source_record_key "
            "join identity.int_identity__source_records as r on right_record_key = r.source_record_key "
            "order by match_probability desc, 1 limit 1"
        ).fetchone()
    assert pair is not None
    code, said = _ask(capsys, "explain", f"crm_contacts:{pair[0]}", f"crm_contacts:{pair[1]}")
    assert code == 0
    assert "chart of the weights" in said
    (chart,) = (shop.reports / "identity").glob("*.html")
    page = chart.read_text(encoding="utf-8")
    assert "<svg" in page
    assert "before any comparison" in page
    assert "http" not in page.replace("http://www.w3.org/", ""), "the page needs nothing from elsewhere"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explain", "c_nobody"), "there is no customer 'c_nobody'"),
        (("explain", "crm_contacts:nobody"), "systems are campaign_recipients"),
        (("same", "crm_contacts:nobody", "crm_contacts:noone"), "there is no source record 'crm_contacts:nobody'"),
        (("undo", "d_never"), "there is no standing decision 'd_never'"),
    ],
)
def test_who_is_not_there_is_named_with_the_next_step(
    shop: ShopFolders, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    code, found = _ask(capsys, *arguments)
    assert code == 1
    assert said in found
    assert read_decisions(shop) == []


def test_review_and_decisions_are_listed(shop: ShopFolders, capsys: pytest.CaptureFixture[str]) -> None:
    (contact, _), (other, _) = _contacts_of_two_customers(shop)
    assert _ask(capsys, "review")[0] == 0
    assert "no decisions yet" in _ask(capsys, "decisions")[1]
    code, said = _ask(capsys, "not-same", contact, other, "--reason", "brothers")
    assert code == 0
    (decision,) = read_decisions(shop)
    assert decision.decision_id in said
    assert _ask(capsys, "undo", decision.decision_id)[0] == 0
    listed = _ask(capsys, "decisions")[1]
    assert "brothers" in listed
    assert "undoes" in listed
    assert _ask(capsys, "undo", decision.decision_id)[0] == 1, "what is undone does not stand"


@pytest.mark.slow
def test_undo_brings_back_both_customers_and_all_that_counts_on_them(
    shop: ShopFolders, capsys: pytest.CaptureFixture[str]
) -> None:
    def build() -> dict[str, str]:
        dbt(shop, "build", "--exclude-resource-type", "unit_test", "--select", "tag:identity+")
        hashes = content_hashes(shop.warehouse)
        return {name: value for name, value in hashes.items() if name.startswith(DOWNSTREAM)}

    never = build()
    (contact, customer), (other, other_customer) = _contacts_of_two_customers(shop)
    assert _ask(capsys, "same", contact, other)[0] == 0
    merged = build()
    assert merged["marts.dim_customers"] != never["marts.dim_customers"]
    with reading(shop.warehouse) as warehouse:
        redirects = warehouse.execute(
            "select count(*) from identity.int_identity__redirects where customer_id in (?, ?) "
            "and retired_customer_id in (?, ?)", [customer, other_customer, customer, other_customer],
        ).fetchone()  # fmt: skip
    assert redirects == (1,)
    (decision,) = read_decisions(shop)
    assert _ask(capsys, "undo", decision.decision_id)[0] == 0
    assert build() == never
