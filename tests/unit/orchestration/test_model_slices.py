"""Segments that a challenger may not be worse in: told facts, habits, campaigns, and what is on record."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from orchestration.ledger import open_ledger
from orchestration.model_slices import segments_of
from shops import ShopFolders, load_settings

DAY, OTHER = date(2017, 6, 5), date(2017, 6, 12)


@pytest.fixture
def folders(tmp_path: Path) -> ShopFolders:
    return ShopFolders.of("demo", tmp_path)


def slices(folders: ShopFolders, rows: pd.DataFrame) -> dict[str, str]:
    """The segments of some rows: a letter a customer."""
    with duckdb.connect() as connection:
        connection.execute("create schema features")
        connection.execute(
            f"create table features.feat_customer_profile as select customer_id, date '{DAY}' as as_of_date, age_band "
            "from (values ('a', '25-34'), ('b', null), ('c', 'unknown'), ('x', '25-34')) as t (customer_id, age_band)"
        )
        connection.execute(
            f"create table features.feat_customer_rfm as select customer_id, date '{DAY}' as as_of_date, days as "
            "days_since_last_order, orders as order_count from (values ('a', 7, 1), ('b', 8, 5), ('c', 200, 9)) "
            "as t (customer_id, days, orders)"
        )
        found = segments_of(connection, folders, load_settings("demo"), rows)
    return {str(name): "".join(sorted(part["customer_id"])) for name, part in found.groupby("slice")}


def rows(**more: object) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list("abc"), "as_of_date": DAY, **more})


def test_told_facts_and_habits(folders: ShopFolders) -> None:
    assert slices(folders, rows()) == {
        "age band 25-34": "a",
        "age band unknown": "bc",
        "last order 1 to 7 days ago": "a",
        "last order 8 to 28 days ago": "b",
        "last order over 90 days ago": "c",
        "fewest orders (a third)": "a",
        "some orders (a third)": "b",
        "most orders (a third)": "c",
    }


def test_the_type_of_a_campaign_is_a_segment(folders: ShopFolders) -> None:
    offers = pd.concat([rows(campaign_id="k1", campaign_type="A"), rows(campaign_id="k2", campaign_type="B")])
    found = slices(folders, offers)
    assert (found["campaign type A"], found["campaign type B"]) == ("abc", "abc")
    assert found["age band 25-34"] == "aa", "of each campaign"


def test_memberships_on_record_of_the_same_date(folders: ShopFolders) -> None:
    open_ledger(folders)
    with duckdb.connect() as connection:
        for number, day, members in ((1, DAY, "ab"), (2, DAY, "bc"), (3, OTHER, "a")):
            connection.execute(
                f"copy (select 'lapsed' as segment_key, date '{day}' as as_of_date, {number}::bigint as "
                f"promotion_number) to '{folders.state}/segment_evaluations/{number:06d}-run.parquet' (format parquet)"
            )
            connection.execute(
                f"copy (select 'lapsed' as segment_key, date '{day}' as as_of_date, unnest(string_split('{members}', "
                f"'')) as customer_id, {number}::bigint as promotion_number) to "
                f"'{folders.state}/segment_memberships/{number:06d}-run.parquet' (format parquet)"
            )
        connection.execute(
            f"copy (select 'a' as customer_id, date '{DAY}' as as_of_date, 'broad' as level, '3' as cluster_key, "
            f"1::bigint as promotion_number) to '{folders.state}/cluster_memberships/000001-run.parquet'"
        )
    found = slices(folders, rows())
    assert found["segment lapsed"] == "bc", "of a date the last that was said"
    assert found["cluster 3"] == "a"


def test_nobody_to_judge_is_in_no_segment(folders: ShopFolders) -> None:
    assert slices(folders, rows().iloc[:0]) == {}
