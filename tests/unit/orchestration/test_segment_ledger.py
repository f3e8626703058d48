"""The ledger of memberships: what a promoted run said, once; half a record is none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.segment_ledger import EVALUATIONS, MEMBERSHIPS, record_segments
from shops import ShopFolders

MONDAY, NEXT_MONDAY = date(2024, 1, 1), date(2024, 1, 8)


@pytest.fixture
def folders(tmp_path: Path) -> ShopFolders:
    return ShopFolders.of("demo", tmp_path)


def warehouse(folders: ShopFolders, members: dict[tuple[str, date], str], *, passed: bool = True) -> Path:
    """A warehouse whose run said who was in which segment: a letter a customer."""
    file = folders.data / "run.duckdb"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema segments; create schema quality")
        connection.execute(
            "create table quality.gate_results as select 'segments' as gate, 'run' as run_id, "
            f"{str(passed).lower()} as success, 'critical' as severity"
        )
        connection.execute(
            "create table segments.int_segments__history (customer_id varchar, segment_key varchar, as_of_date date); "
            "create table segments.int_segments__evaluations (segment_key varchar, as_of_date date, "
            "segment_type varchar, definition_hash varchar, is_reconstructed boolean, member_count bigint, "
            "members_hash varchar)"
        )
        for (segment, day), customers in members.items():
            for customer in customers:
                connection.execute(
                    "insert into segments.int_segments__history values (?, ?, ?)", [customer, segment, day]
                )
            connection.execute(
                "insert into segments.int_segments__evaluations values (?, ?, 'rule', 'one', false, ?, ?)",
                [segment, day, len(customers), customers],
            )
    return file


def recorded(folders: ShopFolders) -> dict[tuple[str, date], str]:
    """What the ledger says now: of each segment and date the last promotion."""
    rows = duckdb.execute(
        f"""
        with last as (
            select segment_key, as_of_date, max(promotion_number) as promotion_number
            from read_parquet('{folders.state}/{EVALUATIONS}/*.parquet') group by all
        )
        select segment_key, as_of_date, coalesce(string_agg(customer_id, '' order by customer_id), '')
        from last left join read_parquet('{folders.state}/{MEMBERSHIPS}/*.parquet')
            using (segment_key, as_of_date, promotion_number)
        group by all
        """
    ).fetchall()
    return {(segment, day): members for segment, day, members in rows}


def test_what_is_said_again_is_not_recorded_again(folders: ShopFolders) -> None:
    said = {("lapsed", MONDAY): "ab", ("new", MONDAY): ""}
    assert record_segments(folders, warehouse(folders, said), "run") == 2
    assert record_segments(folders, warehouse(folders, said), "run") == 0
    assert recorded(folders) == said, "a segment that nobody is in is on record too"

    more = {**said, ("lapsed", MONDAY): "abc", ("lapsed", NEXT_MONDAY): "a"}
    assert record_segments(folders, warehouse(folders, more), "run") == 2
    assert recorded(folders) == more


def test_only_what_passed_the_gate_is_recorded(folders: ShopFolders) -> None:
    file = warehouse(folders, {("lapsed", MONDAY): "ab"}, passed=False)
    assert record_segments(folders, file, "run") == 0
    assert record_segments(folders, file, "another run") == 0
    assert not list((folders.state / MEMBERSHIPS).glob("[0-9]*"))


def test_members_of_a_promotion_that_was_killed_belong_to_nothing(folders: ShopFolders) -> None:
    assert record_segments(folders, warehouse(folders, {("lapsed", MONDAY): "xyz"}), "run") == 1
    (row,) = (folders.state / EVALUATIONS).glob("[0-9]*")
    row.unlink()  # as if the process had ended between the two files

    said = {("lapsed", MONDAY): "ab"}
    assert record_segments(folders, warehouse(folders, said), "run") == 1
    assert recorded(folders) == said
