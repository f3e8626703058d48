"""Whatever is wrong in a mapping is answered with the file, the place, the nearest valid name and the next step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion import read_contract
from ingestion.mapping import MappingError, read_mapping
from ingestion.mapping.model import GIVEN_COLUMNS, KEYS, ShopMapping, needed_columns
from shops import PROJECT_ROOT
from shops.names import nearest
from tests.unit.ingestion.mapping.conftest import MAPPING, OwnShop

SHIPPED = sorted(PROJECT_ROOT.glob("shops/*/mapping.yml"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("zone:", "zonne:", "unknown key 'zonne'; did you mean 'zone'?"),
        ("Europe/Berlin", "Europe/Berln", "'Europe/Berln' is not an IANA time zone; did you mean Europe/Berlin?"),
        ("EUR", "euro", "currency: String should match pattern"),
        ("folder: {export}", "folder: {export}\n  csv: {delimeter: ';'}", "did you mean 'delimiter'?"),
        ("folder: {export}", "folder: {export}\n  database: ${URL}", "source: give one of both"),
        ("folder: {export}", "database: postgresql://me:secret@db/shop", "never stands in this file"),
        ("from: orders.csv", "form: orders.csv", "unknown key 'tables.orders.form'; did you mean 'from'?"),
        ("  orders:", "  order:", "tables.order: there is no such landing table; did you mean 'orders'?"),
        ("loyalty_id:", "loyalty:", "tables.orders.columns.loyalty: .* did you mean 'loyalty_id'?"),
        ("order_id: id,", "", "tables.orders.columns: order_id is missing"),
        ("net_amount: price", "gross_amount: price", "tables.order_lines.columns: net_amount is missing"),
        ("order_id: id", "order_id: No", "a column called No, Yes, On or Off stands in quotes"),
        ("order_id: id", "order_id: max(a, b)", "an expression with one stands in quotes"),
        (
            "from: orders.csv",
            "from: orders.csv\n    constants: {loyalty_id: x}",
            "loyalty_id stands in columns and in constants",
        ),
        ("from: orders.csv", "from: orders.csv\n    keys: [order]", "keys.order: .* did you mean 'order_id'?"),
        ("tables:", "tables: [", "is not valid YAML"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, said: str, own_shop: OwnShop) -> None:
    assert old in MAPPING
    own_shop.write(MAPPING.replace(old, new, 1))
    with pytest.raises(MappingError, match=said) as caught:
        own_shop.land()
    assert str(own_shop.own / "mapping.yml") in str(caught.value)
    assert "Next: " in str(caught.value)
    assert "secret" not in str(caught.value)
    assert own_shop.zone.loads() == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("loyalty_id: card", "loyalty_id: crad", "orders.csv has no column 'crad'; did you mean 'card'?"),
        ("quantity: qty", "quantity: qty * 2", "write a type behind them"),
        ("quantity: qty", "quantity: no_such(qty)", "DuckDB's SQL"),
        ("from: orders.csv", "from: order.csv", "no CSV or Parquet file of that name .* did you mean 'orders.csv'?"),
        ("from: orders.csv", "from: orders.csv\n    where: sold_at", "is no condition: it gives VARCHAR"),
        ("from: orders.csv", "from: orders.csv\n    where: sum(1) > 0", "tables.orders"),
        ("from: orders.csv", "from: orders.csv\n    cursor: sold_at", "files need none"),
        ("folder: {export}", "folder: {export}/nowhere", "does not exist"),
        ("folder: {export}", "folder: ${NO_SUCH_FOLDER}", "variable NO_SUCH_FOLDER is not set"),
        ("order_id: id", "order_id: nullif(id id)", "syntax error"),
        ("occurred_at: sold_at", "occurred_at: 'nullif(sold_at, sold_at)'", "is empty in every row"),
    ],
)
def test_what_does_not_fit_the_source_is_named(old: str, new: str, said: str, own_shop: OwnShop) -> None:
    assert old in MAPPING
    own_shop.write(MAPPING.replace(old, new, 1))
    with pytest.raises(MappingError, match=said) as caught:
        own_shop.land()
    assert "Next: " in str(caught.value) or "did you mean" in str(caught.value)
    assert own_shop.zone.loads() == []


def test_a_missing_mapping_names_the_command_that_drafts_one(own_shop: OwnShop) -> None:
    (own_shop.own / "mapping.yml").unlink()
    with pytest.raises(MappingError, match=r"Next: python -m ingestion init .* --shop bakery"):
        own_shop.land()


def test_orders_and_lines_are_all_that_is_required(own_shop: OwnShop) -> None:
    mapping = read_mapping(own_shop.own / "mapping.yml")
    assert set(mapping.tables) == {"orders", "order_lines"}
    own_shop.write(MAPPING[: MAPPING.index("  order_lines:")])
    with pytest.raises(MappingError, match="order_lines is missing, and every shop has to have it"):
        read_mapping(own_shop.own / "mapping.yml")


def test_every_table_of_the_contract_can_be_mapped() -> None:
    contract = read_contract()
    assert set(KEYS) == set(contract.tables) - {"loads"}
    for table in KEYS:
        assert set(needed_columns(table)) <= set(contract.tables[table]) - GIVEN_COLUMNS


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_shipped_mappings_are_valid_and_short(file: Path) -> None:
    read_mapping(file)
    assert len(file.read_text().splitlines()) <= 40


def test_only_what_is_landed_counts_for_the_fingerprint(own_shop: OwnShop) -> None:
    file = own_shop.own / "mapping.yml"
    before = read_mapping(file)
    file.write_text("# another comment\n" + file.read_text())
    assert read_mapping(file).fingerprint == before.fingerprint
    file.write_text(file.read_text().replace("EUR", "USD"))
    assert read_mapping(file).fingerprint != before.fingerprint


@given(st.text(max_size=12), st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5))
def test_the_nearest_name_is_a_known_one(word: str, known: list[str]) -> None:
    assert nearest(word, known) in known
    assert nearest(known[0], known).lower() == known[0].lower()


def test_the_mapping_has_no_key_without_a_use() -> None:
    """A key that can be written and does nothing would be a lie."""
    sources = "".join(file.read_text() for file in (PROJECT_ROOT / "ingestion" / "mapping").glob("*.py"))
    for name in ShopMapping.model_fields:
        assert re.search(rf"mapping\.{name}\b|\.{name}\b", sources), name
