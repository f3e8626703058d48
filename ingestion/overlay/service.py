"""Support tickets and survey answers of the people."""

from __future__ import annotations

from ingestion.overlay.copies import person_orders_sql
from ingestion.overlay.plan import PERIOD_DAYS, PERIOD_START, OverlayPlan

TICKET_SHARE = 0.22  # tickets per person in the year
OPEN_SHARE = 0.06
MARK_SHARE = 0.45
CATEGORIES = {"delivery": 0.24, "product": 0.22, "returns": 0.14, "payment": 0.12, "account": 0.14, "praise": 0.05,
              "other": 0.09}  # fmt: skip
CHANNELS = {"email": 0.45, "phone": 0.3, "chat": 0.18, "store": 0.07}
PRIORITIES = {"low": 0.3, "normal": 0.58, "high": 0.12}
SURVEY_SHARE, SKIPPED_SHARE = 0.14, 0.06


def support_tickets_sql(plan: OverlayPlan) -> str:
    """Query: rows of the landing table support_tickets, one or two versions a ticket: opened, solved."""
    draws, no = plan.draws, "ticket_no"
    some_day = f"timestamp '{PERIOD_START}' + to_days(cast({draws.below('ticket day', no, PERIOD_DAYS)} as integer))"
    priority = f"case when category = 'praise' then 'low' else {draws.choice('priority', no, PRIORITIES)} end"
    anchor = f"first_order_no + {draws.below('ticket order', no, 'order_count')}"
    return f"""
        with opened as (
            select person_no * 8 + unnest(range(
                cast(floor({TICKET_SHARE} + {draws.unit("tickets", "person_no")}
                    + case when {draws.chance("complainer", "person_no", 0.02)} then 2 else 0 end) as bigint)
            )) as ticket_no, *
            from people
        ),
        about as (
            select
                *, {draws.choice("category", no, CATEGORIES)} as category,
                {draws.choice("ticket channel", no, CHANNELS)} as channel,
                {anchor} as about_order_no
            from opened
        ),
        orders as (
            select person_no, order_no, min(order_id) as order_id, min(occurred_at) as ordered_at
            from ({person_orders_sql(plan, pairs="(select distinct person_no, about_order_no as order_no from about)")})
            group by all
        ),
        contacts_of as (
            select person_no, min(contact_id) as contact_id from contacts
            where person_no is not null and crm_system = 'crm' group by person_no
        ),
        tickets as (
            select
                'T' || (10000000 + ({no} * 7919) % 90000049) as ticket_id,
                case when {draws.chance("filed", no, 0.7)} then contact_id end as contact_id,
                case when {draws.chance("names card", no, 0.6)} then loyalty_id end as loyalty_id,
                case when channel in ('email', 'chat') then email end as email,
                case when category in ('delivery', 'product', 'returns', 'payment')
                    and {draws.chance("names order", no, 0.6)} then order_id end as order_id,
                channel, category,
                {priority} as priority,
                date_trunc('second', least(
                    timestamp '2017-12-31 18:00:00',
                    coalesce(ordered_at, {some_day})
                    + to_seconds({draws.below("ticket delay", no, 5 * 86400)})
                )) as occurred_at,
                exp(10.2 + 1.1 * {draws.normal("solving", no)}) as seconds_open,
                {draws.chance("stays open", no, OPEN_SHARE)} as stays_open,
                {draws.unit("mark", no)} as mark, {draws.chance("marks", no, MARK_SHARE)} as is_marked
            from about
            left join orders on orders.person_no = about.person_no and orders.order_no = about.about_order_no
            left join contacts_of on contacts_of.person_no = about.person_no
        ),
        timed as (
            select *, occurred_at + to_seconds(cast(least(1800000, seconds_open) as bigint)) as closed_at from tickets
        ),
        versions as (
            select
                *, 'open' as status, null as solved_at, null as satisfaction, occurred_at + to_seconds(30) as known_at
            from timed
            union all
            select
                *, 'solved', closed_at,
                -- The longer it took, the worse the mark.
                case when is_marked then cast(greatest(1, least(5, round(
                    5.4 - 1.9 * mark - 0.5 * ln(1 + seconds_open / 86400)))) as integer) end,
                closed_at + to_seconds(60)
            from timed where not stays_open and closed_at < timestamp '2018-01-08'
        )
        select
            ticket_id, contact_id, loyalty_id, email, order_id, channel, category, priority, status, solved_at,
            satisfaction, occurred_at, known_at
        from versions
    """


def survey_answers_sql(plan: OverlayPlan) -> str:
    """Query: rows of the landing table survey_answers: what people say of what is planted, with noise."""
    draws, no = plan.draws, "person_no"
    noisy_price = f"price_sensitivity + 0.18 * {draws.normal('said price', no)}"
    answers = {
        "recommend": f"cast(cast(greatest(0, least(10, round(7.6 + 2.2 * {draws.normal('recommend', no)}))) as integer)"
        " as varchar)",
        "favorite_department": f"case when {draws.chance('says taste', no, 0.8)} then taste_department else "
        "other.department end",
        "price_importance": f"cast(cast(greatest(1, least(5, 1 + floor(5 * ({noisy_price})))) as integer) as varchar)",
    }
    parts = " union all ".join(
        f"""
        select
            'S2017-' || wave as survey_id, response_id, '{question}' as question_id,
            case when {draws.chance(f"skipped {question}", no, SKIPPED_SHARE)} then null else {answer} end as answer,
            case when {draws.chance("survey card", no, 0.5)} then loyalty_id end as loyalty_id, email,
            filled_at as occurred_at, filled_at + to_seconds(5) as known_at
        from responses
        join base_departments as other
            on other.department_no = {draws.below("other said", no, "(select count(*) from base_departments)")}
        """
        for question, answer in answers.items()
    )
    return f"""
        with responses as (
            select
                *, 1 + {draws.below("wave", no, 2)} as wave,
                'R' || (10000000 + (person_no * 7919) % 90000049) as response_id,
                timestamp '2017-04-10' + to_days(cast(180 * {draws.below("wave", no, 2)} as integer))
                    + to_seconds({draws.below("filled", no, 10 * 86400)}) as filled_at
            from people
            where email is not null and {draws.chance("survey", no, SURVEY_SHARE)}
        )
        {parts}
    """
