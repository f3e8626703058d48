"""Numbers as people read them: what is not known is no zero, and few are not none."""

from __future__ import annotations

from datetime import date

import pytest

from pages import words


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.123, "12%"), (0.004, "0.4%"), (0.0001, "<0.1%"), (0, "0%"), (1, "100%"), (None, words.UNKNOWN)],
)
def test_few_are_not_none(share: float | None, said: str) -> None:
    assert words.percent(share) == said


def test_numbers_have_thousands_and_a_real_minus() -> None:
    assert words.number(1234567) == "1,234,567"
    assert words.signed(-12) == "\N{MINUS SIGN}12"
    assert words.signed(12) == "+12"
    assert words.signed(0.2) == "0"
    assert words.number(None) == words.UNKNOWN


def test_money_keeps_cents_where_they_count() -> None:
    assert words.money(36.624, "USD") == "36.62 USD"
    assert words.money(1234.5, "EUR") == "1,234 EUR"
    assert words.money(None, "USD") == words.UNKNOWN


def test_days_and_durations() -> None:
    assert words.day(date(2017, 12, 31)) == "31 Dec 2017"
    assert words.day(None) == words.UNKNOWN
    assert words.duration(250) == "4 min 10 s"
    assert words.duration(59) == "59 s"


def test_a_share_of_nothing_is_not_known() -> None:
    assert words.share_of(1, 0) is None
    assert words.share_of(None, 5) is None
    assert words.share_of(1, 4) == 0.25
