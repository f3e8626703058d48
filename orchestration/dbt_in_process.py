"""dbt inside this process: parsed once, invoked once a stage, the warehouse file freed after each.

A dbt command line costs seconds of start-up and parsing every time. `dbtRunner` with a manifest that is already loaded
costs a few tenths. The price are three semi-private calls, which live here and nowhere else (a contract test guards
them): dbt's events turned into Dagster's, dbt's connection, and the only call after which another can open the file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from ingestion.encoding import first_unreadable
from orchestration.stages import DBT_STAGES
from shops import PROJECT_ROOT, ShopFolders

_TABLES = {"table", "incremental", "seed"}


class DbtFailed(RuntimeError):
    """dbt could not parse or build; the message holds what dbt said of each failed node."""


@dataclass
class InProcessDbt:
    """The dbt project of one shop, parsed."""

    folders: ShopFolders
    manifest: Any = field(init=False, repr=False)
    manifest_dict: Mapping[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from dbt.cli.main import dbtRunner

        # dbt's parse cache goes when a variable of profiles.yml changes, and parsing is four times as long without it.
        # Nothing that is parsed depends on where the data lies: a shop that was copied or moved keeps its cache.
        with _variables({"AUDIENCE_SHOP": self.folders.shop, "AUDIENCE_DATA_DIR": "data"}):
            parsed = dbtRunner().invoke(["--quiet", "parse", *self._folder_options()])
        if not parsed.success:
            raise DbtFailed(f"the dbt project does not parse: {parsed.exception}")
        self.manifest = parsed.result
        self.manifest_dict = self.manifest.writable_manifest().to_dict(omit_none=False)

    @property
    def target_folder(self) -> Path:
        """dbt's parse cache and compiled SQL, one folder a shop, so that runs of two shops do not meet."""
        return self.folders.data / "dbt"

    def models_of(self, stage: str) -> list[str]:
        """Names of the models and seeds of `stage`."""
        return [
            node["name"]
            for node in self.manifest_dict["nodes"].values()
            if node["resource_type"] in {"model", "seed"} and stage in node["tags"]
        ]

    def prepare(self, warehouse: Path) -> None:
        """Create the tables that Python writes where they are missing."""
        with self._environment(warehouse):
            result = self._invoke(["run-operation", "prepare_warehouse"])
        if not result.success:
            raise DbtFailed(_failures(result))

    def render(self, jinja: str) -> str:
        """The SQL that dbt makes of a piece of Jinja, such as the call of a macro."""
        with self._environment(warehouse=self.folders.warehouse):
            result = self._invoke(["compile", "--inline", jinja])
        if not result.success:
            raise DbtFailed(f"'{jinja}' does not compile: {result.exception}")
        return str(result.result.results[0].node.compiled_code)

    def build_at(self, as_of_dates: Sequence[date], warehouse: Path, current: date) -> None:
        """Build the features at `as_of_dates` too, in the file `warehouse`.

        `current` is the current as-of date of that warehouse: whatever the environment or the shop says now, it stays,
        because with another one dates that stand would go.

        Raises
        ------
        DbtFailed
            A model or a test failed.
        """
        asked = json.dumps({"as_of_dates": [as_of_date.isoformat() for as_of_date in as_of_dates]})
        with self._environment(warehouse, current):
            result = self._invoke([*_build(["tag:features"]), "--vars", asked])
        if not result.success:
            raise DbtFailed(_failures(result))

    def build_with(self, models: Sequence[str], warehouse: Path, variables: Mapping[str, Any]) -> None:
        """Build `models` without their tests, with variables, in the file `warehouse`.

        Raises
        ------
        DbtFailed
            A model failed.
        """
        with self._environment(warehouse):
            selected = ["build", "--exclude-resource-type", "unit_test", "test", "--select", *models]
            result = self._invoke([*selected, "--vars", json.dumps(variables)])
        if not result.success:
            raise DbtFailed(_failures(result))

    def build_models(self, models: Sequence[str], warehouse: Path, *callbacks: Any) -> Any:
        """Build `models` and run their data tests in the file `warehouse`; returns dbt's result, failed or not."""
        with self._environment(warehouse):
            return self._invoke(_build(self._selection(models)), *callbacks)

    def _selection(self, models: Sequence[str]) -> Sequence[str]:
        """`models` as dbt is asked for them: by their stage where they are all of it.

        For its tests dbt walks through all ancestors of each criterion of a selection: sixty names cost it five
        seconds, their tag a tenth of one.
        """
        for stage in DBT_STAGES:
            if set(models) == set(self.models_of(stage)):
                return [f"tag:{stage}"]
        return models

    def build(
        self,
        models: Sequence[str],
        warehouse: Path,
        context: dg.AssetExecutionContext,
        translator: DagsterDbtTranslator,
    ) -> Iterator[Any]:
        """The same within a Dagster step; yields Dagster's events.

        Raises
        ------
        DbtFailed
            A model or a test failed; everything that did run was yielded before.
        """
        from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
        from google.protobuf.json_format import MessageToDict

        messages: list[Any] = []
        rows: dict[str, int] = {}
        with self._environment(warehouse):
            selected = _build(self._selection(models))
            result = self._invoke(selected, messages.append, at_the_end=lambda: rows.update(self._row_counts(models)))
        for message in messages:
            event = DbtCoreCliEventMessage(
                raw_event=MessageToDict(message, preserving_proto_field_name=True), event_history_metadata={}
            )
            if event.is_result_event:
                count = rows.get(event.raw_event["data"]["node_info"]["unique_id"])
                for told in event.to_default_asset_events(
                    manifest=self.manifest_dict,
                    dagster_dbt_translator=translator,
                    context=context,
                    target_path=self.target_folder,
                ):
                    if count is not None and isinstance(told, dg.Output):
                        told = told.with_metadata({**told.metadata, "dagster/row_count": count})
                    yield told
        if not result.success:
            raise DbtFailed(_failures(result))

    def _row_counts(self, models: Sequence[str]) -> dict[str, int]:
        """Rows of the tables among `models`, by unique id, over dbt's own connection: opening another costs far more.

        A view is not counted: that would evaluate it.
        """
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        named = set(models)
        counts = [
            f"select '{unique_id}', count(*) from {node['relation_name']}"
            for unique_id, node in self.manifest_dict["nodes"].items()
            if node["name"] in named and node["config"]["materialized"] in _TABLES
        ]
        if not counts:
            return {}
        cursor = DuckDBConnectionManager.env().handle().cursor()  # type: ignore[no-untyped-call]
        return dict(cursor.execute(" union all ".join(counts)).fetchall())

    def write_docs(self, page: Path) -> None:
        """Write dbt's docs of the project and of what stands in the warehouse, as one file that needs no server.

        Raises
        ------
        DbtFailed
            A model does not compile, or the warehouse cannot be read.
        """
        with tempfile.TemporaryDirectory() as folder, self._environment(self.folders.warehouse):
            # Not into the parse cache's folder; and with the JSON that the page is made of.
            result = self._invoke(["--write-json", "docs", "generate", "--static"], target_folder=Path(folder))
            if not result.success:
                raise DbtFailed(_failures(result))
            page.parent.mkdir(parents=True, exist_ok=True)
            unfinished = page.with_name(f".{page.name}.new")
            shutil.copyfile(Path(folder) / "static_index.html", unfinished)
            unfinished.replace(page)

    def _invoke(
        self,
        arguments: Sequence[str],
        *callbacks: Any,
        at_the_end: Callable[[], None] | None = None,
        target_folder: Path | None = None,
    ) -> Any:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        try:
            # Manifest, graph and log files of every stage would cost more than a small stage itself.
            options = ["--quiet", "--no-write-json", "--log-level-file", "none"]
            result = dbtRunner(manifest=self.manifest, callbacks=list(callbacks)).invoke(
                [*options, *arguments, *self._folder_options(target_folder)]
            )
            if at_the_end is not None and result.success:
                at_the_end()
            return result
        finally:
            # Without it the file stays locked for everybody else in this process.
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]

    def _folder_options(self, target_folder: Path | None = None) -> list[str]:
        return [
            "--project-dir", str(PROJECT_ROOT), "--profiles-dir", str(PROJECT_ROOT),
            "--target-path", str(target_folder or self.target_folder), "--log-path", str(self.target_folder / "logs"),
        ]  # fmt: skip

    @contextmanager
    def _environment(self, warehouse: Path, as_of: date | None = None) -> Iterator[None]:
        """What profiles.yml and dbt_project.yml read."""
        wanted = {
            "AUDIENCE_SHOP": self.folders.shop,
            "AUDIENCE_DATA_DIR": str(self.folders.data_root),
            "AUDIENCE_WAREHOUSE": str(warehouse),
        }
        if as_of is not None:
            wanted["AUDIENCE_AS_OF"] = as_of.isoformat()
        with _variables(wanted):
            yield


@contextmanager
def _variables(wanted: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for a while."""
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _build(models: Sequence[str]) -> list[str]:
    # Unit tests judge the code, not the data: they run in `dbt build` and in `make test`, not in every run.
    return ["build", "--exclude-resource-type", "unit_test", "--select", *models]


def _failures(result: Any) -> str:
    nodes = getattr(result.result, "results", None) or []
    bad = [node for node in nodes if str(node.status) in {"error", "fail", "runtime error"}]
    if not bad:
        # Not every exception has a text (an assertion, a lack of memory): its kind says more than nothing.
        error = result.exception
        where = "".join(traceback.format_tb(error.__traceback__)[-1:]).strip() if error else ""
        return f"dbt build failed: {error!r}\n{where}".strip()
    lines = "\n".join(f"{node.node.name}: {node.message}" for node in bad)
    return f"dbt build failed at {len(bad)} of {len(nodes)} nodes:\n{lines}\nNext: {_next_step(lines)}"


def _next_step(messages: str) -> str:
    named = re.search(r'Invalid string encoding found in Parquet file "([^"]+)"', messages)
    place = first_unreadable(Path(named.group(1))) if named else None
    if named and place:
        column, row = place
        return (
            f"column {column}, row {row} of {named.group(1)} is no UTF-8. "
            "Write the file anew from its source, as UTF-8; or delete the load's row file under landing/loads/ and "
            "land the load again. Then run again."
        )
    return "read the compiled SQL of the node in the run's dbt folder, correct the model or the data, and run again."
