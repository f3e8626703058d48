"""The graph itself: what waits for what, and what an engineer sees in the UI."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from ingestion import read_contract
from orchestration.backfill_asset import BACKFILL_KEY
from orchestration.definitions import build_definitions
from orchestration.stages import STAGES, gate_key
from shops import PROJECT_ROOT, ShopFolders

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(ShopFolders.of("demo", tmp_path_factory.mktemp("data")))


def test_every_asset_waits_for_the_gates_of_all_earlier_stages(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    seen = 0
    for key in graph.get_all_asset_keys():
        if key.path[0] == "ledger":
            continue  # written by people and by promoted runs, not by a step of this one
        if key == BACKFILL_KEY:
            continue  # adds dates to a warehouse that a run has made, and asks the gate of the features itself
        stage = graph.get(key).group_name
        earlier = STAGES[: STAGES.index(stage)] if stage in STAGES else STAGES
        upstream = _ancestors(graph, key)
        missing = [name for name in earlier if gate_key(name) not in upstream]
        assert not missing, f"{key.to_user_string()} does not wait for the gates {missing}"
        seen += 1
    assert seen > 60


def test_every_gate_waits_for_every_asset_of_its_stage(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for stage in STAGES:
        of_stage = {k for k in graph.get_all_asset_keys() if graph.get(k).group_name == stage and k != gate_key(stage)}
        assert of_stage, stage
        assert of_stage <= graph.get(gate_key(stage)).parent_keys


def test_every_gate_blocks(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for stage in STAGES:
        (check,) = [key for key in graph.asset_check_keys if key.asset_key == gate_key(stage)]
        spec = graph.get_check_spec(check)
        assert spec.blocking


def test_the_graph_is_the_one_we_know(definitions: dg.Definitions) -> None:
    """A snapshot: a changed graph is a deliberate change. Write it anew with `python -m tests.unit.orchestration`."""
    assert describe(definitions) == SNAPSHOT.read_text(encoding="utf-8")


# Pages, files and dates instead of rows: they have no columns.
WITHOUT_COLUMNS = {"backfill/features", "publish/audience_database", "scores/model_cards"}


def test_every_asset_says_what_it_is_and_who_answers_for_it(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node, name = graph.get(key), key.to_user_string()
        assert node.description, f"{name} has no description"
        assert node.kinds, f"{name} has no kind"
        assert node.owners == ["team:data"], name
        assert node.group_name != "default", f"{name} has no group"
        schema = node.metadata.get("dagster/column_schema")
        if name in WITHOUT_COLUMNS:
            assert schema is None, name
        else:
            assert schema is not None, f"{name} has no columns"
            assert schema.columns, f"{name} has no columns"
            assert all(column.type and column.description for column in schema.columns), f"{name}: a bare column"


def test_columns_of_landing_and_python_are_those_of_their_contracts(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    shown = {
        name: [
            column.name for column in graph.get(dg.AssetKey(name.split("/"))).metadata["dagster/column_schema"].columns
        ]
        for name in ("landing/orders", "scores/churn_propensity", "scores/shopping_clusters", "gates/marts")
    }
    assert shown["landing/orders"] == list(read_contract().tables["orders"])
    assert "fallback_tier" in shown["scores/churn_propensity"]
    assert "cluster_key" in shown["scores/shopping_clusters"]
    assert "observed_value" in shown["gates/marts"]


def test_both_ends_of_the_chain_say_how_old_they_may_be(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    judged = {key for key in graph.get_all_asset_keys() if graph.get(key).freshness_policy_or_from_metadata}
    assert {key.path[0] for key in judged} == {"landing", "publish"}
    assert len(judged) == len(read_contract().tables) + 1


def test_every_rule_segment_on_disk_is_listed(definitions: dg.Definitions) -> None:
    listed = (PROJECT_ROOT / "macros" / "segments" / "rule_segments.sql").read_text()
    own = (PROJECT_ROOT / "shops" / "demo" / "macros" / "shop_segments.sql").read_text()
    for folder, text in (("models/segments/rules", listed), ("shops/demo/models/segments/rules", own)):
        for file in (PROJECT_ROOT / folder).glob("seg_*.sql"):
            assert f"'{file.stem}'" in text, f"{file.name} is not listed and would have no members"


def describe(definitions: dg.Definitions) -> str:
    """The graph as text: an asset a line, with its group and parents."""
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys(), key=lambda k: k.to_user_string()):
        node = graph.get(key)
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        lines.append(f"{node.group_name:<9} {key.to_user_string()} <- {parents or '-'}")
    return "\n".join(lines) + "\n"


def _ancestors(graph: object, key: dg.AssetKey) -> set[dg.AssetKey]:
    found: set[dg.AssetKey] = set()
    waiting = [key]
    while waiting:
        for parent in graph.get(waiting.pop()).parent_keys:  # type: ignore[attr-defined]
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found
