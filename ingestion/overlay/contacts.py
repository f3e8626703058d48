"""CRM contacts: what three systems know of a person, in versions, and then the dirt."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from ingestion.overlay.dirt import DirtRecipe
from ingestion.overlay.plan import OverlayPlan
from ingestion.sql import literal

# Share of the people that a system knows, and what it notes of them.
SYSTEMS = {"crm": 0.9, "till": 0.42, "newsletter": 0.38}
CARD_SHARE = {"crm": 0.8, "till": 0.9, "newsletter": 0.06}
USER_SHARE = {"crm": 0.6, "till": 0.0, "newsletter": 0.3}
# Whether a system hears of a move, a marriage or a new address.
TOLD_SHARE = {"crm": 0.8, "till": 0.35, "newsletter": 0.6}
RESAVED_SHARE = 0.04
_STEP, _CAPACITY = 7_919, 90_000_049  # odd and prime: ids look drawn and never repeat

COLUMNS = ("contact_id", "crm_system", "loyalty_id", "user_id", "first_name", "last_name", "email", "phone", "street",
           "city", "postcode", "region", "country", "birth_date", "occurred_at", "known_at")  # fmt: skip
# What recipes may read and never lands; with their types, for contacts of nobody.
HELPERS = {"born": "date", "age_band": "varchar", "old_street": "varchar", "old_city": "varchar",
           "old_postcode": "varchar", "old_region": "varchar", "is_moved": "boolean", "other_city": "varchar",
           "family_email": "varchar", "is_second_of_family": "boolean", "donor_phone": "varchar",
           "person_no": "bigint", "contact_no": "bigint", "version_no": "integer"}  # fmt: skip


def open_contacts(
    connection: duckdb.DuckDBPyConnection, plan: OverlayPlan, people: int, pools: Mapping[str, int]
) -> None:
    """Make the table `contacts`: the landing columns, person_no (null = nobody) and recipes (list of names)."""
    spoiling = [recipe for recipe in plan.dirt_recipes if not recipe.adds_contacts]
    adding = [recipe for recipe in plan.dirt_recipes if recipe.adds_contacts]
    connection.execute(f"""
        create or replace temp table contacts as {_spoiled_sql(plan, spoiling, _clean_sql(plan, people, pools))}
    """)
    counted = connection.execute("select count(*) from contacts").fetchone()
    assert counted is not None
    for number, recipe in enumerate(adding):
        connection.execute(f"insert into contacts {_added_sql(plan, number, recipe, int(counted[0]))}")


def _share(name: str, shares: Mapping[str, float]) -> str:
    cases = " ".join(f"when '{system}' then {share}" for system, share in shares.items())
    return f"case {name} {cases} end"


def _clean_sql(plan: OverlayPlan, people: int, pools: Mapping[str, int]) -> str:
    draws, no = plan.draws, "contact_no"
    present = ", ".join(f"'{system}'" for system in SYSTEMS)
    return f"""
        with systems as (
            select unnest([{present}]) as crm_system, unnest(range({len(SYSTEMS)})) as system_no
        ),
        pairs as (
            select person_no * 4 + system_no as contact_no, systems.crm_system, system_no, people.*
            from people cross join systems
        ),
        present as (
            -- Whom no system would know is in the CRM after all.
            select
                *,
                {draws.chance("in system", no, _share("crm_system", SYSTEMS))}
                and (crm_system <> 'newsletter' or email is not null) as is_drawn
            from pairs
        ),
        kept as (
            select * from present
            qualify is_drawn or (crm_system = 'crm' and not bool_or(is_drawn) over (partition by person_no))
        ),
        dated as (
            select
                *,
                case when crm_system = 'crm' then signed_up_at else least(
                    timestamp '2017-12-20',
                    signed_up_at + to_seconds({draws.below("system since", no, 400 * 86400)})
                ) end as created_at,
                (is_moved or last_name <> earlier_last_name or second_email is not null) as is_changed,
                {draws.chance("told", no, _share("crm_system", TOLD_SHARE))} as is_told,
                {draws.chance("resaved", no, RESAVED_SHARE)} as is_resaved
            from kept
        ),
        -- version_no 1: as it was; 2: after the change; 3: saved again, as somebody who looks does
        versions as (
            select *, 1 as version_no, created_at as written_at, is_changed and created_at < moved_at as is_before
            from dated
            union all
            select *, 2, moved_at, false from dated where is_changed and is_told and created_at < moved_at
            union all
            select
                *, 3,
                greatest(created_at, moved_at) + to_seconds(86400 + {draws.below("resaved at", no, 20 * 86400)}),
                is_changed and created_at < moved_at and not is_told
            from dated where is_resaved
        )
        select
            -- landing columns
            upper(left(crm_system, 1)) || (10000000 + ({no} * {_STEP}) % {_CAPACITY}) as contact_id,
            crm_system,
            case when {draws.chance("card noted", no, _share("crm_system", CARD_SHARE))} then loyalty_id end
                as loyalty_id,
            case when has_account and {draws.chance("user noted", no, _share("crm_system", USER_SHARE))}
                then user_id end as user_id,
            case when crm_system <> 'newsletter' or {draws.chance("named", no, 0.5)} then first_name end as first_name,
            case when crm_system <> 'newsletter' or {draws.chance("named", no, 0.5)}
                then case when is_before then earlier_last_name else last_name end end as last_name,
            case when crm_system <> 'till' or {draws.chance("till asks email", no, 0.5)}
                then case when is_before and second_email is not null then second_email else email end end as email,
            case when crm_system <> 'newsletter' then
                case when is_before and is_moved then old_phone else phone end end as phone,
            case when crm_system <> 'newsletter' then
                case when is_before and is_moved then old_street else street end end as street,
            case when crm_system <> 'newsletter' then
                case when is_before and is_moved then old_city else city end end as city,
            case when crm_system <> 'newsletter' or {draws.chance("postcode asked", no, 0.3)} then
                case when is_before and is_moved then old_postcode else postcode end end as postcode,
            case when crm_system <> 'newsletter' then
                case when is_before and is_moved then old_region else region end end as region,
            case when crm_system = 'crm' then 'US' end as country,
            case when crm_system <> 'newsletter' then strftime(birth_date, '%Y-%m-%d') end as birth_date,
            date_trunc('second', written_at) as occurred_at,
            date_trunc('second', written_at)
                + to_seconds({draws.below("heard", no, 600)}) as known_at,
            -- what recipes may read
            case when crm_system <> 'newsletter' then people_now.birth_date end as born, age_band,
            old_street, old_city, old_postcode, old_region, is_moved,
            other_city,
            families.family_email, home_no <> person_no as is_second_of_family,
            donors.donor_phone, person_no, contact_no, version_no
        from versions as people_now
        left join (select person_no as home_no, email as family_email from people where is_family) as families
            using (home_no)
        left join (select (person_no + 1) % {people} as person_no, phone as donor_phone from people) as donors
            using (person_no)
        join (select place_no as other_place_no, city as other_city from pool_places) as others
            on other_place_no = {draws.below("other city", no, pools["pool_places"])}
    """


def _hit(plan: OverlayPlan, recipe: DirtRecipe, changes: Mapping[str, str]) -> str:
    """SQL: whether the recipe hits, and changes something. A case tries the rest only on the few that are drawn."""
    drawn = plan.draws.chance(f"dirt/{recipe.name}", "contact_no", recipe.share)
    differs = " or ".join(f"{column} is distinct from ({value})" for column, value in changes.items())
    return f"case when {drawn} then coalesce({recipe.needs}, false) and ({differs}) else false end"


def _changes(plan: OverlayPlan, recipe: DirtRecipe) -> Mapping[str, str]:
    changes = recipe.changes(lambda label: plan.draws.unit(f"dirt/{recipe.name}/{label}", "contact_no"))
    known = {*COLUMNS, *HELPERS}
    if strangers := sorted(set(changes) - known):
        raise ValueError(
            f"the dirt recipe '{recipe.name}' changes {strangers}, which a contact does not have. "
            f"Next: use any of {', '.join(COLUMNS)}."
        )
    return changes


def _spoiled_sql(plan: OverlayPlan, recipes: list[DirtRecipe], clean: str) -> str:
    """Each recipe is one step over the columns as the step before left them."""
    steps = [f"step_0 as (select *, cast([] as varchar[]) as recipes from ({clean}))"]
    for number, recipe in enumerate(recipes, start=1):
        changes = _changes(plan, recipe)
        steps.append(f"hit_{number} as (select *, {_hit(plan, recipe, changes)} as is_hit from step_{number - 1})")
        replaced = ", ".join(
            f"case when is_hit then {value} else {column} end as {column}" for column, value in changes.items()
        )
        steps.append(
            f"step_{number} as (select * exclude (is_hit) replace ({replaced}, "
            f"case when is_hit then list_append(recipes, {literal(recipe.name)}) else recipes end as recipes) "
            f"from hit_{number})"
        )
    return f"with {', '.join(steps)} select {', '.join(COLUMNS)}, person_no, recipes from step_{len(recipes)}"


def _added_sql(plan: OverlayPlan, number: int, recipe: DirtRecipe, contacts: int) -> str:
    draws, no = plan.draws, "contact_no"
    changes = _changes(plan, recipe)
    given = {
        "contact_id": f"'X{number}' || (1000000 + added)",
        "crm_system": draws.choice(f"dirt/{recipe.name}/system", no, dict.fromkeys(SYSTEMS, 1.0)),
        "occurred_at": f"timestamp '2016-06-01' + to_hours({draws.below(f'dirt/{recipe.name}/at', no, 13000)})",
        **changes,
    }
    given.setdefault("known_at", given["occurred_at"])
    columns = ", ".join(f"{given.get(column, 'null')} as {column}" for column in COLUMNS)
    return f"""
        select {columns}, cast(null as bigint) as person_no, [{literal(recipe.name)}] as recipes
        from (
            select added, {4_000_000_000 + number * 10_000_000} + added as contact_no
            from range({max(3, round(recipe.share * contacts))}) as numbers(added)
        )
    """
