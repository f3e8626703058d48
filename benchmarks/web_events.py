"""Staging of web events: rows a second, memory, what one more day costs, and sessions against the textbook.

Each step runs in a process of its own, so that its memory is its own. The seconds of dbt are those of its invocation,
models and data tests, without the start of Python and the parse of the project.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measuring import Measured, Row, median_seconds, run_python, write_results
from ingestion.landing_zone import LandingZone
from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from shops import ShopFolders

SIZES = (1_000_000, 10_000_000, 50_000_000)
DAYS = 365
MORE_DAYS = 3
ROUNDS = 3
GOAL_OF_A_DAY = 0.03
GOAL_OF_SESSIONS = 3.0
MODELS = (
    "bot_user_agents",
    "base_web__events",
    "stg_web__events",
    "stg_web__sessions",
    "stg_web__identifications",
    "base_web__visitor_days",
    "base_web__crowd_days",
    "base_web__visitors",
    "stg_web__visitors",
)
# What the view of the events looks at; without rows here.
REFERRED = ("+stg_shop__products", "+stg_shop__orders")
IDLE_MINUTES = 30

FIRST_DAY = date(2017, 1, 1)
EVENTS_A_SESSION = 16
EVENTS_A_VISITOR = 60


def main() -> None:
    """Measure, print a table, rewrite the results."""
    rows: list[Row] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            rows += _staging(Path(folder), size)
            rows += _sessions(Path(folder), size)
        # A run takes minutes: what is measured so far is kept.
        file = write_results("web_events", rows)
    for row in rows:
        memory = f"{row.peak_memory_mb:,.0f} MB" if row.peak_memory_mb else ""
        ratio = f"{row.ratio:.1f} x" if row.ratio else ""
        print(f"{row.name:<70}{row.ours_seconds:>8.2f} s {memory:>10} {ratio:>7}  {row.goal}")
    print(f"written to {file}")


def _staging(root: Path, size: int) -> list[Row]:
    """A year of events at once, then some more days, one after the other."""
    label = f"{size // 1_000_000} M events"
    landed, landing = _step(root, "land", str(size), "0")
    built, full = _step(root, "build")
    days = [(_step(root, "land", str(size), str(day)), _step(root, "build")) for day in range(1, MORE_DAYS + 1)]
    one_day = median_seconds([build for _, (_, build) in days])
    one_landing = median_seconds([land for (_, land), _ in days])
    rows_a_second = built["rows"] / full.seconds
    share = one_day / full.seconds
    return [
        Row(f"{label}: landing", round(landing.seconds, 2), "none", landed["rows"], round(landing.peak_memory_mb)),
        Row(f"{label}: staging, {rows_a_second:,.0f} rows a second", round(full.seconds, 2), "none",
            built["rows"], round(full.peak_memory_mb)),
        Row(f"{label}: landing one more day", one_landing, "none", days[0][0][0]["rows"]),
        Row(f"{label}: staging one more day, {share:.1%} of the full load", one_day,
            f"at most {GOAL_OF_A_DAY:.0%} of the full load at 50 M", days[0][0][0]["rows"],
            peer="staging of the full load", peer_seconds=round(full.seconds, 2),
            ratio=round(full.seconds / one_day, 1)),
    ]  # fmt: skip


def _sessions(root: Path, size: int) -> list[Row]:
    """Our sessions against the textbook's two windows: same events, same engine, same answer, alternating."""
    measured, _ = _step(root, "sessions")
    rows = []
    for kind, title in (("idle", "idle time alone"), ("campaign", "idle time and campaigns")):
        ours, peer = measured[kind]["ours"], measured[kind]["textbook"]
        rows.append(
            Row(
                f"{size // 1_000_000} M events: sessions by {title}",
                ours,
                f"at least {GOAL_OF_SESSIONS:g} times as fast",
                measured["rows"],
                peer="windows over all events, on the same engine",
                peer_seconds=peer,
                ratio=round(peer / ours, 2),
            )
        )
    return rows


def _step(root: Path, *arguments: str) -> tuple[dict[str, Any], Measured]:
    """Run a step in its own process; gives what it says, and its own seconds with the memory of the process."""
    process = run_python("-m", "benchmarks.web_events", str(root), *arguments)
    said = json.loads(process.output.strip().splitlines()[-1])
    return said, Measured(float(said["seconds"]), process.peak_memory_mb, process.output)


def _land(folders: ShopFolders, size: int, day: int) -> dict[str, float]:
    """Land a year of events (`day` 0), or the `day`-th day after it."""
    zone = LandingZone(folders.landing)
    zone.prepare()
    events_a_day, visitors = size // DAYS, size // EVENTS_A_VISITOR
    first = FIRST_DAY if day == 0 else FIRST_DAY + timedelta(days=DAYS + day - 1)
    query = deliveries(events_a_day, visitors, first, DAYS if day == 0 else 1)
    started = time.perf_counter()
    with duckdb.connect() as connection:
        # Any order of rows will do, and a year need not fit into memory.
        connection.execute("set preserve_insertion_order = false")
        connection.execute(f"set temp_directory = '{folders.data / 'spill'}'")
        load = zone.land(
            connection,
            load_id=f"web-{day:03}",
            source="benchmark",
            load_date=FIRST_DAY + timedelta(days=DAYS + day),
            known_at_is_assumed=False,
            tables={"web_events": query},
            is_synthetic=True,
        )
    return {"rows": load.rows["web_events"], "seconds": time.perf_counter() - started}


def _build(folders: ShopFolders) -> dict[str, float]:
    """One build of the web models with their data tests."""
    dbt = InProcessDbt(folders)
    with write_lock(folders.lock, "benchmark"):
        if not folders.warehouse.exists():
            assert dbt.build_models(REFERRED, folders.warehouse).success
        started = time.perf_counter()
        result = dbt.build_models(MODELS, folders.warehouse)
        seconds = time.perf_counter() - started
    if not result.success:
        raise RuntimeError(f"dbt build failed: {[str(one.message) for one in result.result.results]}")
    with duckdb.connect(str(folders.warehouse), read_only=True) as connection:
        row = connection.execute("select count(*) from staging.base_web__events").fetchone()
    assert row is not None
    return {"rows": row[0], "seconds": seconds}


def _time_sessions(folders: ShopFolders) -> dict[str, Any]:
    """Seconds of both ways to cut the built events into sessions, as medians; refuses to compare different answers."""
    dbt = InProcessDbt(folders)
    queries = {
        "idle": {"ours": _ours(dbt, campaign_cuts=False), "textbook": _TEXTBOOK_IDLE},
        "campaign": {"ours": _ours(dbt, campaign_cuts=True), "textbook": _TEXTBOOK_CAMPAIGN},
    }
    file = folders.data / "sessions.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"attach '{folders.warehouse}' as warehouse (read_only)")
        # One event an instant, so that windows, which know no order among equals, have one answer.
        connection.execute("""
            create table events as
            select anonymous_id, event_at, min(utm_source || '|' || utm_medium || '|' || utm_campaign) as campaign
            from warehouse.staging.base_web__events where reject_reason is null group by 1, 2 order by event_at
        """)
        rows = connection.execute("select count(*) from events").fetchone()
        measured: dict[str, Any] = {"rows": rows[0] if rows else 0, "seconds": 0.0}
        for kind, both in queries.items():
            seconds: dict[str, list[float]] = {name: [] for name in both}
            answers = set()
            for _ in range(ROUNDS):
                # Alternating, so that a busy minute of the machine falls on both.
                for name, query in both.items():
                    started = time.perf_counter()
                    answers.add(str(connection.execute(_SUMMED.format(query=query)).fetchone()))
                    seconds[name].append(time.perf_counter() - started)
            if len(answers) > 1:
                raise RuntimeError(f"the two ways give different sessions: {answers}")
            measured[kind] = {name: round(statistics.median(found), 2) for name, found in seconds.items()}
    file.unlink()
    return measured


# What is timed ends in a sum over all events: writing the rows would cost both the same.
_SUMMED = "select count(*), sum(epoch_us(event_at) - epoch_us(session_started_at)) from ({query})"

_TEXTBOOK_IDLE = f"""
    with before as (
        select *, lag(event_at) over (partition by anonymous_id order by event_at) as previous_at from events
    ),
    flagged as (
        select
            *,
            case
                when previous_at is null or event_at > previous_at + interval {IDLE_MINUTES} minute then event_at
            end as started_at
        from before
    )
    select
        *,
        max(started_at) over (partition by anonymous_id order by event_at rows unbounded preceding)
            as session_started_at
    from flagged
"""

_TEXTBOOK_CAMPAIGN = f"""
    with stretches as (
        select * rename (session_started_at as stretch_started_at) from ({_TEXTBOOK_IDLE})
    ),
    carried as (
        select
            *,
            last_value(campaign ignore nulls) over (
                partition by anonymous_id, stretch_started_at order by event_at
                rows between unbounded preceding and 1 preceding
            ) as campaign_before
        from stretches
    ),
    cut as (
        select
            * exclude (started_at),
            case
                when event_at = stretch_started_at then event_at
                when campaign is not null and campaign is distinct from campaign_before then event_at
            end as started_at
        from carried
    )
    select
        *,
        max(started_at) over (partition by anonymous_id order by event_at rows unbounded preceding)
            as session_started_at
    from cut
"""


def _ours(dbt: InProcessDbt, campaign_cuts: bool) -> str:
    """The production macro around the same events."""
    slot = dbt.render(f"{{{{ time_slot('event_at', {IDLE_MINUTES}) }}}}")
    key = dbt.render("{{ fast_hash(['anonymous_id']) }}")
    cut = dbt.render(f"{{{{ cut_sessions('keyed', {IDLE_MINUTES}, {campaign_cuts}) }}}}")
    return f"""
        with keyed as not materialized (select *, {key} as visitor_key from events),
        sessions as ({cut})
        select keyed.*, sessions.session_started_at
        from (select *, {slot} as slot from keyed) as keyed
        inner join sessions
            on
                keyed.visitor_key = sessions.visitor_key and keyed.slot = sessions.slot
                and keyed.event_at >= sessions.session_started_at and keyed.event_at < sessions.ended_before
    """


def deliveries(events_a_day: int, visitors: int, first_day: date, days: int) -> str:
    """SQL that gives what the server receives in `days` days from `first_day` on, in the contract's columns.

    A crude stand-in for traffic, quick to make: 2 of 100 events wait up to a week on the device, 2 of 100 are delivered
    twice, every tenth visitor's clock is wrong by up to an hour, a quarter of the sessions come from a campaign.
    The same day gives the same deliveries, whichever days are asked for with it.
    """
    sessions_a_day = max(1, events_a_day // EVENTS_A_SESSION)
    start = (first_day - FIRST_DAY).days
    first, last = max(0, start - 8) * sessions_a_day, (start + days) * sessions_a_day
    return f"""
    with sessions as (
        select
            number,
            (hash(number) >> 2)::bigint as draw,
            (hash(number, 'visitor') % {visitors})::bigint as visitor,
            timestamp '{FIRST_DAY}' + to_milliseconds(
                (number * {86_400_000 / sessions_a_day} + hash(number, 'start') % 3600000)::bigint
            ) as started_at,
        from range({first}, {last}) as numbers(number)
    ),
    events as (
        select *, unnest(range(4 + draw % {2 * EVENTS_A_SESSION - 7})) as step
        from (select *, visitor % 20000 as taste from sessions)
    ),
    drawn as (
        select
            *,
            (hash(number, step) >> 2)::bigint as event_draw,
            started_at + to_milliseconds(step * 40000 + event_draw % 35000) as true_at,
            event_draw % 3 = 0 or step = 0 as is_page,
            (event_draw >> 8) % 20000 as product,
        from events
    ),
    delayed as (
        select
            *,
            case when event_draw % 100 < 2 then event_draw % 604800000 else event_draw % 2000 end as delay,
            case when visitor % 10 = 0 then visitor % 7200 - 3600 else 0 end as skew,
            unnest(case when event_draw % 50 = 7 then [0, event_draw % 86400000] else [0] end) as repeated_after,
        from drawn
    ),
    received as (
        select
            *,
            true_at + to_seconds(skew) as occurred_at,
            true_at + to_seconds(skew) + to_milliseconds(delay) as sent_at,
            true_at + to_milliseconds(delay + repeated_after) as known_at,
        from delayed
        where known_at >= timestamp '{first_day}' and known_at < timestamp '{first_day + timedelta(days=days)}'
    )
    select
        printf('%016x%016x', event_draw, number) as event_id,
        case when is_page then 'page' when event_draw % 400 = 1 then 'identify' else 'track' end as event_type,
        case
            when is_page or event_draw % 400 = 1 then null
            when event_draw % 5 < 3 then 'Product Viewed'
            when event_draw % 11 < 2 then 'Products Searched'
            when event_draw % 7 < 4 then 'Product Added'
            when event_draw % 17 = 1 then 'Checkout Started'
            else 'Product List Viewed'
        end as event_name,
        md5(visitor::varchar) as anonymous_id,
        case when visitor % 3 = 0 and step > 3 then 'user-' || visitor // 2 end as user_id,
        case when event_draw % 400 = 1 then 'user-' || visitor // 2 || '@example.org' end as email,
        'https://www.shop.example/'
            || case when is_page then 'category/' || product % 300 else 'product/' || product end
            || case
                when step = 0 and draw % 4 = 0
                    then '?utm_source=newsletter&utm_medium=email&utm_campaign=c' || draw % 50
                else ''
            end as page_url,
        case
            when step > 0 then 'https://www.shop.example/category/' || product % 300
            when draw % 3 = 0 then 'https://www.google.com/'
        end as referrer_url,
        case when is_page then 'category' else 'product' end as content_type,
        case when not is_page then 'P' || product end as product_id,
        case when not is_page then (product / 100.0)::decimal(18, 2) end as list_price,
        case when not is_page then (product / 110.0)::decimal(18, 2) end as shown_price,
        'USD' as currency,
        case when event_draw % 20 = 0 then (1 + event_draw % 3)::integer end as quantity,
        case when event_draw % 20 = 0 then 'cart-' || number end as cart_id,
        case when event_draw % 500 = 3 then 'order-' || number end as order_id,
        case when event_draw % 37 = 0 then 'words ' || event_draw % 1000 end as search_query,
        case visitor % 3
            when 0 then 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/'
            when 1 then 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/'
            else 'Mozilla/5.0 (Linux; Android 13; Pixel) AppleWebKit/537.36 Mobile Chrome/'
        end || (visitor // 3) % 60 as user_agent,
        '10.' || visitor % 200 || '.' || (visitor // 200) % 250 || '.1' as ip_address,
        'R' || visitor % 50 as region,
        sent_at,
        occurred_at,
        known_at,
    from received
    """


def _main_of_step(root: str, step: str, *arguments: str) -> None:
    folders = ShopFolders.of("demo", Path(root))
    if step == "land":
        said = _land(folders, *map(int, arguments))
    elif step == "build":
        said = _build(folders)
    else:
        said = _time_sessions(folders)
    print(json.dumps(said))


if __name__ == "__main__":
    _main_of_step(*sys.argv[1:])
