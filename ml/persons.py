"""Whether what two records say of a person can be said of one and the same.

The same as the macros names_fit and birth_dates_fit say in SQL; a test holds the two against each other.
"""

from __future__ import annotations


def names_fit(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two (given name, last name) can be one person's: the given names fit, or the names are swapped."""
    return _words_fit(one[0], other[0]) or (
        bool(one[1] and other[1]) and _words_fit(one[0], other[1]) and _words_fit(one[1], other[0])
    )


def dates_fit(one: str, other: str) -> bool:
    """Whether two ISO dates can be one birth date: one slip of the pen, or day and month exchanged."""
    if _edits(one, other) <= 1:
        return True
    (year, month, day), (other_year, other_month, other_day) = one.split("-"), other.split("-")
    return year == other_year and month == other_day and day == other_month


def _words_fit(one: str, other: str) -> bool:
    if one == other:
        return True
    shorter = min(len(one), len(other))
    if shorter == 1:
        return one[0] == other[0]
    return shorter >= 4 and _edits(one, other) <= 1


def _edits(one: str, other: str) -> int:
    """Edit distance in which neighbors that swapped places are one edit (Damerau 1964)."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, other_letter in enumerate(other, start=1):
            cost = min(above[column] + 1, current[-1] + 1, above[column - 1] + (letter != other_letter))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == other_letter:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, above = above, current
    return above[-1]
