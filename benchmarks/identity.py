"""Who is who against what was planted: precision and recall of the index, by rules alone and with linkage.

Shops side by side: the demo as it ships, and one with another seed and with dirt that nobody looked at while the rules
were made. Truth is read here and in tests, never by a model.

A pair is two records of the truth that are in the shop; a group is right when it holds all records of one person and no
other's. Only records of one person count: an address or a cookie that several use belongs to nobody.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from benchmarks.demo_shop import build_models, land_shipped, models_after_linkage
from benchmarks.held_out import held_out_overlay
from benchmarks.measuring import RESULTS
from orchestration.dbt_in_process import InProcessDbt
from orchestration.linkage_asset import link
from shops import ShopFolders, load_settings

PRECISION_GOAL, RECALL_GOAL = 0.995, 0.95


@dataclass(frozen=True)
class Quality:
    """How well the index tells people apart; all but the counts are shares."""

    shop: str
    by: str
    records: int
    people: int
    customers: int
    precision: float
    recall: float
    f1: float
    group_precision: float
    group_recall: float
    group_f1: float


def main() -> None:
    """Measure the shops, print them side by side, rewrite the results."""
    found: list[Quality] = []
    for name, land in _shops().items():
        with tempfile.TemporaryDirectory() as folder:
            folders = ShopFolders.of("demo", Path(folder))
            land(folders)
            found.extend(resolved(folders, name))
    for quality in found:
        print(_line(quality), flush=True)
    file = RESULTS / "identity.json"
    RESULTS.mkdir(exist_ok=True)
    file.write_text(json.dumps([asdict(quality) for quality in found], indent=2) + "\n", encoding="utf-8")
    print(f"written to {file}")
    missed = [
        f"{quality.shop}: precision {quality.precision}, recall {quality.recall}"
        for quality in found
        if quality.by == WITH_LINKAGE and (quality.precision < PRECISION_GOAL or quality.recall < RECALL_GOAL)
    ]
    if missed:
        raise SystemExit(f"below the goal of {PRECISION_GOAL} and {RECALL_GOAL}: " + "; ".join(missed))


RULES_ALONE, WITH_LINKAGE = "rules alone", "rules and linkage"


def _shops() -> dict[str, Callable[[ShopFolders], object]]:
    """Shops by name, each with what lands it and its truth."""
    return {"shipped": land_shipped, "held out": lambda folders: held_out_overlay(folders.data_root)}


def resolved(folders: ShopFolders, shop: str) -> list[Quality]:
    """Build staging and identity of what has landed; how good it is without and with linkage."""
    dbt = InProcessDbt(folders)
    build_models(dbt, [*dbt.models_of("staging"), *dbt.models_of("identity")])
    without = quality(folders, shop, RULES_ALONE)
    link(folders.warehouse, folders, load_settings("demo").identity.linkage, "benchmark")
    # A second command with the same manifest must not meet the ephemeral models of staging.
    build_models(InProcessDbt(folders), models_after_linkage(dbt))
    return [without, quality(folders, shop, WITH_LINKAGE)]


def quality(folders: ShopFolders, shop: str, by: str) -> Quality:
    """The index in the warehouse of `folders` against its truth, pair by pair and group by group."""
    with duckdb.connect(str(folders.warehouse), read_only=True) as connection:
        connection.execute(f"create temp view truth as from read_parquet('{folders.truth / 'records.parquet'}')")
        row = connection.execute(_QUALITY).fetchone()
    assert row is not None
    records, people, customers, *shares = row
    precision, recall, group_precision, group_recall = (float(share) for share in shares)
    return Quality(
        shop, by, records, people, customers,
        round(precision, 4), round(recall, 4), _f1(precision, recall),
        round(group_precision, 4), round(group_recall, 4), _f1(group_precision, group_recall),
    )  # fmt: skip


# A record that is nobody's is a customer of its own.
_QUALITY = """
    with records as (
        select
            truth.person_id,
            coalesce(customers.customer_id, truth.source_system || ':' || truth.source_record_id) as customer_id
        from truth
        inner join identity.int_identity__source_records as landed using (source_system, source_record_id)
        left join (from identity.master_customer_index where valid_to is null) as customers using (source_record_key)
        where truth.kind = 'person' and truth.person_id is not null
    ),
    cells as (select customer_id, person_id, count(*) as n from records group by all),
    customers as (select customer_id, sum(n) as n from cells group by all),
    people as (select person_id, sum(n) as n from cells group by all),
    pairs as (
        select
            (select sum(n * (n - 1) / 2) from cells) as right_pairs,
            (select sum(n * (n - 1) / 2) from customers) as found_pairs,
            (select sum(n * (n - 1) / 2) from people) as true_pairs
    ),
    groups as (
        -- all of one customer, and all of one person
        select count(*) as right_groups from cells
        where
            customer_id in (select customer_id from cells group by customer_id having count(*) = 1)
            and person_id in (select person_id from cells group by person_id having count(*) = 1)
    )
    select
        (select count(*) from records), (select count(*) from people), (select count(*) from customers),
        right_pairs / found_pairs, right_pairs / true_pairs,
        right_groups / (select count(*) from customers), right_groups / (select count(*) from people)
    from pairs, groups
"""


def _f1(precision: float, recall: float) -> float:
    return round(2 * precision * recall / (precision + recall), 4)


def _line(one: Quality) -> str:
    return (
        f"{one.shop}, {one.by}: {one.records:,} records of {one.people:,} people; "
        f"pairs: precision {one.precision:.4f}, recall {one.recall:.4f}, F1 {one.f1:.4f}; "
        f"groups: precision {one.group_precision:.4f}, recall {one.group_recall:.4f}, F1 {one.group_f1:.4f}"
    )


if __name__ == "__main__":
    main()
