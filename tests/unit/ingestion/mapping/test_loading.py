"""Landing a shop's own files: what is new, once, as the contract wants it; nothing of a load that was cut off."""

from __future__ import annotations

import gzip
import os
import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from dlt.pipeline.pipeline import Pipeline
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingestion import LandingZone
from ingestion.mapping import MappingError
from ingestion.mapping.extraction import Extractor
from ingestion.mapping.sources import FolderSource, SourceTable
from tests.unit.ingestion.mapping.conftest import LINES, MAPPING, ORDERS, OwnShop


def test_a_historical_import_lands_as_the_contract_wants_it(own_shop: OwnShop) -> None:
    (load,) = own_shop.land()
    assert dict(load.rows) == {"orders": 2, "order_lines": 3}
    # Half past midnight in Berlin is still the day before in UTC, by two hours in summer and by one in winter; a card
    # keeps its zeros; what the shop knew when is taken for granted.
    summer, winter = datetime(2024, 6, 30, 22, 30), datetime(2023, 12, 31, 23, 30)
    assert own_shop.rows("orders", "order_id, loyalty_id, currency, business_timezone, status") == [
        ("1", "007", "EUR", "Europe/Berlin", "completed"),
        ("2", None, "EUR", "Europe/Berlin", "completed"),
    ]
    assert own_shop.rows("orders", "order_id, occurred_at, known_at") == [("1", summer, summer), ("2", winter, winter)]
    # Lines happen when their order does.
    assert own_shop.rows("order_lines", "order_id, line_number, product_id, quantity, net_amount, occurred_at")[1] == (
        "1",
        2,
        "cake",
        Decimal("1"),
        Decimal("18.50"),
        summer,
    )
    assert own_shop.loads() == [(load.load_id, True, own_shop.zone.contract.version, False)]


def test_nothing_is_known_after_it_arrived(own_shop: OwnShop) -> None:
    """A day in the future is a mistake, which staging can tell by it; a line may come before its order."""
    own_shop.write(
        orders_csv=ORDERS + "3,c,2199-01-01 10:00:00\n", lines_csv=LINES + "3,1,tea,1,3.00\n4,1,tea,1,3.00\n"
    )
    (load,) = own_shop.land()
    arrived = datetime.strptime(load.load_id, "mapping-%Y%m%dT%H%M%S%f")
    assert own_shop.rows("orders", "order_id, known_at")[2] == ("3", arrived)
    assert own_shop.rows("order_lines", "order_id, occurred_at is null, known_at")[3:] == [
        ("3", False, arrived),
        ("4", True, arrived),
    ]


@pytest.mark.parametrize("is_first", [True, False])
def test_the_order_of_tables_in_the_mapping_does_not_matter(is_first: bool, own_shop: OwnShop) -> None:
    """Contacts without a time count from the first order on, also when they are named before the orders."""
    contacts = "  crm_contacts:\n    from: contacts.csv\n    columns: {contact_id: id}\n"
    named_first = MAPPING.replace("tables:\n", "tables:\n" + contacts)
    own_shop.write(named_first if is_first else MAPPING + contacts, contacts_csv="id\n007\n")
    own_shop.land()
    assert own_shop.rows("crm_contacts", "contact_id, occurred_at") == [("007", datetime(2023, 12, 31, 23, 30))]


def test_a_second_run_lands_only_what_is_new_or_has_changed(own_shop: OwnShop) -> None:
    own_shop.land()
    files = {file: file.stat().st_mtime_ns for file in own_shop.folders.landing.rglob("*.parquet")}
    assert [load.already_landed for load in own_shop.land()] == [True]
    assert {file: file.stat().st_mtime_ns for file in own_shop.folders.landing.rglob("*.parquet")} == files

    # A whole export again: one new order, one line with another price, one line gone.
    own_shop.write(
        orders_csv=ORDERS + "3,008,2024-07-02 10:00:00\n",
        lines_csv="order,pos,sku,qty,price\n1,1,bread,2,4.20\n1,2,cake,1,17.00\n3,1,tea,1,3.00\n",
    )
    before, second = own_shop.land()
    assert before.already_landed
    assert not second.already_landed
    assert dict(second.rows) == {"orders": 1, "order_lines": 2}
    late = own_shop.rows("order_lines", "order_id, net_amount, occurred_at < known_at, load_sequence")
    assert [row for row in late if row[3] == 2] == [("1", Decimal("17.00"), True, 2), ("3", Decimal("3.00"), True, 2)]
    assert own_shop.loads()[1] == (second.load_id, False, own_shop.zone.contract.version, False)


def test_a_file_put_beside_the_others_is_read_and_the_others_are_not(
    own_shop: OwnShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_shop.land()
    read: list[str] = []
    batches = FolderSource.batches

    def noted(source: FolderSource, table: SourceTable, file: Path) -> Iterator[pa.RecordBatch]:
        read.append(file.name)
        yield from batches(source, table, file)

    monkeypatch.setattr(FolderSource, "batches", noted)
    own_shop.write(lines_2_csv="order,pos,sku,qty,price\n2,2,tea,1,3.00\n")
    assert dict(own_shop.land()[1].rows) == {"order_lines": 1}
    assert read == ["lines_2.csv"]


def test_a_changed_mapping_reads_all_again_and_lands_what_comes_out_otherwise(own_shop: OwnShop) -> None:
    own_shop.land()
    own_shop.write(MAPPING.replace("net_amount: price", "net_amount: 'price::decimal(18,2) * 2'"))
    _, second = own_shop.land()
    assert dict(second.rows) == {"order_lines": 3}
    own_shop.write(
        MAPPING.replace("net_amount: price}", "net_amount: 'price::decimal(18,2) * 2'}\n    where: pos <> '2'")
    )
    third = own_shop.land()
    assert all(load.already_landed for load in third)
    said = "1 keys of earlier loads do not come from the mapping as it is now"
    assert [said in " ".join(load.notes) for load in third] == [False, True]


def test_deleting_the_landing_zone_starts_anew(own_shop: OwnShop) -> None:
    own_shop.land()
    shutil.rmtree(own_shop.folders.landing)
    (load,) = own_shop.land()
    assert dict(load.rows) == {"orders": 2, "order_lines": 3}


def test_deleting_what_dlt_knows_lands_nothing_twice(own_shop: OwnShop) -> None:
    own_shop.land()
    shutil.rmtree(own_shop.folders.extracted)
    assert [load.already_landed for load in own_shop.land()] == [True]


def test_changed_columns_of_the_source_are_told(own_shop: OwnShop) -> None:
    own_shop.land()
    own_shop.write(
        orders_csv="till,id,card,sold_at\nA,1,007,2024-07-01 00:30:00\nA,3,,2024-08-01\n",
        lines_csv=LINES + "3,1,tea,1,3.00\n",
    )
    notes = own_shop.land()[-1].notes
    assert any("the column 'till' (VARCHAR) is new since mapping-" in note for note in notes)

    # Also where nothing lands.
    own_shop.write(orders_csv="till,id,card,sold_at,shop\nA,1,007,2024-07-01 00:30:00,x\n", lines_csv=LINES)
    (note,) = own_shop.land()[-1].notes
    assert note.startswith("orders.csv: the column 'shop' (VARCHAR) is new since mapping-")
    assert own_shop.land()[-1].notes == ()

    own_shop.write(lines_csv="order,pos,sku,price\n3,1,tea,3.50\n")
    with pytest.raises(MappingError, match=r"order_lines.columns.quantity: lines\*\.csv has no column 'qty'"):
        own_shop.land()


def test_a_retyped_column_is_told(own_shop: OwnShop) -> None:
    def export(kind: str, card: str) -> None:
        duckdb.execute(
            f"copy (select 1 as id, cast({card} as {kind}) as card, timestamp '2024-01-01' as sold_at) "
            f"to '{own_shop.export}/orders.parquet'"
        )

    export("double", "17850.0")
    own_shop.write(MAPPING.replace("orders.csv", "orders.parquet"))
    own_shop.land()
    assert own_shop.rows("orders", "loyalty_id") == [("17850",)]  # as the shop wrote it before a spreadsheet did
    export("varchar", "'c17850'")
    assert own_shop.land()[-1].notes[0].startswith(
        "orders.parquet: the column 'card' was DOUBLE in mapping-"
    )  # fmt: skip


def test_what_a_data_frame_writes_for_nothing_is_nothing(own_shop: OwnShop) -> None:
    rows = " union all ".join(
        f"select {n} as id, {card}::double as card, timestamp '2024-01-01' as sold_at, {total}::double as total"
        for n, (card, total) in enumerate([("17850", "1.5"), ("'nan'", "'nan'"), ("'inf'", "2"), ("1e300", "3")])
    )
    duckdb.execute(f"copy ({rows}) to '{own_shop.export}/all.parquet'")
    own_shop.write(
        MAPPING.replace("orders.csv", "all.parquet").replace("lines*.csv", "all.parquet").replace(
            "{order_id: order, line_number: pos, product_id: sku, quantity: qty, net_amount: price}",
            "{order_id: id, product_id: card, net_amount: total}",
        )
    )  # fmt: skip
    (load,) = own_shop.land()
    assert load.notes == ()
    assert own_shop.rows("orders", "order_id, loyalty_id") == [
        ("0", "17850"),
        ("1", None),
        ("2", None),
        ("3", "1e+300"),
    ]


def test_one_unreadable_value_costs_one_value_and_is_shown(own_shop: OwnShop) -> None:
    good = "".join(f"1,{n},bread,1,2.10\n" for n in range(2, 60))
    own_shop.write(lines_csv="order,pos,sku,qty,price\n1,1,bread,two,2.10\n" + good)
    (load,) = own_shop.land()
    assert load.notes == (
        "order_lines.quantity: 1 of 59 values cannot be read, such as 'two' in lines.csv row 1; they land as null",
    )
    assert own_shop.rows("order_lines", "line_number, quantity")[0] == (1, None)


def test_one_value_that_an_expression_fails_at_costs_one_value_and_is_shown(own_shop: OwnShop) -> None:
    """As drafted: arithmetic of a quantity that is no number, a day that is no day. Blanks are no values."""
    mapping = MAPPING.replace("net_amount: price", "net_amount: 'qty::decimal(18,3) * price::decimal(18,4)'")
    mapping = mapping.replace("occurred_at: sold_at", "occurred_at: \"strptime(sold_at, '%d.%m.%Y')\"")
    good_lines = "".join(f"1,{n},bread,1,2.10\n" for n in range(3, 60))
    good_orders = "".join(f"{n},c,01.07.2024\n" for n in range(2, 60))
    own_shop.write(
        mapping,
        orders_csv="id,card,sold_at\n1,c,01.07.2024\n" + good_orders + "60,c,31.06.2024\n",
        lines_csv="order,pos,sku,qty,price\n1,1,bread,n/a,2.10\n1,2,bread, ,2.10\n" + good_lines,
    )
    (load,) = own_shop.land()
    assert load.notes == (
        "orders.occurred_at: 1 of 60 values cannot be read, such as '31.06.2024' in orders.csv row 60; "
        "they land as null",
        "order_lines.quantity: 1 of 58 values cannot be read, such as 'n/a' in lines.csv row 1; they land as null",
        "order_lines.net_amount: 1 of 58 values cannot be read, such as 'n/a, 2.10' in lines.csv row 1; "
        "they land as null",
    )
    assert own_shop.rows("order_lines", "line_number, net_amount")[:3] == [(1, None), (2, None), (3, Decimal("2.10"))]
    own_shop.write(mapping.replace("quantity: qty, ", ""), lines_csv="order,pos,sku,qty,price\n1,1,bread,n/a,2.10\n")
    with pytest.raises(MappingError, match=r"net_amount: 1 of 1 values .* 'n/a, 2\.10' in lines\.csv row 1\. Next: "):
        own_shop.land()


def test_a_condition_that_fails_at_a_row_leaves_it_out_and_says_so(own_shop: OwnShop) -> None:
    good = "".join(f"1,{n},bread,1,2.10\n" for n in range(2, 60))
    own_shop.write(
        MAPPING + "    where: qty::decimal(18,3) <> 0\n",
        lines_csv="order,pos,sku,qty,price\n1,1,bread,two,2.10\n" + good,
    )
    (load,) = own_shop.land()
    assert dict(load.rows) == {"orders": 2, "order_lines": 58}
    assert load.notes[0] == (
        "order_lines.where: 1 of 59 values cannot be read, such as 'two' in lines.csv row 1; their rows are left out"
    )


def test_an_expression_that_cannot_be_tried_names_the_row_that_it_fails_at(own_shop: OwnShop) -> None:
    """DuckDB's try() takes no window."""
    own_shop.write(
        MAPPING.replace("line_number: pos", "line_number: sum(pos::integer) over (order by _row)")
        + "    where: sku <> 'cake'\n",
        lines_csv=LINES.replace("2,1,bread", "2,one,bread").replace("1,2,cake", "1,two,cake"),
    )
    with pytest.raises(MappingError, match=r"columns\.line_number: .*'one'.*, in lines\.csv row 3\. Next: "):
        own_shop.land()
    own_shop.write(
        MAPPING + "    where: pos::integer > (select 0)\n", lines_csv=LINES.replace("2,1,bread", "2,one,bread")
    )
    with pytest.raises(MappingError, match=r"order_lines\.where: .*'one'.*, in lines\.csv row 3\. Next: "):
        own_shop.land()


def test_a_column_that_cannot_be_read_stops_the_load(own_shop: OwnShop) -> None:
    own_shop.write(orders_csv="id,card,sold_at\n1,c1,31.12.2024\n")
    with pytest.raises(MappingError, match=r"occurred_at: 1 of 1 values cannot be read, such as '31.12.2024' in "
                       r"orders.csv row 1. Next: .*strptime"):  # fmt: skip
        own_shop.land()
    assert own_shop.zone.loads() == []
    own_shop.write(MAPPING.replace("occurred_at: sold_at", "occurred_at: \"strptime(sold_at, '%d.%m.%Y')\""))
    own_shop.land()
    assert own_shop.rows("orders", "occurred_at") == [(datetime(2024, 12, 30, 23),)]


def test_a_file_that_was_refused_and_is_exported_rightly_lands(own_shop: OwnShop) -> None:
    own_shop.land()
    own_shop.write(lines_2_csv="order,pos,sku,qty,price\n1,3,tea,1,three\n")
    own_shop.write(orders_csv="id,card,sold_at\n3,c1,31.12.2024\n")
    for _ in range(2):
        with pytest.raises(MappingError, match=r"occurred_at: 1 of 1 values cannot be read"):
            own_shop.land()
    own_shop.write(
        orders_csv="id,card,sold_at\n3,c1,2024-12-31\n", lines_2_csv="order,pos,sku,qty,price\n3,1,tea,1,3\n"
    )
    assert dict(own_shop.land()[1].rows) == {"orders": 1, "order_lines": 1}


@pytest.mark.parametrize(
    ("price", "advised"),
    [("1.234,56", "replace(replace(<column>, '.', ''), ',', '.')"), ("1,234.56", "replace(<column>, ',', '')")],
)
def test_the_advice_for_numbers_reads_them(price: str, advised: str, own_shop: OwnShop) -> None:
    own_shop.write(lines_csv=f'order,pos,sku,qty,price\n1,1,bread,2,"{price}"\n')
    with pytest.raises(MappingError, match=rf"such as '{price}' in lines.csv row 1\. Next: .*{re.escape(advised)}"):
        own_shop.land()
    own_shop.write(
        MAPPING.replace("net_amount: price", f'net_amount: "{advised.replace("<column>", "price")}"'),
        lines_csv=f'order,pos,sku,qty,price\n1,1,bread,2,"{price}"\n',
    )
    own_shop.land()
    assert own_shop.rows("order_lines", "net_amount") == [(Decimal("1234.56"),)]


@pytest.mark.parametrize("line", ['1,3,"never closed,1,2', "1,3,bread,1,2,and more", "1,3"])
def test_a_broken_csv_line_is_named(line: str, own_shop: OwnShop) -> None:
    own_shop.write(lines_csv=f"{LINES}{line}\n")
    with pytest.raises(MappingError, match=rf"lines\.csv cannot be read: .*Row #5: .*{line}.*Next: "):
        own_shop.land()
    assert own_shop.zone.loads() == []


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (LINES.replace(",", ";").encode(), ""),
        (LINES.replace(",", "\t").replace("\n", "\r\n").encode("utf-8-sig"), ""),
        (LINES.replace("bread", "brötchen").encode("latin-1"), "encoding: latin-1"),
        (LINES.replace("bread", "'bread'").encode(), "delimiter: ',', quote: \"'\""),
        (gzip.compress(LINES.encode()), ""),
        (LINES.replace("\n", "\r\n", 2).encode(), ""),
    ],
    ids=["semicolons", "tabs of a spreadsheet", "latin-1", "said", "gzip", "continued elsewhere"],
)
def test_csv_is_read_as_it_is_written(content: bytes, options: str, own_shop: OwnShop) -> None:
    packed = content.startswith(b"\x1f\x8b")
    (own_shop.export / "lines.csv").unlink()
    (own_shop.export / f"lines.csv{'.gz' if packed else ''}").write_bytes(content)
    said = MAPPING.replace("folder: {export}", "folder: {export}\n  csv: {" + options + "}")
    own_shop.write((said if options else MAPPING).replace("lines*.csv", "lines.csv*"))
    own_shop.land()
    assert [row[0] for row in own_shop.rows("order_lines", "net_amount")] == [
        Decimal("2.10"),
        Decimal("4.20"),
        Decimal("18.50"),
    ]
    assert own_shop.rows("order_lines", "product_id")[0][0] in {"bread", "brötchen"}


def test_the_first_row_of_a_key_makes_the_order(own_shop: OwnShop) -> None:
    flat = """
        source: {folder: {export}}
        zone: UTC
        currency: EUR
        tables:
          orders:
            from: flat.csv
            keys: [order_id]
            columns: {order_id: nr, loyalty_id: who, occurred_at: at}
            constants: {channel: web}
          order_lines:
            from: flat.csv
            where: kind <> 'note'
            columns: {order_id: nr, product_id: sku, net_amount: amount}
    """
    own_shop.write(
        flat,
        flat_csv="nr,who,at,sku,amount,kind\n"
        "1,a,2024-01-01T10:00:00+02:00,x,1,line\n"
        "1,a,2024-01-01T11:00:00+02:00,y,2,line\n"
        "1,a,2024-01-01T11:00:00+02:00,,,note\n",
    )
    (load,) = own_shop.land()
    assert dict(load.rows) == {"orders": 1, "order_lines": 2}
    assert load.notes == ("order_lines: 1 of 3 rows were left out by `where`",)
    # An offset in the value says more than the zone of the mapping.
    assert own_shop.rows("orders", "order_id, channel, occurred_at") == [("1", "web", datetime(2024, 1, 1, 8))]
    assert own_shop.rows("order_lines", "line_number, quantity, gross_amount") == [
        (1, Decimal("1"), Decimal("1")),
        (2, Decimal("1"), Decimal("2")),
    ]


@pytest.mark.parametrize(
    "moment", ["while extracting", "before dlt notes it", "while landing", "before the load's row"]
)
def test_a_load_that_is_cut_off_is_invisible_and_is_repeated(
    moment: str, own_shop: OwnShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exception stands for kill -9 (tests/integration/test_own_shop.py sends a real one)."""

    class Cut(BaseException):
        pass

    write = LandingZone._write
    cut_at = "order_lines" if moment == "while landing" else "loads"

    def cut(*_: object, **__: object) -> None:
        raise Cut

    def cut_at_a_file(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> int:
        if "load_date=1970" not in str(file) and file.parent.parent.name == cut_at:
            raise Cut
        return write(connection, query, file)

    with monkeypatch.context() as patch:
        if moment == "while extracting":
            patch.setattr(FolderSource, "batches", cut)
        elif moment == "before dlt notes it":
            patch.setattr(Pipeline, "load", cut)
        else:
            patch.setattr(LandingZone, "_write", staticmethod(cut_at_a_file))
        with pytest.raises((Cut, Exception)):
            own_shop.land()
    assert own_shop.zone.loads() == []
    assert own_shop.rows("orders", "order_id") == []

    (load,) = own_shop.land()
    assert dict(load.rows) == {"orders": 2, "order_lines": 3}
    assert own_shop.rows("orders", "known_at = occurred_at") == [(True,), (True,)]
    assert [each.already_landed for each in own_shop.land()] == [True]


def test_what_was_cut_off_before_dlt_noted_it_lands_before_what_came_since(
    own_shop: OwnShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_shop.land()
    third, fourth = "3,008,2024-07-02 10:00:00\n", "4,009,2024-07-03 10:00:00\n"
    own_shop.write(orders_csv=ORDERS + third)
    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "load", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            own_shop.land()
    own_shop.write(orders_csv=ORDERS + third + fourth)
    assert [dict(load.rows) for load in own_shop.land()[1:]] == [{"orders": 1}, {"orders": 1}]
    assert own_shop.rows("orders", "order_id, load_sequence")[2:] == [("3", 2), ("4", 3)]


@pytest.mark.parametrize(
    ("part", "is_told"),
    [
        ("1,3,tea,1,3.00\n", True),
        ("1,3,bread,2,4.20\n", True),
        ("1,3,tea,1,3.00\n1,4,jam,1,5.00\n", True),
        ("1,1,bread,3,6.30\n1,2,cake,1,18.50\n1,3,tea,1,3.00\n", False),
        ("2,1,bread,1,2.10\n3,1,tea,1,3.00\n", False),
    ],
    ids=["another product", "fewer lines", "as many lines", "the whole order, longer", "other orders"],
)
def test_an_order_that_comes_in_parts_without_line_numbers_is_told(part: str, is_told: bool, own_shop: OwnShop) -> None:
    without_numbers = MAPPING.replace("line_number: pos, ", "")
    own_shop.write(without_numbers)
    own_shop.land()
    own_shop.write(without_numbers, lines_2_csv=f"order,pos,sku,qty,price\n{part}")
    notes = own_shop.land()[-1].notes
    assert [note.split(";")[0] for note in notes] == [
        "order_lines: 1 orders come with fewer lines than have landed, or with other products"
    ] * is_told


def test_what_was_read_wrongly_is_read_anew(own_shop: OwnShop) -> None:
    """Its rows wait to be landed when the mapping is corrected: they are not what the corrected one would read."""
    own_shop.write(lines_csv=LINES.replace("4.20", "'4.20'").replace("18.50", "'18.50'"))
    with pytest.raises(MappingError, match=r"such as ''4\.20''"):
        own_shop.land()
    own_shop.write(MAPPING.replace("folder: {export}", 'folder: {export}\n  csv: {quote: "\'"}'))
    own_shop.land()
    assert own_shop.rows("order_lines", "net_amount")[1:] == [(Decimal("4.20"),), (Decimal("18.50"),)]


def test_web_events_happen_when_the_source_says_and_not_when_they_were_read(own_shop: OwnShop) -> None:
    """When a device sent an event, only the source can know: guessed, staging would correct a clock that is right."""
    views = "{event_id: id, event_type: \"'page'\", anonymous_id: who, page_url: page, occurred_at: at}"
    visits = "id,who,page,at\n1,ann,/,2024-07-01 10:00:00\n"
    own_shop.write(MAPPING + f"  web_events:\n    from: visits.csv\n    columns: {views}\n", visits_csv=visits)
    own_shop.land()
    assert own_shop.rows("web_events", "occurred_at, sent_at") == [(datetime(2024, 7, 1, 8), None)]


def test_extracted_rows_go_when_they_have_landed(own_shop: OwnShop) -> None:
    own_shop.land()
    assert not list(own_shop.folders.extracted.rglob("*.parquet"))


def test_nothing_to_read_is_no_load(own_shop: OwnShop) -> None:
    own_shop.write(orders_csv="id,card,sold_at\n", lines_csv="order,pos,sku,qty,price\n")
    with pytest.raises(MappingError, match=r"has no rows\. Next"):
        own_shop.land()
    own_shop.write(
        MAPPING.replace(".csv\n", ".csv\n    where: 1 = 0\n"),
        orders_csv=ORDERS,
        lines_csv=LINES,
    )
    with pytest.raises(MappingError, match=r"has no rows that land \(orders: 2 of 2 rows were left out by `where`; "):
        own_shop.land()


_DELIVERY = st.dictionaries(st.integers(1, 6), st.sampled_from(["1.00", "2.00", "3.00"]), min_size=1)


@example(deliveries=[{1: "1.00"}, {1: "2.00"}, {1: "1.00"}])
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=st.lists(_DELIVERY, min_size=1, max_size=4))
def test_after_any_deliveries_the_newest_version_of_each_line_stands(
    deliveries: list[dict[int, str]], own_shop: OwnShop
) -> None:
    """Whole exports, each with some of the lines at some price: what was said last stands, and nothing lands twice."""
    for folder in (own_shop.folders.landing, own_shop.folders.extracted):
        shutil.rmtree(folder, ignore_errors=True)
    expected: dict[int, str] = {}
    own_shop.write(orders_csv=ORDERS)
    for number, delivery in enumerate(deliveries):
        expected |= delivery
        lines = "".join(f"1,{line},x,1,{price}\n" for line, price in delivery.items())
        own_shop.write(lines_csv="order,pos,sku,qty,price\n" + lines)
        os.utime(own_shop.export / "lines.csv", (number + 1, number + 1))
        own_shop.land()
    newest = duckdb.sql(
        "select line_number, arg_max(net_amount, load_sequence)::varchar "
        f"from ({own_shop.zone.visible('order_lines')}) group by all"
    ).fetchall()
    assert dict(newest) == expected
    changes = sum(1 for earlier, now in zip([{}, *_states(deliveries)], _states(deliveries), strict=False)
                  for line in now if earlier.get(line) != now[line])  # fmt: skip
    assert len(own_shop.rows("order_lines", "line_number")) == changes, "a row landed that was already there"


def _states(deliveries: list[dict[int, str]]) -> list[dict[int, str]]:
    found: list[dict[int, str]] = []
    for delivery in deliveries:
        found.append({**(found[-1] if found else {}), **delivery})
    return found


def test_a_later_source_without_rows_of_its_own_time_keeps_still(own_shop: OwnShop) -> None:
    """Products have no time here: they count from the first order on, and do not land again as days pass."""
    own_shop.write(
        MAPPING + "  products:\n    from: products.csv\n    columns: {product_id: sku, product_type: name}\n",
        products_csv="sku,name\nbread,Bread\n",
    )
    own_shop.land()
    assert own_shop.rows("products", "product_id, occurred_at") == [("bread", datetime(2023, 12, 31, 23, 30))]
    own_shop.write(
        MAPPING + "  products:\n    from: products.csv\n    columns: {product_id: sku, product_type: name}\n",
        products_csv="sku,name\nbread,Bread\ntea,Tea\n",
    )
    assert dict(own_shop.land()[-1].rows) == {"products": 1}


def test_waiting_extractions_are_found_in_their_order(tmp_path: Path) -> None:
    for name in ("999.5", "1000.25"):
        noted = tmp_path / "rows" / "_dlt_loads" / f"source__{name}.jsonl"
        noted.parent.mkdir(parents=True, exist_ok=True)
        noted.touch()
        (tmp_path / "rows" / f"orders_1.{name}.abc.parquet").touch()
    extractor = Extractor.__new__(Extractor)
    extractor.folder = tmp_path
    assert [extraction.name for extraction in extractor.waiting()] == ["999.5", "1000.25"]
