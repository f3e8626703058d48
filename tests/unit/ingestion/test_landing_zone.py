"""The landing zone: whole files, one load at a time, visible only when complete."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as parquet
import pytest

from ingestion import LandingError, LandingZone, completejourney, read_contract
from ingestion.landing_zone import LOADS

ORDER = (
    "select 'o1' as order_id, 'c1' as loyalty_id, 's1' as store_id, 'main' as brand, 'web' as channel, "
    "'completed' as status, 'USD' as currency, 'UTC' as business_timezone, timestamp '2024-01-01' as occurred_at, "
    "timestamp '2024-01-01' as known_at"
)


def _land(zone: LandingZone, load_id: str, **tables: str) -> bool:
    with duckdb.connect() as connection:
        return zone.land(
            connection,
            load_id=load_id,
            source="test",
            load_date=date(2024, 1, 2),
            known_at_is_assumed=False,
            tables=tables,
        ).already_landed


def test_every_table_has_a_typed_file_before_anything_landed(tmp_path: Path) -> None:
    zone = LandingZone(tmp_path)
    zone.prepare()
    for table, columns in read_contract().tables.items():
        (file,) = (tmp_path / table).glob("*/*.parquet")
        assert parquet.read_schema(file).names == list(columns)
        assert parquet.read_metadata(file).num_rows == 0


def test_landing_the_same_load_twice_changes_nothing(tmp_path: Path) -> None:
    zone = LandingZone(tmp_path)
    assert _land(zone, "first", orders=ORDER) is False
    files = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.parquet")}
    assert _land(zone, "first", orders=ORDER) is True
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.parquet")} == files


def test_loads_are_numbered_as_they_arrive(tmp_path: Path) -> None:
    zone = LandingZone(tmp_path)
    _land(zone, "b", orders=ORDER)
    _land(zone, "a", orders=ORDER)
    assert [load.load_id for load in zone.loads()] == ["b", "a"]
    assert zone.loads()[0].rows == {"orders": 1}


def test_a_load_that_breaks_off_is_invisible_and_can_be_tried_again(tmp_path: Path) -> None:
    zone = LandingZone(tmp_path)
    with pytest.raises(LandingError, match="no column 'no_such_column'; did you mean"):
        _land(zone, "first", orders=ORDER, products="select 1 as no_such_column")
    assert zone.loads() == []
    assert not list((tmp_path / LOADS).glob("load_date=2024*/*.parquet"))
    assert _land(zone, "first", orders=ORDER) is False
    assert len(zone.loads()) == 1


def test_another_selection_of_the_demo_shop_needs_another_folder(tmp_path: Path) -> None:
    zone = LandingZone(tmp_path)
    completejourney.land(zone, households=5)
    with pytest.raises(LandingError, match=r"completejourney-5-households.*AUDIENCE_DATA_DIR"):
        completejourney.land(zone, households=6)


def test_lines_of_the_demo_shop_add_up_to_the_cent(tmp_path: Path) -> None:
    zone = LandingZone(tmp_path)
    completejourney.land(zone, households=20)
    wrong = duckdb.execute(
        f"select count(*) from read_parquet('{tmp_path}/order_lines/*/*.parquet') "
        "where gross_amount - retail_discount - coupon_match_discount <> net_amount"
    ).fetchone()
    assert wrong == (0,)


def test_a_data_folder_may_be_called_anything(tmp_path: Path) -> None:
    zone = LandingZone(tmp_path / "the shop's [new] data*")
    _land(zone, "it's one", orders=ORDER)
    assert [load.load_id for load in zone.loads()] == ["it's one"]
    assert duckdb.sql(f"select order_id, load_id from ({zone.visible('orders')})").fetchall() == [("o1", "it's one")]
