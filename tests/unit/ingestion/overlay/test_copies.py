"""At a larger scale the shop keeps its shape: the same habits, more people."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from ingestion.__main__ import main
from shops import ShopFolders
from tests.unit.ingestion.overlay.conftest import HOUSEHOLDS

SCALE = 3


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> ShopFolders:
    root = tmp_path_factory.mktemp("scaled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIENCE_DATA_DIR", str(root))
        landing = ["land", "--households", str(HOUSEHOLDS), "--scale", str(SCALE), "--events", "20000", "--seed", "4"]
        assert main(landing) == 0
    return ShopFolders.of("demo", root)


def _row(folders: ShopFolders, query: str) -> tuple[object, ...]:
    with duckdb.connect() as connection:
        for table in ("orders", "order_lines", "loyalty_members", "campaign_recipients", "coupon_redemptions",
                      "web_events", "loads"):  # fmt: skip
            files = f"read_parquet('{folders.landing / table}/*/*.parquet', hive_partitioning = false)"
            connection.execute(f"create view {table} as select * from {files}")
        return connection.execute(query).fetchone() or ()


def test_the_shop_keeps_its_shape(scaled: ShopFolders, folders: ShopFolders) -> None:
    shape = """
        select
            count(distinct loyalty_id), count(distinct order_id) / count(distinct loyalty_id),
            count(*) / count(distinct order_id), sum(net_amount)::double / count(distinct order_id),
            sum(retail_discount)::double / sum(gross_amount)::double, avg(isodow(orders.occurred_at)),
            avg(hour(orders.occurred_at)),
            median(epoch(orders.occurred_at))
        from orders join order_lines using (order_id)
    """
    people, per_person, basket, value, discount, weekday, hour, middle = _row(scaled, shape)
    real = _row(folders, shape)
    assert people == pytest.approx(SCALE * real[0], abs=SCALE * HOUSEHOLDS / 50)
    for ours, theirs, tolerance in (
        (per_person, real[1], 0.1), (basket, real[2], 0.05), (value, real[3], 0.05), (discount, real[4], 0.03),
        (weekday, real[5], 0.02), (hour, real[6], 0.02), (middle, real[7], 0.01),
    ):  # fmt: skip
        assert ours == pytest.approx(theirs, rel=tolerance)


def test_copies_are_not_all_alike(scaled: ShopFolders) -> None:
    (spread,) = _row(scaled, """
        select avg(spread) from (
            select stddev(orders) / avg(orders) as spread from (
                select split_part(loyalty_id, '-', 1) as household, loyalty_id, count(*) as orders
                from orders group by all
            ) group by household having avg(orders) > 20
        )
    """)  # fmt: skip
    assert isinstance(spread, float)
    assert 0.15 < spread < 0.6
    assert _row(scaled, """
        select count(*) from (select occurred_at from orders group by occurred_at having count(*) >= 3)
    """) < (50,)  # fmt: skip


def test_copied_lines_add_up_and_belong_to_their_order(scaled: ShopFolders) -> None:
    assert _row(scaled, """
        select count(*) filter (gross_amount - retail_discount - coupon_match_discount <> net_amount),
            count(*) filter (orders.order_id is null), count(*) filter (orders.occurred_at <> order_lines.occurred_at)
        from order_lines left join orders using (order_id)
    """) == (0, 0, 0)  # fmt: skip
    assert _row(scaled, "select count(*) - count(distinct order_id) from orders") == (0,)
    assert _row(scaled, "select count(*) - count(distinct (order_id, line_number)) from order_lines") == (0,)
    assert _row(scaled, """
        select count(*) from orders where timezone('America/New_York', timezone('UTC', occurred_at))::date
        not between date '2017-01-01' and date '2017-12-31'
    """) == (0,)  # fmt: skip


def test_no_coupon_without_an_order_of_that_day(scaled: ShopFolders, folders: ShopFolders) -> None:
    orphans = """
        select count(*), count(*) filter (not exists (
            select 1 from orders where orders.loyalty_id = redemptions.loyalty_id and redeemed_on =
                timezone('America/New_York', timezone('UTC', orders.occurred_at))::date
        )) from coupon_redemptions as redemptions
    """
    redemptions, without = _row(scaled, orphans)
    real, real_without = _row(folders, orphans)
    assert real_without == 0
    assert without == 0
    assert isinstance(real, int)
    assert SCALE * real * 0.7 < redemptions <= SCALE * real


def test_scaled_loads_say_that_they_are_generated(scaled: ShopFolders) -> None:
    with duckdb.connect() as connection:
        loads = connection.execute(
            f"select load_id, is_synthetic from read_parquet('{scaled.landing}/loads/*/*.parquet') "
            "order by load_sequence"
        ).fetchall()
    assert loads == [
        (f"completejourney-{HOUSEHOLDS}-households-scale{SCALE}-seed4", True),
        ("synthetic-overlay-seed4-scale3-events20000", True),
    ]


def test_web_orders_are_copies_of_the_same_person(scaled: ShopFolders) -> None:
    found, strangers = _row(scaled, f"""
        select count(*), count(*) filter (people.loyalty_id is distinct from orders.loyalty_id)
        from (select distinct order_id, user_id from web_events where order_id is not null) as completed
        left join orders using (order_id)
        left join read_parquet('{scaled.truth}/people.parquet') as people on people.user_id = completed.user_id
    """)  # fmt: skip
    assert isinstance(found, int)
    assert found > 100
    assert strangers == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scale", "0"], "scale must be 1 or more, not 0"),
        (["--scale", "2", "--events", "-5"], "events must not be negative"),
        (["--scale", "1000000", "--households", "5"], "more than there are phone numbers for"),
    ],
)
def test_options_that_make_no_sense(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AUDIENCE_DATA_DIR", str(tmp_path))
    assert main(["land", *options]) == 1
    assert message in capsys.readouterr().err
