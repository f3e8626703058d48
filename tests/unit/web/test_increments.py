"""Increments give what a full build gives, however events are split into loads; sessions are what they should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.unit.web.web_models import CompiledModels, WebModels, event

# Midnight in New York, in summer: sessions of the drawn events lie on both sides of it.
MIDNIGHT = datetime(2017, 6, 2, 4)
IDLE = timedelta(minutes=30)


@dataclass(frozen=True)
class Delivery:
    """One delivery of an event: what varies from one to the next."""

    event: int
    visitor: str
    minute: int
    tag: str | None
    load: int
    delay: int
    price: int

    def row(self) -> dict[str, Any]:
        at = MIDNIGHT + timedelta(minutes=self.minute)
        tag = f"?utm_campaign={self.tag}" if self.tag else ""
        return event(
            event_id=f"e{self.event}",
            event_type="track" if self.event % 2 else "page",
            event_name="Product Viewed" if self.event % 2 else None,
            anonymous_id=self.visitor,
            user_id=f"user-{self.event % 3}" if self.event % 5 == 0 else None,
            page_url=f"https://www.shop.example/p/{self.event}{tag}",
            product_id=f"P{self.event}",
            shown_price=self.price,
            occurred_at=at,
            sent_at=at + timedelta(minutes=self.delay),
            known_at=at + timedelta(minutes=self.delay),
        )


deliveries = st.lists(
    st.builds(
        Delivery,
        event=st.integers(0, 11),
        visitor=st.sampled_from(["ann", "bob"]),
        # Multiples of ten, so that gaps of exactly 30 minutes and equal instants are frequent.
        minute=st.integers(-12, 12).map(lambda ten: 10 * ten),
        tag=st.sampled_from([None, None, None, "a", "b"]),
        load=st.integers(0, 3),
        delay=st.sampled_from([0, 0, 1, 90, 3000]),
        price=st.sampled_from([5, 5, 5, 5, 6, -1]),
    ),
    min_size=10,
    max_size=30,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=deliveries, by_event=st.booleans(), shuffled=st.randoms(use_true_random=False))
# A late event that joins two sessions across midnight, and one that splits a session by its campaign.
@example(
    drawn=[
        Delivery(0, "ann", -20, None, 0, 0, 5),
        Delivery(1, "ann", 20, None, 0, 0, 5),
        Delivery(2, "ann", 40, None, 0, 0, 5),
        Delivery(3, "ann", 0, None, 1, 90, 5),
        Delivery(4, "ann", 30, "a", 2, 90, 5),
        Delivery(1, "ann", 20, None, 3, 3000, 5),
    ],
    by_event=False,
    shuffled=None,
)
def test_increments_and_a_full_build_give_the_same_tables(
    compiled: CompiledModels, drawn: list[Delivery], by_event: bool, shuffled: Any
) -> None:
    if by_event:
        # Repeats of one event agree in all but when and with which load they came.
        first = {one.event: one for one in reversed(drawn)}
        drawn = [
            Delivery(o.event, f.visitor, f.minute, f.tag, o.load, o.delay, f.price)
            for o in drawn
            for f in [first[o.event]]
        ]
    loads = [[one.row() for one in drawn if one.load == number] for number in range(4)]
    stepwise, at_once = WebModels(compiled), WebModels(compiled)
    try:
        for number, rows in enumerate(loads):
            load_id = stepwise.land(rows)
            if number == 0:
                stepwise.build()
            else:
                stepwise.continue_with(load_id)
        for rows in loads:
            if shuffled is not None:
                shuffled.shuffle(rows)
            at_once.land(rows)
        at_once.build()
        assert stepwise.content() == at_once.content()
        assert len(at_once.rows("base_web__events")) == len(drawn)
        _sessions_are_right(at_once)
        _no_good_event_is_lost(at_once, drawn)
    finally:
        stepwise.close()
        at_once.close()


def _no_good_event_is_lost(models: WebModels, drawn: Sequence[Delivery]) -> None:
    good = {f"e{one.event}" for one in drawn if one.price >= 0}
    kept = models.rows("base_web__events", "event_id", "reject_reason is null")
    assert [event_id for (event_id,) in kept] == sorted(good)


def _sessions_are_right(models: WebModels) -> None:
    """Hold the sessions against a plain loop over each visitor's events."""
    rows = models.rows(
        "base_web__events", "anonymous_id, event_at, utm_campaign, session_started_at", "reject_reason is null"
    )
    expected = session_starts([row[:3] for row in rows])
    assert [row[3] for row in rows] == expected
    counted: dict[tuple[str, datetime], int] = {}
    for (visitor, *_), start in zip(rows, expected, strict=True):
        counted[visitor, start] = counted.get((visitor, start), 0) + 1
    sessions = models.rows("stg_web__sessions", "anonymous_id, session_started_at, event_count")
    assert {row[:2]: row[2] for row in sessions} == counted


def session_starts(events: Sequence[tuple[str, datetime, str | None]]) -> list[datetime]:
    """When the session of each event started; events are (visitor, time, campaign), ordered by visitor and time."""
    tags: dict[tuple[str, datetime], str] = {}
    for visitor, at, tag in events:
        if tag is not None:
            tags[visitor, at] = min(tag, tags.get((visitor, at), tag))
    starts = []
    before: tuple[str, datetime] | None = None
    start, campaign = datetime.min, None
    for visitor, at, _ in events:
        tag = tags.get((visitor, at))
        is_idle = before is None or before[0] != visitor or at - before[1] > IDLE
        if is_idle or (tag is not None and tag != campaign):
            start, campaign = at, tag
        starts.append(start)
        before = (visitor, at)
    return starts
