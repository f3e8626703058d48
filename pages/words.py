"""Numbers, days and durations as people read them; what is not known is a dash, and never a zero."""

from __future__ import annotations

from datetime import date, datetime

UNKNOWN = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def number(value: float | int | None, digits: int = 0) -> str:
    """1234.5 -> 1,234 (or with digits)."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """12 -> +12, -3 -> −3."""
    return UNKNOWN if value is None else f"{value:+,.0f}".replace("-", MINUS) if round(value) else "0"


def percent(share: float | None, digits: int | None = None) -> str:
    """0.123 -> 12%; below 1% one more digit, and below that words, so that few are not none."""
    if share is None:
        return UNKNOWN
    shown = 100 * float(share)
    if digits is None and 0 < shown < 0.05:
        return "<0.1%"
    if digits is None:
        digits = 1 if 0 < abs(shown) < 0.95 else 0
    return f"{shown:.{digits}f}%".replace("-", MINUS)


def money(value: float | None, currency: str) -> str:
    """1234.5 -> 1,234 USD; small amounts keep their cents."""
    if value is None:
        return UNKNOWN
    amount = float(value)
    return f"{number(amount, 2 if 0 < abs(amount) < 100 else 0)} {currency}".strip()


def day(value: date | datetime | None) -> str:
    """2017-12-31 -> 31 Dec 2017."""
    return UNKNOWN if value is None else f"{value.day} {value:%b %Y}"


def duration(seconds: float | None) -> str:
    """250 -> 4 min 10 s."""
    if seconds is None:
        return UNKNOWN
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def share_of(part: float | None, whole: float | None) -> float | None:
    """Part over whole; unknown where the one is not known or the other is nothing."""
    return None if part is None or not whole else float(part) / float(whole)


def spaced(name: str) -> str:
    """purchase_propensity_14d -> Purchase propensity 14d."""
    return name.replace("_", " ").capitalize()
