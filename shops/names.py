"""Names that people write: which known one they may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from zoneinfo import available_timezones


def nearest(word: str, known: Iterable[str]) -> str:
    """The known name that is most like `word`."""
    folded = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), list(folded), n=1, cutoff=0)
    return folded[found[0]] if found else "?"


def checked_zone(value: str) -> str:
    """`value`, an IANA time zone.

    Raises
    ------
    ValueError
        It is none.
    """
    if value not in available_timezones():
        raise ValueError(f"'{value}' is not an IANA time zone; did you mean {nearest(value, available_timezones())}?")
    return value
