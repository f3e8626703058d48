"""`make tour`: each scene shows before and after what it promises, in a copy, and the shop's own files stay."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from shops import ShopFolders
from tests.integration.outcome import sha256
from tour.__main__ import SHOP, main, scenes
from tour.copies import copy_of
from tour.telling import Teller

WIDTH = 100


@pytest.fixture(scope="module")
def toured(good_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> ShopFolders:
    """One copy of the shop that ran once, for all scenes: none of them may change it."""
    root = tmp_path_factory.mktemp("tour") / "data"
    shutil.copytree(good_shop, root, symlinks=True)
    return ShopFolders.of(SHOP, root)


def _files(shop: ShopFolders) -> dict[str, str]:
    root = shop.data_root
    return {str(file.relative_to(root)): sha256(file) for file in sorted(root.rglob("*")) if file.is_file()}


def _played(shop: ShopFolders, name: str) -> tuple[Any, str]:
    """What a scene found, and what it said."""
    (scene,) = (one for one in scenes() if one.name == name)
    before, started = _files(shop), time.perf_counter()
    console = Console(width=WIDTH, record=True, emoji=False)
    with copy_of(shop, scene.needs, is_kept=False) as copy:
        found = scene.play(copy, Teller(console))
    said = console.export_text()
    print(f"{said}\n{name}: {time.perf_counter() - started:.1f} s")  # noqa: T201 - the seconds, for who asks (-s)
    assert _files(shop) == before, "the shop has changed, or the copy is not gone"
    assert "look " in said
    return found, said


@pytest.mark.slow
def test_a_corrupt_file_ends_at_the_gate(toured: ShopFolders) -> None:
    found, said = _played(toured, "corrupt_file")
    assert found.is_red
    assert found.failures[0].startswith("gates__landing")
    assert found.file.name in found.failures[0]
    assert found.published_after == found.published_before == sha256(toured.current / "audience.duckdb")
    assert found.warehouse_after == found.warehouse_before
    assert "red" in said


@pytest.mark.slow
def test_strangers_are_glued_and_taken_apart(toured: ShopFolders) -> None:
    found, said = _played(toured, "shared_address")
    assert found.before.orders > 0
    assert found.glued.orders == found.before.orders + found.guest.orders
    assert found.glued.spend == found.before.spend + found.guest.spend
    assert found.after == found.before
    assert found.guest.orders > 0
    assert found.guest_customer != found.customer
    assert "same email" in said, "explained while they were one"


@pytest.mark.slow
def test_rows_of_the_future_change_no_feature(toured: ShopFolders) -> None:
    found, _ = _played(toured, "future_rows")
    assert found.planted > 0
    assert found.before.hashes == found.after.hashes
    assert all(found.before.hashes.values()), "nothing is the same whatever is planted"
    assert found.before.feature_auc == found.after.feature_auc < 0.9
    assert found.before.naive_auc < 0.9
    assert found.after.naive_auc > 0.99


@pytest.mark.slow
def test_a_refit_says_which_key_went_where(toured: ShopFolders) -> None:
    found, said = _played(toured, "refit")
    assert found.action in {"refitted", "chosen"}
    assert found.reason in " ".join(said.split())
    broad = found.lineage[found.lineage["level"] == "broad"]
    assert set(broad["event"]) <= {"continued", "split", "merged", "born", "died"}
    assert broad["old_key"].notna().any()
    assert 0 < found.moved_as_customers_changed < 1
    assert 0 < found.moved_as_definition_changed < 1


@pytest.mark.slow
def test_a_changed_threshold_is_held_beside_the_one_in_force(toured: ShopFolders) -> None:
    found, _ = _played(toured, "threshold")
    rows = found.rows
    assert rows["A"] > rows["B"] > 0
    assert rows["A"] == rows["both"] + rows["only in A"]
    assert rows["B"] == rows["both"] + rows["only in B"]
    assert all(0 <= found.purchase_rate[part] <= 1 for part in ("A", "B"))
    assert (found.overlap[["before", "after"]].max() > 0).all()


def test_without_a_result_the_next_step_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUDIENCE_DATA_DIR", str(tmp_path / "data"))
    assert main([]) == 1
    assert "Next: make demo" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_copy_shares_what_is_written_once_and_nothing_else(tmp_path: Path) -> None:
    shop = ShopFolders.of(SHOP, tmp_path)
    lock = shop.landing / ".lock"
    for file in (shop.landing / "orders" / "a.parquet", lock, shop.state / "a.parquet", shop.warehouse):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("as it was")
    with copy_of(shop, ("landing", "state", "warehouse.duckdb", "models"), is_kept=False) as copy:
        assert (copy.landing / "orders" / "a.parquet").samefile(shop.landing / "orders" / "a.parquet")
        assert not (copy.landing / lock.name).samefile(lock), "who writes the copy would keep the shop waiting"
        assert not (copy.state / "a.parquet").samefile(shop.state / "a.parquet")
        assert not copy.warehouse.samefile(shop.warehouse)
    assert not copy.data_root.exists()
    with copy_of(shop, ("state",), is_kept=True) as copy:
        pass
    assert copy.state.exists()
