"""Contacts: clean ones hold together, each recipe spoils its share and truth says whom, others' recipes plug in."""

from __future__ import annotations

from collections.abc import Mapping

import phonenumbers
import pytest

from ingestion.overlay import DIRT_RECIPES, DirtRecipe, OverlayPlan
from ingestion.overlay.people import AGE_BANDS
from ingestion.overlay.pools import AREA_CODES
from tests.unit.ingestion.overlay.conftest import Look, content, make_look

# Many contacts and nearly no events: what these tests look at is written fast.
CLEAN = OverlayPlan(scale=8, events=0, dirt_recipes=(), bot_families=())
DIRTY = OverlayPlan(scale=8, events=0, bot_families=())


@pytest.fixture(scope="module")
def clean(base: Mapping[str, str]) -> Look:
    return make_look(base, CLEAN)


@pytest.fixture(scope="module")
def dirty(base: Mapping[str, str]) -> Look:
    return make_look(base, DIRTY)


def test_every_person_has_one_to_three_contacts_of_different_systems(dirty: Look) -> None:
    assert (
        dirty.rows("""
        select truth_people.person_id from truth_people
        left join truth_records on truth_records.person_id = truth_people.person_id and source_system = 'crm_contacts'
        left join crm_contacts on contact_id = source_record_id
        group by truth_people.person_id
        having count(distinct contact_id) not between 1 and 3
            or count(distinct contact_id) <> count(distinct crm_system)
    """)
        == []
    )
    shares = dict(
        dirty.rows("select n, count(*) / sum(count(*)) over () from (select count(*) as n from truth_records "
                   "where source_system = 'crm_contacts' and kind = 'person' group by person_id) group by n")
    )  # fmt: skip
    assert all(shares[number] > 0.08 for number in (1, 2, 3))


def test_contacts_without_dirt_hold_together(clean: Look) -> None:
    assert clean.number("select count(*) from truth_contact_dirt") == 0
    # A postcode belongs to one city and region, and several people share it.
    assert (
        clean.rows("""
        select postcode from crm_contacts where city is not null group by postcode
        having count(distinct (city, region)) > 1
    """)
        == []
    )
    assert clean.number("select count(distinct person_id) / count(distinct postcode) from truth_people") > 5
    # A version is a key, and what a system noted stays noted.
    assert clean.rows("select 1 from crm_contacts group by contact_id, occurred_at having count(*) > 1") == []
    assert clean.rows("select 1 from crm_contacts group by contact_id having count(distinct loyalty_id) > 1") == []
    # Whoever knows the card knows the right one.
    assert (
        clean.rows("""
        select 1 from crm_contacts join truth_records on contact_id = source_record_id
        join truth_people on truth_people.person_id = truth_records.person_id
        where crm_contacts.loyalty_id <> truth_people.loyalty_id or crm_contacts.user_id <> truth_people.user_id
    """)
        == []
    )
    assert clean.number("select count(*) from crm_contacts where known_at < occurred_at") == 0


def test_some_move_marry_or_change_their_address(clean: Look) -> None:
    changed = {
        column: clean.number(f"""
            select count(*) from (select 1 from crm_contacts where crm_system <> 'newsletter' group by contact_id
            having count(distinct {column}) > 1)
        """)
        for column in ("street", "last_name", "email", "phone")
    }
    assert all(count > 0 for count in changed.values()), changed


def test_birth_dates_lie_in_the_band_of_the_card(clean: Look) -> None:
    bands = " ".join(f"when '{band}' then ({low}, {high})" for band, (low, high) in AGE_BANDS.items())
    assert (
        clean.rows(f"""
        select birth_date, age_band from (
            select *, case age_band {bands} end as ages,
                date_diff('year', truth_people.birth_date, date '2017-01-01')
                - if(strftime(truth_people.birth_date, '%m%d') > '0101', 1, 0) as age
            from truth_people
            join loyalty_members on loyalty_members.loyalty_id = truth_people.household_loyalty_id
            where age_band is not null
        ) where age not between ages[1] and ages[2]
    """)
        == []
    )
    assert clean.rows("select 1 from loyalty_members where birth_date is not null") == []


def test_nobody_real_can_be_reached(clean: Look) -> None:
    """Phones are formally valid and of the exchanges kept for tests; addresses are at domains reserved for examples."""
    phones = [phone for (phone,) in clean.rows("select distinct phone from crm_contacts where phone is not null")]
    assert len(phones) > 500
    for phone in phones:
        assert phonenumbers.is_valid_number_for_region(phonenumbers.parse(str(phone), "US"), "US"), phone
        assert str(phone)[3:6] in ("958", "959")
    for code in AREA_CODES:
        for rest in ("9580000", "9599999"):
            number = phonenumbers.parse(f"{code}{rest}", "US")
            assert phonenumbers.is_valid_number_for_region(number, "US"), code
    assert (
        clean.rows("""
        select email from crm_contacts
        where not regexp_matches(email, '@(example[.](com|org|net)|[a-z]+[.]example)$')
    """)
        == []
    )


def test_two_people_never_share_an_address_or_a_number_without_dirt(clean: Look) -> None:
    for column in ("email", "phone"):
        assert (
            clean.rows(f"""
            select {column} from truth_people where {column} is not null group by {column} having count(*) > 1
        """)
            == []
        )
    # Also not where dots do not count.
    assert (
        clean.rows("""
        select 1 from truth_people where email like '%@gmail.example'
        group by replace(split_part(email, '@', 1), '.', '') having count(*) > 1
    """)
        == []
    )


def test_every_recipe_hits_and_truth_says_whom(dirty: Look, clean: Look) -> None:
    hit = dict(dirty.rows("select recipe, count(*) from truth_contact_dirt group by recipe"))
    assert set(hit) == {recipe.name for recipe in DIRT_RECIPES}
    # A contact without a recipe is as it would be without any; one with a recipe is not.
    for table in ("one", "other"):
        source = dirty if table == "one" else clean
        dirty.connection.register("contacts_arrow", source.connection.execute("from crm_contacts").to_arrow_table())
        dirty.connection.execute(f"create or replace temp table {table} as from contacts_arrow")
        dirty.connection.unregister("contacts_arrow")
    differing = "select contact_id from (from one except from other)"
    hit_contacts = "select contact_id from truth_contact_dirt"
    assert dirty.number(f"select count(*) from ({differing}) where contact_id not in ({hit_contacts})") == 0
    assert dirty.number(f"select count(*) from ({hit_contacts}) where contact_id not in ({differing})") == 0


@pytest.mark.parametrize(
    ("recipe", "eligible"),
    [
        ("phone format", "phone is not null"),
        ("recycled phone", "phone is not null"),
        ("no birth date", "birth_date is not null"),
        ("typo in name", "length(first_name) > 0 and length(last_name) > 3"),
        ("email in other case", "email is not null"),
        ("city not of postcode", "city is not null"),
    ],
)
def test_recipes_come_at_their_rate(dirty: Look, clean: Look, recipe: str, eligible: str) -> None:
    share = next(one.share for one in DIRT_RECIPES if one.name == recipe)
    contacts = clean.number(f"select count(distinct contact_id) from crm_contacts where {eligible}")
    hit = dirty.number(f"select count(*) from truth_contact_dirt where recipe = '{recipe}'")
    # Recipes before it leave it fewer contacts; four standard deviations for the draw.
    assert 0.75 * share * contacts - 4 * (share * contacts) ** 0.5 < hit
    assert hit < share * contacts + 4 * (share * contacts) ** 0.5


def test_dirt_looks_as_it_should(dirty: Look) -> None:
    def of(recipe: str) -> str:
        return (
            "crm_contacts join truth_contact_dirt using (contact_id) "
            "join truth_records on contact_id = source_record_id "
            f"left join truth_people using (person_id) where recipe = '{recipe}'"
        )

    assert dirty.number(f"select count(*) from {of('test account')} and truth_records.kind <> 'test_account'") == 0
    assert dirty.number(f"select count(*) from {of('test account')} and truth_people.person_id is not null") == 0
    # The number of a recycled phone is another person's.
    assert (
        dirty.number(f"""
        select count(*) from {of("recycled phone")}
        and right(regexp_replace(crm_contacts.phone, '[^0-9]', '', 'g'), 10) = truth_people.phone
    """)
        == 0
    )
    # A family's address belongs to another person of the same home.
    assert dirty.number(f"select count(*) from {of('shared family email')} and not truth_people.is_family") == 0
    emails = dirty.rows("select kind, count(*) from truth_records where source_system = 'emails' group by kind")
    assert {kind for kind, _ in emails} == {"person", "shared"}
    # A date against the band is a believable date all the same.
    assert (
        dirty.rows(f"""
        select crm_contacts.birth_date from {of("birth date against age band")}
        and contact_id not in (select contact_id from truth_contact_dirt where recipe in
            ('impossible birth date', 'birth date format', 'no birth date'))
        and year(try_cast(crm_contacts.birth_date as date)) not between 1925 and 2004
    """)
        == []
    )
    formats = dirty.number(f"""
        select count(distinct regexp_replace(regexp_replace(crm_contacts.birth_date, '[0-9]', '9', 'g'),
            '[A-Za-z]+', 'a', 'g')) from {of("birth date format")}
    """)
    assert formats >= 5


def test_streets_are_shortened_at_whole_words(dirty: Look) -> None:
    recipe = next(recipe for recipe in DIRT_RECIPES if recipe.name == "street shortened")
    shortened = recipe.changes(str)["street"]
    written = {"1 Squares Street": "1 Squares St.", "2 Lane Courtney Road": "2 Ln Courtney Rd", "3 Parkway": "3 Pkwy"}
    for street, short in written.items():
        assert dirty.rows(f"select {shortened} from (values ('{street}')) as streets (street)") == [(short,)]


def test_a_recipe_from_outside_plugs_in(base: Mapping[str, str], dirty: Look) -> None:
    """No file of the package is edited; what others draw does not change."""
    mine = DirtRecipe(
        "letters for digits",
        0.5,
        lambda draw: {"postcode": f"replace(postcode, '4', if({draw('which')} < 0.5, 'a', 'A'))"},
        needs="contains(postcode, '4')",
    )
    nobody = DirtRecipe(
        "seed list", 0.1, lambda draw: {"email": "'seed' || contact_no || '@example.net'"}, adds_contacts=True
    )
    plan = OverlayPlan(scale=8, events=0, bot_families=(), dirt_recipes=[*DIRT_RECIPES, mine, nobody])
    look = make_look(base, plan)
    hit = "select contact_id from truth_contact_dirt where recipe = 'letters for digits'"
    assert look.number("select count(*) from crm_contacts where regexp_matches(postcode, '[aA]')") > 100
    assert (
        look.number(f"""
        select count(*) from crm_contacts where regexp_matches(postcode, '[aA]') and contact_id not in ({hit})
        and postcode <> 'n/a'
    """)
        == 0
    )
    assert look.number("select count(*) from crm_contacts where email like 'seed%@example.net'") == pytest.approx(
        0.1 * dirty.number("select count(*) from crm_contacts"), rel=0.1
    )
    assert content(look, ("truth_people", "email_events")) == content(dirty, ("truth_people", "email_events"))


def test_a_recipe_that_changes_what_a_contact_has_not_is_refused(base: Mapping[str, str]) -> None:
    wrong = DirtRecipe("wrong", 0.1, lambda draw: {"shoe_size": "42"})
    with pytest.raises(ValueError, match=r"'wrong' changes \['shoe_size'\].*contact_id"):
        make_look(base, OverlayPlan(events=0, dirt_recipes=[wrong]))
