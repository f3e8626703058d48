"""Single events and sessions, with the table that each must give."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.unit.web.web_models import WebModels, event

Build = Callable[..., WebModels]
NOON = datetime(2017, 6, 1, 16)


def at(minutes: float, **more: Any) -> dict[str, Any]:
    """An event that many minutes after noon, its id made of the minutes."""
    when = NOON + timedelta(minutes=minutes)
    return event(**{"event_id": f"at {minutes:g}", "occurred_at": when, "sent_at": when, "known_at": when, **more})


def tagged(campaign: str) -> str:
    return f"https://www.shop.example/?utm_source=mail&utm_campaign={campaign}"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"event_id": None}, "event_id is missing"),
        ({"event_id": ""}, "event_id is missing"),
        ({"anonymous_id": "  "}, "anonymous_id is missing"),
        ({"known_at": None}, "known_at is missing"),
        ({"occurred_at": None}, "occurred_at is missing"),
        ({"event_type": "Alias"}, "event_type is unknown"),
        ({"event_type": None}, "event_type is unknown"),
        ({"event_type": "track", "event_name": " "}, "event_name is missing"),
        ({"list_price": -1}, "a price is negative"),
        ({"shown_price": -1}, "a price is negative"),
        ({"quantity": -1}, "quantity is negative"),
        ({"occurred_at": NOON + timedelta(minutes=6), "sent_at": NOON}, "the event is later than its arrival"),
        ({"occurred_at": datetime(1985, 1, 1), "sent_at": NOON}, "the event is older than the web"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_its_reason(
    build_one: Callable[..., Any], given: dict[str, Any], reason: str
) -> None:
    assert build_one("reject_reason, session_id, event_key", **given) == (reason, None, None)


@pytest.mark.parametrize(
    "given",
    [
        {"event_type": " PAGE "},
        {"event_type": "track", "event_name": "Our Own Event"},
        {"list_price": 0, "shown_price": 0, "quantity": 0},
        {"page_url": None, "user_agent": None, "sent_at": None},
        {"occurred_at": NOON + timedelta(minutes=5), "sent_at": NOON},
    ],
)
def test_what_can_be_used_is(build_one: Callable[..., Any], given: dict[str, Any]) -> None:
    assert build_one("reject_reason", **given) == (None,)


@pytest.mark.parametrize(
    ("occurred", "sent", "known", "expected", "is_late"),
    [
        # The device's clock is an hour fast; the event waited two minutes.
        (60, 62, 2, 0, False),
        # It is a year slow.
        (-525_600, -525_598, 2, 0, False),
        # The clock is right; the event waited three hours.
        (0, 180, 180, 0, True),
        # Late is more than an hour.
        (0, 60, 60, 0, False),
        # Nothing happens later than it was known, within the tolerance.
        (4, 0, 0, 0, False),
        # The device does not say when it sent the event: its clock must be believed.
        (-7, None, 0, -7, False),
    ],
)
def test_the_clock_is_corrected(
    build_one: Callable[..., Any], occurred: int, sent: int | None, known: int, expected: int, is_late: bool
) -> None:
    def minute(number: int | None) -> datetime | None:
        return None if number is None else NOON + timedelta(minutes=number)

    row = build_one(
        "event_at, received_at, is_late", occurred_at=minute(occurred), sent_at=minute(sent), known_at=minute(known)
    )
    assert row == (minute(expected), minute(known), is_late)


def test_a_day_is_that_of_the_shop(build_one: Callable[..., Any]) -> None:
    """04:00 UTC is midnight in New York, in summer."""
    midnight = datetime(2017, 6, 2, 4)
    for when, day in ((midnight - timedelta(microseconds=1), date(2017, 6, 1)), (midnight, date(2017, 6, 2))):
        assert build_one("event_date", occurred_at=when, sent_at=when, known_at=when) == (day,)


def test_texts_are_parsed(build_one: Callable[..., Any]) -> None:
    row = build_one(
        "anonymous_id, user_id, page_path, referrer_host, utm_source, utm_medium, utm_campaign, device_type",
        anonymous_id=" ann ",
        user_id="",
        page_url="https://www.shop.example/a/?utm_source=Mail&utm_campaign=May%201",
        referrer_url="https://www.google.com/search",
        user_agent="Mozilla/5.0 (Linux; Android 13) Mobile",
    )
    assert row == ("ann", None, "/a", "google.com", "mail", None, "may 1", "mobile")


def test_the_shops_own_pages_are_no_referrer(build_one: Callable[..., Any]) -> None:
    for own in ("https://www.shop.example/b", "https://shop.example/", "http://SHOP.example"):
        assert build_one("referrer_host", referrer_url=own) == (None,)


def test_a_page_that_names_an_event_is_a_page(built: Build) -> None:
    models = built([at(0, event_type="page", event_name="Product Viewed")])
    assert models.rows("stg_web__sessions", "event_count, page_view_count, product_view_count") == [(1, 1, 0)]


def test_the_first_delivery_stands(built: Build) -> None:
    """By load, then by arrival; a repeat says whether its content is the same."""
    later = NOON + timedelta(minutes=9)
    models = built(
        [at(0, product_id="second", known_at=later) | {"event_id": "e"}, at(0, product_id="first") | {"event_id": "e"}],
        [
            at(0, product_id="first", known_at=NOON - timedelta(minutes=1)) | {"event_id": "e"},
            at(0, product_id="first", ip_address="10.0.0.2", sent_at=later, known_at=later) | {"event_id": "e"},
        ],
    )
    assert models.rows("base_web__events", "product_id, load_sequence, reject_reason, session_id is null") == [
        ("first", 1, None, False),
        ("first", 2, "exact duplicate", True),
        ("first", 2, "exact duplicate", True),
        ("second", 1, "other content than the first delivery", True),
    ]
    assert models.rows("stg_web__sessions", "event_count") == [(1,)]


def test_a_good_delivery_stands_whatever_was_wrong_with_the_first(built: Build) -> None:
    models = built([at(0, quantity=-1) | {"event_id": "e"}], [at(0, quantity=1) | {"event_id": "e"}])
    assert models.rows("base_web__events", "load_sequence, reject_reason") == [(1, "quantity is negative"), (2, None)]


def test_rows_that_are_the_same_in_all_leave_one(built: Build) -> None:
    models = built([at(0), at(0), at(0)])
    assert models.rows("base_web__events", "reject_reason") == [("exact duplicate",), ("exact duplicate",), (None,)]


def sessions(models: WebModels) -> list[list[float]]:
    """Minutes after noon of the events of each session."""
    rows = models.rows("base_web__events", "session_id, event_at", "reject_reason is null")
    found: dict[str, list[float]] = {}
    for session_id, event_at in rows:
        found.setdefault(session_id, []).append((event_at - NOON) / timedelta(minutes=1))
    return sorted(found.values())


def test_a_session_ends_after_more_than_the_idle_time(built: Build) -> None:
    just_over = 60 + 1 / 60_000
    models = built([at(0), at(30), at(60), at(60 + 30), at(just_over + 60)])
    assert sessions(models) == [[0, 30, 60, 90], [pytest.approx(just_over + 60)]]


def test_a_session_goes_on_over_midnight_and_counts_for_the_day_it_began(built: Build) -> None:
    before = 12 * 60 - 10
    models = built([at(before), at(before + 20)])
    assert models.rows("stg_web__sessions", "session_date, event_count") == [(date(2017, 6, 1), 2)]
    assert models.rows("base_web__events", "event_date") == [(date(2017, 6, 1),), (date(2017, 6, 2),)]


def test_another_campaign_starts_a_session_and_the_same_does_not(built: Build) -> None:
    models = built(
        [
            at(0, page_url=tagged("a")),
            at(5),
            at(10, page_url=tagged("a")),
            at(15, page_url=tagged("b")),
            at(20),
            at(25, page_url=tagged("a")),
        ]
    )
    assert sessions(models) == [[0, 5, 10], [15, 20], [25]]
    assert models.rows("stg_web__sessions", "session_started_at, utm_campaign") == [
        (NOON, "a"),
        (NOON + timedelta(minutes=15), "b"),
        (NOON + timedelta(minutes=25), "a"),
    ]


def test_a_campaign_does_not_outlive_its_session(built: Build) -> None:
    """After an idle time the visitor is there without one, so the same tag starts a session again."""
    models = built([at(0, page_url=tagged("a")), at(40), at(45, page_url=tagged("a"))])
    assert sessions(models) == [[0], [40], [45]]


def test_one_instant_is_in_one_session(built: Build) -> None:
    """Two tags at the same time: one of them counts, whatever the order of the rows."""
    rows = [at(0), at(5, page_url=tagged("b")), at(5, page_url=tagged("a")) | {"event_id": "twin"}, at(6)]
    for order in (rows, rows[::-1]):
        models = built(order)
        assert sessions(models) == [[0], [5, 5, 6]]


def test_visitors_do_not_share_sessions(built: Build) -> None:
    models = built([at(0), at(5, anonymous_id="bob"), at(10)])
    assert sessions(models) == [[0, 10], [5]]


def test_what_a_session_tells(built: Build) -> None:
    viewed = {"event_type": "track", "event_name": "Product Viewed"}
    models = built(
        [
            at(0, page_url=tagged("a"), referrer_url="https://mail.example/", region="NY", user_agent="iPhone Mobile"),
            at(1, **viewed, product_id="P1", page_url="https://www.shop.example/p/1"),
            at(2, **viewed, product_id="P2", region="NJ"),
            at(3, event_type="page", page_url="https://www.shop.example/cart"),
            at(4, event_type="track", event_name="Product Added", product_id="P2"),
            at(5, event_type="track", event_name="Products Searched"),
            at(6, event_type="identify", user_id="u1", email="ann@example.org"),
            at(7, event_type="track", event_name="Checkout Started", user_id="u2"),
            at(8.5, event_type="track", event_name="Order Completed"),
        ]
    )
    row = models.connection.execute("select * from warehouse.staging.stg_web__sessions").fetchdf().iloc[0].to_dict()
    assert row["session_id"] == models.rows("base_web__events", "min(session_id)")[0][0]
    expected = {
        "anonymous_id": "ann", "user_id": "u2", "session_date": date(2017, 6, 1), "dwell_seconds": 510,
        "event_count": 9, "page_view_count": 2, "product_view_count": 2, "search_count": 1, "add_count": 1,
        "checkout_count": 1, "order_count": 1, "entry_path": "/", "exit_path": "/cart",
        "referrer_host": "mail.example", "utm_source": "mail", "utm_campaign": "a", "device_type": "mobile",
        "region": "NY",
    }  # fmt: skip
    row["session_date"] = row["session_date"].date()
    assert {name: row[name] for name in expected} == expected
    assert list(row["page_path_sequence"]) == ["/", "/cart"]
    assert list(row["page_dwell_seconds_sequence"]) == [180, 330]
    assert list(row["product_path_sequence"]) == ["P1", "P2"]
    assert models.rows("stg_web__identifications", "anonymous_id, user_id, email, first_seen_at, event_count") == [
        ("ann", "u1", "ann@example.org", NOON + timedelta(minutes=6), 1),
        ("ann", "u2", None, NOON + timedelta(minutes=7), 1),
    ]


def test_no_events_give_empty_tables(built: Build) -> None:
    assert set(map(len, built([]).content().values())) == {0}


@pytest.fixture
def build_one(built: Build) -> Callable[..., Any]:
    """Build one event and give `columns` of its row."""

    def one(columns: str, **given: Any) -> Any:
        row = event(**given)
        if "known_at" not in given:
            row["known_at"] = NOON
        if given.get("occurred_at", NOON) is None:
            row["sent_at"] = NOON
        (found,) = built([row]).rows("base_web__events", columns)
        return found

    return one
