"""E-mails, consent, tickets and surveys fit each other, the campaigns and the visits."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ingestion.overlay import OverlayPlan
from ingestion.overlay.mail import MACHINE_AGENT
from tests.unit.ingestion.overlay.conftest import Look, make_look


@pytest.fixture(scope="module")
def many(base: Mapping[str, str]) -> Look:
    """More people than households, so that rare things (complaints) happen at all."""
    return make_look(base, OverlayPlan(scale=10, events=60_000))


def test_mails_go_to_those_who_were_mailed_and_can_be(many: Look) -> None:
    assert many.number("select count(distinct campaign_id) from email_events") > 10
    assert (
        many.rows("""
        select 1 from email_events
        left join truth_people using (loyalty_id)
        left join campaign_recipients on campaign_recipients.campaign_id = email_events.campaign_id
            and campaign_recipients.loyalty_id = truth_people.household_loyalty_id
        where campaign_recipients.campaign_id is null or lower(email_events.email) <> truth_people.email
    """)
        == []
    )
    # And only to those who agreed: somewhere, some day.
    assert (
        many.rows("""
        select 1 from email_events
        where event_type = 'sent' and loyalty_id not in (
            select loyalty_id from truth_people join truth_records using (person_id)
            join consent_events using (source_record_id) where purpose = 'email' and consent_action = 'granted'
        ) and loyalty_id in (
            select loyalty_id from truth_people join truth_records using (person_id)
            join consent_events using (source_record_id) where purpose = 'email'
        )
    """)
        == []
    )


def test_each_mail_has_one_story(many: Look) -> None:
    stories = many.connection
    stories.execute("""
        create or replace temp table stories as
        select
            message_id, count(*) filter (event_type = 'sent') as sent, count(*) filter (event_type = 'delivered')
                as delivered, count(*) filter (event_type = 'bounced') as bounced,
            min(occurred_at) filter (event_type = 'sent') as sent_at,
            min(occurred_at) filter (event_type = 'delivered') as delivered_at,
            min(occurred_at) filter (event_type = 'opened') as opened_at,
            min(occurred_at) filter (event_type = 'clicked') as clicked_at,
            min(occurred_at) filter (event_type = 'unsubscribed') as unsubscribed_at,
            count(distinct loyalty_id) as cards
        from email_events group by message_id
    """)
    assert many.rows("select 1 from stories where sent <> 1 or cards <> 1") == []
    assert many.rows("select 1 from stories where delivered + bounced <> 1") == []
    assert (
        many.rows("select 1 from stories where bounced = 1 and (opened_at is not null or clicked_at is not null)") == []
    )
    assert many.rows("select 1 from stories where not (sent_at < delivered_at and delivered_at < opened_at)") == []
    assert many.rows("select 1 from stories where clicked_at is not null and not (clicked_at > opened_at)") == []
    assert many.rows("select 1 from email_events where (bounce_type is null) = (event_type = 'bounced')") == []
    assert many.rows("select 1 from email_events where (link_url is null) = (event_type = 'clicked')") == []
    assert many.rows("select 1 from email_events where known_at < occurred_at") == []
    kinds = {kind for (kind,) in many.rows("select distinct event_type from email_events")}
    assert kinds == {"sent", "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained"}


def test_rates_of_mails(many: Look) -> None:
    shares = {
        kind: many.number(
            f"select count(distinct message_id) filter (event_type = '{kind}') / count(distinct message_id) "
            "from email_events"
        )
        for kind in ("bounced", "clicked", "unsubscribed")
    }
    assert 0.01 < shares["bounced"] < 0.05
    assert 0.03 < shares["clicked"] < 0.15
    assert 0.001 < shares["unsubscribed"] < 0.015


def test_machines_open_within_seconds_and_people_do_not(many: Look) -> None:
    delays = f"""
        select opened.user_agent = '{MACHINE_AGENT}' as is_machine,
            epoch(opened.occurred_at - delivered.occurred_at) as delay
        from email_events as opened join email_events as delivered using (message_id)
        where opened.event_type = 'opened' and delivered.event_type = 'delivered'
    """
    assert many.number(f"select max(delay) from ({delays}) where is_machine") < 20
    assert many.number(f"select min(delay) from ({delays}) where not is_machine") >= 60
    share = many.number(f"select avg(if(is_machine, 1, 0)) from ({delays})")
    assert 0.2 < share < 0.8
    # A machine loads pictures; it clicks on nothing.
    assert (
        many.rows(f"select 1 from email_events where event_type = 'clicked' and user_agent = '{MACHINE_AGENT}'") == []
    )


def test_a_click_opens_the_shop(many: Look) -> None:
    """Most clicks are followed within seconds by a page with the campaign's tags, on a device of that person."""
    found = many.number("""
        with clicks as (
            select person_id, campaign_id, occurred_at from email_events join truth_people using (loyalty_id)
            where event_type = 'clicked' and occurred_at between timestamp '2017-01-02' and timestamp '2017-12-31'
        ),
        arrivals as (
            select known_at - (sent_at - occurred_at) as event_at, page_url, anonymous_id from web_events
            where page_url like '%utm_medium=email%'
        )
        select avg(if(exists (
            select 1 from arrivals
            where event_at between clicks.occurred_at and clicks.occurred_at + interval 5 second
                and page_url like '%utm_campaign=' || campaign_id || '&%'
        ), 1, 0)) from clicks
    """)
    assert 0.85 < found <= 1
    # And every such page comes from a click.
    assert (
        many.number("""
        with arrivals as (
            -- First deliveries: a second one may be known much later.
            select min(known_at - (sent_at - occurred_at)) as event_at, page_url from web_events
            where page_url like '%utm_medium=email%' group by event_id, page_url
        )
        select count(*) from arrivals where not exists (
            select 1 from email_events
            where event_type = 'clicked' and page_url = link_url
                and email_events.occurred_at between event_at - interval 5 second and event_at
        )
    """)
        == 0
    )
    # Some come in the middle of a visit.
    assert (
        many.number("""
        with visits as (select substr(event_id, 1, 8) as visit, substr(event_id, 9) as step, page_url from web_events)
        select count(*) from visits where page_url like '%utm_medium=email%' and step <> '0000'
    """)
        > 0
    )


def test_whoever_unsubscribes_gets_no_more_and_has_withdrawn(many: Look) -> None:
    left = (
        "select loyalty_id, min(occurred_at) as left_at from email_events where event_type = 'unsubscribed' group by 1"
    )
    assert many.number(f"select count(*) from ({left})") > 5
    assert (
        many.rows(f"""
        select 1 from email_events join ({left}) using (loyalty_id)
        where event_type = 'sent' and occurred_at > left_at
    """)
        == []
    )
    # Each of their contacts that had agreed has withdrawn by the link, at that moment.
    assert (
        many.rows(f"""
        with agreed as (
            select source_record_id, loyalty_id, left_at, min(consent_events.occurred_at) as granted_at
            from consent_events join truth_records using (source_record_id) join truth_people using (person_id)
            join ({left}) using (loyalty_id)
            where purpose = 'email' and consent_action = 'granted' group by all
        )
        select 1 from agreed where granted_at < left_at and not exists (
            select 1 from consent_events as withdrawn
            where withdrawn.source_record_id = agreed.source_record_id and purpose = 'email'
                and consent_action = 'withdrawn' and captured_by = 'unsubscribe_link'
                and abs(epoch(withdrawn.occurred_at - left_at)) < 2
        )
    """)
        == []
    )


def test_consent_is_given_by_purpose_withdrawn_and_given_again(many: Look) -> None:
    seen = {
        tuple(row)
        for row in many.rows("select distinct source_system, captured_by, consent_action from consent_events")
    }
    assert {("crm_contacts", "signup", "granted"), ("crm_contacts", "till", "withdrawn"),
            ("web_visitors", "banner", "granted"), ("crm_contacts", "unsubscribe_link", "withdrawn"),
            ("web_users", "preference_center", "withdrawn"),
            ("web_users", "preference_center", "granted")} <= seen  # fmt: skip
    purposes = {purpose for (purpose,) in many.rows("select distinct purpose from consent_events")}
    assert purposes == {"analytics", "personalization", "email", "advertising"}
    assert many.rows("select 1 from consent_events group by consent_event_id having count(*) > 1") == []
    assert (
        many.rows("""
        select 1 from consent_events left join truth_records using (source_system, source_record_id)
        where truth_records.source_record_id is null
    """)
        == []
    )
    # Nobody withdraws twice in a row, or grants what is granted.
    assert (
        many.rows("""
        select 1 from (
            select consent_action, lag(consent_action) over (
                partition by source_system, source_record_id, purpose order by occurred_at) as before
            from consent_events
        ) where consent_action = before
    """)
        == []
    )


def test_tickets_are_opened_and_solved(many: Look) -> None:
    assert many.rows("select 1 from support_tickets group by ticket_id, known_at having count(*) > 1") == []
    assert many.rows("select 1 from support_tickets where (status = 'solved') <> (solved_at is not null)") == []
    assert many.rows("select 1 from support_tickets where solved_at < occurred_at or known_at < solved_at") == []
    assert (
        many.rows("""
        select 1 from support_tickets group by ticket_id
        having count(*) > 2 or count(*) filter (status = 'open') <> 1 or count(distinct occurred_at) > 1
    """)
        == []
    )
    still_open = many.number(
        "select avg(if(n = 1, 1, 0)) from (select count(*) as n from support_tickets group by ticket_id)"
    )
    assert 0.01 < still_open < 0.2
    assert (
        many.rows("""
        select 1 from support_tickets
        join truth_records on source_record_id = contact_id join truth_people using (person_id)
        where support_tickets.loyalty_id <> truth_people.loyalty_id
    """)
        == []
    )


def test_answers_speak_of_what_is_planted(many: Look) -> None:
    answers = "survey_answers join truth_people using (email)"
    assert (
        many.number(f"""
        select avg(if(answer = taste_department, 1, 0)) from {answers} where question_id = 'favorite_department'
        and answer is not null
    """)
        > 0.7
    )
    assert (
        many.number(f"""
        select corr(cast(answer as integer), price_sensitivity) from {answers} where question_id = 'price_importance'
    """)
        > 0.5
    )
    assert (
        many.rows("""
        select 1 from survey_answers group by response_id, question_id having count(*) > 1
    """)
        == []
    )
    assert 0 < many.number("select avg(if(answer is null, 1, 0)) from survey_answers") < 0.15
