"""The one configuration for persons: per attribute, the levels of agreement from the most telling to none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ml.linkage.settings import LinkageSettings


@dataclass(frozen=True)
class Level:
    """One level: an SQL condition on `_l` and `_r` columns, and what is believed of it where nothing can be learnt.

    `believed` is the share of pairs of one person that reach this level, where both say something. `only_if`: what
    holds, of the numbers of `ml.linkage.bounds`, wherever `condition` does, and is cheaper; none is known if None.
    """

    label: str
    condition: str
    believed: float
    term_frequencies: str | None = None
    is_null: bool = False
    only_if: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Levels in the order of trial; the first condition that holds counts.

    `needs`: the columns without which it drops out (any one suffices). `identifies`: hardly two people share a value,
    so random pairs cannot tell how often strangers do. `is_personal`: people of one household differ in it as a rule.
    `learns_where_it_blocks`: a block of equal values still tells something.
    """

    name: str
    needs: tuple[str, ...]
    levels: tuple[Level, ...]
    is_personal: bool = False
    identifies: bool = False
    learns_where_it_blocks: bool = False

    @property
    def blocked_by(self) -> frozenset[str]:
        """Columns whose blocks teach nothing of it: all their pairs agree."""
        return frozenset() if self.learns_where_it_blocks else frozenset(self.needs)


def person_comparisons(
    settings: LinkageSettings, present: Iterable[str], identifying: Iterable[str]
) -> list[Comparison]:
    """Comparisons for those columns that are `present`; extras in `identifying` are numbers of a person."""
    there, numbers = set(present), set(identifying)
    every = [_given_name(), _last_name(), _birth_date(), _email(), _name_in_email(), _phone(), _street(), _place()]
    every += [_extra(name, True, name in numbers) for name in settings.personal_extras]
    every += [_extra(name, False, name in numbers) for name in settings.household_extras]
    return [comparison for comparison in every if there & set(comparison.needs)]


def splink_comparison(
    comparison: Comparison, m: dict[int, float] | None = None, u: dict[int, float] | None = None
) -> dict[str, Any]:
    """A comparison as Splink reads it, with trained shares by level where they are given."""
    levels = []
    for value, level in valued_levels(comparison):
        one: dict[str, Any] = {"sql_condition": level.condition, "label_for_charts": level.label}
        if level.is_null:
            one["is_null_level"] = True
        else:
            one["m_probability"] = level.believed if m is None else m[value]
            if u is not None:
                one["u_probability"] = u[value]
            if level.term_frequencies:
                one["tf_adjustment_column"] = level.term_frequencies
        levels.append(one)
    return {"output_column_name": comparison.name, "comparison_levels": levels}


def valued_levels(comparison: Comparison) -> list[tuple[int, Level]]:
    """Levels with the numbers that Splink gives them: -1 for null, 0 for the last, upwards."""
    number = sum(not level.is_null for level in comparison.levels)
    valued = []
    for level in comparison.levels:
        if level.is_null:
            valued.append((-1, level))
        else:
            number -= 1
            valued.append((number, level))
    return valued


def _null(*columns: str) -> Level:
    either = " and ".join(f'("{column}_l" is null or "{column}_r" is null)' for column in columns)
    only_if = _unsaid(*columns) if len(columns) == 1 else " and ".join(f"({_unsaid(column)})" for column in columns)
    return Level("not said", either, 0.0, is_null=True, only_if=only_if)


def _exact(column: str, believed: float) -> Level:
    condition = f'"{column}_l" = "{column}_r"'
    return Level("the same", condition, believed, term_frequencies=column, only_if=_equal(column))


def _equal(column: str, other: str | None = None) -> str:
    return f"l.same_{column} = r.same_{other or column}"


def _unsaid(column: str) -> str:
    return f"l.same_{column} is null or r.same_{column} is null"


def _maybe_one_off(column: str) -> str:
    return f"abs(l.length_{column} - r.length_{column}) <= 1"


def _else(believed: float) -> Level:
    return Level("another", "ELSE", believed)


def _alike(column: str, similarity: float, believed: float) -> Level:
    condition = f'jaro_winkler_similarity("{column}_l", "{column}_r") >= {similarity}'
    return Level(f"alike, {similarity} or more", condition, believed)


def _only(guard: str, condition: str) -> str:
    """Both hold, and the second is computed only where the first does: of `and` DuckDB computes both sides for all."""
    return f"case when {guard} then {condition} else false end"


def _one_off(column: str, believed: float) -> Level:
    left, right = f'"{column}_l"', f'"{column}_r"'
    near = f"damerau_levenshtein({left}, {right}) <= 1"
    # One slip in texts of one length is one character, or two that changed places: the cheap count comes first.
    condition = (
        f"case when length({left}) = length({right}) then {_only(f'hamming({left}, {right}) <= 2', near)} "
        f"when abs(length({left}) - length({right})) = 1 then {near} else false end"
    )
    return Level("one character off", condition, believed, only_if=_maybe_one_off(column))


# `swap_first`, `named_first` and their like are copies of the names. Splink leaves a comparison out of a training
# session whose block is made of a column that it reads, and the other name must not count as read.
_SWAPPED = '"swap_first_l" = "swap_last_r" and "swap_last_l" = "swap_first_r" and "swap_first_l" <> "swap_last_l"'
_MAYBE_SWAPPED = f"{_equal('given_name', 'last_name')} and {_equal('last_name', 'given_name')}"


def _given_name() -> Comparison:
    levels = (
        _null("given_name"),
        _exact("given_name", 0.75),
        Level("first and last name swapped", _SWAPPED, 0.01, only_if=_MAYBE_SWAPPED),
        _alike("given_name", 0.92, 0.08),
        Level(
            "one begins the other",
            'starts_with("given_name_l", "given_name_r") or starts_with("given_name_r", "given_name_l")',
            0.02,
        ),
        _alike("given_name", 0.8, 0.04),
        _else(0.08),
    )
    return Comparison("given_name", ("given_name",), levels, is_personal=True)


def _last_name() -> Comparison:
    unsaid = '"last_name_l" is null or "last_name_r" is null'
    within = 'contains("last_name_l", "last_name_r") or contains("last_name_r", "last_name_l")'
    levels = (
        # Swapped names count once, with the given name.
        Level(
            "not said, or swapped",
            f"{unsaid} or coalesce({_SWAPPED}, false)",
            0.0,
            is_null=True,
            only_if=f"{_unsaid('last_name')} or {_MAYBE_SWAPPED}",
        ),
        _exact("last_name", 0.78),
        _alike("last_name", 0.92, 0.08),
        Level("one within the other", f'least(length("last_name_l"), length("last_name_r")) >= 3 and ({within})', 0.02),
        _alike("last_name", 0.8, 0.04),
        _else(0.06),
    )
    return Comparison("last_name", ("last_name",), levels)


def _birth_date() -> Comparison:
    def part(first: int, length: int) -> str:
        return f'substr("birth_date_l", {first}, {length}) = substr("birth_date_r", {first}, {length})'

    year, month, day = part(1, 4), part(6, 2), part(9, 2)
    swapped = (
        'substr("birth_date_l", 6, 2) = substr("birth_date_r", 9, 2) '
        'and substr("birth_date_l", 9, 2) = substr("birth_date_r", 6, 2)'
    )
    levels = (
        _null("birth_date"),
        _exact("birth_date", 0.84),
        Level("day and month swapped", f"{year} and {swapped}", 0.02),
        _one_off("birth_date", 0.05),
        Level(
            "two of year, month, day the same",
            f"({year})::integer + ({month})::integer + ({day})::integer >= 2",
            0.04,
        ),
        Level("the same year", year, 0.02),
        _else(0.03),
    )
    return Comparison("birth_date", ("birth_date",), levels, is_personal=True)


def _email() -> Comparison:
    same_user, near = '"email_user_l" = "email_user_r"', _one_off("email_user", 0.05)
    # Namesakes and families have addresses that are alike: nothing that the last name has not said already.
    explained = _only(
        '"named_last_l" = "named_last_r" and "email_l" <> "email_r"',
        _only(same_user, "true").replace("else false", f"else {near.condition}"),
    )
    maybe_near, others = near.only_if, f"({_equal('last_name')}) is not true"
    levels = (
        Level(
            "not said, or alike as the last names are",
            f'"email_l" is null or "email_r" is null or coalesce({explained}, false)',
            0.0,
            is_null=True,
            only_if=f"{_unsaid('email')} or {_equal('last_name')} and ({_equal('email_user')} or {maybe_near})",
        ),
        _exact("email", 0.7),
        Level("the same before the @", same_user, 0.05, only_if=f"{_equal('email_user')} and {others}"),
        replace(near, only_if=f"{maybe_near} and {others}"),
        _else(0.2),
    )
    return Comparison("email", ("email",), levels, identifies=True)


def _name_in_email() -> Comparison:
    """One says no name; is its e-mail address that of the other? `mail_words` is the part before the @.

    The last name alone tells nothing that the address has not said: the mailbox of a household holds it as well.
    """

    def sides(nameless: str, named: str) -> tuple[str, str, str]:
        mail, given, last = f'"mail_words_{nameless}"', f'"named_first_{named}"', f'"named_last_{named}"'
        unsaid = f'"named_first_{nameless}" is null and "named_last_{nameless}" is null and {mail} is not null'
        rest = f"regexp_replace(replace({mail}, {last}, ''), '[^a-z]', '', 'g')"
        within = f"length({last}) > 2 and contains({mail}, {last})"
        fitting = f"{within} and ({rest} = left({given}, 1) or jaro_winkler_similarity({rest}, {given}) >= 0.8)"
        return (
            f"({unsaid} and {given} is not null and {last} is not null)",
            "(" + _only(f"{unsaid} and {within}", f"{rest} = ''") + ")",
            "(" + _only(unsaid, f"length({given}) > 2 and contains({mail}, {given}) or {fitting}") + ")",
        )

    applies, bare, fits = (" or ".join(both) for both in zip(sides("l", "r"), sides("r", "l"), strict=True))
    levels = (
        Level("not asked, or the last name alone", f"({applies}) is not true or ({bare}) is true", 0.0, is_null=True),
        Level("the given name or its initial", f"({fits}) is true", 0.8, only_if=_unsaid("last_name")),
        _else(0.2),
    )
    return Comparison("name_in_email", ("email",), levels, is_personal=True, learns_where_it_blocks=True)


def _phone() -> Comparison:
    levels = (
        _null("phone"),
        _exact("phone", 0.7),
        Level(
            "the same last seven digits",
            'length("phone_l") >= 7 and right("phone_l", 7) = right("phone_r", 7)',
            0.02,
        ),
        _one_off("phone", 0.04),
        _else(0.24),
    )
    return Comparison("phone", ("phone",), levels, identifies=True)


def _street() -> Comparison:
    number = '"street_number_l" is not distinct from "street_number_r"'
    levels = (
        _null("street"),
        _exact("street", 0.68),
        Level(
            "alike, with the same number",
            _only(number, 'jaro_winkler_similarity("street_l", "street_r") >= 0.85'),
            0.1,
        ),
        _alike("street", 0.92, 0.04),
        Level("the same number", '"street_number_l" = "street_number_r"', 0.03, only_if=_equal("street_number")),
        _else(0.15),
    )
    return Comparison("street", ("street",), levels)


def _place() -> Comparison:
    # Of 43174 the first three characters, of tq13 8df the first six: the last two tell neighbours apart.
    start = (
        'length("postcode_l") >= 4 and '
        'left("postcode_l", length("postcode_l") - 2) = left("postcode_r", length("postcode_r") - 2)'
    )
    area = 'left("postcode_l", 2) = left("postcode_r", 2)'
    levels = (
        _null("postcode", "city"),
        _exact("postcode", 0.7),
        Level("the same city", '"city_l" = "city_r"', 0.08, only_if=_equal("city")),
        _one_off("postcode", 0.06),
        Level("postcodes begin alike", start, 0.04),
        _alike("city", 0.9, 0.02),
        Level("postcodes of one area", area, 0.03),
        _else(0.07),
    )
    return Comparison("place", ("postcode", "city"), levels)


def _extra(name: str, is_personal: bool, identifies: bool) -> Comparison:
    near = _one_off(name, 0.08) if identifies else _alike(name, 0.88, 0.08)
    levels = (_null(name), _exact(name, 0.8), near, _else(0.12))
    return Comparison(name, (name,), levels, is_personal=is_personal, identifies=identifies)
