"""The same seed gives the same rows, however they are made; another seed gives others; the landing is as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.landing_files import Contract, check_files
from expectations.landing_files import LandingZone as LandedZone
from ingestion import LandingError, LandingZone, completejourney
from ingestion.adapters import land_shop
from ingestion.contract import CONTRACT_FILE
from ingestion.overlay import OverlayPlan, land_generated, land_overlay
from ingestion.overlay import events as overlay_events
from ingestion.overlay.draws import Draws
from shops import ShopFolders, load_settings
from tests.unit.ingestion.overlay.conftest import CONTRACT, HOUSEHOLDS, Look, content, make_look

SMALL = OverlayPlan(events=12_000)


@pytest.fixture(scope="module")
def small(base: Mapping[str, str]) -> Look:
    return make_look(base, SMALL, threads=2)


def test_one_thread_gives_what_two_give(base: Mapping[str, str], small: Look) -> None:
    assert content(make_look(base, SMALL, threads=1)) == content(small)


def test_another_seed_gives_another_overlay(base: Mapping[str, str], small: Look) -> None:
    other = make_look(base, replace(SMALL, seed=2))
    for table in ("crm_contacts", "web_events", "email_events", "consent_events", "truth_people", "truth_bots"):
        assert content(other, (table,)) != content(small, (table,)), table
    # Another draw of the same shop: sizes are alike.
    for table in ("crm_contacts", "web_events"):
        ours, others = (one.number(f"select count(*) from {table}") for one in (small, other))
        assert others == pytest.approx(ours, rel=0.1)


def test_the_size_of_chunks_changes_nothing(
    base: Mapping[str, str], small: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlay_events, "VISITS_PER_CHUNK", 100)
    assert content(make_look(base, SMALL), ("web_events",)) == content(small, ("web_events",))


@given(split=st.datetimes(datetime(2017, 1, 2), datetime(2018, 1, 8)))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_known_later_lands_later_and_nothing_lands_twice(small: Look, split: datetime) -> None:
    """Loads of two spans of time hold the rows of one load of all."""
    _check_split(small, split)


def test_a_split_between_a_request_and_its_arrival(small: Look) -> None:
    """What a bot asked for before the day and the server knew after it lands with the day."""
    (split,) = small.row("""
        select min(known_at) from web_events where anonymous_id in (select anonymous_id from truth_bots)
            and known_at > timestamp '2017-06-01' and known_at > occurred_at + interval 900 millisecond
    """)
    assert isinstance(split, datetime)
    _check_split(small, split)


def _check_split(small: Look, split: datetime) -> None:
    overlay, connection = small.overlay, small.connection
    for table in overlay.tables():
        parts = [overlay.tables(known_before=split)[table], overlay.tables(known_from=split)[table]]
        together = " union all ".join(f"({part})" for part in parts)
        assert small.row(f"select count(*), sum(hash(rows)) from ({together}) as rows") == small.row(
            f"select count(*), sum(hash(rows)) from ({overlay.tables()[table]}) as rows"
        )
    schema = connection.execute(CONTRACT.empty_select("web_events")).to_arrow_table().schema
    seen: list[tuple[object, ...]] = []
    for part, limit in (
        (overlay.web_events(known_before=split), "max(known_at)"),
        (overlay.web_events(known_from=split), "min(known_at)"),
    ):
        rows = [chunk for chunk in part.tables(schema) if chunk.num_rows]
        for number, chunk in enumerate(rows):
            connection.register("part", chunk)
            how = "create or replace temp table parts as" if not seen and not number else "insert into parts"
            connection.execute(f"{how} select * from part")
            seen.append(connection.execute(f"select {limit} from part").fetchone() or ())
            connection.unregister("part")
            edge = seen[-1][0]
            assert isinstance(edge, datetime)
            assert edge < split if limit.startswith("max") else edge >= split
    assert small.row("select count(*), sum(hash(parts)) from parts") == small.row(
        "select count(*), sum(hash(web_events)) from web_events"
    )


def test_landed_files_are_as_the_contract_says(base: Mapping[str, str], tmp_path: Path) -> None:
    zone = LandingZone(tmp_path / "landing")
    load = land_overlay(zone, tmp_path / "truth", base, SMALL)
    assert not load.already_landed
    assert land_overlay(zone, tmp_path / "truth", base, SMALL).already_landed
    for table, columns in CONTRACT.tables.items():
        for file in (tmp_path / "landing" / table).glob("load_date=2018*/*.parquet"):
            read = f"read_parquet('{file}', hive_partitioning = false)"
            described = duckdb.execute(f"describe from {read}").fetchall()
            types = {name: kind.lower().replace(" ", "") for name, kind, *_ in described}
            assert types == {name: kind.lower() for name, kind in columns.items()}, table
            assert parquet.read_metadata(file).num_rows == load.rows.get(table, 1)
    results = check_files(LandedZone.read(tmp_path / "landing", Contract.read(CONTRACT_FILE)))
    wrong = {result.table_name for result in results if not result.success}
    assert wrong == {"landing.orders", "landing.order_lines"}  # Not this load's business, and required.
    (row,) = duckdb.execute(
        f"select source, load_date, known_at_is_assumed, is_synthetic from '{tmp_path}/landing/loads/*2018*/*.parquet'"
    ).fetchall()
    assert row == ("synthetic-overlay", date(2018, 1, 10), True, True)


def test_an_overlay_of_several_files_is_whole(small: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a large overlay follow each other in time, and what an earlier try left behind goes."""
    monkeypatch.setattr(overlay_events, "SMALL_OVERLAY", 100)
    monkeypatch.setattr(overlay_events, "VISITS_PER_FILE", 500)
    monkeypatch.setattr(overlay_events, "VISITS_PER_CHUNK", 64)
    folder = tmp_path / "landing" / "web_events" / "load_date=2018-01-10"
    folder.mkdir(parents=True)
    (folder / "synthetic-overlay-seed1-events12000-099.parquet").write_text("left over")
    load = land_generated(LandingZone(tmp_path / "landing"), tmp_path / "truth", small.overlay)
    files = sorted(folder.iterdir())
    assert len(files) > 2
    assert [file.name for file in files] == [
        f"synthetic-overlay-seed1-events12000-{number + 1:03d}.parquet" for number in range(len(files))
    ]
    duckdb_rows = duckdb.execute(
        f"select count(*), sum(hash(rows)) from (select * exclude (load_id) from read_parquet('{folder}/*.parquet', "
        "hive_partitioning = false)) as rows"
    ).fetchone()
    expected = small.row("select count(*), sum(hash(rows)) from (select * exclude (load_id) from web_events) as rows")
    assert duckdb_rows == expected
    assert load.rows["web_events"] == expected[0]
    starts = [duckdb.execute(f"select median(epoch(known_at)) from '{file}'").fetchone() for file in files]
    assert starts == sorted(starts)


def test_another_overlay_needs_another_folder(base: Mapping[str, str], small: Look, tmp_path: Path) -> None:
    zone = LandingZone(tmp_path / "landing")
    day = datetime(2017, 3, 1)
    land_generated(zone, tmp_path / "truth", small.overlay, known_before=day)
    land_generated(zone, tmp_path / "truth", small.overlay, known_from=day, known_before=datetime(2017, 3, 2))
    assert [load.load_id for load in zone.loads()] == [
        "synthetic-overlay-seed1-events12000-before20170301T0000",
        "synthetic-overlay-seed1-events12000-from20170301T0000-before20170302T0000",
    ]
    with pytest.raises(LandingError, match=r"seed1-events12000.*seed2.*AUDIENCE_DATA_DIR"):
        land_overlay(zone, tmp_path / "truth", base, replace(SMALL, seed=2))
    with pytest.raises(LandingError, match=r"seed1-events12000-planted[0-9a-f]{8}'"):
        land_overlay(zone, tmp_path / "truth", base, replace(SMALL, bot_families=SMALL.bot_families[1:]))


def test_the_real_load_is_the_same_with_and_without_the_overlay(tmp_path: Path, folders: ShopFolders) -> None:
    """The adapter lands the overlay beside the real load, whose rows stay as they are."""
    settings_of_demo = load_settings("demo")
    assert settings_of_demo.source.synthetic_overlay
    with_overlay = ShopFolders.of("demo", tmp_path)
    loads = land_shop(with_overlay, settings_of_demo, HOUSEHOLDS, SMALL)
    assert [load.load_id for load in loads] == [
        f"completejourney-{HOUSEHOLDS}-households",
        "synthetic-overlay-seed1-events12000",
    ]
    for table in completejourney.TABLES:
        hashes = set()
        for one in (folders, with_overlay):
            files = f"read_parquet('{one.landing / table}/*2018-01-01/*.parquet')"
            hashes.add(duckdb.execute(f"select count(*), sum(hash(rows)) from {files} as rows").fetchone())
        assert len(hashes) == 1, table
    assert {file.stem for file in with_overlay.truth.iterdir()} == {
        "people", "records", "bots", "contact_dirt", "carts", "visitor_clocks", "visit_faults",
    }  # fmt: skip


def test_without_the_setting_there_is_no_overlay(tmp_path: Path) -> None:
    demo = load_settings("demo")
    without = demo.model_copy(update={"source": demo.source.model_copy(update={"synthetic_overlay": False})})
    folders = ShopFolders.of("demo", tmp_path)
    (load,) = land_shop(folders, without, 5)
    assert load.source == "completejourney"
    assert not folders.truth.exists()


@given(number=st.integers(0, 2**40), seed=st.integers(0, 5))
def test_draws_lie_where_they_should(number: int, seed: int) -> None:
    draws = Draws(seed)
    query = (
        f"select {draws.unit('a', str(number))}, {draws.below('a', str(number), 7)}, "
        f"{draws.choice('a', str(number), {'x': 1.0, 'y': 3.0})}"
    )
    unit, below, choice = duckdb.execute(query).fetchone() or ()
    assert 0 <= unit < 1
    assert 0 <= below < 7
    assert choice in ("x", "y")


def test_draws_of_two_labels_have_nothing_to_do_with_each_other() -> None:
    """Hashes that are combined after hashing differ by a constant: their draws would be one and the same."""
    draws = Draws(1)
    correlation, mean, spread = duckdb.execute(
        f"select corr({draws.unit('a', 'i')}, {draws.unit('b', 'i')}), avg({draws.normal('c', 'i')}), "
        f"stddev({draws.normal('c', 'i')}) from range(50000) as numbers(i)"
    ).fetchone() or (1, 1, 1)
    assert abs(correlation) < 0.02
    assert abs(mean) < 0.02
    assert spread == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("wrong", "message"), [({"scale": 0}, "scale"), ({"events": -1}, "events")])
def test_a_plan_of_no_size_is_refused(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OverlayPlan(**wrong)
