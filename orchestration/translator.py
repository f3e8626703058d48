"""How dbt nodes appear in Dagster: grouped by stage, behind the gate of the stage before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from orchestration.stages import DBT_STAGES, gate_before


class StageTranslator(DagsterDbtTranslator):
    """Adds to every model and seed its stage's group and the gate that it waits for.

    Parameters
    ----------
    python_assets
        Assets that write the sources marked `written_by: python`; the models of the scores stage wait for them.
    """

    def __init__(self, python_assets: Sequence[dg.AssetKey] = ()) -> None:
        super().__init__()
        self._python_assets = tuple(python_assets)

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id) or {}
        stage = next((tag for tag in node.get("tags", []) if tag in DBT_STAGES), None)
        if stage is None or node.get("resource_type") not in ("model", "seed"):
            return spec
        written_by_python = {
            self.get_asset_key(source)
            for source in manifest["sources"].values()
            # One that names its asset is waited for where it is read, not in the scores stage.
            if source["config"]["meta"].get("written_by") == "python" and "dagster" not in source["config"]["meta"]
        }
        keys = [dep.asset_key for dep in spec.deps if dep.asset_key not in written_by_python]
        keys.append(gate_before(stage))
        if stage == "scores":
            keys.extend(self._python_assets)
        unique = dict.fromkeys(keys)
        return spec.replace_attributes(deps=list(unique), group_name=stage)
