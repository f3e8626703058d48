"""Dirt as in life: small recipes, each of which spoils some contacts in one way.

A recipe is data plus one function that says, as SQL, what the spoiled columns become. It sees a contact's columns as
they are after the recipes before it, and some that never land and that others have need of:

- `born` (date), `age_band`: the true birth date, and the band on the loyalty card (null = none)
- `old_street`, `old_city`, `old_postcode`, `old_region`, `is_moved`: where the person lived before
- `other_city`: a city that the postcode is not in
- `family_email`, `is_second_of_family`: the address of the other person in the home
- `donor_phone`: the number of somebody else, who gave it up
- `contact_no`, `person_no`, `version_no`: numbers

To plant another one, give a plan your own: `OverlayPlan(dirt_recipes=[*DIRT_RECIPES, mine])`; nothing here need change.
Recipes run in the order given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Draw = Callable[[str], str]
"""`draw(label)`: SQL of a double in [0, 1) that belongs to the contact, the recipe and the label."""


@dataclass(frozen=True)
class DirtRecipe:
    """One way to spoil contacts.

    Parameters
    ----------
    name
        What truth calls it (`contact_dirt.recipe`).
    share
        Part of the contacts that `needs` holds for, or, with `adds_contacts`, contacts added per contact.
    changes
        Columns to the SQL of their new value. Those with `adds_contacts` begin from nulls.
    needs
        SQL condition: who can be hit.
    adds_contacts
        The recipe makes contacts of nobody (test accounts) and spoils none.
    """

    name: str
    share: float
    changes: Callable[[Draw], Mapping[str, str]]
    needs: str = "true"
    adds_contacts: bool = False


NICKNAMES = {
    "William": "Bill", "Robert": "Bob", "James": "Jim", "John": "Jack", "Michael": "Mike", "Richard": "Rick",
    "Thomas": "Tom", "Christopher": "Chris", "Joseph": "Joe", "Daniel": "Dan", "Matthew": "Matt", "Anthony": "Tony",
    "Edward": "Ed", "Kenneth": "Ken", "Steven": "Steve", "Timothy": "Tim", "Nicholas": "Nick", "Jonathan": "Jon",
    "Benjamin": "Ben", "Samuel": "Sam", "Gregory": "Greg", "Alexander": "Alex", "Patrick": "Pat", "Andrew": "Andy",
    "Joshua": "Josh", "David": "Dave", "Jeffrey": "Jeff", "Ronald": "Ron", "Donald": "Don", "Charles": "Charlie",
    "Elizabeth": "Liz", "Jennifer": "Jen", "Katherine": "Kate", "Catherine": "Cathy", "Margaret": "Peggy",
    "Patricia": "Pat", "Rebecca": "Becky", "Deborah": "Debbie", "Susan": "Sue", "Jessica": "Jess", "Kimberly": "Kim",
    "Victoria": "Vicky", "Samantha": "Sam", "Christina": "Tina", "Barbara": "Barb", "Pamela": "Pam", "Amanda": "Mandy",
    "Stephanie": "Steph", "Cynthia": "Cindy", "Alexandra": "Alex", "Theresa": "Terry", "Jacqueline": "Jackie",
    "Abigail": "Abby", "Melissa": "Mel", "Kathleen": "Kathy", "Sandra": "Sandy", "Nicole": "Nicky", "Angela": "Angie",
}  # fmt: skip


def _one_of(draw: str, options: list[str]) -> str:
    """SQL: one of the SQL expressions `options`, chosen by the double `draw`."""
    cases = " ".join(f"when {number} then {option}" for number, option in enumerate(options[:-1]))
    return f"case cast(floor({draw} * {len(options)}) as integer) {cases} else {options[-1]} end"


def _position(draw: str, text: str, last: int) -> str:
    """SQL: a position in `text` from 2 to its length less `last`, at least 2."""
    return f"(2 + cast(floor({draw} * greatest(1, length({text}) - 1 - {last})) as integer))"


def _swapped_letters(text: str, draw: str) -> str:
    place = _position(draw, text, 1)
    return (
        f"left({text}, {place} - 1) || substr({text}, {place} + 1, 1) || substr({text}, {place}, 1) "
        f"|| substr({text}, {place} + 2)"
    )


def _lost_letter(text: str, draw: str) -> str:
    place = _position(draw, text, 0)
    return f"left({text}, {place} - 1) || substr({text}, {place} + 1)"


def _typo_in_name(draw: Draw) -> Mapping[str, str]:
    where = draw("where")
    return {
        "last_name": _one_of(
            draw("kind"), [_swapped_letters("last_name", where), _lost_letter("last_name", where),
                           f"left(last_name, {_position(where, 'last_name', 0)}) || "
                           f"substr(last_name, {_position(where, 'last_name', 0)})"]
        )
    }  # fmt: skip


def _typo_in_email(draw: Draw) -> Mapping[str, str]:
    local, domain = "split_part(email, '@', 1)", "split_part(email, '@', 2)"
    spoiled = _one_of(draw("kind"), [_swapped_letters(local, draw("where")), _lost_letter(local, draw("where"))])
    return {"email": f"({spoiled}) || '@' || {domain}"}


def _nickname(draw: Draw) -> Mapping[str, str]:
    names = ", ".join(f"'{name}': '{short}'" for name, short in NICKNAMES.items())
    return {"first_name": f"coalesce(map {{{names}}}[first_name], first_name)"}


def _email_case(draw: Draw) -> Mapping[str, str]:
    capital = "upper(left(email, 1)) || substr(email, 2)"
    domain = "split_part(email, '@', 1) || '@' || upper(split_part(email, '@', 2))"
    return {"email": _one_of(draw("kind"), ["upper(email)", capital, domain])}


def _email_spaces(draw: Draw) -> Mapping[str, str]:
    return {"email": _one_of(draw("kind"), ["' ' || email", "email || ' '", "email || chr(9)", "'  ' || email || ' '"])}


def _email_plus_tag(draw: Draw) -> Mapping[str, str]:
    tag = _one_of(draw("tag"), ["'+news'", "'+shop'", "'+grocery'", "'+2017'"])
    return {"email": f"split_part(email, '@', 1) || {tag} || '@' || split_part(email, '@', 2)"}


def _email_dots(draw: Draw) -> Mapping[str, str]:
    local = "split_part(email, '@', 1)"
    place = _position(draw("where"), local, 1)
    dotted = f"left({local}, {place} - 1) || '.' || substr({local}, {place})"
    # Never two dots in a row, and never one before the @.
    changed = f"case when contains({local}, '.') then replace({local}, '.', '') else {dotted} end"
    return {"email": f"({changed}) || '@' || split_part(email, '@', 2)"}


def _invalid_email(draw: Draw) -> Mapping[str, str]:
    return {
        "email": _one_of(
            draw("kind"),
            ["replace(email, '@', '')", "replace(email, '@', '@@')", "split_part(email, '@', 1) || '@'",
             "replace(email, '.', ',')", "'none'", "'no email'"],
        )
    }  # fmt: skip


def _phone_format(draw: Draw) -> Mapping[str, str]:
    area, exchange, rest = "left(phone, 3)", "substr(phone, 4, 3)", "right(phone, 4)"
    return {
        "phone": _one_of(
            draw("kind"),
            [f"'(' || {area} || ') ' || {exchange} || '-' || {rest}", f"{area} || '-' || {exchange} || '-' || {rest}",
             f"{area} || '.' || {exchange} || '.' || {rest}", f"'+1 ' || {area} || ' ' || {exchange} || ' ' || {rest}",
             "'+1' || phone", "'1' || phone", f"{area} || ' ' || {exchange} || ' ' || {rest}",
             f"'001 ' || {area} || ' ' || {exchange} || {rest}", f"'Tel. ' || {area} || '/' || {exchange} || {rest}"],
        )
    }  # fmt: skip


def _invalid_phone(draw: Draw) -> Mapping[str, str]:
    return {
        "phone": _one_of(draw("kind"), ["left(phone, 6)", "'000-000-0000'", "'123456'", "phone || '99'", "'see notes'"])
    }


def _stale_address(draw: Draw) -> Mapping[str, str]:
    return {"street": "old_street", "city": "old_city", "postcode": "old_postcode", "region": "old_region"}


def _impossible_birth_date(draw: Draw) -> Mapping[str, str]:
    return {
        "birth_date": _one_of(
            draw("kind"),
            ["'1900-01-01'", "'2029-' || strftime(born, '%m-%d')", "'0000-00-00'", "strftime(born, '%Y') || '-02-31'",
             "'1875-' || strftime(born, '%m-%d')", "strftime(born, '%Y') || '-13-01'"],
        )
    }  # fmt: skip


def _birth_date_format(draw: Draw) -> Mapping[str, str]:
    formats = ["%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%b %d, %Y", "%d %B %Y", "%Y/%m/%d"]
    return {"birth_date": _one_of(draw("kind"), [f"strftime(born, '{one}')" for one in formats])}


def _birth_date_conflict(draw: Draw) -> Mapping[str, str]:
    # Far enough to leave any band, toward the middle, so that the date by itself is believable.
    moved = (
        f"case when year(born) > 1972 then born - to_years(cast(18 + floor({draw('years')} * 8) as integer)) "
        f"else born + to_years(cast(18 + floor({draw('years')} * 8) as integer)) end"
    )
    # The last band is open downwards in years: 65+ moved by 18 leaves it only from 82 down.
    return {"born": f"cast({moved} as date)", "birth_date": f"strftime(cast({moved} as date), '%Y-%m-%d')"}


def _name_case(draw: Draw) -> Mapping[str, str]:
    kind = draw("kind")
    return {
        column: _one_of(kind, [f"upper({column})", f"lower({column})", f"' ' || {column} || ' '"])
        for column in ("first_name", "last_name")
    }


def _title_in_name(draw: Draw) -> Mapping[str, str]:
    return {"first_name": _one_of(draw("title"), ["'Mr. '", "'Mrs '", "'Dr. '"]) + " || first_name"}


def _street_short(draw: Draw) -> Mapping[str, str]:
    shorter = "street"
    for word, short in {"Street": "St.", "Avenue": "Ave", "Road": "Rd", "Drive": "Dr.", "Lane": "Ln", "Court": "Ct",
                        "Square": "Sq.", "Parkway": "Pkwy"}.items():  # fmt: skip
        shorter = rf"regexp_replace({shorter}, '\b{word}\b', '{short}', 'g')"
    return {"street": shorter}


def _test_account(draw: Draw) -> Mapping[str, str]:
    number = "cast(contact_no % 100 as varchar)"
    return {
        "first_name": _one_of(draw("first"), ["'Test'", "'test'", "'Max'", "'QA'", "'Demo'"]),
        "last_name": _one_of(draw("last"), ["'Test'", "'User'", "'Tester'", "'Account ' || " + number, "'asdf'"]),
        "email": _one_of(
            draw("email"),
            ["'test@example.com'", f"'test' || {number} || '@example.com'", f"'qa+' || {number} || '@example.org'",
             "'noreply@example.com'"],
        ),
        "phone": _one_of(draw("phone"), ["'5555555555'", "'0000000000'", "'1234567890'"]),
        "street": "'1 Test Street'",
        "city": "'Testville'",
        "postcode": "'00000'",
        "birth_date": "'1990-01-01'",
    }  # fmt: skip


def _nothing(*columns: str) -> Callable[[Draw], Mapping[str, str]]:
    def changes(draw: Draw) -> Mapping[str, str]:
        # Systems write "nothing" in more than one way.
        nothing = _one_of(draw("kind"), ["null", "null", "null", "''", "'n/a'"])
        return dict.fromkeys(columns, nothing)

    return changes


def _become(**columns: str) -> Callable[[Draw], Mapping[str, str]]:
    return lambda draw: columns


_HAS_EMAIL, _HAS_PHONE = "email is not null", "phone is not null"
_HAS_NAME = "length(first_name) > 0 and length(last_name) > 3"
_WELL_FORMED_EMAIL = "regexp_matches(email, '^[^@ ]{4,}@[^@ ]+$')"

DIRT_RECIPES: tuple[DirtRecipe, ...] = (
    # Other values
    DirtRecipe("stale address", 0.35, _stale_address, "is_moved and street is not null"),
    DirtRecipe("shared family email", 0.35, _become(email="family_email"),
               "is_second_of_family and family_email is not null and email is not null"),
    DirtRecipe("recycled phone", 0.015, _become(phone="donor_phone"), _HAS_PHONE),
    DirtRecipe("birth date against age band", 0.05, _birth_date_conflict,
               "age_band is not null and born is not null and age_band <> '65+'"),
    DirtRecipe("city not of postcode", 0.02, _become(city="other_city"), "city is not null"),
    # Missing
    DirtRecipe("no email", 0.06, _nothing("email"), f"{_HAS_EMAIL} and crm_system <> 'newsletter'"),
    DirtRecipe("no phone", 0.12, _nothing("phone"), _HAS_PHONE),
    DirtRecipe("no birth date", 0.2, _nothing("birth_date"), "birth_date is not null"),
    DirtRecipe("no address", 0.06, _nothing("street", "city", "postcode", "region"), "street is not null"),
    # Wrong
    DirtRecipe("impossible birth date", 0.015, _impossible_birth_date, "length(birth_date) = 10"),
    DirtRecipe("typo in name", 0.03, _typo_in_name, _HAS_NAME),
    DirtRecipe("swapped names", 0.012, _become(first_name="last_name", last_name="first_name"), _HAS_NAME),
    DirtRecipe("typo in email", 0.01, _typo_in_email, _WELL_FORMED_EMAIL),
    DirtRecipe("invalid email", 0.008, _invalid_email, _WELL_FORMED_EMAIL),
    DirtRecipe("invalid phone", 0.012, _invalid_phone, "length(phone) = 10"),
    # The same, written otherwise
    DirtRecipe("nickname", 0.3, _nickname, f"first_name in ({', '.join(repr(name) for name in NICKNAMES)})"),
    DirtRecipe("initial only", 0.01, _become(first_name="left(first_name, 1) || '.'"), _HAS_NAME),
    DirtRecipe("accents lost", 0.4, _become(first_name="strip_accents(first_name)",
                                            last_name="strip_accents(last_name)"),
               "first_name <> strip_accents(first_name) or last_name <> strip_accents(last_name)"),
    DirtRecipe("name in other case", 0.06, _name_case, _HAS_NAME),
    DirtRecipe("title in name", 0.02, _title_in_name, _HAS_NAME),
    DirtRecipe("email plus tag", 0.02, _email_plus_tag, _WELL_FORMED_EMAIL),
    DirtRecipe("email dots", 0.12, _email_dots, f"{_WELL_FORMED_EMAIL} and email like '%@gmail.example'"),
    DirtRecipe("email in other case", 0.08, _email_case, _WELL_FORMED_EMAIL),
    DirtRecipe("spaces around email", 0.03, _email_spaces, _WELL_FORMED_EMAIL),
    DirtRecipe("phone format", 0.7, _phone_format, "regexp_matches(phone, '^[0-9]{10}$')"),
    DirtRecipe("birth date format", 0.35, _birth_date_format,
               "born is not null and birth_date = strftime(born, '%Y-%m-%d')"),
    DirtRecipe("street shortened", 0.25, _street_short, "street is not null"),
    # Nobody
    DirtRecipe("test account", 0.004, _test_account, adds_contacts=True),
)  # fmt: skip
