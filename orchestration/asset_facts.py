"""What every asset says of itself in Dagster: who answers for it, what its columns are, how old it may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from orchestration.column_lineage import ColumnSources
from orchestration.metadata import column_origins
from shops import Settings

# The table that an asset of Python writes, where it is not `ml.scores`: its contract is in _python_tables.yml.
_WRITTEN = {
    ("identity", "probabilistic_linkage"): ("ml", "identity_matches"),
    ("scores", "shopping_clusters"): ("ml", "customer_clusters"),
    ("scores", "expected_responses"): ("ml", "expected_responses"),
    ("scores", "score_cuts"): ("ml", "score_cuts"),
    ("scores", "score_reasons"): ("ml", "score_reasons"),
    ("scores", "model_monitoring"): ("ml", "model_outcomes"),
}
# These write files for people, and no table of their own.
_WITHOUT_TABLE = {("scores", "model_cards"), ("publish", "audience_database"), ("backfill", "features")}


class AssetFacts:
    """Completes the assets of a shop.

    Parameters
    ----------
    manifest
        dbt's, with the contract of every table.
    lineage
        Of dbt's models, where their columns come from; by unique id. Only the UI shows it.
    """

    def __init__(
        self, manifest: Mapping[str, Any], settings: Settings, lineage: Mapping[str, ColumnSources] | None = None
    ) -> None:
        self._manifest = manifest
        self._operations = settings.operations
        self._lineage = lineage or {}
        self._sources: dict[tuple[str, str], Mapping[str, Any]] = {
            (node["source_name"], node["name"]): node for node in manifest["sources"].values()
        }
        self._keys: dict[str, list[dg.AssetKey]] = {}

    def complete(self, assets: Iterable[dg.AssetsDefinition]) -> Sequence[dg.AssetsDefinition | dg.AssetSpec]:
        """`assets` with all that is known of them, and the tables of the ledger that they read."""
        given = list(assets)
        self._note_keys(given)
        return [*dg.map_asset_specs(self._completed, given), *self._ledger(given)]

    def _completed(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        table = self._table_of(spec)
        metadata: dict[str, Any] = {}
        if table is not None and "dagster/column_schema" not in spec.metadata:
            metadata["dagster/column_schema"] = _schema(table)
        sources = self._lineage.get(str(spec.metadata.get("dagster_dbt/unique_id")))
        if sources:
            metadata |= column_origins(self._as_assets(sources))
        return spec.replace_attributes(
            owners=self._operations.owners,
            description=spec.description or (table["description"] if table else None),
            metadata={**spec.metadata, **metadata},
            freshness_policy=self._freshness(spec),
        )

    def _table_of(self, spec: dg.AssetSpec) -> Mapping[str, Any] | None:
        """The source that declares what a Python asset writes."""
        stage, name = spec.key.path[0], spec.key.path[-1]
        if stage in {"landing", "ledger"}:
            return self._sources[stage, name]
        if stage == "gates":
            return self._sources["quality", "gate_results"]
        if (stage, name) in _WITHOUT_TABLE or "dagster_dbt/unique_id" in spec.metadata:
            return None
        return self._sources[_WRITTEN.get((stage, name), ("ml", "scores"))]

    def _freshness(self, spec: dg.AssetSpec) -> dg.FreshnessPolicy | None:
        """A run renews all; the two ends of the chain say whether there was one."""
        if spec.key.path[0] not in {"landing", "publish"}:
            return None
        return dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=self._operations.max_hours_since_run))

    def _ledger(self, assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetSpec]:
        """Nodes that no step makes: people and promoted runs write them."""
        read = {dep.asset_key for asset in assets for spec in asset.specs for dep in spec.deps}
        keys = sorted(key for key in read if key.path[0] == "ledger")
        return [self._completed(dg.AssetSpec(key, group_name="ledger", kinds={"parquet"})) for key in keys]

    def _note_keys(self, assets: Sequence[dg.AssetsDefinition]) -> None:
        """Which assets stand for a node of dbt: a model, or those that write a source."""
        for spec in (spec for asset in assets for spec in asset.specs):
            unique_id = spec.metadata.get("dagster_dbt/unique_id")
            table = self._table_of(spec) if unique_id is None else None
            if unique_id or table:
                self._keys.setdefault(str(unique_id or table["unique_id"]), []).append(spec.key)  # type: ignore[index]

    def _as_assets(self, sources: ColumnSources) -> dict[str, list[dg.TableColumnDep]]:
        return {
            column: [dg.TableColumnDep(key, name) for parent, name in origins for key in self._keys_of(parent)]
            for column, origins in sources.items()
        }

    def _keys_of(self, unique_id: str) -> Sequence[dg.AssetKey]:
        if unique_id.startswith("source.") and unique_id.split(".")[-2] == "ledger":
            return [dg.AssetKey(["ledger", unique_id.split(".")[-1]])]
        return self._keys.get(unique_id, ())


def _schema(table: Mapping[str, Any]) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(name, column.get("data_type") or "?", column.get("description"))
            for name, column in table["columns"].items()
        ]
    )
