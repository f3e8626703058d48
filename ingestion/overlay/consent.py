"""Consent by purpose: given at sign-up, at the till or in the banner, withdrawn, and given again."""

from __future__ import annotations

from ingestion.overlay.columns import cookie_text_sql
from ingestion.overlay.plan import OverlayPlan

# Purpose: share that agrees, by where it is asked. Whoever is asked and says no leaves a withdrawal. To e-mails a
# person says the same everywhere (`people.agrees_to_mail`), and a newsletter is asked for.
SIGNUP = {"email": 1.0, "personalization": 0.7, "advertising": 0.42, "analytics": 0.85}
TILL = {"email": 1.0, "personalization": 0.5}
BANNER = {"analytics": 0.93, "personalization": 0.66, "advertising": 0.5}
BANNER_SHARE = 0.6  # of the cookies whose visitor answers the banner at all
WITHDRAWN_SHARE, REGRANTED_SHARE = 0.06, 0.35


def consent_events_sql(plan: OverlayPlan) -> str:
    """Query: rows of the landing table consent_events."""
    draws = plan.draws
    asked = " union all ".join(
        [
            _asked("crm_contacts", "contact_id", "(select * from first_contacts where crm_system <> 'till')", SIGNUP,
                   "signup"),
            _asked("crm_contacts", "contact_id", "(select * from first_contacts where crm_system = 'till')", TILL,
                   "till"),
            _asked("web_users", "user_id", "accounts", {"personalization": 0.72, "advertising": 0.4}, "signup"),
            _asked("web_visitors", "anonymous_id", "cookies", BANNER, "banner"),
        ]
    )  # fmt: skip
    no = "consent_no"
    return f"""
        with first_contacts as (
            select
                contact_id, any_value(crm_system) as crm_system, any_value(person_no) as person_no,
                min(occurred_at) as asked_at, cast(hash(contact_id) >> 8 as bigint) as record_no
            from contacts where person_no is not null group by contact_id
        ),
        accounts as (
            select user_id, person_no, signed_up_at as asked_at, person_no as record_no from people where has_account
        ),
        cookies as (
            select
                {cookie_text_sql("cookie_no")} as anonymous_id, min(person_no) as person_no,
                min(start_at) + to_seconds(4) as asked_at, cookie_no as record_no
            from web_sessions
            where {draws.chance("banner", "cookie_no", BANNER_SHARE)}
            group by cookie_no
        ),
        asked as ({asked}),
        answered as (
            select
                asked.*,
                {draws.unit("answer", no)} < share and (purpose <> 'email' or people.agrees_to_mail) as is_granted
            from asked left join people using (person_no)
        ),
        left_mail as (
            select person_no, min(unsubscribed_at) as unsubscribed_at from mails
            where unsubscribed_at is not null group by person_no
        ),
        granted as (select * from answered where is_granted),
        withdrawn as (
            -- By the link in an e-mail, at once; or some day in the preference center.
            select
                granted.* exclude (asked_at, captured_by), unsubscribed_at as asked_at,
                'unsubscribe_link' as captured_by
            from granted join left_mail using (person_no)
            where purpose = 'email' and unsubscribed_at > asked_at
            union all by name
            select
                * exclude (asked_at, captured_by),
                asked_at + to_seconds(86400 + {draws.below("withdrawn at", no, 200 * 86400)}) as asked_at,
                'preference_center' as captured_by
            from granted
            where {draws.chance("withdrawn", no, WITHDRAWN_SHARE)}
                -- Who still gets e-mails has not withdrawn.
                and not (purpose = 'email' and person_no in (select person_no from mails))
        ),
        regranted as (
            select
                * exclude (asked_at, captured_by),
                asked_at + to_seconds(86400 + {draws.below("again at", no, 60 * 86400)}) as asked_at,
                'preference_center' as captured_by
            from withdrawn where {draws.chance("again", no, REGRANTED_SHARE)}
        ),
        happened as (
            select 0 as turn, if(is_granted, 'granted', 'withdrawn') as consent_action, * exclude (is_granted)
            from answered
            union all by name
            select 1 as turn, 'withdrawn' as consent_action, * exclude (is_granted) from withdrawn
            union all by name
            select 2 as turn, 'granted' as consent_action, * exclude (is_granted) from regranted
        )
        select
            source_record_id || '-' || left(purpose, 2) || turn as consent_event_id,
            source_system, source_record_id, purpose, consent_action, captured_by,
            date_trunc('second', asked_at) as occurred_at, date_trunc('second', asked_at) + to_seconds(2) as known_at
        from happened
        where asked_at < timestamp '2018-01-01 05:00:00'
    """


def _asked(system: str, key: str, rows: str, purposes: dict[str, float], captured_by: str) -> str:
    values = ", ".join(f"('{purpose}', {share}, {place})" for place, (purpose, share) in enumerate(purposes.items()))
    salt = {"crm_contacts": 0, "web_users": 1, "web_visitors": 2}[system]
    return f"""
        select
            '{system}' as source_system, {key} as source_record_id, person_no, purpose, share,
            '{captured_by}' as captured_by, asked_at,
            cast(hash(record_no * 32 + {salt * 8} + place) >> 2 as bigint) as consent_no
        from {rows} cross join (values {values}) as purposes(purpose, share, place)
    """
