"""Identity gate: the shape of the customers: neither everybody glued together nor nobody matched."""

from __future__ import annotations

from expectations.checks import Check, Suite, mean, measure
from expectations.gates import Scope

INDEX = "identity.master_customer_index"
RECORDS = "identity.int_identity__source_records"
CUSTOMERS = "identity.int_identity__customers"

# valid_to is null for what holds now; retired rows stay in the index.
CURRENT = f"select * from {INDEX} where valid_to is null"


def suites(scope: Scope) -> list[Suite]:
    """Checks of the master customer index."""
    limits = scope.limits.identity
    query = f"""
        with current_index as ({CURRENT}),
        sizes as (
            select customer_id, count(*) as record_count, count(distinct source_system) as source_count
            from current_index group by customer_id
        ),
        records as (select count(*) as source_records from {RECORDS}),
        golden as (select count(*) as golden_customers from {CUSTOMERS})
        select
            sum(record_count) as record_count,
            count(*) as customer_count,
            round(count(*) / nullif(sum(record_count), 0), 6) as customers_per_record,
            max(record_count) as largest_customer_records,
            round(avg((source_count > 1)::integer), 6) as linked_share,
            any_value(source_records) as source_record_count,
            round(sum(record_count) / nullif(any_value(source_records), 0), 6) as indexed_share,
            any_value(golden_customers) as golden_customer_count,
            round(any_value(golden_customers) / nullif(count(*), 0), 6) as golden_share,
        from sizes, records, golden
    """
    largest = f"""
        select customer_id, count(*) as record_count, count(distinct source_system) as source_count,
            mode(match_rule) as most_common_rule, round(min(match_confidence), 4) as lowest_confidence,
        from ({CURRENT}) group by customer_id order by record_count desc
    """
    checks: list[Check] = [
        measure("customers_per_record", limits.min_customers_per_record, 1.0, "customers / source records", largest),
        measure(
            "largest_customer_records",
            1,
            limits.max_records_per_customer,
            "source records of the largest customer",
            largest,
        ),
        measure("indexed_share", limits.min_indexed_share, 1.0, "source records in the index / source records"),
        measure("golden_share", 0.999, 1.001, "rows of int_identity__customers / customers in the index"),
    ]
    if _source_count(scope) > 1:
        label = "share of customers known from more than one source"
        checks.append(measure("linked_share", limits.min_linked_share, None, label))
    confidence = mean("match_confidence", limits.min_mean_confidence, 1.0, "mean match confidence")
    return [
        Suite("customers", INDEX, tuple(checks), query, (INDEX, RECORDS, CUSTOMERS)),
        Suite("confidence", INDEX, (confidence,), CURRENT, (INDEX,)),
    ]


def _source_count(scope: Scope) -> int:
    if "source_system" not in scope.catalog.tables.get(INDEX, {}):
        return 0
    return int(scope.catalog.rows(f"select count(distinct source_system) as n from ({CURRENT})")[0]["n"])
