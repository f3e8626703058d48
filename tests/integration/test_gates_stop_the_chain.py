"""A gate fails at each stage in turn: whatever lies downstream is as before, and the run says why."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from expectations import run_gate
from orchestration import gate_assets
from orchestration.definitions import build_definitions
from orchestration.running import run_chain
from orchestration.stages import gate_key
from shops import ShopFolders
from tests.integration.outcome import ReaderView

# What goes wrong in each stage, after it was built and before its gate looks: load faults, bugs and bad models.
CORRUPTIONS = {
    "staging": "update staging.stg_shop__order_lines set transaction_amount = transaction_amount * 100 "
    "where hash(order_id) % 3 = 0",
    "identity": "update identity.master_customer_index set customer_id = 'c_everybody'",
    "features": "update features.int_features__rfm set total_spend = 0",
    "scores": "update scores.int_scores__scores set score = 0.5",
    "segments": "delete from segments.int_segments__memberships",
    "marts": "delete from marts.fct_orders where hash(order_id) % 10 = 0",
}


def _gate_and_all_after(shop: ShopFolders, stage: str) -> list[dg.AssetKey]:
    """The part of the chain from a gate on; what lies before it is in the warehouse, built by an earlier run."""
    graph = build_definitions(shop).resolve_asset_graph()
    return sorted(dg.AssetSelection.assets(gate_key(stage)).downstream().resolve(graph))


@pytest.mark.parametrize("stage", CORRUPTIONS)
def test_a_failed_gate_changes_nothing_downstream(
    stage: str, shop: ShopFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ReaderView.of(shop)
    gates_asked: list[str] = []

    def corrupt_then_check(gate: str, warehouse: Path, **options: object) -> object:
        gates_asked.append(gate)
        if gate == stage:
            with duckdb.connect(str(warehouse)) as connection:
                connection.execute(CORRUPTIONS[stage])
        return run_gate(gate, warehouse, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(gate_assets, "run_gate", corrupt_then_check)
    outcome = run_chain(shop, _gate_and_all_after(shop, stage))

    assert not outcome.success
    assert gates_asked == [stage], "a later stage ran although the gate failed"
    assert len(outcome.failures) == 1
    assert outcome.failures[0].startswith(f"gates__{stage}: gate {stage} failed: ")
    assert "expected" in outcome.failures[0]
    assert ReaderView.of(shop) == before
    left = shop.runs / outcome.run_id / "warehouse.duckdb"
    assert left.exists(), "the failed run is kept to look into"
    with duckdb.connect(str(left), read_only=True) as connection:
        results = connection.execute(
            "select count(*) from quality.gate_results where gate = ? and not success", [stage]
        )
        assert results.fetchone() != (0,)


def test_without_a_corruption_the_same_gates_hold_but_a_part_of_the_chain_is_not_published(shop: ShopFolders) -> None:
    """Readers see what passed all gates in one run: a part of the chain leaves some out."""
    before = ReaderView.of(shop)
    outcome = run_chain(shop, _gate_and_all_after(shop, "segments"))
    (reason,) = outcome.failures
    assert reason.startswith("publish__audience_database: ")
    assert "the gates landing, staging, identity, features, scores were not asked" in reason
    assert ReaderView.of(shop) == before


def test_the_landing_gate_stops_rows_that_vanished(shop: ShopFolders) -> None:
    """The landing stage's own corruption: a file with fewer rows than its load declared."""
    before = ReaderView.of(shop)
    (file,) = (shop.landing / "orders").glob("load_date=2018*/*.parquet")
    rest = file.with_suffix(".rest")
    duckdb.execute(f"copy (from read_parquet('{file}') where hash(order_id) % 2 = 0) to '{rest}' (format parquet)")
    rest.rename(file)

    outcome = run_chain(shop)

    assert not outcome.success
    assert outcome.failures[0].startswith("gates__landing")
    assert ReaderView.of(shop) == before
