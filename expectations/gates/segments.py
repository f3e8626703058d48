"""Segments gate: nobody is lost or in a segment twice, sizes hold, and memberships are what the rules say."""

from __future__ import annotations

from expectations.checks import Suite, each_between, measure, no_rows
from expectations.gates import Scope

MEMBERSHIPS = "segments.int_segments__memberships"
CATALOG = "segments.int_segments__catalog"
SIZES = "segments.int_segments__sizes"
FLOWS = "segments.int_segments__flows"
REPRESENTATION = "segments.int_segments__representation"
RFM = "features.feat_customer_rfm"
NOW = f"(select max(as_of_date) from {MEMBERSHIPS})"
# A rule is a view: to read it is to evaluate it anew. More customers than this are sampled.
SAMPLE = 5_000
# Of fewer members nobody can say how a segment is made up.
FEWEST_TOLD = 10


def suites(scope: Scope) -> list[Suite]:
    """Checks of memberships, sizes, changes, and of how members are made up."""
    found = [_coverage(scope), _primary(), _nested(), _sizes(scope), _changes(scope), _representation(scope)]
    rules = sorted(
        table
        for table, columns in scope.catalog.tables.items()
        if table.startswith("segments.seg_") and "customer_id" in columns
    )
    return [*found, _agreement(rules)] if rules else found


def _coverage(scope: Scope) -> Suite:
    limits = scope.limits.segments
    query = f"""
        with buyers as (
            select customer_id from {RFM} where as_of_date = (select max(as_of_date) from {RFM})
        ),
        members as (
            select *, customer_id in (select customer_id from buyers) as has_bought
            from {MEMBERSHIPS} where as_of_date = {NOW}
        ),
        population as (select count(*) as buyer_count from buyers)
        select
            count(distinct segment_key) as segment_count,
            count(*) as membership_count,
            count(distinct customer_id) as customers,
            any_value(buyer_count) as buyers,
            round(count(distinct customer_id) filter (has_bought) / nullif(buyers, 0), 6) as covered_share,
            count(distinct customer_id) filter (has_bought and segment_type = 'cluster') as buyers_in_clusters,
            case when bool_or(segment_type = 'cluster') then buyers - buyers_in_clusters else 0 end as customers_lost,
            round(count(*) / greatest(count(distinct (customer_id, segment_key)), 1), 6) as rows_per_membership,
        from population left join members on true
    """
    return Suite(
        "coverage",
        MEMBERSHIPS,
        (
            measure("segment_count", limits.min_segments, None, "number of segments with members"),
            measure("covered_share", limits.min_covered_share, 1.0, "customers who bought that are in a segment"),
            measure("customers_lost", 0, 0, "customers who bought that are in no cluster"),
            measure("rows_per_membership", 1.0, 1.0, "rows for each pair of customer and segment"),
        ),
        query,
        (MEMBERSHIPS, RFM),
    )


def _primary() -> Suite:
    query = f"""
        select
            memberships.customer_id,
            count(*) filter (sizes.status = 'ok') as segments,
            count(*) filter (memberships.is_primary) as primary_segments,
        from {MEMBERSHIPS} as memberships inner join {SIZES} as sizes using (segment_key)
        group by memberships.customer_id
    """
    one = no_rows("primary_segments <> least(segments, 1)", "customers without exactly one primary segment", "none")
    return Suite("primary", MEMBERSHIPS, (one,), query, (MEMBERSHIPS, SIZES))


def _nested() -> Suite:
    """Who is in a part is in the whole."""
    query = f"""
        select
            catalog.segment_key,
            catalog.parent_segment_key,
            count(*) filter (parents.customer_id is null) as members_outside,
        from {CATALOG} as catalog
        inner join {MEMBERSHIPS} as parts using (segment_key)
        left join {MEMBERSHIPS} as parents
            on parts.customer_id = parents.customer_id and catalog.parent_segment_key = parents.segment_key
        where catalog.parent_segment_key is not null
        group by all
    """
    inside = each_between(
        "members_outside", 0, 0, "members of a part who are not in its parent", named_by="segment_key"
    )
    return Suite("nested", MEMBERSHIPS, (inside,), query, (CATALOG, MEMBERSHIPS))


def _sizes(scope: Scope) -> Suite:
    limits = scope.limits.segments
    query = f"""
        select
            sizes.*,
            catalog.segment_type,
            catalog.min_members,
            coalesce(counted.members, 0) - sizes.member_count as difference,
        from {SIZES} as sizes inner join {CATALOG} as catalog using (segment_key) left join (
            select segment_key, count(*) as members from {MEMBERSHIPS} where as_of_date = {NOW} group by segment_key
        ) as counted using (segment_key)
    """
    return Suite(
        "sizes",
        SIZES,
        (
            each_between("difference", 0, 0, "members less what the size says", named_by="segment_key"),
            no_rows(
                f"segment_type = 'rule' and customer_share > {limits.max_segment_share}",
                "share of customers in each rule segment",
                f"at most {limits.max_segment_share:g}",
                named_by="segment_key",
            ),
            no_rows(
                "member_count < min_members and (segment_type = 'cluster' and status <> 'ended' or status = 'ok')",
                "clusters below their floor that were not folded, rules below it that are not marked",
                "none",
                named_by="segment_key",
            ),
        ),
        query,
        (SIZES, CATALOG, MEMBERSHIPS),
    )


def _changes(scope: Scope) -> Suite:
    """Shares against the date before. What chance alone does shrinks with the customers, what customers do does not."""
    limits = scope.limits.segments
    query = f"""
        with customers as (
            select as_of_date, count(distinct customer_id) as customer_count from {RFM} group by as_of_date
        ),
        shares as (
            select
                flows.*,
                least(member_count / customer_count, 1) as share,
                lag(least(member_count / customer_count, 1)) over by_date as previous_share,
                customer_count,
            from {FLOWS} as flows inner join customers using (as_of_date)
            window by_date as (partition by segment_key order by as_of_date)
        )
        select
            segment_key,
            round(previous_share, 6) as previous_share,
            round(share, 6) as share,
            abs(share - previous_share) - greatest(1, (as_of_date - previous_as_of_date) / 7) * (
                {limits.max_share_change} + {limits.change_spreads} * sqrt(
                    greatest(share, previous_share) * (1 - least(share, previous_share)) / customer_count
                )
            ) as beyond,
        from shares
        where as_of_date = {NOW} and previous_share is not null and not is_definition_changed
    """
    bounded = no_rows(
        "beyond > 0",
        "segments whose share changed more than their size explains",
        f"{limits.max_share_change:g} of the customers and {limits.change_spreads:g} standard deviations a week",
        named_by="segment_key",
    ).then("see whether a source is missing or arrived twice; a threshold that was changed is left out by itself")
    return Suite("changes", FLOWS, (bounded,), query, (FLOWS, MEMBERSHIPS, RFM))


def _representation(scope: Scope) -> Suite:
    """Demographic groups in each segment against all customers, for all comparisons of the run at once."""
    bounds = scope.limits.segments
    query = f"""
        select *, segment_key || ': ' || attribute || ' ' || attribute_value as compared,
            told_member_count >= {FEWEST_TOLD} and (
                representation_low > {bounds.max_representation} or representation_high < {bounds.min_representation}
            ) as is_beyond,
        from {REPRESENTATION}
    """
    check = no_rows(
        "is_beyond",
        "demographic groups that a segment leaves out or is made of",
        f"{bounds.min_representation:g} to {bounds.max_representation:g} times their share of all customers",
        named_by="compared",
    ).then("read rpt_segment_representation; a rule that asks for an age takes an age, others may do so unseen")
    return Suite(
        "representation",
        REPRESENTATION,
        (check if bounds.representation_stops else check.as_warning(),),
        query,
        (REPRESENTATION,),
    )


def _agreement(rules: list[str]) -> Suite:
    """Memberships hold what the rules say when they are asked again, customer by customer."""
    asked = " union all ".join(
        f"select customer_id, '{table.removeprefix('segments.seg_')}' as segment_key, threshold_form from {table} "
        f"where as_of_date = {NOW}"
        for table in rules
    )
    query = f"""
        with customers as (select count(distinct customer_id) as customer_count from {MEMBERSHIPS}),
        said as (
            select asked.customer_id, asked.segment_key from ({asked}) as asked
            inner join {CATALOG} as catalog using (segment_key, threshold_form)
            where catalog.missing_reason is null
        ),
        kept as (
            select customer_id, segment_key from {MEMBERSHIPS} where segment_type = 'rule' and as_of_date = {NOW}
        )
        select
            coalesce(said.segment_key, kept.segment_key) as segment_key,
            count(*) as compared,
            count(*) filter (said.customer_id is null or kept.customer_id is null) as difference,
        from said full join kept using (customer_id, segment_key), customers
        where hash(coalesce(said.customer_id, kept.customer_id)) % greatest(1, customer_count // {SAMPLE}) = 0
        group by all
    """
    by_rule = each_between(
        "difference",
        0,
        0,
        "members of each rule segment that the rule, asked again, does not name, and the other way round",
        named_by="segment_key",
    )
    return Suite("rules", MEMBERSHIPS, (by_rule,), query, (MEMBERSHIPS, CATALOG, *rules))
