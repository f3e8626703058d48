"""Where columns come from: known cases, read from SQL as dbt compiles it, and only anew where it has changed."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from orchestration.asset_facts import AssetFacts
from orchestration.column_lineage import CACHE_FILE, known_lineage, refresh_lineage
from orchestration.dbt_assets import build_stage_assets
from orchestration.dbt_in_process import InProcessDbt
from shops import ShopFolders, load_settings

RANKED_SPEND = {"model.int_features__rfm.total_spend", "model.int_features__rfm.as_of_date"}
ORDERS = "model.audience_warehouse.fct_orders"


@pytest.fixture(scope="module")
def dbt(good_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> InProcessDbt:
    """A shop that ran: only what dbt compiled is copied."""
    folders = ShopFolders.of("demo", tmp_path_factory.mktemp("data"))
    compiled = Path("dbt") / "compiled"
    _copy_sql(good_shop / "demo" / compiled, folders.data / compiled)
    found = InProcessDbt(folders)
    refresh_lineage(found)
    return found


def _copy_sql(source: Path, target: Path) -> None:
    for file in source.rglob("*.sql"):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")


@pytest.mark.parametrize(
    ("model", "column", "origins"),
    [
        # one to one, and an expression of several tables
        ("fct_orders", "order_id", {"model.stg_shop__orders.order_id"}),
        ("fct_orders", "order_total", {"model.stg_shop__order_lines.net_amount"}),
        (
            "fct_orders",
            "total_after_returns",
            {"model.stg_shop__order_lines.amount_after_returns", "model.stg_shop__orders.voided_at"},
        ),
        # another name, and a constant
        ("fct_orders", "transaction_currency", {"model.stg_shop__orders.currency"}),
        ("fct_orders", "currency", set()),
        # through two window functions and a star
        ("feat_customer_rfm", "spend_score", RANKED_SPEND),
        # a view on all customers, named without its database
        ("seg_lapsed", "customer_id", {"model.int_segments__customers.customer_id"}),
        # files that landed, through a model that is no table
        ("stg_shop__orders", "store_id", {"source.orders.store_id"}),
        # a table that Python writes
        ("int_scores__scores", "score", {"source.scores.score"}),
    ],
)  # fmt: skip
def test_a_column_comes_from(dbt: InProcessDbt, model: str, column: str, origins: set[str]) -> None:
    found = known_lineage(dbt)[f"model.audience_warehouse.{model}"][column]
    assert {f"{parent.split('.')[0]}.{parent.split('.')[-1]}.{name}" for parent, name in found} == origins


def test_nearly_every_model_can_be_read(dbt: InProcessDbt) -> None:
    lineage = known_lineage(dbt)
    blind = {name.split(".")[-1] for name, columns in lineage.items() if not any(columns.values())}
    assert len(lineage) > 200
    # Made of literals alone, or in a first build of typed nulls; and one that sqlglot cannot read.
    assert blind <= {
        "int_segments__rules", "int_identity__touched_records", "int_identity__changed_records",
        "int_identity__touched_memberships", "stg_shop__returns",
    }  # fmt: skip


def test_only_what_changed_is_read_anew(dbt: InProcessDbt) -> None:
    assert refresh_lineage(dbt) == 0
    node = dbt.manifest_dict["nodes"][ORDERS]
    file = dbt.target_folder / "compiled" / node["package_name"] / node["original_file_path"]
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before.replace("orders.store_id", "orders.channel as store_id"), encoding="utf-8")
        assert refresh_lineage(dbt) == 1
        assert known_lineage(dbt)[ORDERS]["store_id"] == [["model.audience_warehouse.stg_shop__orders", "channel"]]
    finally:
        file.write_text(before, encoding="utf-8")
        assert refresh_lineage(dbt) == 1


def test_a_file_that_was_cut_off_is_made_anew(dbt: InProcessDbt) -> None:
    cache = dbt.target_folder / CACHE_FILE
    whole = json.loads(cache.read_text(encoding="utf-8"))
    cache.write_text(cache.read_text(encoding="utf-8")[:1000], encoding="utf-8")
    assert known_lineage(dbt) == {}
    refresh_lineage(dbt)
    assert json.loads(cache.read_text(encoding="utf-8")) == whole


def test_assets_show_it(dbt: InProcessDbt) -> None:
    marts = build_stage_assets("marts", dbt, [])
    (shown, *_) = AssetFacts(dbt.manifest_dict, load_settings("demo"), known_lineage(dbt)).complete([marts])
    assert isinstance(shown, dg.AssetsDefinition)
    # Parents are named where they are among the assets that were given.
    metadata = shown.metadata_by_key[dg.AssetKey(["marts", "rpt_segment_summary"])]
    origins = metadata["dagster/column_lineage"].deps_by_column["segment_key"]
    assert dg.TableColumnDep(dg.AssetKey(["marts", "dim_segments"]), "segment_key") in origins
    assert "| segment_key | dim_segments.segment_key" in metadata["columns_come_from"].value
