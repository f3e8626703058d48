"""Staging gate: what was landed has come through, with the same amounts, and little of it into quarantine."""

from __future__ import annotations

from expectations.checks import Suite, each_between, measure, no_rows
from expectations.gates import Scope

# Rows that staging adds to what has landed: orders of which only lines are known.
ADDED = {"staging.stg_shop__orders": "is_inferred"}

# Landing table: its staging table and its key. A landed key must come out staged, whatever version of it stands.
# Without a key, the staging table keeps every landed row, the rejected ones too: counting rows costs nothing, where
# telling apart the ids of fifty million events would cost seconds every day.
KEYS: dict[str, tuple[str, str]] = {
    "orders": ("staging.stg_shop__orders", "order_id"),
    "exchange_rates": ("staging.stg_shop__exchange_rates", "(currency, quote_currency, rate_date)"),
    "order_lines": ("staging.stg_shop__order_lines", "(order_id, line_number)"),
    "products": ("staging.stg_shop__products", "product_id"),
    "loyalty_members": ("staging.stg_loyalty__members", "loyalty_id"),
    "campaigns": ("staging.stg_campaigns__campaigns", "campaign_id"),
    "campaign_recipients": ("staging.stg_campaigns__recipients", "(campaign_id, loyalty_id)"),
    "coupons": ("staging.stg_campaigns__coupons", "(coupon_id, campaign_id, product_id)"),
    "coupon_redemptions": (
        "staging.stg_campaigns__coupon_redemptions",
        "(loyalty_id, coupon_id, campaign_id, redeemed_on)",
    ),
    "web_events": ("staging.base_web__events", ""),
    "crm_contacts": ("staging.stg_crm__contacts", "(contact_id, occurred_at)"),
    "email_events": ("staging.stg_email__events", "(message_id, event_type, occurred_at)"),
    "consent_events": ("staging.stg_consent__events", "consent_event_id"),
    "support_tickets": ("staging.stg_service__tickets", "ticket_id"),
    "survey_answers": ("staging.stg_service__survey_answers", "(survey_id, response_id, question_id)"),
    "external_attributes": (
        "staging.stg_external__attributes",
        "(provider, attribute, source_system, source_record_id, occurred_at)",
    ),
}


def suites(scope: Scope) -> list[Suite]:
    """Checks of the staging tables against the landed files."""
    return [_volumes(scope), _amounts(scope), _quarantine(scope)]


def _volumes(scope: Scope) -> Suite:
    landed = {table: names for table, names in KEYS.items() if scope.has_landed(table)}
    query = " union all ".join(
        f"""
        select
            '{staged}' as staged_table,
            landed_keys,
            staged_rows,
            round(staged_rows / nullif(landed_keys, 0), 6) as staged_share,
        from
            (select count({f"distinct {key}" if key else "*"}) as landed_keys from {scope.landing(table)}),
            (select count(*) as staged_rows from {staged} where not {ADDED.get(staged, "false")})
        """
        for table, (staged, key) in landed.items()
    )
    label = "staged rows / landed keys, of each table"
    check = each_between("staged_share", scope.limits.staging.min_staged_share, 1.0, label, named_by="staged_table")
    return Suite("volumes", "staging", (check,), query, tuple(staged for staged, _ in landed.values()))


def _amounts(scope: Scope) -> Suite:
    """Compare means after cutting both sides at the same landed quantile: rejected outliers do not show.

    The amounts as the customer paid them: those in the reporting currency stand beside them. What goes back is negative
    in staging, whichever sign the source gives it.
    """
    staged = "staging.stg_shop__order_lines"
    shift = scope.limits.staging.max_mean_shift
    query = f"""
        with landed as (
            select
                case when line_type in ('return', 'cancellation') then -abs(net_amount) else net_amount end::double
                    as amount,
            from {scope.landing("order_lines")}
        ),
        cut as (select greatest(approx_quantile(abs(amount), 0.999), 1.0) as limit_amount from landed),
        landed_mean as (
            select avg(least(greatest(amount, -limit_amount), limit_amount)) as landed_mean from landed, cut
        ),
        staged_mean as (
            select
                avg(least(greatest(transaction_amount::double, -limit_amount), limit_amount)) as staged_mean,
                min(transaction_amount) as lowest,
                max(transaction_amount) as highest,
            from {staged}, cut
        )
        select
            round(landed_mean, 6) as landed_mean,
            round(staged_mean, 6) as staged_mean,
            lowest,
            highest,
            round(staged_mean / nullif(landed_mean, 0), 6) as mean_ratio,
        from landed_mean, staged_mean
    """
    sample = f"""
        select order_id, line_number, line_type, quantity, transaction_amount, transaction_currency, load_id
        from {staged} order by abs(transaction_amount) desc
    """
    label = "mean net amount of a line, staged / landed"
    check = measure("mean_ratio", round(1 - shift, 6), round(1 + shift, 6), label, sample)
    return Suite("amounts", staged, (check,), query, (staged,))


def _quarantine(scope: Scope) -> Suite:
    limits = scope.limits.staging
    routine = ", ".join("'" + reason.replace("'", "''") + "'" for reason in limits.routine_reasons) or "''"
    rejected = f"from staging.quarantine where not is_routine and reason not in ({routine})"
    landed = ", ".join(f"('{table}', {rows})" for table, rows in scope.landed_rows.items() if rows and table in KEYS)
    total = sum(rows for table, rows in scope.landed_rows.items() if table in KEYS) or 1
    query = f"""
        with landed(landing_table, landed_rows) as (values {landed or "('none', 0)"}),
        rejected as (
            select landing_table, count(*) as rejected_rows, mode(reason) as most_common_reason
            {rejected} group by landing_table
        )
        select
            landing_table,
            landed_rows,
            coalesce(rejected_rows, 0) as rejected_rows,
            most_common_reason,
            round(coalesce(rejected_rows, 0) / landed_rows, 6) as rejected_share,
            round(coalesce(rejected_rows, 0) / {total}, 6) as rejected_share_of_all,
        from landed left join rejected using (landing_table)
    """
    largest, overall = limits.max_table_quarantine_share, limits.max_quarantine_share
    return Suite(
        "quarantine",
        "staging.quarantine",
        (
            each_between(
                "rejected_share", None, largest, "rejected rows / landed rows, of each table", named_by="landing_table"
            ),
            no_rows(
                f"(select sum(rejected_share_of_all) from {{batch}}) > {overall} and rejected_rows > 0",
                "rejected rows / landed rows, over all tables",
                f"at most {overall:g}",
                named_by="landing_table",
            ),
        ),
        query,
        ("staging.quarantine",),
    )
