"""Bot flags: planted bots are found, unplanned ones too, people are left alone, and increments are exact."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from benchmarks.bots import GOAL, MODELS, Figure, build, figures
from ingestion import LandingZone
from ingestion.contract import read_contract
from ingestion.overlay import BOT_FAMILIES, BotFamily, OverlayPlan, generate, land_generated, new_connection
from orchestration.content import content_hashes
from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from orchestration.warehouse import reading
from shops import ShopFolders
from tests.integration.imaginary_traffic import IMAGINARY_BOTS, MISTAKABLE_PEOPLE
from tests.unit.web.web_models import event, land

OWN_MODELS = ("base_web__visitor_days", "base_web__crowd_days", "base_web__visitors", "stg_web__visitors")
# In a shop of 200 households the usual share of these would be one short day: too little to see.
SHARES = {"click farm": 0.12, "password guesser": 0.08}
WRONGED = 0.02


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> InProcessDbt:
    return InProcessDbt(ShopFolders.of("demo", tmp_path_factory.mktemp("parsed")))


def _at(parsed: InProcessDbt, folders: ShopFolders) -> InProcessDbt:
    """The parsed project, at work in `folders`: the manifest names no folder."""
    dbt = object.__new__(InProcessDbt)
    dbt.__dict__.update(parsed.__dict__, folders=folders)
    return dbt


def test_the_shipped_bots_are_found(good_shop: Path) -> None:
    found = {(one.measure, one.group): one for one in figures(ShopFolders.of("demo", good_shop), "shipped")}
    for measure in (("precision", "all that is flagged"), ("recall", "all bots"), ("recall", "undeclared bots")):
        assert min(found[measure].event_share, found[measure].visitor_share) >= GOAL, found[measure]
    for family in BOT_FAMILIES:
        assert found["found", family.name].event_share >= GOAL, found["found", family.name]
    assert found["wronged", "all people"].visitors > 300
    assert found["wronged", "all people"].visitor_share <= WRONGED


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory, landed_shop: Path, parsed: InProcessDbt) -> dict[str, Figure]:
    """How each imaginary family fares in the small shop."""
    folders = ShopFolders.of("demo", tmp_path_factory.mktemp("met"))
    families: list[BotFamily] = [
        replace(family, share=SHARES.get(family.name, family.share))  # type: ignore[type-var]
        for family in (*IMAGINARY_BOTS, *MISTAKABLE_PEOPLE)
    ]
    plan = OverlayPlan(bot_families=[*BOT_FAMILIES, *families])
    with new_connection() as connection:
        overlay = generate(connection, _landed(landed_shop), plan)
        land_generated(LandingZone(folders.landing), folders.truth, overlay)
    build(_at(parsed, folders))
    return {one.group: one for one in figures(folders, "imaginary") if one.measure == "found"}


def _landed(root: Path) -> dict[str, str]:
    landing = ShopFolders.of("demo", root).landing
    real = "load_date=2018-01-01/completejourney-200-households.parquet"
    names = ("loyalty_members", "products", "orders", "order_lines", "campaigns", "campaign_recipients",
             "coupon_redemptions")  # fmt: skip
    return {name: f"select * from read_parquet('{landing / name / real}')" for name in names}


@pytest.mark.parametrize("family", [family.name for family in IMAGINARY_BOTS])
def test_bots_that_nobody_planned_for_are_found(met: dict[str, Figure], family: str) -> None:
    assert met[family].events > 200
    assert min(met[family].event_share, met[family].visitor_share) >= GOAL, met[family]


@pytest.mark.parametrize("kind", [family.name for family in MISTAKABLE_PEOPLE])
def test_people_who_look_like_bots_are_left_alone(met: dict[str, Figure], kind: str) -> None:
    assert met[kind].events > 200
    assert met[kind].event_share <= WRONGED, met[kind]


def test_day_by_day_gives_the_same_as_all_at_once(landed_shop: Path, tmp_path: Path, parsed: InProcessDbt) -> None:
    """Loads cut by when the server knew, so that each brings late events of days that were counted already."""
    source = ShopFolders.of("demo", landed_shop)
    folders = ShopFolders.of("demo", tmp_path)
    dbt = _at(parsed, folders)
    zone = LandingZone(folders.landing)
    zone.prepare()
    (file,) = (source.landing / "web_events").glob("load_date=2018*/*.parquet")
    columns = [name for name in read_contract().tables["web_events"] if name != "load_id"]
    bounds = (datetime(2017, 1, 1), datetime(2017, 8, 1), datetime(2017, 8, 2, 4), datetime(2019, 1, 1))
    for number, (first, last) in enumerate(pairwise(bounds)):
        with duckdb.connect() as connection:
            zone.land(
                connection, load_id=f"load-{number}", source="test", load_date=last.date(),
                known_at_is_assumed=False,
                tables={
                    "web_events": f"select {', '.join(columns)} from read_parquet('{file}') "
                    f"where known_at >= timestamp '{first}' and known_at < timestamp '{last}'"
                },
            )  # fmt: skip
        assert _continued(dbt) == (number > 0)
    stepwise = _content(folders)

    folders.warehouse.unlink()
    assert not _continued(dbt)
    assert _content(folders) == stepwise


def test_a_crowd_that_is_none_any_more_goes(tmp_path: Path, parsed: InProcessDbt) -> None:
    """The second load says who one of four was: three are no crowd, so the day has no row to replace the old one by."""
    folders = ShopFolders.of("demo", tmp_path)
    dbt = _at(parsed, folders)
    zone = LandingZone(folders.landing)
    zone.prepare()
    noon = datetime(2017, 6, 1, 16)
    visits = [
        event(
            event_id=f"{visitor} {minute}", anonymous_id=visitor, ip_address="10.1.2.3", user_agent="Mozilla/5.0 (X11)",
            occurred_at=noon + timedelta(minutes=minute), known_at=noon + timedelta(minutes=minute),
        )
        for visitor in ("ann", "bob", "cat", "dan")
        for minute in range(4)
    ]  # fmt: skip
    land(zone, "load-0", visits)
    assert not _continued(dbt)
    crowds = "select count(*) from staging.base_web__crowd_days"
    with reading(folders.warehouse) as connection:
        assert connection.execute(crowds).fetchall() != [(0,)]
    land(zone, "load-1", [{**visits[0], "event_id": "login", "event_type": "identify", "user_id": "u1"}])
    assert _continued(dbt)
    with reading(folders.warehouse) as connection:
        assert connection.execute(crowds).fetchall() == [(0,)]


def _continued(dbt: InProcessDbt) -> bool:
    """Build all; gives whether the visitors' days continued their table."""
    with write_lock(dbt.folders.lock, "test"):
        result = dbt.build_models(MODELS, dbt.folders.warehouse)
    assert result.success, result.exception
    (days,) = (one for one in result.result.results if one.node.name == "base_web__visitor_days")
    return "touched as" in str(days.node.compiled_code)


def _content(folders: ShopFolders) -> dict[str, str]:
    hashes = content_hashes(folders.warehouse)
    return {model: hashes[f"staging.{model}"] for model in OWN_MODELS}
