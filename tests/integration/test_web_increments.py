"""The web models through dbt: loads one after the other, what makes them start anew, and nothing landed at all."""

from __future__ import annotations

import random
from copy import copy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion import LandingZone
from orchestration.content import content_hashes
from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from orchestration.warehouse import reading
from shops import ShopFolders
from tests.unit.web.web_models import MODELS, event, land

MIDNIGHT = datetime(2017, 6, 2, 4)


# Text that only the SQL of an increment has.
MARKS = {
    "base_web__events": "reopened as",
    "stg_web__sessions": "reopened as",
    "stg_web__identifications": "union all",
}


class WebShop:
    """A shop with web events and nothing else."""

    def __init__(self, root: Path, parsed: InProcessDbt) -> None:
        self.folders = ShopFolders.of("demo", root)
        self.zone = LandingZone(self.folders.landing)
        self.zone.prepare()
        # Parsed once: the manifest names no folder.
        self.dbt = copy(parsed)
        self.dbt.folders = self.folders

    def run(self, *options: str) -> set[bool]:
        """Build the web tables; gives whether the models continued their tables."""
        with write_lock(self.folders.lock, "test"), self.dbt._environment(self.folders.warehouse):
            result = self.dbt._invoke(["run", "--select", *MODELS, *options])
        assert result.success, result.exception
        return {
            MARKS[one.node.name] in one.node.compiled_code for one in result.result.results if one.node.name in MODELS
        }

    def content(self) -> dict[str, str]:
        """Hashes of the web tables."""
        hashes = content_hashes(self.folders.warehouse)
        return {model: hashes[f"staging.{model}"] for model in MODELS}

    def count(self, query: str) -> int:
        with reading(self.folders.warehouse) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> InProcessDbt:
    return InProcessDbt(ShopFolders.of("demo", tmp_path_factory.mktemp("parsed")))


@pytest.fixture
def shop(tmp_path: Path, parsed: InProcessDbt) -> WebShop:
    return WebShop(tmp_path, parsed)


def _rows(seed: int, number: int) -> list[dict[str, Any]]:
    """Deliveries of a few visitors on two days; the same event may come with several seeds, now and then changed."""
    draw = random.Random(seed)
    rows = []
    for _ in range(number):
        name = draw.randrange(3 * number)
        fixed = random.Random(name)
        at = MIDNIGHT + timedelta(minutes=fixed.randrange(-900, 900))
        known = at + timedelta(seconds=draw.choice([1, 1, 1, 5000, 200_000]))
        tag = fixed.choice(["", "", "", "", "?utm_campaign=a", "?utm_campaign=b"])
        rows.append(
            event(
                event_id=f"e{name}",
                event_type="track",
                event_name=fixed.choice(["Product Viewed", "Product Added"]),
                anonymous_id=f"visitor {fixed.randrange(40)}",
                user_id=fixed.choice([None, None, f"user {fixed.randrange(5)}"]),
                page_url=f"https://www.shop.example/p/{name}{tag}",
                shown_price=draw.choice([5] * 30 + [6, -1]),
                occurred_at=at,
                sent_at=known,
                known_at=known,
            )
        )
    return rows


def test_loads_one_after_the_other_and_all_at_once_give_the_same(shop: WebShop) -> None:
    for number in range(3):
        land(shop.zone, f"load-{number}", _rows(number, 300))
        assert shop.run() == {number > 0}
    stepwise = shop.content()
    moved = "select count(*) from staging.stg_web__sessions where event_count > 1"
    assert shop.count(moved) > 50, "the rows are too sparse to prove anything"
    assert shop.count("select count(distinct reject_reason) from staging.base_web__events") == 3

    # Nothing new, then everything anew: both change nothing.
    assert shop.run() == {True}
    assert shop.content() == stepwise
    assert shop.run("--full-refresh") == {False}
    assert shop.content() == stepwise


def test_a_changed_setting_starts_anew(shop: WebShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked up where dbt runs before they are in the project, so a test can change a shop's settings."""
    monkeypatch.chdir(shop.folders.data)
    land(shop.zone, "load-0", _rows(0, 300))
    shop.run()
    sessions = "select count(*) from staging.stg_web__sessions"
    before = shop.count(sessions)
    own = shop.folders.data / "shops" / "demo" / "settings.yml"
    own.parent.mkdir(parents=True)
    own.write_text("web: {session_idle_minutes: 5}\n")
    try:
        assert shop.run() == {False}
        assert shop.count(sessions) > before
        assert shop.run() == {True}
    finally:
        own.unlink()
    assert shop.run() == {False}
    assert shop.count(sessions) == before


@pytest.mark.parametrize("file", ["load-0", "load-0-001"])
def test_a_landing_zone_that_was_replaced_starts_anew(shop: WebShop, file: str) -> None:
    def land_as(seed: int) -> None:
        land(shop.zone, "load-0", _rows(seed, 20))
        (landed,) = (shop.folders.landing / "web_events").glob("load_date=2*/load-0.parquet")
        landed.rename(landed.with_stem(file))

    land_as(0)
    shop.run()
    assert shop.run() == {True}
    for landed in shop.folders.landing.rglob("load-0*.parquet"):
        landed.unlink()
    land_as(1)
    assert shop.run() == {False}
    continued = shop.content()
    shop.folders.warehouse.unlink()
    shop.run()
    assert shop.content() == continued


def test_a_model_that_fell_behind_catches_up(shop: WebShop) -> None:
    """A run that broke off after the events: the sessions continue from where they are."""
    for number in range(3):
        land(shop.zone, f"load-{number}", _rows(number, 100))
        shop.run(*(["--exclude", "stg_web__sessions"] if number == 1 else []))
    stepwise = shop.content()
    shop.run("--full-refresh")
    assert shop.content() == stepwise


def test_without_a_web_event_all_is_empty_and_typed(shop: WebShop) -> None:
    for options in ((), (), ("--empty",)):
        shop.run(*options)
        assert {shop.count(f"select count(*) from staging.{model}") for model in MODELS} == {0}
    land(shop.zone, "load-0", _rows(0, 20))
    shop.run()
    assert shop.count("select count(*) from staging.base_web__events") == 20
