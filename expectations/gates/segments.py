"""Segments gate: segments have members, nobody is in one twice, and none holds nearly everybody."""

from __future__ import annotations

from expectations.checks import Suite, each_between, measure, no_rows
from expectations.gates import Scope

MEMBERSHIPS = "segments.int_segments__memberships"
RFM = "features.feat_customer_rfm"
NOW = f"(select max(as_of_date) from {MEMBERSHIPS})"


def suites(scope: Scope) -> list[Suite]:
    """Checks of memberships and of their sizes."""
    found = [_coverage(scope), _sizes(scope)]
    rules = sorted(
        table
        for table, columns in scope.catalog.tables.items()
        if table.startswith("segments.seg_") and "customer_id" in columns
    )
    return [*found, _agreement(rules)] if rules else found


def _coverage(scope: Scope) -> Suite:
    limits = scope.limits.segments
    query = f"""
        with members as (select * from {MEMBERSHIPS} where as_of_date = {NOW}),
        population as (
            select count(*) as customers_now from {RFM}
            where as_of_date = (select max(as_of_date) from {RFM})
        )
        select
            count(distinct segment_key) as segment_count,
            count(*) as membership_count,
            count(distinct customer_id) as customers,
            any_value(customers_now) as customers_now,
            round(count(distinct customer_id) / nullif(any_value(customers_now), 0), 6) as covered_share,
            round(count(*) / greatest(count(distinct (customer_id, segment_key)), 1), 6) as rows_per_membership,
        from population left join members on true
    """
    return Suite(
        "coverage",
        MEMBERSHIPS,
        (
            measure("segment_count", limits.min_segments, None, "number of segments with members"),
            measure("covered_share", limits.min_covered_share, 1.0, "share of customers in at least one segment"),
            measure("rows_per_membership", 1.0, 1.0, "rows for each pair of customer and segment"),
        ),
        query,
        (MEMBERSHIPS, RFM),
    )


def _sizes(scope: Scope) -> Suite:
    limits = scope.limits.segments
    query = f"""
        with population as (
            select count(*) as customers_now from {RFM} where as_of_date = (select max(as_of_date) from {RFM})
        )
        select
            segment_key,
            segment_type,
            count(*) as members,
            round(count(*) / any_value(customers_now), 6) as customer_share,
        from {MEMBERSHIPS}, population where as_of_date = {NOW} group by segment_key, segment_type
    """
    small, large = limits.min_segment_share, limits.max_segment_share
    return Suite(
        "sizes",
        MEMBERSHIPS,
        (
            no_rows(
                f"segment_type = 'rule' and customer_share > {large}",
                "share of customers in each rule segment",
                f"at most {large:g}",
                named_by="segment_key",
            ),
            each_between(
                "customer_share", small, None, "segments are large enough to act on", named_by="segment_key"
            ).as_warning(),
        ),
        query,
        (MEMBERSHIPS, RFM),
    )


def _agreement(rules: list[str]) -> Suite:
    """Memberships are the sum of the rule segments: lost or doubled ones show."""
    counted = " union all ".join(
        f"select '{table.removeprefix('segments.seg_')}' as segment_key, count(*) as selected from {table}"
        for table in rules
    )
    query = f"""
        with selected as ({counted}),
        members as (
            select segment_key, count(*) as members from {MEMBERSHIPS} where segment_type = 'rule' group by segment_key
        )
        select
            segment_key,
            coalesce(selected, 0) as selected,
            coalesce(members, 0) as members,
            coalesce(members, 0) - coalesce(selected, 0) as difference,
        from selected full join members using (segment_key)
    """
    by_rule = each_between(
        "difference", 0, 0, "memberships of each rule segment less the rows of its rule", named_by="segment_key"
    )
    empty = each_between("selected", 1, None, "each rule segment has members", named_by="segment_key").as_warning()
    return Suite("rules", MEMBERSHIPS, (by_rule, empty), query, (MEMBERSHIPS, *rules))
