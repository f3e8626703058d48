"""The same landing zone, code and as-of date give the same tables, however often and from whatever state."""

from __future__ import annotations

import pytest

from orchestration.content import content_hashes
from orchestration.running import is_up_to_date, run_chain
from shops import ShopFolders
from tests.conftest import run_command


@pytest.mark.slow
def test_a_rerun_and_a_rebuild_change_nothing(shop: ShopFolders) -> None:
    first = content_hashes(shop.warehouse)
    published = content_hashes(shop.current / "audience.duckdb")
    assert run_chain(shop).success
    assert content_hashes(shop.warehouse) == first

    shop.warehouse.unlink()
    assert run_chain(shop).success
    assert content_hashes(shop.warehouse) == first
    assert content_hashes(shop.current / "audience.duckdb") == published


def test_a_second_run_that_would_change_nothing_says_so(shop: ShopFolders) -> None:
    assert is_up_to_date(shop)
    again = run_command(shop.data_root, "-m", "orchestration", "run", "--if-changed")
    assert again.returncode == 0
    assert "up to date" in again.stdout
    assert "Recent Buyers" in again.stdout

    (shop.landing / "orders" / "load_date=2018-01-01" / "completejourney-200-households.parquet").touch()
    assert not is_up_to_date(shop)
