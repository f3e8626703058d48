"""Identity gate: the shape of the customers: neither everybody glued together nor nobody matched."""

from __future__ import annotations

from expectations.checks import Check, Suite, mean, measure
from expectations.gates import Scope

INDEX = "identity.master_customer_index"
RECORDS = "identity.int_identity__source_records"
CUSTOMERS = "identity.int_identity__customers"
MEMBERSHIPS = "identity.int_identity__memberships"
REVIEW = "identity.int_identity__review_queue"
REDIRECTS = "identity.int_identity__redirects"

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
        records as (
            select count(*) as landed_records, count(*) filter (where set_aside_reason is null) as source_records
            from {RECORDS}
        ),
        golden as (select count(*) as golden_customers from {CUSTOMERS}),
        conflicts as (
            select count(distinct customer_id) as conflict_count from {REVIEW}
            where review_kind = 'kept with a conflict'
        ),
        -- what the last promoted run had, and what this run would merge of it
        promoted as (
            select count(distinct customer_id) as promoted_count from {MEMBERSHIPS} where promotion_number is not null
        ),
        merged as (
            select count(*) as merged_count from (
                select customer_id, max(promotion_number) as promotion_number,
                    count(*) filter (where promotion_number is null) as new_count,
                    count(*) filter (where valid_to is null) as current_count
                from {MEMBERSHIPS} where customer_id is not null
                and source_record_key in (select source_record_key from {MEMBERSHIPS} where promotion_number is null)
                group by customer_id
            ) where promotion_number is not null and current_count = 0
        ),
        lost as (
            select count(*) as lost_ids from {REDIRECTS} as redirects
            inner join {RECORDS} as records on redirects.retired_customer_id = 'c_' || records.source_record_key
            where redirects.customer_id is null and records.set_aside_reason is null
        )
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
            round(any_value(source_records) / nullif(any_value(landed_records), 0), 6) as resolved_share,
            quantile_cont(record_count, 0.99) as p99_customer_records,
            round(any_value(conflict_count) / nullif(count(*), 0), 6) as conflict_share,
            round(coalesce(any_value(merged_count) / nullif(any_value(promoted_count), 0), 0), 6) as merged_share,
            any_value(lost_ids) as lost_ids,
        from sizes, records, golden, conflicts, promoted, merged, lost
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
        measure(
            "p99_customer_records",
            1,
            limits.max_p99_records_per_customer,
            "source records of a customer, 99% quantile",
            largest,
        ),
        measure("resolved_share", limits.min_resolved_share, 1.0, "source records not set aside / source records"),
        measure("indexed_share", limits.min_indexed_share, 1.0, "source records in the index / those not set aside"),
        measure(
            "conflict_share",
            0,
            limits.max_conflict_share,
            "customers that name two people or two birth dates / customers",
            f"select customer_id, reason, record_count from {REVIEW} where review_kind = 'kept with a conflict'",
        ),
        measure("merged_share", 0, limits.max_merged_share, "customers merged since the last promoted run / customers"),
        measure(
            "lost_ids",
            0,
            limits.max_lost_ids,
            "retired customer ids that lead nowhere",
            f"select retired_customer_id, retired_at from {REDIRECTS} where customer_id is null",
        ),
        measure("golden_share", 0.999, 1.001, "rows of int_identity__customers / customers in the index"),
    ]
    if _source_count(scope) > 1:
        label = "share of customers known from more than one source"
        checks.append(measure("linked_share", limits.min_linked_share, None, label))
    confidence = mean("match_confidence", limits.min_mean_confidence, 1.0, "mean match confidence")
    return [
        Suite("customers", INDEX, tuple(checks), query, (INDEX, RECORDS, CUSTOMERS, MEMBERSHIPS, REVIEW, REDIRECTS)),
        Suite("confidence", INDEX, (confidence,), CURRENT, (INDEX,)),
    ]


def _source_count(scope: Scope) -> int:
    if "source_system" not in scope.catalog.tables.get(INDEX, {}):
        return 0
    return int(scope.catalog.rows(f"select count(distinct source_system) as n from ({CURRENT})")[0]["n"])
