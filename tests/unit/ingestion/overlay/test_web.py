"""Web events: they lie around the real orders, what is planted comes out at its rate, others' bots plug in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ingestion import completejourney
from ingestion.overlay import BOT_FAMILIES, BotFamily, BotRequests, BotSurroundings, OverlayPlan, Step
from ingestion.overlay.agents import browser_agents
from ingestion.overlay.bots import bot_traffic
from ingestion.overlay.columns import cookie_text_sql, cookie_texts
from ingestion.overlay.draws import Draws
from ingestion.overlay.plan import PERIOD_START
from ingestion.overlay.web import RESENT_EVENTS_SHARE, RESENT_SHARE
from shops import PROJECT_ROOT, ShopFolders
from tests.unit.ingestion.overlay.conftest import Look, content, make_look

GUIDE = PROJECT_ROOT / "docs" / "synthetic-overlay.md"
DAY = 86_400
# First deliveries only, and the corrected time that staging works with.
EVENTS = """(
    select *, known_at - (sent_at - occurred_at) as event_at from web_events
    qualify row_number() over (partition by event_id order by known_at) = 1
)"""


def test_about_as_many_events_as_asked_for(look: Look) -> None:
    assert look.number("select count(*) from web_events") == pytest.approx(60_000, rel=0.06)


def test_order_completed_is_a_real_order_of_that_person(look: Look) -> None:
    """Its lines are what was put into the cart, at the prices that were paid, within a day before the till."""
    assert look.number("select count(*) from web_events where order_id is not null") > 300
    assert (
        look.rows(f"""
        select 1 from {EVENTS} as events
        left join orders on orders.order_id = events.order_id
        left join truth_people on truth_people.user_id = events.user_id
        where events.event_name = 'Order Completed'
            and (orders.order_id is null or orders.loyalty_id is distinct from truth_people.loyalty_id
                or event_at not between orders.occurred_at - interval 24 hours and orders.occurred_at)
    """)
        == []
    )
    assert look.rows("select 1 from web_events where (event_name = 'Order Completed') <> (order_id is not null)") == []
    added = f"""
        select carts.order_id, product_id, quantity, shown_price
        from {EVENTS} as events join truth_carts as carts using (cart_id)
        where event_name = 'Product Added' and carts.order_id is not null
    """
    assert (
        look.rows(f"""
        select order_id, product_id from ({added}) except select order_id, product_id from order_lines
    """)
        == []
    )
    bought = look.number("""
        select count(*) from order_lines join products using (product_id)
        where order_id in (select order_id from web_events) and quantity between 1 and 24
            and net_amount / quantity >= 0.10
            and department not in ('FUEL', 'COUPON', 'MISCELLANEOUS', 'CNTRL/STORE SUP')
    """)
    assert look.number(f"select count(*) from ({added})") == pytest.approx(bought, rel=0.01)
    wrong = look.number(f"""
        select count(*) from ({added}) as added join order_lines using (order_id, product_id)
        where abs(added.quantity * added.shown_price - order_lines.net_amount) > 0.005 * added.quantity + 0.005
    """)
    assert wrong == 0


def test_lines_are_not_added_in_the_order_of_product_numbers(look: Look) -> None:
    """Receipts are sorted by product; a person who shops is not. Only a crawler would be."""
    ascending = look.number(f"""
        select avg(if(product_id > before, 1, 0)) from (
            select product_id, lag(product_id) over (partition by cart_id order by event_at) as before
            from {EVENTS} where event_name = 'Product Added' and cart_id in
                (select cart_id from truth_carts where order_id is not null)
        ) where before is not null
    """)
    assert ascending == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("kind", ["left_within_10_minutes", "idle_over_30_minutes", "unbought_after_24_hours"])
def test_carts_are_what_truth_says(look: Look, kind: str) -> None:
    carts = look.rows(f"""
        with adds as (
            select cart_id, any_value(truth_carts.order_id) as order_id, min(event_at) as first_add
            from {EVENTS} as events join truth_carts using (cart_id)
            where truth_carts.kind = '{kind}' and event_name = 'Product Added' group by cart_id
        )
        select cart_id, any_value(adds.order_id), max(date_diff('second', first_add, event_at))
        from adds join {EVENTS} as events using (cart_id) group by cart_id
    """)
    assert len(carts) > 20
    for cart, order_id, seconds in carts:
        assert isinstance(seconds, int)
        if kind == "left_within_10_minutes":
            assert seconds < 600, cart
        if kind == "unbought_after_24_hours":
            assert order_id is None
    if kind == "idle_over_30_minutes":
        # Some are bought in the end; in all of them nothing happened for half an hour and then something did.
        assert any(order_id is not None for _, order_id, _ in carts)
        assert any(order_id is None for _, order_id, _ in carts)
        longest = look.rows(f"""
            select truth_carts.cart_id, max(gap) from truth_carts join (
                select
                    cart_id,
                    date_diff('second', lag(event_at) over (partition by cart_id order by event_at), event_at) as gap
                from {EVENTS} where cart_id is not null
            ) using (cart_id) where truth_carts.kind = '{kind}' group by all
        """)
        assert all(isinstance(gap, int) and gap > 1800 for _, gap in longest)


def test_left_carts_end_their_visit(look: Look) -> None:
    """Within ten minutes after the first add the visitor is gone: nothing of the visit comes later."""
    assert (
        look.number(f"""
        with adds as (
            select anonymous_id, cart_id, min(event_at) as first_add, substr(min(event_id), 1, 8) as visit
            from {EVENTS} as events join truth_carts using (cart_id)
            where truth_carts.kind = 'left_within_10_minutes' and event_name = 'Product Added' group by all
        )
        select count(*) from adds join {EVENTS} as events
            on substr(events.event_id, 1, 8) = visit and event_at > first_add + interval 10 minutes
    """)
        == 0
    )


def test_repeated_late_and_skewed_deliveries_come_at_their_rates(look: Look) -> None:
    events = look.number("select count(*) from web_events")
    repeated = look.number("select count(*) - count(distinct event_id) from web_events")
    assert repeated / events == pytest.approx(RESENT_SHARE * RESENT_EVENTS_SHARE, rel=0.4)
    # Both deliveries say the same, except for when they were sent and known.
    assert (
        look.number("""
        select count(*) from (
            select event_id from web_events group by event_id
            having count(distinct (event_type, event_name, anonymous_id, page_url, product_id, occurred_at)) > 1
        )
    """)
        == 0
    )
    delay = "epoch(known_at - (known_at - (sent_at - occurred_at)))"
    late = look.number(f"select avg(if({delay} > 1800, 1, 0)) from web_events")
    assert 0.004 < late < 0.04
    assert look.number(f"select max({delay}) from web_events") < 7 * DAY
    assert look.number(f"select max({delay}) from web_events") > 2 * DAY
    # The clock of a device is wrong by the same for each of its events, minutes to days.
    skew = """
        select anonymous_id, median(epoch(sent_at - known_at)) as seen, any_value(skew_seconds) as planted
        from web_events join truth_visitor_clocks using (anonymous_id) group by anonymous_id
    """
    assert look.number(f"select max(abs(seen - planted)) from ({skew})") < 700
    wrong = look.number(f"select avg(if(planted <> 0, 1, 0)) from ({skew})")
    assert 0.005 < wrong < 0.15
    assert look.number(f"select min(abs(planted)) from ({skew}) where planted <> 0") >= 60
    assert look.number("select count(*) from web_events where known_at <= sent_at - interval 4 days") == 0


def test_visitors_are_anonymous_until_they_log_in(look: Look) -> None:
    """A cookie without an identify event before has no user, and an identify event has an address as well.

    By a second: what is sent together arrives in any order.
    """
    assert look.rows("select 1 from web_events where (event_type = 'identify') <> (email is not null)") == []
    assert look.rows("select 1 from web_events where event_type = 'identify' and user_id is null") == []
    assert (
        look.number(f"""
        with logins as (
            select anonymous_id, user_id, min(event_at) as since from {EVENTS}
            where event_type = 'identify' group by all
        )
        select count(*) from {EVENTS} as events left join logins using (anonymous_id, user_id)
        where events.user_id is not null and (since is null or event_at < since - interval 1 second)
    """)
        == 0
    )
    known = look.number("select avg(if(user_id is null, 0, 1)) from web_events")
    assert 0.2 < known < 0.7
    # The address at a login is one of the person's.
    assert (
        look.rows("""
        select 1 from web_events join truth_records as emails
            on emails.source_system = 'emails' and emails.source_record_id = web_events.email
        join truth_people using (user_id)
        where emails.kind = 'person' and emails.person_id <> truth_people.person_id
    """)
        == []
    )


def test_people_have_several_devices_and_lose_cookies_and_families_share_one(look: Look) -> None:
    cookies = look.number("""
        select avg(n) from (select count(*) as n from truth_records where source_system = 'web_visitors'
        and kind <> 'bot' group by person_id)
    """)
    assert 1.5 < cookies < 9
    assert (
        look.number("select count(*) from truth_records where source_system = 'web_visitors' and kind = 'shared'") > 0
    )
    assert (
        look.number("""
        select count(*) from (select anonymous_id from web_events where user_id is not null group by 1
        having count(distinct user_id) > 1)
    """)
        > 0
    )
    # Several people behind one address (homes, offices, carriers), as in life.
    assert (
        look.number("""
        select count(*) from (select ip_address from web_events group by 1 having count(distinct user_id) > 2)
    """)
        > 0
    )
    assert (
        look.rows("""
        select ip_address from web_events where not regexp_matches(ip_address,
            '^(198[.]1[89]|203[.]0[.]113|198[.]51[.]100|192[.]0[.]2|10|172[.](1[6-9]|2[0-9]|3[01])|100[.])[.0-9]+$')
    """)
        == []
    )


def test_taste_and_price_sensitivity_steer_what_is_looked_at(look: Look) -> None:
    viewed = f"""
        select truth_people.*, products.department, list_price, shown_price
        from {EVENTS} as events
        join truth_records as records on records.source_record_id = anonymous_id and source_system = 'web_visitors'
        join truth_people using (person_id) join products using (product_id)
        where event_name = 'Product Viewed' and records.kind = 'person'
            and (cart_id is null)
    """
    # How often people look at their department, against how often the others look at it.
    own, others = look.row(f"""
        with viewed as ({viewed}),
        tastes as (select distinct taste_department from truth_people where taste_department <> 'GROCERY'),
        shares as (
            select
                avg(if(department = tastes.taste_department, 1, 0))
                    filter (viewed.taste_department = tastes.taste_department) as own,
                avg(if(department = tastes.taste_department, 1, 0))
                    filter (viewed.taste_department <> tastes.taste_department) as others
            from viewed cross join tastes group by tastes.taste_department
        )
        select avg(own), avg(others) from shares
    """)
    assert isinstance(own, float)
    assert isinstance(others, float)
    assert own > 4 * others
    keen, indifferent = look.row(f"""
        select
            avg(if(shown_price < list_price, 1, 0)) filter (price_sensitivity > 0.6),
            avg(if(shown_price < list_price, 1, 0)) filter (price_sensitivity < 0.4)
        from ({viewed})
    """)
    assert isinstance(keen, float)
    assert isinstance(indifferent, float)
    assert keen > indifferent + 0.08
    assert look.rows("select 1 from web_events where shown_price > list_price or list_price < 0") == []
    assert (
        look.rows("""
        select 1 from web_events where (list_price is null) <> (shown_price is null)
            or (list_price is null) <> (currency is null)
    """)
        == []
    )


def test_every_step_of_a_visit_occurs(look: Look) -> None:
    names = {name for (name,) in look.rows("select distinct coalesce(event_name, content_type) from web_events")}
    assert names == {
        "Product Viewed", "Product List Viewed", "Products Searched", "Product Added", "Product Removed", "Cart Viewed",
        "Checkout Started", "Order Completed", "Promotion Clicked", "home", "category", "review", "tutorial", "account",
    }  # fmt: skip
    assert (
        look.rows("""
        select distinct content_type from web_events where content_type not in
        ('home', 'category', 'search', 'product', 'review', 'tutorial', 'cart', 'checkout', 'account')
    """)
        == []
    )


def test_pauses_of_people_are_heavy_tailed_and_those_of_a_scraper_are_not(look: Look) -> None:
    pauses = f"""
        select bot_family, epoch(event_at - lag(event_at) over (partition by anonymous_id order by event_at)) as pause
        from {EVENTS} left join truth_bots using (anonymous_id)
    """
    spread = dict(
        look.rows(f"""
            select coalesce(bot_family, 'people'), stddev(ln(pause)) from ({pauses})
            where pause between 0.01 and 1800 group by 1
        """)
    )
    assert isinstance(spread["people"], float)
    assert isinstance(spread["price scraper"], float)
    assert spread["people"] > 0.8
    assert spread["price scraper"] < 0.5


def test_bots_are_labelled_and_of_the_planned_share(look: Look) -> None:
    events = look.number("select count(*) from web_events")
    shares = dict(look.rows("""
        select bot_family, count(*) from web_events join truth_bots using (anonymous_id) group by 1
    """))  # fmt: skip
    for family in BOT_FAMILIES:
        count = shares[family.name]
        assert isinstance(count, int)
        assert count / events == pytest.approx(family.share, rel=0.2), family.name
    # Those that declare themselves have agents of their own; the others have those of people.
    agents = set(browser_agents())
    for declared, agent in look.rows("""
        select distinct is_declared, user_agent from web_events join truth_bots using (anonymous_id)
    """):
        assert (agent not in agents) == declared, agent
    of_people = {agent for (agent,) in look.rows("""
        select distinct user_agent from web_events where anonymous_id not in (select anonymous_id from truth_bots)
    """)}  # fmt: skip
    assert of_people <= agents
    assert (
        look.number("select count(*) from web_events join truth_bots using (anonymous_id) where user_id is not null")
        == 0
    )


def test_truth_covers_every_id(look: Look) -> None:
    for column, table, source in (
        ("anonymous_id", "web_events", "web_visitors"),
        ("user_id", "web_events", "web_users"),
        ("contact_id", "crm_contacts", "crm_contacts"),
    ):
        assert (
            look.rows(f"""
            select {column} from {table} where {column} is not null
            except select source_record_id from truth_records where source_system = '{source}'
        """)
            == []
        )
        assert (
            look.rows(f"""
            select 1 from truth_records where source_system = '{source}' group by source_record_id having count(*) > 1
        """)
            == []
        )
    assert (
        look.rows("""
        select cart_id from web_events where cart_id is not null and anonymous_id not in
            (select anonymous_id from truth_bots) except select cart_id from truth_carts
    """)
        == []
    )


def test_ids_give_nothing_away(look: Look) -> None:
    """Bots' ids look like people's: neither their first nor their last character tells them apart."""
    for column, where in (("event_id", "true"), ("anonymous_id", "true"), ("cart_id", "cart_id is not null")):
        for part in (
            f"left({column}, 1)",
            f"right({column}, 1)" if column != "event_id" else f"substr({column}, 8, 1)",
        ):
            counts = look.rows(f"""
                select {part}, count(distinct {column}) filter (is_bot), count(distinct {column}) filter (not is_bot)
                from (select *, anonymous_id in (select anonymous_id from truth_bots) as is_bot from web_events)
                where {where} group by 1
            """)
            common = [row for row in counts if row[2]]
            of_bots = sum(int(str(row[1])) for row in counts)
            # Every character that bots' ids begin or end with, people's do as well.
            assert sum(int(str(row[1])) for row in common) == of_bots, (column, part)
            if of_bots > 500:
                assert max(int(str(row[1])) for row in counts) < 0.5 * of_bots, (column, part)


def test_a_cookie_reads_the_same_in_sql_and_in_numpy(look: Look) -> None:
    numbers = np.array([0, 1, 63, 4096, 3 << 30, (3 << 30) + (5 << 24) + 7, 256_000_000])
    in_sql = [look.row(f"select {cookie_text_sql(str(number))}")[0] for number in numbers]
    assert cookie_texts(numbers).to_pylist() == in_sql
    assert len(set(in_sql)) == len(numbers)


@dataclass(frozen=True)
class _Foreign:
    """A family of nobody's but this test: asks for one page a minute, around the clock, from one address."""

    name: str = "minute by minute"
    is_declared: bool = False
    share: float = 0.1

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        events = surroundings.events
        zeros = np.zeros(events, dtype=int)
        return BotRequests(
            visitor=zeros,
            seconds=DAY + 60.0 * np.arange(events),
            step=np.full(events, int(Step.SEARCH)),
            product=generator.integers(surroundings.products, size=events),
            agent=zeros,
            address=zeros,
            agents=surroundings.agents_of_month(3)[:1],
            addresses=["203.0.113.77"],
        )


def test_a_family_from_outside_plugs_in(base: Mapping[str, str], look: Look) -> None:
    """No file of the package is edited; people stay who they were, and the other families too."""
    family = _Foreign()
    assert isinstance(family, BotFamily)
    with_foreign = make_look(base, OverlayPlan(events=20_000, bot_families=[*BOT_FAMILIES, family]))
    (found,) = with_foreign.rows("""
        select anonymous_id, is_declared, requests from truth_bots where bot_family = 'minute by minute'
    """)
    assert found[1:] == (False, 2000)
    assert with_foreign.row(f"""
        select count(distinct event_id), count(distinct ip_address), any_value(ip_address), bool_and(event_name =
        'Products Searched'), bool_and(search_query is not null) from web_events where anonymous_id = '{found[0]}'
    """) == (2000, 1, "203.0.113.77", True, True)
    assert content(with_foreign, ("crm_contacts", "truth_people")) == content(look, ("crm_contacts", "truth_people"))


def test_the_guide_s_example_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.setenv("AUDIENCE_DATA_DIR", str(tmp_path))
    land_all = completejourney.land
    monkeypatch.setattr(completejourney, "land", lambda zone: land_all(zone, 40))  # a few of them will do
    exec(compile(example, str(GUIDE), "exec"), {"__name__": "example"})
    truth = ShopFolders.of("demo").truth
    with duckdb.connect() as connection:
        assert connection.execute(
            f"select count(*), sum(requests) > 20 from '{truth}/bots.parquet' where bot_family = 'night reader'"
        ).fetchone() == (1, True)
        assert connection.execute(
            f"select count(*) > 0 from '{truth}/contact_dirt.parquet' where recipe = 'reversed postcode'"
        ).fetchone() == (True,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": np.array([int(Step.ORDER), 0])}, "asks for steps"),
        ({"visitor": np.array([0, 1 << 24])}, "visitor from 0 to"),
        ({"agent": np.array([0, 1])}, "agent from 0 to 1"),
        ({"seconds": np.array([1.0])}, "different lengths"),
    ],
)
def test_a_family_that_asks_for_the_impossible_is_named(
    base: Mapping[str, str], change: dict[str, np.ndarray], message: str
) -> None:
    zeros = np.zeros(2, dtype=int)
    arrays = {"visitor": zeros, "seconds": np.zeros(2), "step": zeros, "product": zeros, "agent": zeros,
              "address": zeros, **change}  # fmt: skip

    @dataclass(frozen=True)
    class Wrong:
        name: str = "wrong one"
        is_declared: bool = False
        share: float = 0.1

        def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
            return BotRequests(**arrays, agents=["a"], addresses=["203.0.113.1"])

    surroundings = BotSurroundings(365, 10, 10, 100, browser_agents(), 13)
    with pytest.raises(ValueError, match=f"'wrong one'.*{message}"):
        bot_traffic([Wrong()], Draws(1), PERIOD_START, surroundings)
