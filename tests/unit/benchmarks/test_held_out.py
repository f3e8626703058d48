"""The overlay that is kept for testing: it plugs in, repeats itself, obeys the contract, and nobody knows it."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import held_out
from benchmarks.held_out import HELD_OUT_FAMILIES, HELD_OUT_RECIPES, HeldOutOverlay, families, held_out_overlay
from ingestion import LandingError, read_contract
from ingestion.overlay import BOT_FAMILIES, DIRT_RECIPES, BotFamily, BotSurroundings, Step
from ingestion.overlay.agents import MONTHS, browser_agents
from ingestion.overlay.contacts import SYSTEMS
from shops import PROJECT_ROOT

HOUSEHOLDS = 120
FAMILY_NAMES = {family.name for family in HELD_OUT_FAMILIES}
RECIPE_NAMES = {recipe.name for recipe in HELD_OUT_RECIPES}
WHO_MAY_NOT_KNOW = ("models", "macros", "seeds", "ingestion", "ml", "expectations", "orchestration", "pages", "shops")
# The package, anything of benchmarks that could lead to it, and the names that it alone uses.
NAMED = re.compile(
    "|".join(
        [
            r"benchmarks[./\\]+held_out",
            r"^\s*(?:from|import)\s+benchmarks\b",
            r"import_module\(\s*[\"']benchmarks",
            *(rf"\b{name}\b" for name in held_out.__all__ if "held_out" in name.lower() or "heldout" in name.lower()),
            *(rf"\b{type(family).__name__}\b" for family in HELD_OUT_FAMILIES),
            *(rf"[\"']{name}[\"']" for name in FAMILY_NAMES | RECIPE_NAMES),
        ]
    ),
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> HeldOutOverlay:
    return held_out_overlay(tmp_path_factory.mktemp("held_out"), households=HOUSEHOLDS)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> HeldOutOverlay:
    return held_out_overlay(tmp_path_factory.mktemp("alone"), households=HOUSEHOLDS, with_shipped=False)


def landed(overlay: HeldOutOverlay, table: str) -> str:
    """SQL: the overlay's rows of a landing table."""
    return f"read_parquet('{overlay.folders.landing}/{table}/*/{overlay.loads[1].load_id}.parquet')"


def truth(overlay: HeldOutOverlay, table: str) -> str:
    return f"read_parquet('{overlay.folders.truth}/{table}.parquet')"


def rows(query: str, **tables: object) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.execute(query).fetchall()


def fingerprints(overlay: HeldOutOverlay) -> dict[str, tuple[object, ...]]:
    """Per table of landing and truth: its rows and the sum of their hashes, whatever their order."""
    files = [*overlay.folders.landing.glob("*/*/*.parquet"), *overlay.folders.truth.glob("*.parquet")]
    return {
        str(file.relative_to(overlay.folders.data)): rows(f"""
            select count(*), sum(cast(hash(landed) as hugeint)) from read_parquet('{file}') as landed
        """)[0]
        for file in files
    }


def test_it_plugs_in_beside_what_ships(overlay: HeldOutOverlay) -> None:
    assert all(isinstance(family, BotFamily) and not family.is_declared for family in HELD_OUT_FAMILIES)
    planted = {name for (name,) in rows(f"select distinct bot_family from {truth(overlay, 'bots')}")}
    assert planted == FAMILY_NAMES | {family.name for family in BOT_FAMILIES}
    recipes = {name for (name,) in rows(f"select distinct recipe from {truth(overlay, 'contact_dirt')}")}
    assert recipes >= RECIPE_NAMES
    assert recipes - RECIPE_NAMES <= {recipe.name for recipe in DIRT_RECIPES}
    assert recipes - RECIPE_NAMES


def test_it_can_stand_in_place_of_what_ships(alone: HeldOutOverlay) -> None:
    assert {name for (name,) in rows(f"select distinct bot_family from {truth(alone, 'bots')}")} == FAMILY_NAMES
    assert {name for (name,) in rows(f"select distinct recipe from {truth(alone, 'contact_dirt')}")} == RECIPE_NAMES


def test_it_is_not_what_ships() -> None:
    assert not FAMILY_NAMES & {family.name for family in BOT_FAMILIES}
    assert not RECIPE_NAMES & {recipe.name for recipe in DIRT_RECIPES}
    assert held_out.held_out_plan().seed not in range(1000), "a seed that somebody tries first is not held out"


def test_it_is_the_same_each_time(overlay: HeldOutOverlay, tmp_path: Path) -> None:
    again = held_out_overlay(tmp_path, households=HOUSEHOLDS)
    first = fingerprints(overlay)
    assert first == fingerprints(again)
    assert sum(int(str(count)) for count, _ in first.values()) > 10_000


def test_landing_it_twice_changes_nothing(alone: HeldOutOverlay) -> None:
    before = {file: file.stat().st_mtime_ns for file in alone.folders.data.rglob("*.parquet")}
    again = held_out_overlay(alone.folders.data_root, households=HOUSEHOLDS, with_shipped=False)
    assert [load.already_landed for load in again.loads] == [True, True]
    assert {file: file.stat().st_mtime_ns for file in alone.folders.data.rglob("*.parquet")} == before


def test_a_folder_with_other_families_is_refused(alone: HeldOutOverlay) -> None:
    with pytest.raises(LandingError, match=r"already holds the overlay .*planted.*another folder"):
        held_out_overlay(alone.folders.data_root, households=HOUSEHOLDS)


def test_truth_tells_the_held_out_visitors_and_contacts(overlay: HeldOutOverlay) -> None:
    visitors, contacts = overlay.visitors(), overlay.contacts()
    assert visitors.column_names == ["anonymous_id", "bot_family", "requests"]
    assert contacts.column_names == ["contact_id", "recipe"]
    assert set(visitors["bot_family"].to_pylist()) == FAMILY_NAMES
    assert set(contacts["recipe"].to_pylist()) == RECIPE_NAMES
    # Each visitor's requests are the events that landed of it, and records call it a bot and nobody else's.
    assert not rows(
        f"""
        with events as (
            select anonymous_id, count(distinct event_id) as requests from {landed(overlay, "web_events")} group by all
        )
        select * from visitors
        left join events using (anonymous_id)
        left join {truth(overlay, "records")} as records
            on source_system = 'web_visitors' and source_record_id = anonymous_id
        where events.requests is distinct from visitors.requests or kind is distinct from 'bot' or person_id is not null
        """,
        visitors=visitors,
    )
    assert not rows(
        f"""
        select contact_id from contacts
        left join {truth(overlay, "records")} as records
            on source_system = 'crm_contacts' and source_record_id = contact_id
        where kind is distinct from 'person' or person_id is null
        """,
        contacts=contacts,
    )


def test_it_is_as_large_as_stated(overlay: HeldOutOverlay) -> None:
    ((events, visitors),) = rows(
        f"""
        select
            avg(cast(visitors.anonymous_id is not null as integer)),
            count(distinct visitors.anonymous_id) / count(distinct events.anonymous_id)
        from {landed(overlay, "web_events")} as events left join visitors using (anonymous_id)
        """,
        visitors=overlay.visitors(),
    )
    assert held_out.EVENTS_SHARE[0] <= float(str(events)) <= held_out.EVENTS_SHARE[1]
    assert held_out.VISITORS_SHARE[0] <= float(str(visitors)) <= held_out.VISITORS_SHARE[1]
    # Few enough contacts that the shop stays a shop, enough to score.
    ((contacts,),) = rows(
        f"select (select count(*) from hit) / count(distinct contact_id) from {landed(overlay, 'crm_contacts')}",
        hit=overlay.contacts(),
    )
    assert 0.03 <= float(str(contacts)) <= 0.2


def test_files_have_the_columns_and_types_of_the_contract(overlay: HeldOutOverlay) -> None:
    for table, columns in read_contract().tables.items():
        if table not in overlay.loads[1].rows:
            continue
        # load_date is the folder that the file lies in.
        found = rows(f"describe select * exclude (load_date) from {landed(overlay, table)}")
        assert [(name, str(kind).lower()) for name, kind, *_ in found] == list(columns.items()), table
    assert rows(f"select is_synthetic from {landed(overlay, 'loads')}") == [(True,)]


@pytest.mark.parametrize(
    "wrong",
    [
        "event_id is null or user_agent is null or ip_address is null or page_url is null or content_type is null",
        "event_type not in ('page', 'track') or (event_name is null) <> (event_type = 'page')",
        "user_id is not null or email is not null or order_id is not null",
        "(list_price is null) <> (currency is null) or shown_price > list_price or shown_price <= 0",
        "product_id is not null and product_id not in (select product_id from products)",
        "not coalesce(occurred_at <= sent_at and sent_at <= known_at, false)",
        "occurred_at < timestamp '2017-01-01 05:00' or occurred_at >= timestamp '2018-01-01 05:00'",
        "user_agent not in (select unnest(agents) from browsers)",
    ],
)
def test_events_obey_the_contract(overlay: HeldOutOverlay, wrong: str) -> None:
    (file,) = overlay.folders.landing.glob("products/load_date=2018*/*.parquet")
    assert not rows(
        f"""
        with
        products as (select product_id from read_parquet('{file}')),
        browsers as (select {browser_agents()!r} as agents)
        select * from {landed(overlay, "web_events")} join visitors using (anonymous_id) where {wrong} limit 3
        """,
        visitors=overlay.visitors(),
    )


def test_an_event_that_arrives_twice_is_the_same_event(overlay: HeldOutOverlay) -> None:
    ((deliveries, events, contents),) = rows(
        f"""
        select count(*), count(distinct event_id), count(distinct (event_id, anonymous_id, occurred_at, page_url))
        from {landed(overlay, "web_events")} join visitors using (anonymous_id)
        """,
        visitors=overlay.visitors(),
    )
    assert deliveries > events == contents  # type: ignore[operator]


@pytest.mark.parametrize(
    "wrong",
    [
        "contact_id is null or known_at is null or known_at < occurred_at",
        f"crm_system not in {tuple(SYSTEMS)}",
        "coalesce(first_name, last_name, email, phone) is null",
    ],
)
def test_contacts_obey_the_contract(overlay: HeldOutOverlay, wrong: str) -> None:
    assert not rows(
        f"select * from {landed(overlay, 'crm_contacts')} join hit using (contact_id) where {wrong} limit 3",
        hit=overlay.contacts(),
    )


def test_recipes_change_nothing_of_other_contacts(alone: HeldOutOverlay) -> None:
    """What no recipe hit is as the person is written in the truth, in its name at least."""
    ((others, wrong),) = rows(
        f"""
        select
            count(*),
            count(*) filter (contacts.first_name is distinct from people.first_name and contacts.first_name is not null)
        from {landed(alone, "crm_contacts")} as contacts
        join {truth(alone, "records")} as records
            on source_system = 'crm_contacts' and source_record_id = contact_id
        join {truth(alone, "people")} as people using (person_id)
        where contact_id not in (select contact_id from hit)
        """,
        hit=alone.contacts(),
    )
    assert int(str(others)) > 100
    assert wrong == 0


# By number: an example that fails is printed. No deadline: the machine may be busy.
@settings(deadline=None)
@given(
    st.integers(0, len(HELD_OUT_FAMILIES) - 1),
    st.integers(0, 20_000),
    st.integers(1, 70_000),
    st.integers(0, 2**32 - 1),
)
def test_any_size_of_a_family_is_what_the_overlay_takes(number: int, events: int, products: int, seed: int) -> None:
    family = HELD_OUT_FAMILIES[number]
    surroundings = BotSurroundings(
        period_days=365, products=products, people=100, events=events, browser_agents=browser_agents(), months=MONTHS
    )
    requests = family.requests(np.random.default_rng(seed), surroundings)
    again = family.requests(np.random.default_rng(seed), surroundings)
    arrays = ("visitor", "seconds", "step", "product", "agent", "address")
    assert {len(getattr(requests, name)) for name in arrays} == {len(requests.visitor)}
    assert all((getattr(requests, name) == getattr(again, name)).all() for name in arrays)
    # Within a visitor's length, and a twentieth that a family may leave out.
    assert abs(len(requests.visitor) - events) <= 250 + 0.05 * events
    if not len(requests.visitor):
        return
    assert set(np.unique(requests.step)) <= set(Step) - {Step.LOGIN, Step.ORDER}
    assert requests.seconds.min() >= 0
    assert requests.seconds.max() < 365 * families.DAY
    assert requests.product.min() >= 0
    assert requests.product.max() < products
    assert requests.agent.max() < len(requests.agents)
    assert requests.address.max() < len(requests.addresses)
    _, counts = np.unique(requests.visitor, return_counts=True)
    assert counts.min() >= families.FEWEST_REQUESTS


def naming_files(root: Path, folders: tuple[str, ...]) -> list[str]:
    """Files below `root` that name what is held out."""
    found = []
    for folder in folders:
        for file in sorted((root / folder).rglob("*")):
            if not file.is_file() or "__pycache__" in file.parts:
                continue
            if NAMED.search(file.read_bytes().decode("utf-8", errors="replace")):
                found.append(file.relative_to(root).as_posix())
    return found


def test_nobody_who_detects_or_cleans_names_it() -> None:
    assert all((PROJECT_ROOT / folder).is_dir() for folder in ("models", "macros", "ingestion", "ml"))
    assert naming_files(PROJECT_ROOT, WHO_MAY_NOT_KNOW) == []


@pytest.mark.parametrize(
    "line",
    [
        "from benchmarks.held_out import families",
        "    import benchmarks",
        "from benchmarks import held_out",
        "-- as in benchmarks/held_out",
        "module = importlib.import_module('benchmarks.held_out')",
        f"where bot_family = '{HELD_OUT_FAMILIES[0].name}'",
        "held_out_overlay(folder)",
    ],
)
def test_naming_it_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "models" / "deep").mkdir(parents=True)
    (tmp_path / "models" / "deep" / "good.sql").write_text(
        "select 1 -- the hold-out rows, benchmarks of held-out data\n"
    )
    assert naming_files(tmp_path, WHO_MAY_NOT_KNOW) == []
    (tmp_path / "models" / "deep" / "bad.sql").write_text(f"select 1\n{line}\n")
    assert naming_files(tmp_path, WHO_MAY_NOT_KNOW) == ["models/deep/bad.sql"]
