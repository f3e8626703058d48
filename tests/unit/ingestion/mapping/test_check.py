"""A check says what would land, what staging would set aside and why, and what is off; and lands nothing."""

from __future__ import annotations

import pytest

from ingestion.mapping import MappingError
from ingestion.mapping.check import CHECKED_ROWS, check
from tests.unit.ingestion.mapping.conftest import LINES, MAPPING, ORDERS, OwnShop


def test_staging_itself_judges_the_rows(own_shop: OwnShop) -> None:
    own_shop.write(
        MAPPING.replace("EUR", "USD"),  # which a shop without settings reports in
        orders_csv=ORDERS + "3,c,2024-07-01\n4,c,2024-07-01\n5,c,2099-07-01\n",
        lines_csv=LINES + ",7,bread,1,2.10\n1,3,,1,2.10\n3,1,bread,1,-2.10\n3,2,bread,many,2.10\n5,1,tea,1,3.00\n",
    )
    report = check(own_shop.folders)
    lines = report.lines()
    orders, order_lines = report.tables
    assert (orders.read, orders.rows) == (5, 4)  # the fourth has no line among those looked at
    assert orders.reasons == {"occurred_at lies after known_at": 1}
    assert (order_lines.read, order_lines.rows) == (8, 8)
    assert sorted(order_lines.reasons) == [
        "a sale has a negative amount",
        "key is missing",
        "occurred_at lies after known_at",
        "product_id is missing",
    ]
    assert any(line.startswith("quarantined  order_lines: 1 for 'key is missing', such as ? / 7") for line in lines)
    assert any("order_lines.quantity: 1 of 8 values cannot be read, such as 'many'" in line for line in lines)
    assert any("1 of 4 orders do not say who bought" in line for line in lines)
    assert "without      products: products are inferred from the lines, without department or brand" in lines
    assert not any(line.startswith("without      order") for line in lines)
    assert not own_shop.folders.landing.exists()
    assert not own_shop.folders.warehouse.exists()
    # Nothing of the thousand rows stays: they may hold what is personal.
    assert not list(own_shop.folders.data.rglob("*.parquet"))
    assert not list(own_shop.folders.data.rglob("*.duckdb*"))


def test_only_the_first_rows_are_looked_at(own_shop: OwnShop, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingestion.mapping import check as module

    monkeypatch.setattr(module, "_judged_by_staging", lambda _: {})
    lines = "".join(f"1,{n},bread,1,2.10\n" for n in range(3 * CHECKED_ROWS))
    own_shop.write(lines_csv="order,pos,sku,qty,price\n" + lines)
    assert check(own_shop.folders).tables[1].rows == CHECKED_ROWS


def test_lines_whose_orders_were_not_searched_are_not_checked(
    own_shop: OwnShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an order has no id: nothing is in or out of a list with null in it."""
    from ingestion.mapping import check as module

    monkeypatch.setattr(module, "_judged_by_staging", lambda _: {})
    monkeypatch.setattr(module, "_SEARCHED_ROWS", 2)
    own_shop.write(orders_csv="id,card,sold_at\n1,c,2024-07-01\n,c,2024-07-01\n2,c,2024-07-01\n")
    report = check(own_shop.folders)
    assert report.tables[1].rows == 2
    assert any(warning.startswith("1 lines were not checked") for warning in report.warnings)


@pytest.mark.parametrize(
    ("orders", "said"),
    [
        ("id,card,sold_at\n8,c,2024-01-01\n9,c,2024-01-01\n", "the ids of orders and order_lines do not meet"),
        ("id,card,sold_at\n1,,2024-01-01\n2,,2024-01-01\n", "no order says who bought"),
        ("id,card,sold_at\n1,c,0202-01-01\n2,c,2024-01-01\n", "is occurred_at written another way"),
    ],
)
def test_what_looks_odd_is_said(orders: str, said: str, own_shop: OwnShop, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingestion.mapping import check as module

    monkeypatch.setattr(module, "_judged_by_staging", lambda _: {})
    own_shop.write(orders_csv=orders)
    assert any(said in warning for warning in check(own_shop.folders).warnings)


def test_a_wrong_mapping_is_refused_as_landing_would(own_shop: OwnShop) -> None:
    own_shop.write(MAPPING.replace("net_amount: price", "net_amount: sku"))
    with pytest.raises(MappingError, match=r"net_amount: 3 of 3 values cannot be read, such as 'bread' in lines\.csv"):
        check(own_shop.folders)


def test_what_has_changed_since_the_last_load_is_said(own_shop: OwnShop, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingestion.mapping import check as module

    monkeypatch.setattr(module, "_judged_by_staging", lambda _: {})
    own_shop.land()
    own_shop.write(orders_csv="id,card,sold_at,till\n1,c,2024-01-01,5\n")
    assert any("the column 'till' (VARCHAR) is new since mapping-" in line for line in check(own_shop.folders).warnings)
