"""A shop of its own in a temporary folder: its mapping, its files, what lands of them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import LandingZone, LoadSummary
from ingestion.mapping import loading
from shops import ShopFolders

MAPPING = """
source:
  folder: {export}
zone: Europe/Berlin
currency: EUR
tables:
  orders:
    from: orders.csv
    columns: {order_id: id, loyalty_id: card, occurred_at: sold_at}
  order_lines:
    from: lines*.csv
    columns: {order_id: order, line_number: pos, product_id: sku, quantity: qty, net_amount: price}
"""
ORDERS = "id,card,sold_at\n1,007,2024-07-01 00:30:00\n2,,2024-01-01 00:30:00\n"
LINES = "order,pos,sku,qty,price\n1,1,bread,2,4.20\n1,2,cake,1,18.50\n2,1,bread,1,2.10\n"


@dataclass
class OwnShop:
    """One shop: where a company keeps its files, and what it wrote about them."""

    folders: ShopFolders
    own: Path
    export: Path

    def write(self, mapping: str = MAPPING, **files: str) -> None:
        """Write the mapping, and the files named `<name>_csv`."""
        text = textwrap.dedent(mapping).replace("{export}", str(self.export))
        (self.own / "mapping.yml").write_text(text)
        for name, content in files.items():
            (self.export / name.replace("_csv", ".csv")).write_text(content)

    def land(self) -> list[LoadSummary]:
        return loading.land(self.folders)

    @property
    def zone(self) -> LandingZone:
        return LandingZone(self.folders.landing)

    def rows(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        """Columns of all visible rows of a landing table, sorted."""
        return sorted(duckdb.sql(f"select {columns} from ({self.zone.visible(table)})").fetchall())

    def loads(self) -> list[tuple[Any, ...]]:
        """Name, whether known_at is assumed, contract version and whether synthetic of each load, oldest first."""
        return duckdb.sql(
            "select load_id, known_at_is_assumed, contract_version, is_synthetic "
            f"from '{self.folders.landing}/loads/*/*.parquet' order by load_sequence"
        ).fetchall()


@pytest.fixture
def own_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnShop:
    """A shop with two orders in two CSV files; nothing has landed."""
    own, export = tmp_path / "shops" / "bakery", tmp_path / "export"
    own.mkdir(parents=True)
    export.mkdir()
    monkeypatch.setattr(ShopFolders, "own", property(lambda _: own))
    shop = OwnShop(ShopFolders.of("bakery", tmp_path / "data"), own, export)
    shop.write(orders_csv=ORDERS, lines_csv=LINES)
    return shop
