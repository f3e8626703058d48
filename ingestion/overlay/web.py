"""Visits of people to the web shop: who, when, on which device, from where, and which script they play.

One row a visit in `web_sessions`, in the order in which visits arrive. Events are made from them as a stream
(`events`), so nothing here grows with the length of a visit.
"""

from __future__ import annotations

import duckdb

from ingestion.overlay.agents import DESKTOP_SHARES, MOBILE_SHARES, MONTHS
from ingestion.overlay.base import month_no
from ingestion.overlay.copies import ORDER_KEY, person_orders_sql
from ingestion.overlay.mail import clicks_sql
from ingestion.overlay.plan import (
    MAX_LATE_DAYS,
    PERIOD_DAYS,
    PERIOD_START,
    OverlayPlan,
)
from ingestion.overlay.scripts import FLAVORS, PATH_STEPS, PATHS, SCRIPTS_PER_FLAVOR

ORDER_EVENTS_SHARE = 0.36  # of the people's events are of click-and-collect orders
MAX_ORDER_SHARE = 0.3  # of the orders of those who order online
ORDERS_ONLINE_SHARE = 0.5  # of the people with an account
ORDER_LINES = (2, 24)  # a basket that is put together on the web has so many lines
LINE_VIEW_SHARE = 0.7  # lines whose product page is opened before it is added
IDLE_ORDER_SHARE = 0.12  # orders whose cart waits for more than half an hour before the checkout
LATE_SHARE = 0.02
RESENT_SHARE, RESENT_EVENTS_SHARE = 0.03, 0.36  # about one event in a hundred arrives twice
SKEWED_DEVICE_SHARE = 0.06
SECOND_DEVICE_SHARE, THIRD_DEVICE_SHARE = 0.5, 0.12
FAMILY_DEVICE_SHARE = 0.4  # visits of the second of a family on the first one's device
FAMILY_LOGIN_SHARE = 0.4  # whose account is not the one that the device knows
MOBILE_SHARE = 0.55
LOGIN_SHARE = 0.2  # of the visits of those who have an account and are not known yet
LOGGED_OUT_SHARE = 0.08
TASTE_SHARE = 0.62  # visits whose main department is the one that the person has a taste for
OTHER_DEPARTMENT_SHARE = 0.235  # looks of a visit that are outside of its main department
BLOCKED_CLICK_SHARE = 0.07  # clicks in e-mails whose visit is never measured
# Days that a cookie lives, with the share of devices: most keep it, some browsers forget it every week.
COOKIE_DAYS = {"4000": 0.58, "140": 0.2, "60": 0.08, "30": 0.06, "7": 0.08}
SOURCES = {"direct": 0.42, "google": 0.28, "bing": 0.05, "facebook": 0.05, "pinterest": 0.03, "recipes": 0.05,
           "paid search": 0.07, "paid social": 0.05}  # fmt: skip
REFERRERS = {
    "google": "https://www.google.com/",
    "bing": "https://www.bing.com/search?q=grocery+delivery",
    "facebook": "https://m.facebook.com/",
    "pinterest": "https://www.pinterest.com/",
    "recipes": "https://recipes.example/dinner/",
    "paid search": "https://www.google.com/",
    "paid social": "https://l.facebook.com/l.php",
    "mail": "https://webmail.example/inbox",
}
# State of a visit: 0 nobody knows who, 1 known from its first event, 2 logs in on the way.
ANONYMOUS, KNOWN, LOGS_IN = 0, 1, 2


def open_sessions(connection: duckdb.DuckDBPyConnection, plan: OverlayPlan, people: int) -> None:
    """Make `web_sessions`, `order_visit_lines` and `wheel`."""
    _open_small_tables(connection)
    of_people = plan.wanted_events(people) * (1 - sum(family.share for family in plan.bot_families))
    _open_order_visits(connection, plan, ORDER_EVENTS_SHARE * of_people)
    made = connection.execute("select coalesce(sum(cast(10 * events as bigint)), 0) / 10 from order_visits").fetchone()
    assert made is not None
    # Mails bring their visits on top; they are few.
    connection.execute(f"create or replace temp table mail_visits as {_mail_visits_sql(plan)}")
    mailed = connection.execute(
        "select coalesce(sum(steps), 0) from mail_visits join scripts using (script_no)"
    ).fetchone()
    assert mailed is not None
    _open_browsing(connection, plan, max(0.0, of_people - float(made[0]) - float(mailed[0])))
    connection.execute(f"create or replace temp table visits as {_devices_sql(plan)}")
    for name in ("order_visits", "mail_visits", "browsing"):
        connection.execute(f"drop table {name}")
    connection.execute(f"create or replace temp table web_sessions as {_sessions_sql(plan, people)}")
    connection.execute("drop table visits")


def _open_small_tables(connection: duckdb.DuckDBPyConnection) -> None:
    # A thousand slots, to draw a department by its share of the lines with one number.
    connection.execute("""
        create or replace temp table wheel as
        with running as (
            select department_no, sum(share) over (order by department_no) / sum(share) over () as reached
            from base_departments
        )
        select slots.slot, min(department_no) as department_no
        from range(1000) as slots(slot) join running on (slots.slot + 0.5) / 1000 <= reached
        group by slots.slot
    """)
    # The campaign that advertising speaks of on a day: the one that began last.
    connection.execute(f"""
        create or replace temp table campaign_days as
        select days.day, arg_max(cast(campaign_id as varchar), (starts_on, campaign_id)) as campaign_id
        from range({PERIOD_DAYS}) as days(day)
        join base_campaigns on starts_on <= cast(timestamp '{PERIOD_START}' as date) + cast(days.day as integer)
        group by days.day
    """)


def _open_order_visits(connection: duckdb.DuckDBPyConnection, plan: OverlayPlan, events: float) -> None:
    """The click-and-collect orders, and the visits in which they were put together."""
    draws = plan.draws
    low, high = ORDER_LINES
    connection.execute(f"""
        create or replace temp table orderable as
        select order_no, count(*) as line_count from base_lines
        group by order_no having count(*) between {low} and {high}
    """)
    online = f"has_account and {draws.chance('orders online', 'person_no', ORDERS_ONLINE_SHARE)}"
    # Whole numbers: a sum of doubles would depend on the order in which threads finish.
    expected = connection.execute(f"""
        select sum(cast(10 * {_order_events("line_count")} * order_visitors as bigint)) / 10
        from orderable
        join base_orders using (order_no)
        join (
            -- A copy may leave an order out.
            select household_loyalty_id, sum(cast(1000 * least(1, intensity) as bigint)) / 1000 as order_visitors
            from people where {online} group by all
        ) as visitors on household_loyalty_id = base_orders.loyalty_id
    """).fetchone()
    possible = float(expected[0]) if expected and expected[0] else 0.0
    share = min(MAX_ORDER_SHARE, events / possible) if possible else 0.0
    key = ORDER_KEY
    orders = person_orders_sql(plan, where=f"{online} and {draws.chance('click and collect', key, f'{share:.9f}')}")
    connection.execute(f"""
        create or replace temp table order_visits as
        with online_orders as (select * from ({orders}) where repetition = 0)
        select
            person_no, order_no, order_id, cast(line_count as integer) as line_count,
            cast({_order_events("line_count")} as double) as events, occurred_at as paid_at,
            {draws.below("path", key, PATHS)} * {PATH_STEPS} as first_path_step,
            exp(0.35 * {draws.normal("order pace", key)}) as pace,
            -- It is collected, and paid at the till, hours later: half an hour at least, a day at most.
            1800 + least(82000, exp(9 + 0.7 * {draws.normal("collect", key)})) as lead_seconds,
            case when {draws.chance("idle order", key, IDLE_ORDER_SHARE)}
                then 1900 + 9000 * {draws.unit("idle seconds", key)} else 0 end as idle_seconds,
            cast({draws.bits("visit", key)} >> 1 as bigint) as visit_key
        from online_orders join orderable using (order_no)
        where occurred_at > timestamp '{PERIOD_START}' + to_days(1)
    """)
    # Shuffled: people do not walk through the shop in the order of product numbers, as receipts are sorted.
    connection.execute(f"""
        create or replace temp table order_visit_lines as
        select
            order_no,
            cast(row_number() over (
                partition by order_no
                order by {draws.bits("line place", "(order_no * 1024 + line_number)")}, line_number
            ) as integer) as place,
            base_lines.product_no, kind_no, list_cents, shown_cents, cast(least(127, quantity) as tinyint) as quantity,
            {draws.chance("line viewed", "(order_no * 1024 + line_number)", LINE_VIEW_SHARE)} as is_viewed
        from base_lines
        join base_products using (product_no)
        where order_no in (select order_no from order_visits)
        order by order_no, place
    """)


def _order_events(lines: str) -> str:
    """SQL: events of a visit that orders so many lines: home, looks and adds, cart, checkout, order, now and then a
    login."""
    return f"({1 + LINE_VIEW_SHARE} * {lines} + 4.3)"


def _mail_visits_sql(plan: OverlayPlan) -> str:
    draws, no = plan.draws, "mail_no"
    flavors = [flavor.name for flavor in FLAVORS]
    plain, middle = (flavors.index(name) * SCRIPTS_PER_FLAVOR for name in ("mail", "mail mid visit"))
    first = f"case when {draws.chance('mid visit', no, 0.15)} then {middle} else {plain} end"
    return f"""
        select
            person_no, mail_no, campaign_id, kind, clicked_at,
            cast({first} + {draws.below("mail script", no, SCRIPTS_PER_FLAVOR)} as integer) as script_no,
            cast({draws.bits("mail visit", no)} >> 1 as bigint) as visit_key
        from ({clicks_sql()})
        where not {draws.chance("blocked", no, BLOCKED_CLICK_SHARE)}
    """


def _open_browsing(connection: duckdb.DuckDBPyConnection, plan: OverlayPlan, events: float) -> None:
    """Visits without an order: around the real orders, by how much the person buys, with a long tail."""
    draws, no = plan.draws, "visit_no"
    flavors = [(number, flavor) for number, flavor in enumerate(FLAVORS) if flavor.share]
    weights = " ".join(f"when flavor = '{flavor.name}' then {flavor.share}" for _, flavor in flavors)
    mean = connection.execute(f"""
        select round(sum(share * steps) / sum(share), 6) from (
            select case {weights} else 0 end as share, avg(steps) as steps from scripts group by flavor
        )
    """).fetchone()
    assert mean is not None
    weight = f"(0.25 + purchase_probability) * exp(0.8 * {draws.normal('browsing', 'person_no')} - 0.32)"
    # Whole numbers again.
    total = connection.execute(
        f"select sum(cast(1000000 * {weight} as bigint)) / 1000000 from people where is_online"
    ).fetchone()
    factor = events / mean[0] / total[0] if total and total[0] and mean[0] else 0.0
    flavor = draws.choice("flavor", no, {str(number * SCRIPTS_PER_FLAVOR): flavor.share for number, flavor in flavors})
    # Half of the visits lie in the days before an order of the household, the others anywhere in the year.
    near = f"-86400 * 5 * power({draws.unit('days before', no)}, 2)"
    anywhere = f"86400 * floor({draws.unit('any day', no)} * {PERIOD_DAYS})"
    # The time of day is that of some order, or a few hours later: people shop by day and look in the evening.
    clock = (
        f"4500 * {draws.normal('clock', no)} + case when {draws.chance('evening', no, 0.45)} "
        f"then 3600 * (2 + 3 * {draws.unit('evening hours', no)}) else 0 end"
    )
    period = PERIOD_DAYS * 86_400
    connection.execute(f"""
        create or replace temp table browsing as
        with counted as (
            select
                person_no, first_order_no, order_count,
                least(4000, cast(floor({factor} * {weight} + {draws.unit("visits", "person_no")}) as bigint)) as visits
            from people where is_online
        ),
        numbered as (
            select person_no, first_order_no, order_count, person_no * 4096 + unnest(range(visits)) as visit_no
            from counted
        ),
        anchored as (
            select
                person_no, visit_no,
                first_order_no + {draws.below("anchor", no, "order_count")} as order_no
            from numbered
        )
        select
            person_no,
            cast({flavor} as integer) + cast({draws.below("script", no, SCRIPTS_PER_FLAVOR)} as integer) as script_no,
            exp(0.4 * {draws.normal("pace", no)}) as pace,
            timestamp '{PERIOD_START}' + to_milliseconds(cast(1000 * (
                (case when {draws.chance("near an order", no, 0.5)}
                    then epoch(occurred_at) - epoch(timestamp '{PERIOD_START}') + {near} - 1800
                    else (epoch(occurred_at) - epoch(timestamp '{PERIOD_START}')) % 86400 + {anywhere}
                end + {clock} + 2 * {period}) % {period}
            ) as bigint)) as start_at,
            cast({draws.bits("browse visit", no)} >> 1 as bigint) as visit_key
        from anchored join base_orders using (order_no)
    """)


def _devices_sql(plan: OverlayPlan) -> str:
    """All visits with their device, cookie, script and times in one shape."""
    draws, key = plan.draws, "visit_key"
    # Order visits: home, a look and an add for each line, cart, checkout, order; see events.order_steps_sql.
    return f"""
        with together as (
            select
                person_no, visit_key, script_no, -1 as order_no, null as order_id, null as campaign_id, null as kind,
                case when cart_kind is null then pace else 1.0 end as pace, start_at,
                0 as line_count, 0 as first_path_step, 0.0 as idle_seconds, cart_kind,
                last_seconds * case when cart_kind is null then pace else 1.0 end as last_seconds,
                login_position, login_seconds * case when cart_kind is null then pace else 1.0 end as login_seconds,
                -1 as arrival_position
            from browsing join scripts using (script_no)
            union all
            select
                person_no, visit_key, script_no, -1, null, campaign_id, kind, 1.0,
                clicked_at + to_milliseconds(cast(1000 * (1.2 - arrival_seconds) as bigint)),
                0, 0, 0.0, cart_kind, last_seconds, login_position, login_seconds, arrival_position
            from mail_visits join scripts using (script_no)
            union all
            select
                person_no, visit_key, -1, order_no, order_id, null, null, pace,
                paid_at - to_milliseconds(cast(1000 * (
                    lead_seconds + idle_seconds + ending.seconds * pace
                ) as bigint)),
                line_count, first_path_step, idle_seconds,
                case when idle_seconds > 0 then 'idle_over_30_minutes' end,
                idle_seconds + ending.seconds * pace,
                case when {draws.chance("early login", key, 0.4)} then 1 else 101 end,
                case when {draws.chance("early login", key, 0.4)} then 2.0
                    else idle_seconds + (0.5 * before.seconds + 0.5 * checkout.seconds) * pace end,
                -1
            from order_visits
            join paths as before on before.path_step = first_path_step + 2 * line_count + 1
            join paths as checkout on checkout.path_step = first_path_step + 2 * line_count + 2
            join paths as ending on ending.path_step = first_path_step + 2 * line_count + 3
        ),
        owned as (
            select
                together.*, people.home_no, people.has_account, people.taste_department_no, people.price_sensitivity,
                people.region,
                case when people.home_no <> together.person_no
                    and {draws.chance("family device", key, FAMILY_DEVICE_SHARE)}
                    then people.home_no * 4
                    else together.person_no * 4 + case
                        when {draws.chance("has third device", "together.person_no", THIRD_DEVICE_SHARE)}
                            and {draws.chance("on third device", key, 0.15)} then 2
                        when {draws.chance("has second device", "together.person_no", SECOND_DEVICE_SHARE)}
                            and {draws.chance("on second device", key, 0.38)} then 1
                        else 0 end
                end as device_no
            from together join people using (person_no)
        ),
        equipped as (
            select
                *,
                {draws.chance("mobile", "device_no", MOBILE_SHARE)} as is_mobile,
                cast(floor(epoch(start_at) - epoch(timestamp '{PERIOD_START}')) as bigint) as second_of_period,
                cast({draws.choice("cookie days", "device_no", COOKIE_DAYS)} as integer) as cookie_days
            from owned
        )
        select
            * exclude (cookie_days),
            device_no * 64 + least(63, greatest(0, cast(floor(
                (second_of_period / 86400.0 + cookie_days * {draws.unit("cookie age", "device_no")}) / cookie_days
            ) as bigint))) as cookie_no,
            {draws.chance("wants login", key, f"if(device_no // 4 = person_no, {LOGIN_SHARE}, {FAMILY_LOGIN_SHARE})")}
                as wants_login
        from equipped
    """


def _sessions_sql(plan: OverlayPlan, people: int) -> str:
    draws, key = plan.draws, "visit_key"
    week = MAX_LATE_DAYS * 86_400
    late = f"3600 * exp({draws.unit('late by', key)} * ln({(week - 8 * 3600) / 3600:.4f}))"
    skew = f"60 * exp({draws.unit('skew size', 'device_no')} * ln(4320))"
    desktop = draws.choice("browser", "device_no", DESKTOP_SHARES)
    mobile = draws.choice("browser", "device_no", MOBILE_SHARES)
    source = draws.choice("source", key, SOURCES)
    months = month_no("start_at")
    agent_month = f"{months} - {draws.below('browser age', 'device_no', 4)}"
    tags = f"""
        case
            when campaign_id is not null then 'utm_source=newsletter&utm_medium=email&utm_campaign=' || campaign_id
                || '&utm_content=' || replace(kind, ' ', '-')
            when source = 'paid search' then 'utm_source=google&utm_medium=cpc&utm_campaign='
                || case when {draws.chance("brand", key, 0.6)} then 'brand' else coalesce(day_campaign, 'brand') end
            when source = 'paid social' then 'utm_source=facebook&utm_medium=paid_social&utm_campaign='
                || coalesce(day_campaign, 'always-on')
        end
    """
    return f"""
        with logins as (
            select
                rowid as visit, cookie_no, start_at, visit_key,
                case when order_no >= 0 or (has_account and wants_login) then person_no end as login_person,
                start_at + to_milliseconds(cast(1000 * login_seconds as bigint)) as login_at
            from visits
        ),
        known as (
            -- Who the cookie knows already: whoever logged in on it last, if that was before this visit began. On few
            -- columns, because they are sorted.
            select
                visit, login_person,
                last_value(login_person ignore nulls) over before_this as known_person,
                last_value(case when login_person is not null then login_at end ignore nulls) over before_this
                    as known_since
            from logins
            window before_this as (
                partition by cookie_no order by start_at, visit_key
                rows between unbounded preceding and 1 preceding
            )
        ),
        identified as (select * from visits join known on known.visit = visits.rowid),
        stated as (
            select
                *,
                coalesce(known_since < start_at, false) and not {draws.chance("logged out", key, LOGGED_OUT_SHARE)}
                    as is_known,
                {source} as source,
                cast(least({MONTHS - 1}, greatest(0, {agent_month})) as integer) as agent_month,
                {draws.chance("late", key, LATE_SHARE)} and order_no < 0 and is_mobile as is_late,
                -- At home, at work, or on the way behind the address of a mobile network.
                case
                    when is_mobile and {draws.chance("on the way", key, 0.45)} then 2
                    when {draws.chance("at work", key, 0.15)} then 1
                    else 0
                end as place
            from identified
        ),
        placed as (
            select
                *,
                case
                    when login_person is not null and not (is_known and known_person = person_no) then {LOGS_IN}
                    when is_known then {KNOWN}
                    else {ANONYMOUS}
                end as state,
                case when is_late then cast({late} as integer) else 0 end as late_seconds,
                case when {draws.chance("taste", key, TASTE_SHARE)} then taste_department_no else main.department_no end
                    as main_department_no,
                other.department_no as other_department_no,
                {months} as shelf_month
            from stated
            -- Left joins, though nothing is missing: they are not reordered, and a cross product of small tables is
            -- what the planner would make of them.
            left join wheel as main on main.slot = {draws.below("main department", key, 1000)}
            left join wheel as other on other.slot = {draws.below("other department", key, 1000)}
        )
        select
            person_no, device_no, cookie_no, script_no, order_no, order_id, line_count, first_path_step,
            cast(pace as float) as pace, cast(idle_seconds as float) as idle_seconds, cart_kind,
            start_at, cast(last_seconds as float) as last_seconds, late_seconds,
            case when {draws.chance("skewed", "device_no", SKEWED_DEVICE_SHARE)}
                then cast({skew} as integer) * case when {draws.chance("slow", "device_no", 0.5)} then -1 else 1 end
                else 0 end as skew_seconds,
            {draws.chance("resent", key, RESENT_SHARE)} as is_resent,
            -- who
            state,
            case state when {LOGS_IN} then person_no when {KNOWN} then known_person end as user_person_no,
            login_position, cast(login_seconds as float) as login_seconds,
            -- from where
            cast(case when is_mobile then {mobile} else {desktop} end as integer) * {MONTHS} + agent_month as agent_no,
            {_address(plan, people)} as address_no,
            case when place = 2 and {draws.chance("not located", key, 0.4)} then null else region end as region,
            case when campaign_id is null then {_referrer("source")}
                when arrival_position = 0 and {draws.chance("webmail", key, 0.4)} then '{REFERRERS["mail"]}'
                when arrival_position > 0 then {_referrer("source")} end as referrer_url,
            {tags} as tags,
            case when campaign_id is not null then arrival_position when source like 'paid%' then 0 else -1 end
                as tag_position,
            -- what is looked at
            0.12 + 0.7 * price_sensitivity as discount_share,
            main_slice.first_no as main_first, main_slice.discounted_rows as main_discounted,
            main_slice.other_rows as main_other,
            other_slice.first_no as other_first, other_slice.discounted_rows as other_discounted,
            other_slice.other_rows as other_other
        from placed
        left join (select day, campaign_id as day_campaign from campaign_days) as advertised
            on advertised.day = second_of_period // 86400
        left join base_slices as main_slice
            on main_slice.month_no = shelf_month and main_slice.department_no = main_department_no
        left join base_slices as other_slice
            on other_slice.month_no = shelf_month and other_slice.department_no = other_department_no
        order by start_at + to_seconds(late_seconds), visit_key
    """


def _referrer(source: str) -> str:
    cases = " ".join(f"when '{name}' then '{url}'" for name, url in REFERRERS.items())
    return f"case {source} {cases} end"


def _address(plan: OverlayPlan, people: int) -> str:
    """SQL: an IPv4 address as a number. None of them is a real subscriber's.

    Homes are in 198.18.0.0/15 (benchmarks) and change every few months; offices in 172.16.0.0/12 (private), a few
    large and many small; phones on the way in 100.64.0.0/10 (shared by a carrier's customers).
    """
    draws = plan.draws
    lease = (
        f"(home_no * 8 + cast(floor(second_of_period / (86400.0 * 75) + {draws.unit('lease', 'home_no')}) as bigint))"
    )
    return f"""case place
        when 0 then {(198 << 24) + (18 << 16)} + {draws.below("home address", lease, 131_072)}
        when 1 then {(172 << 24) + (16 << 16)}
            + cast(floor(power({draws.unit("office", "home_no")}, 3) * {1 + people // 20}) as bigint)
        else {(100 << 24) + (64 << 16)} + {draws.below("carrier", "visit_key", 1 + people // 60)}
    end"""
