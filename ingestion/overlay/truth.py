"""What is planted, for scoring: who is who, which visitors are bots, which recipe hit which contact.

These tables never land and no model reads them; benchmarks and tests do.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingestion.overlay.columns import cart_text_sql, cookie_text_sql
from ingestion.overlay.plan import OverlayPlan


def truth_queries(plan: OverlayPlan) -> Mapping[str, str]:
    """Truth table to its query."""
    families = ", ".join(
        f"({number}, '{family.name}', {family.is_declared})" for number, family in enumerate(plan.bot_families)
    ) or "(-1, '', false)"  # fmt: skip
    return {
        # One row per person.
        "people": """
            select
                person_id, loyalty_id, household_loyalty_id, copy_no, 'f' || home_no as home_id, is_family,
                taste_department, price_sensitivity, purchase_probability, intensity,
                first_name, last_name, birth_date, email, phone, postcode, has_account,
                case when has_account then user_id end as user_id
            from people
        """,
        # One row per record of a source system: whose it is. kind: person, shared, bot, test_account.
        "records": f"""
            select
                'crm_contacts' as source_system, contact_id as source_record_id,
                any_value('p' || person_no) as person_id,
                case when any_value(person_no) is null then 'test_account' else 'person' end as kind
            from contacts group by contact_id
            union all
            select 'loyalty_members', loyalty_id, person_id, 'person' from people
            union all
            select 'web_users', user_id, person_id, 'person' from people where has_account
            union all
            select
                'web_visitors', {cookie_text_sql("cookie_no")},
                -- Who uses it; where several do, whose device it is. A family's device may have a cookie of one alone.
                'p' || case
                    when min(person_no) = max(person_no) then min(person_no) else any_value(cookie_no // 256)
                end,
                case when min(person_no) <> max(person_no) then 'shared' else 'person' end
            from web_sessions group by cookie_no
            union all
            select 'web_visitors', {cookie_text_sql("cookie_no")}, null, 'bot' from bot_visitors
            union all
            select
                'emails', email, case when count(distinct person_no) = 1 then any_value('p' || person_no) end,
                case when count(distinct person_no) = 1 then 'person' else 'shared' end
            from (
                select email, person_no from people where email is not null
                union all
                select second_email, person_no from people where second_email is not null
                union all
                select families.email, contacts.person_no
                from contacts join people using (person_no)
                join people as families on families.person_no = people.home_no
                where list_contains(recipes, 'shared family email') and families.email is not null
            ) group by email
        """,
        "bots": f"""
            select {cookie_text_sql("cookie_no")} as anonymous_id, bot_family, is_declared, requests
            from bot_visitors join (values {families}) as families(family_no, bot_family, is_declared) using (family_no)
        """,
        "contact_dirt": """
            select distinct contact_id, unnest(recipes) as recipe  -- versions of a contact share their dirt
            from contacts
        """,
        # One row per cart of a person's visit. kind null: bought without a long pause.
        "carts": f"""
            select {cart_text_sql("rowid")} as cart_id, 'p' || person_no as person_id, cart_kind as kind, order_id
            from web_sessions where cart_kind is not null or order_no >= 0
        """,
        # One row per device of a person and cookie: how wrong its clock is.
        "visitor_clocks": f"""
            select distinct {cookie_text_sql("cookie_no")} as anonymous_id, skew_seconds  -- one clock a cookie
            from web_sessions
        """,
        # One row per visit that was delivered late, or in part twice.
        "visit_faults": f"""
            select
                {cookie_text_sql("cookie_no")} as anonymous_id, start_at as started_at, last_seconds, late_seconds,
                is_resent
            from web_sessions where late_seconds > 0 or is_resent
        """,
    }
