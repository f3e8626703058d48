"""Normalizers as SQL: dbt renders them with the shop's settings, DuckDB runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import duckdb
import pytest

from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from shops import ShopFolders

Apply = Callable[..., list[Any]]


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """A function from Jinja (`{{ normalize_email('written') }}`) to the SQL that dbt makes of it."""
    dbt = InProcessDbt(ShopFolders.of("demo", tmp_path_factory.mktemp("macros")))

    @cache
    def rendered(jinja: str) -> str:
        with write_lock(dbt.folders.lock, "test"), dbt._environment(dbt.folders.warehouse):
            result = dbt._invoke(["compile", "--inline", jinja])
        assert result.success, result.exception
        return str(result.result.results[0].node.compiled_code)

    return rendered


@pytest.fixture(scope="session")
def apply(render: Callable[[str], str]) -> Apply:
    """Run a macro call over texts: apply("normalize_email('written')", ["A@x.com"]) gives ["a@x.com"].

    Each row holds `written` (a text) and, for several columns, what the named lists hold.
    """
    connection = duckdb.connect()

    def applied(call: str, written: Sequence[Any], **columns: Sequence[Any]) -> list[Any]:
        names = ["written", *columns]
        rows = list(zip(range(len(written)), written, *columns.values(), strict=True))
        marks = ", ".join("(" + ", ".join("?" for _ in range(len(names) + 1)) + ")" for _ in rows)
        found = connection.execute(
            f"select {render('{{ ' + call + ' }}')} from (values {marks}) as given (position, {', '.join(names)}) "
            "order by position",
            [value for row in rows for value in row],
        )
        return [row[0] for row in found.fetchall()]

    return applied
