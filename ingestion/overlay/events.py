"""Web events as a stream: visits times steps, and the bots' requests, in the shape of the landing table.

Nothing here is held in memory: the query runs while its result is written. Strings come from small dictionaries
(pages of the shelf, user agents) or are built once a visit.
"""

from __future__ import annotations

from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.overlay.agents import MONTHS, browser_agents
from ingestion.overlay.bots import BotFamily, BotRequests, BotSurroundings
from ingestion.overlay.plan import EVENTS_PER_PERSON, PERIOD_DAYS, PERIOD_START, SITE, OverlayPlan
from ingestion.overlay.scripts import STEP_KINDS, Step
from ingestion.overlay.web import (
    ANONYMOUS,
    KNOWN,
    LINE_VIEW_SHARE,
    LOGS_IN,
    RESENT_EVENTS_SHARE,
    cart_text,
    cookie_text,
    dotted,
)

FIRST_EVENT_ID = 100_000_000_000
FIRST_BOT_EVENT_ID = 700_000_000_000
FIRST_BOT_COOKIE = 3 << 30
POSITIONS = 128
RESENT_BOT_SHARE = 0.01
_PRODUCT_STEPS = tuple(int(step) for step in (Step.PRODUCT, Step.REVIEW, Step.ADD, Step.REMOVE))
_PRICED_STEPS = tuple(int(step) for step in (Step.PRODUCT, Step.ADD, Step.REMOVE))
_CART_STEPS = tuple(int(step) for step in (Step.ADD, Step.REMOVE, Step.CART, Step.CHECKOUT, Step.ORDER))
assert (ANONYMOUS, KNOWN, LOGS_IN) == (0, 1, 2)
assert 0 < LINE_VIEW_SHARE <= 1


def open_bots(connection: duckdb.DuckDBPyConnection, plan: OverlayPlan, people: int) -> None:
    """Make `bot_requests`: what every family asked for."""
    connection.execute("""
        create or replace temp table bot_requests (
            request_no bigint, family_no integer, cookie_no bigint, requested_at timestamp, kind tinyint,
            shelf_no integer, user_agent varchar, ip_address varchar
        )
    """)
    products = connection.execute("select count(*) from base_shelf where month_no = -1").fetchone()
    assert products is not None
    wanted = plan.events if plan.events is not None else EVENTS_PER_PERSON * people
    first = 0
    for number, family in enumerate(plan.bot_families):
        surroundings = BotSurroundings(
            period_days=PERIOD_DAYS, products=int(products[0]), people=people, events=round(family.share * wanted),
            browser_agents=browser_agents(), months=MONTHS,
        )  # fmt: skip
        requests = family.requests(plan.draws.generator(f"bots/{family.name}"), surroundings)
        first += _insert_requests(connection, family, number, first, requests, int(products[0]))


def _insert_requests(
    connection: duckdb.DuckDBPyConnection,
    family: BotFamily,
    number: int,
    first: int,
    requests: BotRequests,
    products: int,
) -> int:
    arrays = {
        name: np.asarray(getattr(requests, name))
        for name in ("visitor", "seconds", "step", "product", "agent", "address")
    }
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the bot family '{family.name}' gave arrays of different lengths: {lengths}")
    allowed = {int(step) for step in STEP_KINDS} - {int(Step.LOGIN), int(Step.ORDER)}
    if strangers := sorted(set(np.unique(arrays["step"]).tolist()) - allowed):
        raise ValueError(f"the bot family '{family.name}' asks for steps {strangers}; allowed are {sorted(allowed)}")
    if len(arrays["visitor"]) and not 0 <= arrays["visitor"].min() <= arrays["visitor"].max() < 1 << 24:
        raise ValueError(f"the bot family '{family.name}' has visitors outside of 0 to 2**24 - 1")
    inside = (arrays["seconds"] >= 0) & (arrays["seconds"] < PERIOD_DAYS * 86_400.0)
    arrays = {name: array[inside] for name, array in arrays.items()}
    order = np.argsort(arrays["seconds"], kind="stable")
    arrays = {name: array[order] for name, array in arrays.items()}
    started = np.datetime64(PERIOD_START, "us")
    table = pa.table(
        {
            "request_no": first + np.arange(len(order)),
            "family_no": np.full(len(order), number, dtype=np.int32),
            "cookie_no": FIRST_BOT_COOKIE + (number << 24) + arrays["visitor"].astype(np.int64),
            "requested_at": started + (arrays["seconds"] * 1000).astype(np.int64).astype("timedelta64[ms]"),
            "kind": arrays["step"].astype(np.int8),
            "shelf_no": (arrays["product"] % products).astype(np.int32),
            "user_agent": pa.DictionaryArray.from_arrays(
                pa.array(arrays["agent"].astype(np.int32)), pa.array(list(requests.agents), pa.string())
            ),
            "ip_address": pa.DictionaryArray.from_arrays(
                pa.array(arrays["address"].astype(np.int32)), pa.array(list(requests.addresses), pa.string())
            ),
        }
    )
    connection.register("request_rows", table)
    connection.execute("insert into bot_requests select * from request_rows")
    connection.unregister("request_rows")
    return len(order)


def web_events_sql(
    plan: OverlayPlan, known_from: datetime | None = None, known_before: datetime | None = None
) -> str:
    """Query: rows of the landing table web_events, in parts that are each in the order of arrival, about.

    Parameters
    ----------
    known_from, known_before
        Only what the server received in [known_from, known_before).
    """
    bounds = []
    # A visit arrives at its arrival time or in the hours after it: visits far outside need not be played.
    arrival = "start_at + to_seconds(late_seconds)"
    if known_from is not None:
        bounds.append((f"known_at >= timestamp '{known_from}'", f"{arrival} >= timestamp '{known_from}' - to_days(2)"))
    if known_before is not None:
        bounds.append((f"known_at < timestamp '{known_before}'", f"{arrival} < timestamp '{known_before}'"))
    visits = " and ".join(visit for _, visit in bounds) or "true"
    events = " and ".join(event for event, _ in bounds)
    parts = [
        _people_part(plan, _script_steps(plan), f"script_no >= 0 and {visits}"),
        _people_part(plan, _order_line_steps(), f"order_no >= 0 and {visits}"),
        _people_part(plan, _order_steps(), f"order_no >= 0 and {visits}"),
        _people_part(plan, _login_steps(), f"state = {LOGS_IN} and {visits}"),
        _bot_part(plan),
    ]
    together = " union all ".join(f"({part})" for part in parts)
    return f"select * from ({together}) where {events}" if events else together


def _session_columns(plan: OverlayPlan, condition: str) -> str:
    """Query: visits, twice where their delivery is repeated, with the strings that all their events share."""
    del plan
    return f"""
        select
            web_sessions.rowid as session_no, web_sessions.*,
            {cookie_text("cookie_no")} as anonymous_id, {dotted("address_no")} as ip_address,
            {cart_text("web_sessions.rowid")} as visit_cart_id, user_agents.user_agent,
            known.user_id as known_user_id,
            unnest(case when is_resent then [0, 1] else [0] end) as delivery
        from web_sessions
        join user_agents using (agent_no)
        left join (select person_no as user_person_no, user_id from people) as known using (user_person_no)
        where {condition}
    """


def _script_steps(plan: OverlayPlan) -> str:
    draws = plan.draws
    slot = "(session_no * 64 + slot)"
    # One draw a look, cut into parts: which department, a reduced price or not, which of its price points.
    drawn = f"""
        select
            visits.*, position, kind, event_type, event_name, content_type,
            seconds * pace as offset_seconds, {draws.bits("look", slot)} as bits
        from visits join script_steps using (script_no)
    """
    return f"""
        select
            drawn.* exclude (bits),
            case when bits % 256 < 60
                then {_shelf("other", "bits")} else {_shelf("main", "bits")} end as shelf_no,
            cast(null as decimal(18, 2)) as paid_list_price, cast(null as decimal(18, 2)) as paid_price,
            case when kind in ({int(Step.ADD)}, {int(Step.REMOVE)})
                then cast(1 + case when (bits >> 50) % 8 = 0 then 1 else 0 end as integer) end as quantity
        from ({drawn}) as drawn
    """


def _shelf(slice_name: str, bits: str) -> str:
    """SQL: a row of the shelf in a slice; its reduced price points come first."""
    first, reduced, other = f"{slice_name}_first", f"{slice_name}_discounted", f"{slice_name}_other"
    place = f"(({bits}) >> 20) & 1073741823"
    wants_reduced = f"(({bits}) >> 8) % 1024 < discount_share * 1024"
    return f"""{first} + cast(case
        when {reduced} > 0 and ({wants_reduced} or {other} = 0) then ({place}) % greatest({reduced}, 1)
        else {reduced} + ({place}) % greatest({other}, 1)
    end as integer)"""


def _order_line_steps() -> str:
    return f"""
        select
            visits.*, cast(4 * place + 2 * part as integer) as position,
            cast(case when part = 0 then {int(Step.PRODUCT)} else {int(Step.ADD)} end as tinyint) as kind,
            'track' as event_type, case when part = 0 then 'Product Viewed' else 'Product Added' end as event_name,
            'product' as content_type,
            paths.seconds * pace as offset_seconds, shelf_no, list_price as paid_list_price, shown_price as paid_price,
            case when part = 1 then quantity end as quantity
        from visits
        join order_visit_lines using (order_no)
        join (select unnest([0, 1]) as part) as parts on part = 1 or is_viewed
        join paths on paths.path_step = first_path_step + 2 * place - 1 + part
    """


def _order_steps() -> str:
    steps = ", ".join(
        f"({position}, {int(step)}, {after}, '{kind.event_type}', "
        f"{_text(kind.event_name)}, '{kind.content_type}')"
        for position, step, after in ((0, Step.HOME, 0), (100, Step.CART, 1), (102, Step.CHECKOUT, 2),
                                      (104, Step.ORDER, 3))
        for kind in (STEP_KINDS[step],)
    )  # fmt: skip
    return f"""
        select
            visits.*, cast(ends.position as integer) as position, cast(ends.kind as tinyint) as kind, ends.event_type,
            ends.event_name, ends.content_type,
            case when after = 0 then 0 else idle_seconds + paths.seconds * pace end as offset_seconds,
            0 as shelf_no, cast(null as decimal(18, 2)) as paid_list_price, cast(null as decimal(18, 2)) as paid_price,
            cast(null as integer) as quantity
        from visits
        cross join (values {steps}) as ends(position, kind, after, event_type, event_name, content_type)
        join paths
            on paths.path_step = first_path_step + case when after = 0 then 0 else 2 * line_count + after end
    """


def _login_steps() -> str:
    kind = STEP_KINDS[Step.LOGIN]
    return f"""
        select
            visits.*, login_position as position, cast({int(Step.LOGIN)} as tinyint) as kind,
            '{kind.event_type}' as event_type, null as event_name, '{kind.content_type}' as content_type,
            login_seconds as offset_seconds, 0 as shelf_no,
            cast(null as decimal(18, 2)) as paid_list_price, cast(null as decimal(18, 2)) as paid_price,
            cast(null as integer) as quantity
        from visits
    """


def _people_part(plan: OverlayPlan, steps: str, condition: str) -> str:
    draws = plan.draws
    event = f"(session_no * {POSITIONS} + position)"
    is_login = steps == _login_steps()
    # A repeated delivery holds some of the visit's events, not all.
    repeated = f"delivery = 0 or {draws.chance('resent event', event, RESENT_EVENTS_SHARE)}"
    if is_login:
        email = "login_people.email"
        people = "left join (select person_no as user_person_no, email from people) as login_people using (user_person_no)"
    else:
        email, people = "cast(null as varchar)", ""
    return f"""
        with visits as ({_session_columns(plan, condition)}),
        steps as ({steps}),
        timed as (
            select
                *,
                start_at + to_milliseconds(cast(offset_seconds * 1000 as bigint)) as true_at,
                {draws.bits("delivery", event)} as delay_bits
            from steps
            where {repeated}
        ),
        sent as (
            select
                *,
                case when late_seconds > 0
                    then greatest(true_at, start_at + to_seconds(late_seconds)) else true_at end
                    + to_milliseconds(cast(
                        20 + delay_bits % 900
                        -- The second delivery: the device tries again, or a queue on the way hands it on twice.
                        + case when delivery = 1 then 2000 + (delay_bits >> 20) % 600000 else 0 end as bigint)) as sent_true_at
            from timed
        )
        select
            cast({FIRST_EVENT_ID} + {event} as varchar) as event_id, event_type, event_name, anonymous_id,
            {"known_user_id" if is_login else f"case when state = {KNOWN} or (state = {LOGS_IN} and position > login_position) then known_user_id end"}
                as user_id,
            {email} as email,
            {_page_url("position = tag_position", "tags")} as page_url,
            case when position = 0 then referrer_url when position <> tag_position then '{SITE}/' end as referrer_url,
            content_type,
            case when kind in {_PRODUCT_STEPS} then product_id end as product_id,
            case when kind in {_PRICED_STEPS} then coalesce(paid_list_price, list_price) end as list_price,
            case when kind in {_PRICED_STEPS} then coalesce(paid_price, shown_price) end as shown_price,
            case when kind in {_PRICED_STEPS} then 'USD' end as currency,
            quantity,
            case when kind in {_CART_STEPS} then visit_cart_id end as cart_id,
            case when kind = {int(Step.ORDER)} then order_id end as order_id,
            case when kind = {int(Step.SEARCH)} then search_words end as search_query,
            user_agent, ip_address, region,
            sent_true_at + to_seconds(skew_seconds) as sent_at,
            true_at + to_seconds(skew_seconds) as occurred_at,
            sent_true_at + to_milliseconds(cast(30 + (delay_bits >> 44) % 400 as bigint)) as known_at
        from sent
        join base_shelf using (shelf_no)
        {people}
    """


def _page_url(is_tagged: str, tags: str) -> str:
    """SQL: the page of a step, with its campaign tags."""
    plain = f"""case
        when kind in ({int(Step.PRODUCT)}, {int(Step.ADD)}) then product_url
        when kind = {int(Step.CATEGORY)} then category_url
        when kind = {int(Step.SEARCH)} then '{SITE}/search?q=' || replace(search_words, ' ', '+')
        when kind = {int(Step.REVIEW)} then product_url || '/reviews'
        when kind = {int(Step.TUTORIAL)} then '{SITE}/recipes/' || replace(search_words, ' ', '-')
        when kind in ({int(Step.REMOVE)}, {int(Step.CART)}) then '{SITE}/cart'
        when kind = {int(Step.CHECKOUT)} then '{SITE}/checkout'
        when kind = {int(Step.ORDER)} then '{SITE}/checkout/thank-you'
        when kind in ({int(Step.ACCOUNT)}, {int(Step.LOGIN)}) then '{SITE}/account'
        when kind = {int(Step.OFFERS)} then '{SITE}/offers'
        else '{SITE}/'
    end"""
    separator = f"case when kind = {int(Step.SEARCH)} then '&' else '?' end"
    return f"case when {is_tagged} then {plain} || {separator} || {tags} else {plain} end"


def _bot_part(plan: OverlayPlan) -> str:
    draws = plan.draws
    return f"""
        with requests as (
            select *, unnest(case when {draws.chance("bot resent", "request_no", RESENT_BOT_SHARE)} then [0, 1] else [0] end)
                as delivery, {draws.bits("bot delivery", "request_no")} as delay_bits
            from bot_requests
        ),
        sent as (
            select
                *, requested_at + to_milliseconds(cast(
                    20 + delay_bits % 900
                    + case when delivery = 1 then 2000 + (delay_bits >> 20) % 600000 else 0 end as bigint)) as sent_at
            from requests
        )
        select
            cast({FIRST_BOT_EVENT_ID} + request_no as varchar) as event_id, event_type, event_name,
            {cookie_text("cookie_no")} as anonymous_id, null as user_id, null as email,
            {_page_url("false", "''")} as page_url, null as referrer_url, content_type,
            case when kind in {_PRODUCT_STEPS} then product_id end as product_id,
            case when kind in {_PRICED_STEPS} then list_price end as list_price,
            case when kind in {_PRICED_STEPS} then shown_price end as shown_price,
            case when kind in {_PRICED_STEPS} then 'USD' end as currency,
            case when kind in ({int(Step.ADD)}, {int(Step.REMOVE)}) then 1 end as quantity,
            case when kind in {_CART_STEPS} then cast(900000000000 + cookie_no as varchar) end as cart_id,
            null as order_id,
            case when kind = {int(Step.SEARCH)} then search_words end as search_query,
            user_agent, ip_address, null as region,
            sent_at, requested_at as occurred_at,
            sent_at + to_milliseconds(cast(30 + (delay_bits >> 44) % 400 as bigint)) as known_at
        from sent join base_shelf using (shelf_no) join step_kinds using (kind)
    """


def _text(value: str | None) -> str:
    return "null" if value is None else f"'{value}'"
