"""The people: one a household, or re-drawn copies of it, each with what is planted and what can be told about them.

Planted are taste (a department), price sensitivity and purchase probability. They start from what the household really
bought, so that generated browsing and real orders tell one story; a copy is drawn anew around it.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import numpy as np

from ingestion.overlay.plan import OverlayPlan
from ingestion.overlay.pools import AREA_CODES, NUMBERS_PER_AREA_CODE

FAMILY_SHARE = 0.1  # of the pairs of neighboring numbers: they share a home, mostly a name, an address and a device
EMAIL_SHARE = 0.93
MAIL_SHARE = 0.8  # agree to e-mails when they sign up
ACCOUNT_SHARE = 0.72
ONLINE_SHARE = 0.85
MOVED_SHARE = 0.09
SECOND_EMAIL_SHARE = 0.18
RENAMED_SHARE = 0.03
# gmail.example stands for a provider that ignores dots before the @ and anything after a plus; the others do neither.
EMAIL_DOMAINS = {"gmail.example": 0.42, "example.com": 0.22, "example.org": 0.12, "example.net": 0.1,
                 "mailbox.example": 0.14}  # fmt: skip
AGE_BANDS = {"19-24": (19, 24), "25-34": (25, 34), "35-44": (35, 44), "45-54": (45, 54), "55-64": (55, 64),
             "65+": (65, 88)}  # fmt: skip
UNKNOWN_AGE = (21, 82)
# Odd and prime to the capacity, so that numbers look drawn and never repeat.
PHONE_STEP = 1_299_709
FIRST_USER, USER_STEP, USER_CAPACITY = 10_000_000, 7_368_787, 9_000_011


def user_numbers(persons: np.ndarray) -> np.ndarray:
    """The number in each person's user_id; as in the query below."""
    numbers: np.ndarray = FIRST_USER + (persons * USER_STEP) % USER_CAPACITY
    return numbers


def open_people(connection: duckdb.DuckDBPyConnection, plan: OverlayPlan, pools: Mapping[str, int]) -> None:
    """Make the table `people`; `pools` says how many rows each pool has."""
    _open_tastes(connection, plan)
    counted = connection.execute("select count(*) from base_households").fetchone()
    assert counted is not None
    households = int(counted[0])
    departments = connection.execute("select count(*) from base_departments").fetchone()
    assert departments is not None
    connection.execute(_drawn_sql(plan, households, int(departments[0]), pools))
    connection.execute(_people_sql(plan))
    connection.execute("drop table people_drawn")


def _open_tastes(connection: duckdb.DuckDBPyConnection, plan: OverlayPlan) -> None:
    """Per household: the department it buys more of than others do, and how often it buys at a reduced price."""
    connection.execute("""
        create or replace temp table household_tastes as
        with counted as (
            select loyalty_id, department_no, share, count(*) as lines
            from base_lines
            join base_departments using (department_code)
            group by all
        ),
        lifts as (
            select
                loyalty_id, department_no,
                -- A prior of five lines of the shop's average, so that two lines are no passion.
                (lines + 5 * share) / (sum(lines) over (partition by loyalty_id) + 5) / share as lift,
                lines
            from counted
        )
        select loyalty_id, arg_max(department_no, (least(lift, 4) * ln(1 + lines), -department_no)) as department_no
        from lifts group by loyalty_id
    """)
    connection.execute("""
        create or replace temp table household_prices as
        with shares as (
            select loyalty_id, (count(*) filter (is_discounted) + 5) / (count(*) + 10) as discounted_share
            from base_lines group by loyalty_id
        )
        select loyalty_id, percent_rank() over (order by discounted_share, loyalty_id) as discount_rank from shares
    """)


def _drawn_sql(plan: OverlayPlan, households: int, departments: int, pools: Mapping[str, int]) -> str:
    draws, no = plan.draws, "person_no"
    copies = "household_no" if plan.scale == 1 else f"household_no + copy_no * {households}"
    if plan.scale == 1:
        source = "select *, 0 as copy_no from base_households"
        loyalty = "base.loyalty_id"
        intensity = "1.0"
        taste = "household_tastes.department_no"
    else:
        source = f"select * from base_households cross join range({plan.scale}) as copies(copy_no)"
        loyalty = "base.loyalty_id || '-' || copy_no"
        # A copy buys more or less than its household: a factor with mean 1.
        intensity = f"exp(0.35 * {draws.normal('intensity', no)} - 0.06125)"
        taste = (
            f"case when {draws.chance('keeps taste', no, 0.7)} then household_tastes.department_no "
            f"else {draws.below('other taste', no, departments)} end"
        )
    ages = " ".join(f"when '{band}' then {low}" for band, (low, _) in AGE_BANDS.items())
    spans = " ".join(f"when '{band}' then {high - low + 1}" for band, (low, high) in AGE_BANDS.items())
    low, high = UNKNOWN_AGE
    # Squaring the draw makes some places larger than others.
    place = f"cast(floor(power({{}}, 1.6) * {pools['pool_places']}) as integer)"
    return f"""
        create or replace temp table people_drawn as
        with base as ({source}),
        numbered as (
            select
                cast({copies} as bigint) as person_no, base.*, {loyalty} as card
            from base
        ),
        planted as (
            select
                numbered.* exclude (loyalty_id), numbered.loyalty_id as household_loyalty_id,
                {intensity} as intensity,
                coalesce({taste}, 0) as taste_department_no,
                coalesce(discount_rank, 0.5) as discount_rank
            from numbered
            left join household_tastes on household_tastes.loyalty_id = numbered.loyalty_id
            left join household_prices on household_prices.loyalty_id = numbered.loyalty_id
        ),
        homes as (
            select
                *,
                {draws.chance("family", "person_no // 2", FAMILY_SHARE)} and person_no % 2 = 1 as is_second_of_family,
                {draws.chance("family", "person_no // 2", FAMILY_SHARE)} as is_family
            from planted
        ),
        housed as (
            -- The last person has no partner when their number is odd in count; then home_no is their own.
            select *, case when is_second_of_family then person_no - 1 else person_no end as home_no from homes
        )
        select
            person_no, household_no, household_loyalty_id, copy_no, card as loyalty_id, age_band,
            first_order_no, order_count, is_mailed, intensity, home_no, is_family, taste_department_no,
            -- Mostly what the household showed, partly drawn: real discounts depend on what one buys, too.
            least(1, greatest(0, 0.75 * discount_rank + 0.25 * {draws.unit("price sensitivity", no)}
                + {0.0 if plan.scale == 1 else 0.12} * {draws.normal("copy price sensitivity", no)}))
                as price_sensitivity,
            -- To buy in any two weeks, at the household's own rate.
            1 - exp(-2 * intensity * order_count / active_weeks) as purchase_probability,
            {draws.chance("sex", no, 0.55)} as is_female,
            {draws.below("first name", no, pools["pool_female"])} as first_no,
            case when {draws.chance("own name", no, 0.15)} and home_no <> person_no
                then {draws.below("last name", no, pools["pool_last"])}
                else {draws.below("last name", "home_no", pools["pool_last"])} end as last_no,
            {draws.below("earlier name", no, pools["pool_last"])} as earlier_last_no,
            {draws.chance("renamed", no, RENAMED_SHARE)} as is_renamed,
            {draws.below("street", "home_no", pools["pool_streets"])} as street_no,
            {draws.below("old street", "home_no", pools["pool_streets"])} as old_street_no,
            1 + {draws.below("house number", "home_no", 1800)} as house_number,
            1 + {draws.below("old house number", "home_no", 1800)} as old_house_number,
            {place.format(draws.unit("place", "home_no"))} as place_no,
            {place.format(draws.unit("old place", "home_no"))} as old_place_no,
            {draws.chance("moved", "home_no", MOVED_SHARE)} as is_moved,
            timestamp '2016-07-01' + to_hours({draws.below("moved at", "home_no", 500 * 24)}) as moved_at,
            date '2017-01-01' - cast(floor(365.2425 * (
                case age_band {ages} else {low} end
                + {draws.unit("age", no)} * case age_band {spans} else {high - low + 1} end
            )) as integer) - 1 as birth_date,
            {draws.chance("has email", no, EMAIL_SHARE)} as has_email,
            {draws.choice("email domain", no, EMAIL_DOMAINS)} as email_domain,
            {draws.choice("second domain", no, EMAIL_DOMAINS)} as second_domain,
            {draws.below("email form", no, 6)} as email_form,
            {draws.chance("second email", no, SECOND_EMAIL_SHARE)} as has_second_email,
            {draws.chance("old account", no, 0.4)} as has_old_account,
            {draws.chance("agrees to mail", no, MAIL_SHARE)} as agrees_to_mail,
            {draws.chance("online", no, ONLINE_SHARE)} as is_online,
            {draws.chance("account", no, ACCOUNT_SHARE)} as wants_account,
            -- Most were customers before the year began.
            timestamp '2016-12-31' - to_seconds(cast(power({draws.unit("signed up", no)}, 2) * 1200 * 86400 as bigint))
                as signed_up_at
        from housed
    """


def _people_sql(plan: OverlayPlan) -> str:
    capacity = len(AREA_CODES) * NUMBERS_PER_AREA_CODE
    return f"""
        create or replace temp table people as
        with named as (
            select
                drawn.*,
                case when is_female then female.value else male.value end as first_name,
                case when is_female then female.plain else male.plain end as plain_first, last.plain as plain_last,
                last.value as last_name, earlier.value as earlier_last_name,
                house_number || ' ' || street.value as street,
                old_house_number || ' ' || old_street.value as old_street,
                place.city, place.region, place.postcode,
                old_place.city as old_city, old_place.region as old_region, old_place.postcode as old_postcode
            from people_drawn as drawn
            join pool_female as female on female.number = first_no
            join pool_male as male on male.number = first_no
            join pool_last as last on last.number = last_no
            join pool_last as earlier on earlier.number = earlier_last_no
            join pool_streets as street on street.number = street_no
            join pool_streets as old_street on old_street.number = old_street_no
            join pool_places as place on place.place_no = drawn.place_no
            join pool_places as old_place on old_place.place_no = drawn.old_place_no
        ),
        written as (
            select
                *,
                case email_form
                    when 0 then plain_first || '.' || plain_last
                    when 1 then left(plain_first, 1) || plain_last
                    when 2 then plain_first || plain_last || lpad(cast(year(birth_date) % 100 as varchar), 2, '0')
                    when 3 then plain_last || '.' || plain_first
                    when 4 then plain_first || '_' || plain_last
                    else plain_first || '.' || plain_last || lpad(cast(year(birth_date) % 100 as varchar), 2, '0')
                end as local_part
            from named
        ),
        counted as (
            -- Two people never have one address, dots or not; whom it fits later gets a number.
            select
                *,
                row_number() over (
                    partition by email_domain, replace(local_part, '.', '') order by person_no
                ) as taken
            from written
        ),
        reachable as (
            select
                *,
                local_part || case when taken > 1 then '_' || taken else '' end || '@' || email_domain as full_email,
                (person_no * 2 * {PHONE_STEP}) % {capacity} as phone_no,
                ((person_no * 2 + 1) * {PHONE_STEP}) % {capacity} as old_phone_no
            from counted
        ),
        addressed as (
            select
                *,
                -- The old address of those who changed it. Its form holds the number, so that nobody else has it.
                case when has_email and has_second_email
                    then plain_first || '.p' || (person_no * 31 + 17) || '@' || second_domain end as second_email
            from reachable
        )
        select
            person_no, 'p' || person_no as person_id, household_no, household_loyalty_id, copy_no, loyalty_id,
            -- planted
            taste_department_no, base_departments.department as taste_department, price_sensitivity,
            purchase_probability, intensity,
            -- who
            home_no, is_family, is_female, first_name, last_name,
            case when is_renamed then earlier_last_name else last_name end as earlier_last_name, is_renamed,
            birth_date, age_band,
            -- how to reach
            case when has_email then full_email end as email,
            second_email, agrees_to_mail,
            -- Who signed in to the web long ago may have done so with the old address.
            case when has_old_account and second_email is not null then second_email when has_email then full_email end
                as account_email,
            {_phone("phone_no")} as phone, {_phone("old_phone_no")} as old_phone,
            street, city, region, postcode, old_street, old_city, old_region, old_postcode, is_moved, moved_at,
            -- the web
            is_online, is_online and wants_account and has_email as has_account,
            'u' || ({FIRST_USER} + (person_no * {USER_STEP}) % {USER_CAPACITY}) as user_id, signed_up_at,
            first_order_no, order_count, is_mailed
        from addressed
        join base_departments on department_no = taste_department_no
        left join pool_area_codes as area on area.number = phone_no // {NUMBERS_PER_AREA_CODE}
        left join pool_area_codes as old_area on old_area.number = old_phone_no // {NUMBERS_PER_AREA_CODE}
        order by person_no
    """


def _phone(number: str) -> str:
    """SQL: the ten digits of phone number `number`, an integer below the capacity."""
    area = "area.value" if number == "phone_no" else "old_area.value"
    rest = f"({number} % {NUMBERS_PER_AREA_CODE})"
    exchange = f"case when {rest} < {NUMBERS_PER_AREA_CODE // 2} then '958' else '959' end"
    return f"{area} || {exchange} || lpad(cast({rest} % {NUMBERS_PER_AREA_CODE // 2} as varchar), 4, '0')"
