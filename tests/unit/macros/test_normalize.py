"""Each normalizer on a table of texts as people and programs write them, and what must hold for any text."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shops import PROJECT_ROOT

Apply = Callable[..., list[Any]]

US, DE = "\"'US'\"", "\"'DE'\""
STREET_WORDS = (
    '"' + "map {'street': 'st', 'avenue': 'ave', 'north': 'n', 'apt': 'unit', 'rd': 'rd', 'road': 'rd'}" + '"'
)
NICKNAMES = '"' + "map {'bob': 'robert', 'liz': 'elizabeth', 'mary ann': 'marianne'}" + '"'
WRITTEN_2017 = "\"timestamp '2017-06-01 12:00:00'\""

TABLES: dict[str, list[tuple[str | None, Any]]] = {
    "normalize_email('written')": [
        ("ann@example.org", "ann@example.org"),
        ("  Ann.Lee@EXAMPLE.org ", "ann.lee@example.org"),
        ("ann @example.org", "ann@example.org"),
        ("Ann\u00a0Lee <Ann@Example.org>", "ann@example.org"),
        ("mailto:ann@example.org", "ann@example.org"),
        ("<mailto:ann@example.org>,", "ann@example.org"),
        ('"ann@example.org";', "ann@example.org"),
        ("ann@example.org.", "ann@example.org"),
        ("ann+shop@example.org", "ann+shop@example.org"),
        ("\u200bann@example.org\t", "ann@example.org"),
        ("ann@ example . org", "ann@example.org"),
        ("not an address", "not an address"),
        ("ann@example.org new", "ann@example.org new"),
        ("Ann ann@example.org", "ann ann@example.org"),
        ("   ", None),
        (None, None),
    ],
    "is_email('written')": [
        ("ann@example.org", True),
        ("a.n-n_+o'neil@mail.example.co.uk", True),
        ("jürgen@müller.de", True),
        ("ann@example", False),
        ("ann@@example.org", False),
        ("ann.example.org", False),
        (".ann@example.org", False),
        ("ann.@example.org", False),
        ("a..nn@example.org", False),
        ("ann@-example.org", False),
        ("ann@example..org", False),
        ("ann@127.0.0.1", False),
        ("ann@example.org,bob@example.org", False),
        ("ann ann@example.org", False),
        ("ann@example.org new", False),
        ("a" * 64 + "@example.org", True),
        ("a" * 65 + "@example.org", False),
        ("a@" + "b." * 126 + "org", False),
        ("", False),
        (None, None),
    ],
    "email_key('written')": [
        ("ann@example.org", "ann@example.org"),
        ("ann+shop@example.org", "ann@example.org"),
        ("a.n.n+shop+more@gmail.com", "ann@gmail.com"),
        ("a.n.n@example.org", "a.n.n@example.org"),
        ("+ann@example.org", "+ann@example.org"),
        (None, None),
    ],
    "email_key('written', ignores_plus_tag=false, ignores_dots_at=[])": [
        ("a.n.n+shop@gmail.com", "a.n.n+shop@gmail.com"),
        (None, None),
    ],
    "normalize_name('written')": [
        ("Ann", "ann"),
        ("  ANN   Marie ", "ann marie"),
        ("Anna-Léna", "anna lena"),
        ("O\u2019Brien", "obrien"),
        ("O'Brien Jr.", "obrien"),
        ("Dr. Ann", "ann"),
        ("Prof. Dr. Müller", "muller"),
        ("Strauß", "strauss"),
        ("Łukasz Øster", "lukasz oster"),
        ("Smith III", "smith"),
        ("Dr", "dr"),
        ("Drake", "drake"),
        ("李", "李"),
        ("Ann 2", "ann"),
        ("?!", None),
        ("", None),
        (None, None),
    ],
    f"given_name('written', {NICKNAMES})": [
        ("bob", "robert"),
        ("bob lee", "robert"),
        ("mary ann", "marianne"),
        ("mary jane", "mary"),
        ("ann", "ann"),
        (None, None),
    ],
    f"normalize_street('written', {STREET_WORDS})": [
        ("123 North Main Street", "123 n main st"),
        ("123 N. MAIN   st.", "123 n main st"),
        ("123 Main Street, Apt. #4", "123 main st unit 4"),
        ("123 Main Street # 4 b", "123 main st unit 4b"),
        ("Hauptstraße 12 a", "hauptstr 12a"),
        ("Hauptstr. 12a", "hauptstr 12a"),
        ("Calle O'Donnell, 5", "calle odonnell 5"),
        ("12-14 Mill Rd", "12 14 mill rd"),
        ("", None),
        (None, None),
    ],
    "street_number('written')": [
        ("123 n main st", "123"),
        ("12a mill rd", "12a"),
        ("hauptstr 12a", "12a"),
        ("calle mayor 5 unit 2", "5"),
        ("main st unit 4", None),
        ("5th ave", None),
        (None, None),
    ],
    "normalize_city('written')": [
        ("St. Louis", "saint louis"),
        ("SAINT LOUIS", "saint louis"),
        ("Ft. Worth", "fort worth"),
        ("Mt. Vernon", "mount vernon"),
        ("Zürich ", "zurich"),
        ("Stamford", "stamford"),
        ("-", None),
        (None, None),
    ],
    f"normalize_postcode('written', {US})": [
        ("02134", "02134"),
        ("2134", "02134"),
        ("2134.0", "02134"),
        ("02134-1234", "02134"),
        ("21341234", "02134"),
        (" 0 2134", "02134"),
        ("MA 02134", "02134"),
        ("00000", None),
        ("123456", None),
        ("12", None),
        ("ABCDE", None),
        ("", None),
        (None, None),
    ],
    f"normalize_postcode('written', {DE})": [
        ("D-01067", "01067"), ("1067", "01067"), ("106", None), ("DE 10115", "10115"),
    ],
    "normalize_postcode('written', \"'AT'\")": [("A-1010", "1010"), ("1010 ", "1010"), ("10100", None)],
    "normalize_postcode('written', \"'PL'\")": [("00950", "00-950"), ("00-950", "00-950"), ("950", None)],
    "normalize_postcode('written', \"'GB'\")": [
        ("sw1a1aa", "SW1A 1AA"), ("M1 1AE", "M1 1AE"), ("SW1A 1A", None), ("12345", None),
    ],
    "normalize_postcode('written', \"'CA'\")": [("k1a0b1", "K1A 0B1"), ("K1A-0B1", "K1A 0B1"), ("K1A0B", None)],
    "normalize_postcode('written', \"'NL'\")": [("1234ab", "1234 AB"), ("1234 AB", "1234 AB"), ("1234", None)],
    "normalize_postcode('written', \"'XX'\")": [("ab-12 ", "AB12"), (" ", None)],
    "written_text('written')": [
        (" see  you ", "see you"),
        ("n/a", None),
        ("N.A.", None),
        ("NONE", None),
        ("no e-mail", None),
        ("not provided", None),
        ("-", None),
        ("000-000-0000", None),
        ("00/00/0000", None),
        ("nonesuch", "nonesuch"),
        ("10", "10"),
        ("李", "李"),
        ("", None),
        (None, None),
    ],
    "parse_timestamp('written', \"'America/New_York'\")": [
        ("2017-07-01 10:00:00", datetime(2017, 7, 1, 14)),
        ("2017-01-01T10:00", datetime(2017, 1, 1, 15)),
        (" 2017-01-01 ", datetime(2017, 1, 1, 5)),
        ("2017-07-01T10:00:00Z", datetime(2017, 7, 1, 10)),
        ("2017-07-01T10:00:00+02:00", datetime(2017, 7, 1, 8)),
        ("2017-07-01 10:00:00.25-0500", datetime(2017, 7, 1, 15, 0, 0, 250000)),
        ("2017-03-12 01:59:59", datetime(2017, 3, 12, 6, 59, 59)),
        ("2017-03-12 02:30:00", datetime(2017, 3, 12, 7, 30)),  # never came: as if the clock had not gone forward
        ("2017-03-12 03:00:00", datetime(2017, 3, 12, 7)),
        ("2017-11-05 00:59:59", datetime(2017, 11, 5, 4, 59, 59)),
        ("2017-11-05 01:30:00", datetime(2017, 11, 5, 6, 30)),  # came twice: the second time, standard time
        ("2017-11-05 02:00:00", datetime(2017, 11, 5, 7)),
        ("2017-02-30 10:00:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
    "parse_amount('written')": [
        ("1234.56", Decimal("1234.56")),
        ("1.234,56 €", Decimal("1234.56")),
        ("$1,234.56", Decimal("1234.56")),
        ("(12.00)", Decimal("-12.00")),
        ("($1,234.50)", Decimal("-1234.50")),
        ("-$5", Decimal(-5)),
        ("$-5", Decimal(-5)),
        ("12,50-", Decimal("-12.5")),
        ("\u22123.20", Decimal("-3.2")),
        ("1 234,56", Decimal("1234.56")),
        ("1\u202f234,56\u00a0€", Decimal("1234.56")),
        ("CHF 1'250.-", Decimal(1250)),
        ("-5,-- €", Decimal(-5)),
        ("1.234.567,89", Decimal("1234567.89")),
        ("₹1,23,456.00", Decimal(123456)),
        ("kr. 99", Decimal(99)),
        ("USD12", Decimal(12)),
        ("12,5", Decimal("12.5")),
        ("0,123", Decimal("0.123")),
        (".5", Decimal("0.5")),
        ("1,234", Decimal(1234)),
        ("1.234", Decimal("1.234")),
        ("12-14", None),
        ("1e5", None),
        ("1,2,3", None),
        ("1.2.3", None),
        ("12.34.56,7", None),
        ("free", None),
        ("99999999999999999999", None),
        ("", None),
        (None, None),
    ],
    "parse_amount('written', decimal_mark=',')": [
        ("1.234", Decimal(1234)),
        ("1,234", Decimal("1.234")),
        ("12.5", Decimal("12.5")),
        ("1,234.56", Decimal("1234.56")),
    ],
    "normalize_url('written')": [
        ("HTTPS://Shop.Example.ORG/Path", "https://shop.example.org/Path"),
        ("https://shop.example.org", "https://shop.example.org/"),
        ("https://shop.example.org:443/a#part", "https://shop.example.org/a"),
        ("http://shop.example.org:80/", "http://shop.example.org/"),
        ("http://shop.example.org:443/", "http://shop.example.org:443/"),
        ("https://x.org/a?b=2&a=1", "https://x.org/a?a=1&b=2"),
        ("https://x.org/a?utm_source=n&b=2&gclid=1&fbclid=2", "https://x.org/a?b=2"),
        ("https://x.org/a?utm_source=n", "https://x.org/a"),
        ("https://x.org/a?gclidx=1", "https://x.org/a?gclidx=1"),
        ("/a?b=2&utm_medium=m#top", "/a?b=2"),
        ("  https://x.org/a\t", "https://x.org/a"),
        ("#top", None),
        ("", None),
        (None, None),
    ],
    "url_parameter('written', 'utm_source')": [
        ("https://x.org/?utm_source=News", "news"),
        ("https://x.org/?a=1&UTM_Source=spring+sale%202", "spring sale 2"),
        ("https://x.org/?utm_source=&utm_medium=m", None),
        ("https://x.org/?my_utm_source=a", None),
        ("https://x.org/#?utm_source=a", None),
        ("https://x.org/?utm_source=100%zz", "100%zz"),
        ("https://x.org/?utm_source=a&utm_source=b", "a"),
        ("https://x.org/?utm_source=a#utm_source=b", "a"),
        ("https://x.org/?utm_source=100%", "100%"),
        ("https://x.org/?utm_source=%ff", "%ff"),
        ("https://x.org/utm_source=a", None),
        ("/a?utm_source=a", "a"),
        ("", None),
        (None, None),
    ],
    f"parse_birth_date('written', {WRITTEN_2017}, 'US')": [
        ("1985-03-04", date(1985, 3, 4)),
        ("1985/3/4", date(1985, 3, 4)),
        ("1985.03.04", date(1985, 3, 4)),
        ("19850304", date(1985, 3, 4)),
        ("1985-03-04T00:00:00Z", date(1985, 3, 4)),
        ("1985-03-04 12:30", date(1985, 3, 4)),
        ("03/04/1985", date(1985, 3, 4)),
        ("3-4-1985", date(1985, 3, 4)),
        ("03041985", date(1985, 3, 4)),
        ("25/12/1985", date(1985, 12, 25)),
        ("04.03.1985", date(1985, 3, 4)),
        ("4.3.85", date(1985, 3, 4)),
        ("12.25.1985", date(1985, 12, 25)),
        ("March 4, 1985", date(1985, 3, 4)),
        ("Mar 4th, 1985", date(1985, 3, 4)),
        ("4 MARCH 1985", date(1985, 3, 4)),
        ("04-mar-85", date(1985, 3, 4)),
        ("3/4/85", date(1985, 3, 4)),
        ("3/4/17", date(2017, 3, 4)),
        ("6/2/17", date(1917, 6, 2)),  # the day after it was written
        ("1/1/20", date(1920, 1, 1)),
        ("1/1/2020", date(2020, 1, 1)),  # four digits are taken at their word; that it cannot be is judged elsewhere
        ("2029-03-18", date(2029, 3, 18)),
        ("1850-01-01", date(1850, 1, 1)),
        ("2/30/1985", None),
        ("1985", None),
        ("850304", None),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
    f"parse_birth_date('written', {WRITTEN_2017}, 'DE')": [
        ("03/04/1985", date(1985, 4, 3)),
        ("3-4-85", date(1985, 4, 3)),
        ("12/25/1985", date(1985, 12, 25)),
        ("04.03.1985", date(1985, 3, 4)),
        ("03041985", date(1985, 4, 3)),
    ],
    "age_band_bound('written', 'low')": [
        ("25-34", 25), ("65+", 65), ("18 to 24", 18), ("45 \u2013 54", 45), ("under 18", None), ("< 18", None),
        ("40", 40), ("over 65", 65), ("unknown", None), (None, None),
    ],
    "age_band_bound('written', 'high')": [
        ("25-34", 34), ("65+", None), ("18 to 24", 24), ("45 \u2013 54", 54), ("under 18", 17), ("< 18", 17),
        ("40", 40), ("over 65", None), ("unknown", None), (None, None),
    ],
    "age_in_years(\"cast(written as date)\", \"timestamp '2017-03-04 12:00:00'\")": [
        ("1985-03-04", 32), ("1985-03-05", 31), ("1985-03-03", 32), ("2017-03-04", 0), ("2017-03-05", -1), (None, None),
    ],
    "matches_any('written', ['^a', 'b$'])": [("ax", True), ("xb", True), ("x", False), (None, False)],
    "matches_any('written', [])": [("ax", False), (None, False)],
}  # fmt: skip


@pytest.mark.parametrize("call", TABLES)
def test_texts_as_they_are_written(call: str, apply: Apply) -> None:
    texts, expected = zip(*TABLES[call], strict=True)
    assert dict(zip(texts, apply(call, texts), strict=True)) == dict(zip(texts, expected, strict=True))


ANY_TEXT = st.lists(
    st.one_of(st.none(), st.text(), st.text("aA b.+@-_/'\"<>,;:#%&?=0123456789éß€()")), min_size=1, max_size=30
)
# Normalizers whose result, normalized once more, is the same text.
TO_TEXT = [
    "clean_text('written')",
    "written_text('written')",
    "normalize_email('written')",
    "normalize_name('written')",
    "plain_words('written')",
    f"normalize_street('written', {STREET_WORDS})",
    "normalize_city('written')",
    f"normalize_postcode('written', {US})",
    "normalize_postcode('written', \"'GB'\")",
    "normalize_postcode('written', \"'PL'\")",
    "normalize_postcode('written', \"'XX'\")",
    "normalize_url('written')",
]
quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("call", TO_TEXT)
@quick
@given(texts=ANY_TEXT)
def test_normalizing_twice_changes_nothing(call: str, apply: Apply, texts: list[str | None]) -> None:
    once = apply(call, texts)
    assert apply(call, once) == once


@pytest.mark.parametrize("call", [*TABLES])
@quick
@given(texts=ANY_TEXT)
def test_no_text_raises(call: str, apply: Apply, texts: list[str | None]) -> None:
    if not call.startswith("age_in_years"):  # takes a date
        assert len(apply(call, texts)) == len(texts)


CASE_AND_SPACES = [call for call in TO_TEXT if not call.startswith(("clean_text", "written_text", "normalize_url"))] + [
    f"parse_birth_date('written', {WRITTEN_2017})",
    "parse_amount('written')",
]
LETTERS = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyzéüñ0123456789.,-/@+$ ", min_size=1, max_size=25), min_size=1, max_size=20
)


@pytest.mark.parametrize("call", CASE_AND_SPACES)
@quick
@given(texts=LETTERS)
def test_case_and_spaces_around_make_no_difference(call: str, apply: Apply, texts: list[str]) -> None:
    assert apply(call, [f"\t {text.upper()}\u00a0 " for text in texts]) == apply(call, texts)


@quick
@given(
    amounts=st.lists(st.decimals(-999_999_999, 999_999_999, places=2), min_size=1, max_size=20),
    form=st.sampled_from(["{:,.2f}", "${:,.2f}", "{:.2f} USD", "{:,.2f}€", "EUR {:,.2f}"]),
    continental=st.booleans(),
)
def test_any_amount_is_read_as_it_was_meant(apply: Apply, amounts: list[Decimal], form: str, continental: bool) -> None:
    written = [form.format(amount) for amount in amounts]
    if continental:
        written = [text.translate(str.maketrans(",.", ".,")) for text in written]
    assert apply("parse_amount('written')", written) == amounts


@quick
@given(
    days=st.lists(st.dates(date(1918, 6, 2), date(2017, 6, 1)), min_size=1, max_size=20),
    form=st.sampled_from(
        ["%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%m/%d/%y", "%d %B %Y", "%b %d, %Y", "%Y%m%d"]
    ),
)
def test_any_birth_date_is_read_as_it_was_meant(apply: Apply, days: list[date], form: str) -> None:
    assert apply(f"parse_birth_date('written', {WRITTEN_2017}, 'US')", [day.strftime(form) for day in days]) == days


@quick
@given(
    instants=st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)), min_size=1, max_size=20),
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney", "UTC"]),
)
def test_local_time_and_back(apply: Apply, instants: list[datetime], zone: str) -> None:
    """But for the hour that comes twice, of which the second is taken, the wall clock leads back to the instant."""
    literal = f"\"'{zone}'\""
    local = f"local_time('cast(written as timestamp)', {literal})"
    there = apply(local, [str(instant) for instant in instants])
    back = apply(f"to_utc('cast(written as timestamp)', {literal})", [str(wall) for wall in there])
    again = apply(local, [str(instant) for instant in back])
    assert again == there
    assert all(0 <= (b - a).total_seconds() <= 3600 for a, b in zip(instants, back, strict=True))


@pytest.mark.parametrize(("seed", "macro"), [("nicknames", "normalize_name"), ("street_words", "plain_words")])
def test_word_lists_have_the_form_that_they_are_looked_up_in(apply: Apply, seed: str, macro: str) -> None:
    with (PROJECT_ROOT / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        _, *rows = list(csv.reader(file))
    words = [word for word, _ in rows]
    assert len(set(words)) == len(words)
    assert apply(f"{macro}('written')", words) == words
    chains = {word: meaning for word, meaning in rows if meaning in words and meaning != word}
    assert all(dict(rows)[meaning] == meaning for meaning in chains.values()), chains
