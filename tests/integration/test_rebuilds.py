"""The same landing zone, code and as-of date give the same tables, however often and from whatever state."""

from __future__ import annotations

import pytest

from orchestration.content import content_hashes
from orchestration.ledger import ledger_contract
from orchestration.model_ledger import RECORDED
from orchestration.publishing import URL_VARIABLE
from orchestration.running import is_up_to_date, run_chain
from shops import ShopFolders
from tests.conftest import run_command

# What is said of customers at a date: each is a table of the ledger, of which a run records only what is new.
OF_CUSTOMERS = {"segment_evaluations", "segment_memberships", "scores", *RECORDED}


def ledger(shop: ShopFolders) -> list[str]:
    return sorted(f"{table}/{file.name}" for table in OF_CUSTOMERS
                  for file in (shop.state / table).glob("[0-9]*.parquet"))  # fmt: skip


@pytest.mark.slow
def test_a_rerun_and_a_rebuild_change_nothing(shop: ShopFolders) -> None:
    """Customers, features, champions, scores, segments and their past: also when only the ledger is left of them."""
    first, files = content_hashes(shop.warehouse), ledger(shop)
    published = content_hashes(shop.current / "audience.duckdb")
    assert {file.split("/")[0] for file in files} == OF_CUSTOMERS
    assert set(ledger_contract()) >= OF_CUSTOMERS
    assert run_chain(shop).success
    assert content_hashes(shop.warehouse) == first
    assert ledger(shop) == files, "what the ledger has so is not recorded again"

    shop.warehouse.unlink()
    assert run_chain(shop).success
    assert content_hashes(shop.warehouse) == first
    assert content_hashes(shop.current / "audience.duckdb") == published
    assert ledger(shop) == files, "what the ledger has so is not recorded again"


def test_a_second_run_that_would_change_nothing_says_so(shop: ShopFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_up_to_date(shop)
    again = run_command(shop.data_root, "-m", "orchestration", "run", "--if-changed")
    assert again.returncode == 0
    assert "up to date" in again.stdout
    assert "Recent Buyers" in again.stdout

    with monkeypatch.context() as elsewhere:
        elsewhere.setenv(URL_VARIABLE, "postgresql://127.0.0.1/new")
        assert not is_up_to_date(shop), "a server that has just been named has no tables yet"
    (shop.landing / "orders" / "load_date=2018-01-01" / "completejourney-200-households.parquet").touch()
    assert not is_up_to_date(shop)
