"""Great Expectations itself: loads it late and once, validates suites inside DuckDB, writes Data Docs.

The only module that imports it. No file of its own is needed: the context is made here, with progress bars and
analytics off, and with the results kept beside the Data Docs, so that their index lists every gate.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from threading import Lock, Thread
from typing import Any

from expectations.catalog import Catalog, first_line
from expectations.checks import Check, Suite

_import_lock = Lock()


@dataclass(frozen=True)
class Outcome:
    """What Great Expectations found for one check: a value, or the error that kept it from looking."""

    suite: Suite
    check: Check
    success: bool
    observed: Any = None
    details: dict[str, Any] | None = None
    error: str = ""


def load() -> Any:
    """Import Great Expectations.

    2 s alone, 0.9 s where scikit-learn and pandas are already there; 7 s where Python has to compile the package first
    (an installer that leaves out bytecode). A fifth of it is the garbage collector walking over new modules, so it
    rests meanwhile.
    """
    with _import_lock:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            import great_expectations
            import great_expectations.expectations
        finally:
            if was_enabled:
                gc.enable()
        with _quiet():
            _mend_quantiles(great_expectations.expectations)
    return great_expectations


def _mend_quantiles(classes: Any) -> None:
    """Make the quantile expectation answer with Python's bool.

    Great Expectations 1.24 answers with numpy's, which its own store then cannot write as JSON.
    """
    shipped = classes.ExpectColumnQuantileValuesToBeBetween
    if shipped.__module__ == __name__:
        return

    class ExpectColumnQuantileValuesToBeBetween(shipped):  # type: ignore[misc, valid-type]
        def _validate(self, *args: Any, **kwargs: Any) -> Any:
            found = super()._validate(*args, **kwargs)
            return {**found, "success": bool(found["success"])}

    classes.ExpectColumnQuantileValuesToBeBetween = ExpectColumnQuantileValuesToBeBetween


def preload() -> Thread:
    """Import Great Expectations in the background; the gates then find it. Beside 1.5 s of DuckDB work, saves .6 s."""
    thread = Thread(target=load, name="import great_expectations", daemon=True)
    thread.start()
    return thread


def expectation_types() -> list[str]:
    """Names of the expectation classes that a shop's own file may use."""
    classes = load().expectations
    return sorted(
        name for name in dir(classes) if name.startswith(("Expect", "UnexpectedRows")) and name != "Expectation"
    )


def validate(
    gate: str, suites: Sequence[Suite], catalog: Catalog, data_docs: Path, pii_columns: Collection[str]
) -> list[Outcome]:
    """Validate suites inside DuckDB and store the results that `write_data_docs` makes pages from.

    Parameters
    ----------
    gate : name that the suites are filed under.
    suites : what to validate; every table that they need exists.
    catalog : the database.
    data_docs : folder of the HTML site; this gate's earlier pages in it are removed.
    pii_columns : columns whose values appear in no result.

    Returns
    -------
    list of Outcome
        One a check, in the order of the suites.
    """
    gx = load()
    _forget(gate, data_docs)
    with _quiet():
        context = _context(gx, data_docs)
        source = context.data_sources.add_sql("warehouse", connection_string=catalog.url, create_temp_table=False)
        outcomes: list[Outcome] = []
        for suite in suites:
            for part, with_values in _apart(suite, pii_columns):
                outcomes += _validate_suite(gx, context, source, gate, part, with_values)
    order = {check: position for position, check in enumerate(_keys(suites))}
    return sorted(outcomes, key=lambda outcome: order[(outcome.suite.name, outcome.check.label)])


def write_data_docs(data_docs: Path) -> None:
    """Make the HTML site of the stored results of all gates.

    Once a run, not once a gate: Great Expectations compiles its page templates anew every time.
    """
    with _quiet():
        _context(load(), data_docs).build_data_docs()


def _validate_suite(gx: Any, context: Any, source: Any, gate: str, suite: Suite, with_values: bool) -> list[Outcome]:
    name = f"{gate}.{suite.name}"
    try:
        if suite.query:
            # A query asset has to begin with the word select.
            asset = source.add_query_asset(
                name, query=f"select * from (\n{dedent(suite.query).strip()}\n) as suite_rows"
            )
        else:
            schema, _, table = suite.table.partition(".")
            asset = source.add_table_asset(name, table_name=table, schema_name=schema)
        rows = asset.add_batch_definition_whole_table("all rows")
        expectations = [_expectation(gx, check, position) for position, check in enumerate(suite.checks)]
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(
                name=name,
                data=rows,
                suite=context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations)),
            )
        )
        # No partial lists of values: samples come from our own query, which masks what is private.
        level = "BASIC" if with_values else "BOOLEAN_ONLY"
        found = definition.run(result_format={"result_format": level, "partial_unexpected_count": 0})
    except Exception as error:
        return [Outcome(suite, check, False, error=first_line(error)) for check in suite.checks]
    by_position = {result.expectation_config.meta["position"]: result for result in found.results}
    return [_outcome(suite, check, by_position[position]) for position, check in enumerate(suite.checks)]


def _expectation(gx: Any, check: Check, position: int) -> Any:
    notes = {"format": "markdown", "content": [f"**{check.label}**: {check.threshold}"]}
    kind = getattr(gx.expectations, check.type)
    return kind(**check.kwargs, severity=check.severity, meta={"position": position, "notes": notes})


def _outcome(suite: Suite, check: Check, result: Any) -> Outcome:
    details = dict(result.result or {})
    error = _error_of(result.exception_info)
    return Outcome(suite, check, bool(result.success), details.get("observed_value"), details, error)


def _error_of(info: Any) -> str:
    """Find what DuckDB said in an exception that Great Expectations has wrapped."""
    entries = [info] if info and "raised_exception" in info else list((info or {}).values())
    for entry in entries:
        if entry.get("raised_exception"):
            trace = str(entry.get("exception_traceback") or "")
            said = [line for line in trace.splitlines() if "Error: " in line and "_duckdb." in line]
            message = (said or [str(entry.get("exception_message"))])[-1]
            return message.split("_duckdb.")[-1].strip().split("\n")[0]
    return ""


def _apart(suite: Suite, pii_columns: Collection[str]) -> Iterator[tuple[Suite, bool]]:
    """Split off the checks of private columns: their results carry no values, and so neither do the Data Docs."""
    private = {column.lower() for column in pii_columns}
    for with_values in (True, False):
        checks = tuple(check for check in suite.checks if (check.column.lower() not in private) == with_values)
        if checks:
            name = suite.name if with_values else f"{suite.name}_private"
            yield Suite(name, suite.table, checks, suite.query, suite.needs), with_values


def _keys(suites: Iterable[Suite]) -> Iterator[tuple[str, str]]:
    for suite in suites:
        for check in suite.checks:
            yield suite.name, check.label
            yield f"{suite.name}_private", check.label


def _context(gx: Any, data_docs: Path) -> Any:
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        FilesystemStoreBackendDefaults,
        ProgressBarsConfig,
    )

    root = data_docs.resolve()
    stores = FilesystemStoreBackendDefaults(root_directory=str(_results(root)))
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(root)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "site_section_builders": {"profiling": "none"},
    }
    config = DataContextConfig(
        store_backend_defaults=stores,
        data_docs_sites={"gates": site},
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _results(data_docs: Path) -> Path:
    """Where the results lie that the pages are made from."""
    return data_docs.parent / ".data_docs_results"


def _forget(gate: str, data_docs: Path) -> None:
    """Remove the gate's earlier results and pages: the site shows the last run of each gate."""
    for folder in (data_docs, _results(data_docs)):
        for kind in ("expectations", "validations", "validation_results", "validation_definitions"):
            for found in folder.glob(f"**/{kind}/{gate}*"):
                shutil.rmtree(found) if found.is_dir() else found.unlink()


class _quiet:
    """Silence what Great Expectations prints and logs about things that this module knows."""

    def __enter__(self) -> None:
        self._logger = logging.getLogger("great_expectations")
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, *_: object) -> None:
        self._warnings.__exit__(None, None, None)
        self._logger.setLevel(self._level)
