"""A landed file is not what its contract says: the error names file and column, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.running import run_chain
from shops import ShopFolders
from tests.integration.outcome import ReaderView


def _rewrite(file: Path, query: str) -> None:
    bad = file.with_suffix(".bad")
    duckdb.execute(f"copy ({query.format(file=file)}) to '{bad}' (format parquet)")
    bad.rename(file)


def _lacks_a_column(file: Path) -> str:
    _rewrite(file, "select * exclude (net_amount) from read_parquet('{file}')")
    return "net_amount"


def _has_a_wrong_type(file: Path) -> str:
    _rewrite(file, "select * replace (quantity::varchar as quantity) from read_parquet('{file}')")
    return "quantity"


def _is_empty(file: Path) -> str:
    _rewrite(file, "from read_parquet('{file}') limit 0")
    return ""


@pytest.mark.parametrize("fault", [_lacks_a_column, _has_a_wrong_type, _is_empty])
def test_a_bad_file_is_named_and_changes_nothing(fault: Callable[[Path], str], shop: ShopFolders) -> None:
    """What a good file heals, and a file that is cut in the middle: test_killed_runs."""
    before = ReaderView.of(shop)
    (file,) = (shop.landing / "order_lines").glob("load_date=2018*/*.parquet")
    column = fault(file)

    outcome = run_chain(shop)

    assert not outcome.success
    assert outcome.failures[0].startswith("gates__landing")
    assert file.name in outcome.failures[0]
    assert "order_lines" in outcome.failures[0]
    assert column in outcome.failures[0]
    assert ReaderView.of(shop) == before


def test_text_that_is_no_utf8_is_named_with_column_and_row(shop: ShopFolders) -> None:
    """No adapter of ours writes such a file; somebody else's may. It merges nobody: the run ends before identity."""
    before = ReaderView.of(shop)
    (file,) = (shop.landing / "crm_contacts").glob("load_date=2018*/*.parquet")
    table = pq.read_table(file)
    texts = [None if text is None else text.encode() for text in table["email"].to_pylist()]
    texts[6] = "café@example.com".encode("latin-1")
    written = pa.array(texts, pa.binary())
    unreadable = pa.Array.from_buffers(pa.string(), len(written), written.buffers())
    pq.write_table(table.set_column(table.schema.get_field_index("email"), "email", unreadable), file)

    outcome = run_chain(shop)

    assert not outcome.success
    assert f"column email, row 7 of {file} is no UTF-8" in outcome.failures[0]
    assert "Next:" in outcome.failures[0]
    assert ReaderView.of(shop) == before
