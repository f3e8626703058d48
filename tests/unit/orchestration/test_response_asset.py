"""Expected responses as an asset: whom it reads, what it leaves, and what it says where there are no campaigns."""

import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from ml.catalogue import read_catalogue
from ml.response import FEATURES
from orchestration import response_asset
from orchestration.response_asset import read_inputs, refresh
from shops import PROJECT_ROOT

HORIZON = 14
STARTS = [datetime.date(2017, 3, 6) + datetime.timedelta(days=28 * number) for number in range(5)]
TEST_FROM, NOW = STARTS[4], datetime.date(2017, 8, 7)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Feature tables of 200 customers at five campaigns and now, and the empty tables of Python."""
    path = tmp_path / "warehouse.duckdb"
    drawn = np.random.default_rng(6)
    keys = pd.DataFrame(
        {
            "customer_id": [f"c{n:03}" for _ in [*STARTS, NOW] for n in range(200)],
            "as_of_date": np.repeat([*STARTS, NOW], 200),
        }
    )
    sources = yaml.safe_load((PROJECT_ROOT / "models/scores/_python_tables.yml").read_text())["sources"]
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema features; create schema ml")

        def keep(name: str, frame: pd.DataFrame) -> None:
            connection.register("incoming", frame)
            connection.execute(f"create table features.{name} as from incoming")
            for column in (
                name for name in frame.columns if name in ("as_of_date", "label_ends_on", "first_redeemed_on")
            ):
                connection.execute(f"alter table features.{name} alter {column} type date")
            connection.unregister("incoming")

        described = read_catalogue().named(FEATURES)
        for table in dict.fromkeys(feature.table for feature in described):
            own = [feature.name for feature in described if feature.table == table]
            keep(table, keys.assign(**{name: drawn.gamma(2.0, 2.0, len(keys)) for name in own}))
        dates = pd.DataFrame({"as_of_date": [*STARTS, NOW], "is_current": [day == NOW for day in [*STARTS, NOW]]})
        keep("int_as_of_dates", dates)
        mailed = keys[(keys["as_of_date"] != NOW) & (drawn.random(len(keys)) < 0.6)]
        # Who has no features at the start, as there was no order before it, could not have been scored.
        stranger = pd.DataFrame({"customer_id": ["new"], "as_of_date": [STARTS[0]]})
        offers = pd.concat([mailed, stranger], ignore_index=True)
        offers = offers.assign(
            campaign_id=offers["as_of_date"].map(lambda day: f"k{STARTS.index(day)}"), campaign_type="A"
        )
        keep("feat_customer_offer", offers)
        redeemed = drawn.random(len(offers)) < 0.4
        starts = pd.to_datetime(offers["as_of_date"])
        keep(
            "label_redemption",
            offers[["customer_id", "campaign_id"]].assign(
                label_ends_on=starts + pd.Timedelta(days=20),
                first_redeemed_on=(starts + pd.Timedelta(days=3)).where(redeemed),
                has_redeemed=redeemed.astype(int),
            ),
        )
        bought = (drawn.random(len(keys)) < 0.6).astype(int)
        keep("label_purchase", keys.assign(horizon_days=HORIZON, has_purchased=bought))
        for table in next(source["tables"] for source in sources if source["name"] == "ml"):
            listed = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in table["columns"])
            connection.execute(f"create table ml.{table['name']} ({listed})")
    return path


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_each_customer_has_rows_and_the_models_are_named(warehouse: Path) -> None:
    for run in ("first", "second"):
        done = refresh(warehouse, warehouse.parent / "models", HORIZON, TEST_FROM, None, run)
    assert done.why_none == ""
    found = rows(
        warehouse,
        "select outcome, count(*), count(distinct customer_id), any_value(run_id), any_value(fallback_tier), "
        "count(incremental_effect) from ml.expected_responses where as_of_date = '2017-08-07' group by all order by 1",
    )
    assert found == [("purchased", 200, 200, "second", "model", 0), ("redeemed", 200, 200, "second", "model", 0)]
    names = rows(warehouse, "select model_name, run_id from ml.model_versions order by 1")
    assert names == [("expected_response_purchased", "second"), ("expected_response_redeemed", "second")]
    judged = rows(warehouse, "select distinct slice from ml.model_performance order by 1")
    assert judged == [("mailed",), ("mailed, A",)]
    kept = rows(
        warehouse,
        "select model_name, judged_for, count(*), sum(label), count(distinct campaign_id), any_value(run_id) "
        "from ml.judged_predictions group by all order by 1",
    )
    told = rows(
        warehouse,
        "select distinct model_name, 'hold_out', rows, positives, 1, 'second' from ml.model_performance "
        "where slice = 'mailed' order by 1",
    )
    assert kept == told
    balance = "select count(*), count(distinct coalesce(campaign_id, '')), any_value(run_id) from ml.campaign_balance"
    assert rows(warehouse, balance) == [(6 * (len(FEATURES) + 1), 6, "second")]
    for model in done.models:
        folder = warehouse.parent / "models" / model.outcome.model_name / model.model_version
        assert (folder / "manifest.json").is_file()
        assert (folder / "type_0" / "model.skops").is_file()


def test_who_could_not_have_been_scored_is_no_row(warehouse: Path) -> None:
    eligible = read_inputs(warehouse, HORIZON).eligible
    assert "new" not in set(eligible["customer_id"])
    assert len(eligible) == 200 * len(STARTS)
    assert 0 < eligible["is_mailed"].sum() < len(eligible)


def test_of_many_not_mailed_a_sample_is_read_and_all_are_counted(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_inputs(warehouse, HORIZON).eligible
    monkeypatch.setattr(response_asset, "MAX_NOT_MAILED", 10)
    some = read_inputs(warehouse, HORIZON).eligible
    assert some["is_mailed"].sum() == whole["is_mailed"].sum()
    assert ((~some["is_mailed"]).groupby(some["campaign_id"]).sum() == 10).all()
    counted = [frame.groupby("campaign_id")["not_mailed_count"].first() for frame in (some, whole)]
    pd.testing.assert_series_equal(counted[0], counted[1])
    of_whole = (~whole["is_mailed"]).groupby(whole["campaign_id"]).sum()
    assert list(counted[1]) == list(of_whole)


def test_without_campaigns_tables_are_empty_and_the_reason_is_told(warehouse: Path) -> None:
    refresh(warehouse, warehouse.parent / "models", HORIZON, TEST_FROM, None, "first")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from features.feat_customer_offer")
        connection.execute("delete from features.label_redemption")
    done = refresh(warehouse, warehouse.parent / "models", HORIZON, TEST_FROM, None, "second")
    assert done.why_none == "no campaigns have landed"
    for table in (
        "expected_responses",
        "campaign_balance",
        "model_versions",
        "model_performance",
        "judged_predictions",
    ):
        assert rows(warehouse, f"select count(*) from ml.{table}") == [(0,)], table


def test_campaigns_that_are_all_held_out_teach_nothing_and_that_is_told(warehouse: Path) -> None:
    done = refresh(warehouse, warehouse.parent / "models", HORIZON, STARTS[0], None, "first")
    assert done.models == ()
    assert "was observed before 2017-03-06" in done.why_none
    assert rows(warehouse, "select count(*) from ml.expected_responses") == [(0,)]
    assert rows(warehouse, "select count(*) > 0 from ml.campaign_balance") == [(True,)]


def test_what_happened_from_a_set_day_on_is_not_read(warehouse: Path) -> None:
    until = TEST_FROM + datetime.timedelta(days=10)
    performance = "select * exclude (run_id) from ml.model_performance order by all"

    def judged() -> list[tuple[object, ...]]:
        refresh(warehouse, warehouse.parent / "models", HORIZON, TEST_FROM, until, "run")
        return rows(warehouse, performance)

    before = judged()
    with duckdb.connect(str(warehouse)) as connection:
        # Redemptions of the hold-out's second week, and purchases in windows that reach it.
        connection.execute(
            "update features.label_redemption set has_redeemed = 1, first_redeemed_on = ?::date "
            "where campaign_id = 'k4' and has_redeemed = 0", [until],
        )  # fmt: skip
        connection.execute("update features.label_purchase set has_purchased = 1 where as_of_date = ?", [TEST_FROM])
    assert judged() == before
