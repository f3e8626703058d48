"""E-mails of the real campaigns, to their real recipients, and what became of each."""

from __future__ import annotations

import duckdb

from ingestion.overlay.plan import PERIOD_END, PERIOD_START, SITE, ZONE, OverlayPlan

BOUNCED_SHARE, HARD_BOUNCE_SHARE = 0.025, 0.6
OPENED_SHARE, CLICKED_SHARE = 0.34, 0.22  # of those delivered, of those opened; for the average person
MACHINE_SHARE = 0.3  # people whose mail program loads pictures before anybody reads
UNSUBSCRIBED_SHARE, COMPLAINED_SHARE = 0.012, 0.001
# Days after the campaign's start, share of the recipients.
MAILS = {"launch": (0, 1.0), "reminder": (9, 0.6), "last chance": (21, 0.35)}
MACHINE_AGENT = "Mozilla/5.0 (via mail-image-proxy.example; ImageProxy/1.0)"
MAIL_AGENTS = {
    "Mozilla/5.0 (iPhone; CPU iPhone OS 10_3 like Mac OS X) AppleWebKit/603.1.30 (KHTML, like Gecko) Mobile/14E277": 4,
    "Mozilla/5.0 (Windows NT 6.1; WOW64; rv:52.0) Gecko/20100101 Thunderbird/52.2.1": 2,
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.8201; Pro)": 2,
    "Mozilla/5.0 (Linux; Android 7.0; SM-G930V) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/59.0.3071.125": 3,
}


def open_mail(connection: duckdb.DuckDBPyConnection, plan: OverlayPlan) -> None:
    """Make `mails`: one row per sent e-mail with when each thing happened (null = it did not)."""
    draws, no = plan.draws, "mail_no"
    kinds = ", ".join(
        f"({number}, '{name}', {days}, {share})" for number, (name, (days, share)) in enumerate(MAILS.items())
    )
    clicked = f"least(0.8, {CLICKED_SHARE} * interest * (0.6 + 0.8 * price_sensitivity))"
    connection.execute(f"""
        create or replace temp table mails as
        with kinds(kind_no, kind, after_days, share) as (values {kinds}),
        batches as (
            select
                campaign_id, campaign_no, kind_no, kind, share,
                timezone('UTC', timezone('{ZONE}',
                    cast(starts_on as timestamp) + to_days(after_days) + to_hours(8)))
                    + to_seconds({draws.below("sending", "(campaign_no * 4 + kind_no)", 10_000)}) as batch_at
            from (select *, row_number() over (order by campaign_id) as campaign_no from base_campaigns) as campaigns
            cross join kinds
            where starts_on + cast(after_days as integer) <= ends_on
        ),
        planned as (
            select
                (person_no * 4096 + campaign_no) * 4 + kind_no as mail_no, person_no, campaign_id, kind, share,
                batch_at, email, people.loyalty_id, price_sensitivity
            from batches
            join base_recipients using (campaign_id)
            join people on people.household_loyalty_id = base_recipients.loyalty_id
            where email is not null and agrees_to_mail
        ),
        sent as (
            select
                *, batch_at + to_milliseconds({draws.below("queue", no, 1_200_000)}) as sent_at,
                -- Some people never bounce, others always do: the address decides.
                {draws.chance("bad address", "person_no", BOUNCED_SHARE * HARD_BOUNCE_SHARE)} as is_hard,
                {draws.chance("soft bounce", no, BOUNCED_SHARE * (1 - HARD_BOUNCE_SHARE))} as is_soft,
                {draws.chance("machine", "person_no", MACHINE_SHARE)} as has_machine,
                -- Interest differs a lot between people, little between mails.
                exp(0.7 * {draws.normal("mail interest", "person_no")} - 0.245) as interest
            from planned
            where batch_at < timestamp '{PERIOD_END}' - to_days(1)
                and {draws.chance("mailed", no, "share")}
        ),
        happened as (
            select
                *,
                case when not (is_hard or is_soft)
                    then sent_at + to_milliseconds(800 + {draws.below("delivery", no, 45_000)}) end as delivered_at,
                {draws.chance("opened", no, f"least(0.95, {OPENED_SHARE} * interest)")} as is_opened,
                {draws.chance("clicked", no, clicked)} as is_clicked,
                {draws.chance("unsubscribed", no, UNSUBSCRIBED_SHARE)} as is_unsubscribed,
                {draws.chance("complained", no, COMPLAINED_SHARE)} as is_complained
            from sent
        ),
        opened as (
            select
                *,
                case when is_opened then delivered_at
                    + to_milliseconds(60_000 + cast(exp(9.2 + 1.4 * {draws.normal("open delay", no)}) * 1000 as bigint))
                    end as opened_at,
                case when has_machine then delivered_at
                    + to_milliseconds(500 + {draws.below("machine delay", no, 15_000)}) end as machine_opened_at
            from happened
        ),
        timed as (
            select
                *,
                case when is_clicked then opened_at
                    + to_milliseconds(cast(exp(3 + 0.9 * {draws.normal("click delay", no)}) * 1000 as bigint)) end
                    as clicked_at,
                case when is_unsubscribed then opened_at + to_seconds(5 + {draws.below("leave delay", no, 120)}) end
                    as unsubscribed_at,
                case when is_complained then opened_at + to_seconds(5 + {draws.below("complain delay", no, 300)}) end
                    as complained_at
            from opened
        ),
        ended as (
            -- Whoever has left, or whose address is known to be bad, gets no more.
            select
                person_no,
                min(least(unsubscribed_at, complained_at, case when is_hard then sent_at + to_minutes(1) end))
                    as last_mail_before
            from timed
            where is_unsubscribed or is_complained or is_hard
            group by person_no
        )
        select
            mail_no, cast('m' || (100_000_000_000 + mail_no) as varchar) as message_id, person_no, loyalty_id,
            campaign_id, kind,
            -- Mailing lists keep what people once typed.
            case when {draws.chance("list case", "person_no", 0.04)} then upper(email) else email end as email,
            sent_at, delivered_at, is_hard, is_soft, machine_opened_at, opened_at, clicked_at, unsubscribed_at,
            complained_at,
            '{SITE}/offers?utm_source=newsletter&utm_medium=email&utm_campaign=' || campaign_id || '&utm_content='
                || replace(kind, ' ', '-') as link_url
        from timed
        left join ended using (person_no)
        where last_mail_before is null or sent_at < last_mail_before
    """)


def email_events_sql(plan: OverlayPlan) -> str:
    """Query: rows of the landing table email_events."""
    draws = plan.draws
    agent = draws.choice("mail agent", "person_no", {name: float(share) for name, share in MAIL_AGENTS.items()})
    ends = f"timestamp '{PERIOD_END}'"
    kinds = (
        ("sent", "sent_at", "true", "null", "null"),
        ("delivered", "delivered_at", "true", "null", "null"),
        ("bounced", "sent_at + to_seconds(2 + mail_no % 50)", "is_hard or is_soft", "null", "null"),
        ("opened", "machine_opened_at", "true", f"'{MACHINE_AGENT}'", "null"),
        ("opened", "opened_at", "true", agent, "null"),
        ("clicked", "clicked_at", "true", agent, "link_url"),
        ("unsubscribed", "unsubscribed_at", "true", agent, "null"),
        ("complained", "complained_at", "true", "null", "null"),
    )
    return " union all ".join(
        f"""
        select
            message_id, '{event}' as event_type, campaign_id, loyalty_id, email, {link} as link_url,
            {"case when is_hard then 'hard' else 'soft' end" if event == "bounced" else "null"} as bounce_type,
            {user_agent} as user_agent, {instant} as occurred_at,
            {instant} + to_milliseconds(200 + mail_no % 3000) as known_at
        from mails
        where {instant} is not null and ({condition}) and {instant} < {ends}
        """
        for event, instant, condition, user_agent, link in kinds
    )


def clicks_sql() -> str:
    """Query: (person_no, mail_no, campaign_id, kind, clicked_at) of clicks within the period of the web events."""
    return (
        "select person_no, mail_no, campaign_id, kind, clicked_at from mails "
        f"where clicked_at >= timestamp '{PERIOD_START}' and clicked_at < timestamp '{PERIOD_END}' - interval 1 hour"
    )
