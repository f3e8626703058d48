"""A drafted mapping lands what it was drafted from: names and values say what columns mean, and guesses are marked."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from ingestion.mapping import MappingError, read_mapping
from ingestion.mapping.commands import init
from ingestion.mapping.profile import profile
from ingestion.mapping.sources import FolderSource
from shops import ShopFolders
from tests.unit.ingestion.mapping.conftest import OwnShop

# Exports as shops write them: their files, and what lands of the first order and its first line.
EXPORTS = {
    "till": (
        {
            "receipts_csv": "receipt,card,sold_at\nR1,C7,2024-06-01 12:00:00\nR2,C7,2024-06-02 12:00:00\n",
            "lines_csv": "receipt,position,article,price\nR1,1,bread,4.20\nR1,2,cake,18.50\nR2,1,bread,2.10\n",
        },
        ("R1", "C7", datetime(2024, 6, 1, 10)),
        ("R1", 1, "bread", Decimal("1"), Decimal("4.20")),
    ),
    "web shop": (
        {
            "orders_csv": "order_id,created_at,customer_email,total\n7,2024-06-01T10:00:00Z,a@b.example,9.00\n",
            "order_items_csv": "order_item_id,order_id,sku,quantity,unit_price\n900,7,X,2,4.50\n901,7,Y,1,0.00\n",
        },
        ("7", "a@b.example", datetime(2024, 6, 1, 10)),
        ("7", 900, "X", Decimal("2"), Decimal("9.00")),
    ),
    "German ERP": (
        {
            "Bestellungen_csv": "Bestell-Nr;Kundennr;Datum\n00012;K1;01.06.2024 12:00\n00013;K2;13.06.2024 12:00\n",
            "Positionen_csv": "Bestell-Nr;Pos;Artikelnr;Menge;Einzelpreis\n00012;1;A;2;1.234,50\n00012;2;B;1;3,00\n",
        },
        ("00012", "K1", datetime(2024, 6, 1, 10)),
        ("00012", 1, "A", Decimal("2"), Decimal("2469.00")),
    ),
    "one file, American dates": (
        {
            "export_csv": "Invoice,CustomerID,InvoiceDate,StockCode,Quantity,Price\n"
            "5,17850.0,6/1/2024 12:00,A,2,2.55\n5,17850.0,6/1/2024 12:00,B,-1,1.00\n6,,6/30/2024 12:00,A,1,2.55\n",
        },
        ("5", "17850", datetime(2024, 6, 1, 10)),
        ("5", 1, "A", Decimal("2"), Decimal("5.10")),
    ),
    "names that say nothing": (
        {
            "a_csv": "k1,k2,k3\n1,a,2024-06-01 12:00:00\n2,b,2024-06-02 12:00:00\n",
            "b_csv": "k1,sku,amount\n1,x,4\n1,y,5\n2,x,4\n",
        },
        ("1", None, datetime(2024, 6, 1, 10)),
        ("1", 1, "x", Decimal("1"), Decimal("4.00")),
    ),
}


@pytest.fixture
def new_shop(own_shop: OwnShop) -> OwnShop:
    """A shop with nothing in its folders yet."""
    (own_shop.own / "mapping.yml").unlink()
    for file in own_shop.export.iterdir():
        file.unlink()
    return own_shop


def _export(shop: OwnShop, files: dict[str, str]) -> None:
    for name, content in files.items():
        (shop.export / name.replace("_csv", ".csv")).write_text(content)


@pytest.mark.parametrize("name", EXPORTS)
def test_a_draft_lands_what_it_was_drafted_from(name: str, new_shop: OwnShop) -> None:
    files, order, line = EXPORTS[name]
    _export(new_shop, files)
    init(str(new_shop.export), "bakery", "Europe/Berlin", "EUR")
    new_shop.land()
    assert new_shop.rows("orders", "order_id, loyalty_id, occurred_at")[0] == order
    columns = "order_id, line_number, product_id, quantity, net_amount"
    assert new_shop.rows("order_lines", columns)[0] == line
    settings = yaml.safe_load((new_shop.own / "settings.yml").read_text())
    assert settings["source"] == {"adapter": "mapping"}
    assert settings["shop"] == {"title": "Bakery", "business_timezone": "Europe/Berlin", "reporting_currency": "EUR"}


def test_negative_quantities_take_back(new_shop: OwnShop) -> None:
    _export(new_shop, EXPORTS["one file, American dates"][0])
    init(str(new_shop.export), "bakery", None, None)
    new_shop.land()
    assert new_shop.rows("order_lines", "order_id, line_number, line_type, net_amount")[1] == (
        "5",
        2,
        "return",
        Decimal("-1.00"),
    )


def test_parquet_and_other_tables_are_drafted_where_their_name_says_so(new_shop: OwnShop) -> None:
    for name, query in {
        "orders": "select 1 as order_id, 'c1' as customer_id, timestamp '2024-06-01' as ordered_at, 'CHF' as currency",
        "order_items": "select 1 as order_id, 's1' as sku, 2 as qty, 4.5::decimal(9,2) as amount, 'x' as color",
        "products": "select 's1' as sku, 'Bread' as title, 'Food' as category",
        "customers": "select 'c1' as customer_id, 'Ann' as first_name, 'ann@b.example' as email",
        "weather": "select date '2024-06-01' as day, 21 as degrees",
    }.items():
        duckdb.execute(f"copy ({query}) to '{new_shop.export}/{name}.parquet'")
    said = init(str(new_shop.export), "bakery", None, None)
    text = (new_shop.own / "mapping.yml").read_text()
    mapping = read_mapping(new_shop.own / "mapping.yml")
    assert {name: table.from_ for name, table in mapping.tables.items()} == {
        "orders": "orders.parquet",
        "order_lines": "order_items.parquet",
        "products": "products.parquet",
        "crm_contacts": "customers.parquet",
    }
    assert mapping.tables["crm_contacts"].columns["loyalty_id"] == "customer_id"
    assert mapping.currency == "CHF"
    assert "# Not used: weather.parquet" in text
    assert "# not used: color" in text
    assert "ann@b.example" not in text
    assert any("zone: UTC is a guess" in line for line in said)
    assert dict(new_shop.land()[0].rows) == {"orders": 1, "order_lines": 1, "products": 1, "crm_contacts": 1}


def test_what_is_not_found_is_said_and_stands_there(new_shop: OwnShop) -> None:
    _export(new_shop, {"orders_csv": "order_id,when\n1,2024-01-01\n", "order_lines_csv": "order_id,sku\n1,a\n1,b\n"})
    said = init(str(new_shop.export), "bakery", None, None)
    assert "look at: tables.order_lines: net_amount is missing" in said
    assert any("no column says who bought" in line for line in said)
    assert "# MISSING net_amount" in (new_shop.own / "mapping.yml").read_text()
    with pytest.raises(MappingError, match="columns: net_amount is missing"):
        new_shop.land()


@pytest.mark.parametrize("folder", ["Export #2", "a: b", "it's 'quoted'", "- list"])
def test_a_draft_is_read_back_whatever_the_source_holds(folder: str, new_shop: OwnShop) -> None:
    export = new_shop.export / folder
    export.mkdir()
    odd = "line\nbreak\x07\u2028#: x"
    (export / "orders.csv").write_text(f'order_id,customer_id,sold_at\n"{odd}","{odd}",2024-06-01\n')
    items = pa.table({"order_id": [odd], "SKU": [odd], "amount": [4], "not\nused": [1]})
    pq.write_table(items, export / "order: items #1 [new].parquet")
    init(str(export), "bakery", "Europe/Berlin", "eur")
    mapping = read_mapping(new_shop.own / "mapping.yml")
    assert mapping.source.folder == str(export)
    assert mapping.currency == "EUR"
    new_shop.land()
    assert new_shop.rows("order_lines", "product_id, net_amount") == [(odd, Decimal("4.00"))]


def test_a_shop_may_be_called_what_yaml_takes_for_something_else(new_shop: OwnShop) -> None:
    _export(new_shop, EXPORTS["till"][0])
    init(str(new_shop.export), "on", None, None)
    assert yaml.safe_load((new_shop.own / "settings.yml").read_text())["shop"]["title"] == "On"


def test_a_shop_is_never_overwritten(new_shop: OwnShop) -> None:
    _export(new_shop, EXPORTS["till"][0])
    (new_shop.own / "settings.yml").write_text("shop: {title: Ours}\n")
    said = init(str(new_shop.export / "lines.csv"), "bakery", None, None)
    assert any("was left as it is; it needs" in line for line in said)
    assert (new_shop.own / "settings.yml").read_text() == "shop: {title: Ours}\n"
    with pytest.raises(MappingError, match=r"mapping\.yml is already there\. Next: edit it"):
        init(str(new_shop.export), "bakery", None, None)


@pytest.mark.parametrize(
    ("where", "shop", "zone", "currency", "said"),
    [
        ("nowhere", "bakery", None, None, "nowhere does not exist"),
        ("${NO_TILL_URL}", "bakery", None, None, "variable NO_TILL_URL is not set. Next: export NO_TILL_URL=…"),
        ("{export}", "bakery", None, None, "has no tables"),
        ("{export}", "My Bakery", None, None, "is no name of a shop"),
        ("{export}", "bakery", "Europe/Berln", None, "did you mean Europe/Berlin"),
        ("{export}", "bakery", None, "euro", "--currency: 'EURO' is no ISO 4217 code"),
    ],
)
def test_what_cannot_be_described_is_said(
    where: str, shop: str, zone: str | None, currency: str | None, said: str, new_shop: OwnShop
) -> None:
    with pytest.raises(MappingError, match=said):
        init(where.replace("{export}", str(new_shop.export)), shop, zone, currency)
    assert not list(new_shop.own.iterdir())


def test_the_name_of_the_folder_is_the_shops_where_none_is_given(new_shop: OwnShop) -> None:
    _export(new_shop, EXPORTS["till"][0])
    assert init(str(new_shop.export), None, None, None)[-1] == "next: python -m ingestion check --shop export"


@pytest.mark.parametrize(
    ("values", "time_format", "is_ambiguous"),
    [
        (["2024-01-02", "2024-12-31"], "", False),
        (["2024-01-02T10:00:00Z"], "", False),
        (["31/12/2024", "01/02/2024"], "%d/%m/%Y", False),
        (["12/31/2024", "01/02/2024"], "%m/%d/%Y", False),
        (["01/02/2024", "03/04/2024"], "%d/%m/%Y", True),
        (["20241231"], "%Y%m%d", False),
        (["17850", "13047"], None, False),
        (["1.5", "2"], None, False),
        (["bread"], None, False),
        (["2024-01-02", "soon"], None, False),
    ],
)
def test_times_are_known_by_how_they_are_written(
    values: list[str], time_format: str | None, is_ambiguous: bool, own_shop: OwnShop
) -> None:
    own_shop.write(t_csv="x,y\n" + "".join(f"{value},\n" for value in values))
    source = FolderSource(own_shop.export)
    column = profile(source, source.table("t.csv")).columns[0]
    assert (column.time_format, column.day_or_month_first) == (time_format, is_ambiguous)


def test_the_shop_that_is_drafted_is_found_by_its_name() -> None:
    assert ShopFolders.of("corner").own.name == "corner"
