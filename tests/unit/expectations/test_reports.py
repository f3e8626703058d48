"""Reports, masking, a shop's own expectations, the command line, and what importing the package costs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from expectations import ExpectationResult, ExpectationsError, preload
from expectations.__main__ import main
from expectations.results import MASK, mask_rows
from shops import PROJECT_ROOT
from tests.unit.expectations.scratch_shop import Shop

INDEX = "identity.master_customer_index"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_page_shows_failed_rows_and_needs_nothing_else(shop: Shop) -> None:
    shop.execute(f"update {INDEX} set customer_id = 'c_all' where source_record_id < 'H2'")
    page = shop.run("identity").report_path.read_text(encoding="utf-8")
    assert page.index("Failed") < page.index("Held (")
    assert "source records of the largest customer" in page
    assert "between 1 and 250" in page
    assert "<td>c_all</td>" in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//|@import|url\(", page)


def test_index_lists_every_gate_in_the_order_of_the_chain(shop: Shop) -> None:
    shop.run("segments")
    shop.execute(f"delete from {INDEX}")
    shop.run("identity")
    index = (shop.reports / "gates" / "index.html").read_text(encoding="utf-8")
    assert [index.index(f"<h3>{gate}</h3>") for gate in ("landing", "identity", "segments")] == sorted(
        index.index(f"<h3>{gate}</h3>") for gate in ("landing", "identity", "segments")
    )
    assert "1 of 2 failed" in index
    assert "not checked" in index


def test_page_escapes_what_the_data_says(shop: Shop) -> None:
    shop.execute(f"update {INDEX} set customer_id = '<script>alert(1)</script>'")
    page = shop.run("identity").report_path.read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_results_are_kept_as_json(good_shop: Shop) -> None:
    good_shop.run("segments")
    kept = json.loads((good_shop.reports / "gates" / "segments.json").read_text(encoding="utf-8"))
    assert kept["success"] is True
    assert kept["results"][0]["gate"] == "segments"


def test_data_docs_hold_the_last_run_of_every_gate(shop: Shop) -> None:
    for gate in ("identity", "segments", "segments"):
        shop.run(gate)
    docs = shop.reports / "data_docs"
    pages = [path.relative_to(docs).parts[1:3] for path in docs.glob("validations/**/*.html")]
    assert sorted(set(pages)) == sorted(pages)
    assert {gate for gate, _ in pages} == {"identity", "segments"}
    index = (docs / "index.html").read_text(encoding="utf-8")
    assert "identity.customers" in index
    assert "segments.coverage" in index


PII = """
- {gate: staging, table: staging.stg_loyalty__members, type: ExpectColumnValuesToBeInSet,
   kwargs: {column: loyalty_id, value_set: [A]}}
- {gate: staging, table: staging.stg_loyalty__members, type: ExpectColumnDistinctValuesToBeInSet,
   kwargs: {column: loyalty_id, value_set: [A]}}
- {gate: staging, table: staging.stg_loyalty__members, type: UnexpectedRowsExpectation,
   kwargs: {unexpected_rows_query: "select loyalty_id, age_band from {batch} where age_band = '25-34'"}}
"""


def test_private_values_appear_nowhere(shop: Shop, tmp_path: Path) -> None:
    extra = write(tmp_path / "expectations.yml", PII)
    report = shop.run("staging", extra=extra, pii_columns=["loyalty_id"])
    assert len(report.failures) == 3
    assert report.failures[2].sample_rows[0] == {"loyalty_id": MASK, "age_band": "25-34"}
    assert report.failures[1].observed_value == MASK
    everything = [path for path in shop.reports.rglob("*") if path.suffix in (".html", ".json")]
    assert len(everything) > 5
    for path in everything:
        assert not re.search(r"\bH\d+\b", path.read_text(encoding="utf-8")), path


def test_default_pii_columns_are_masked() -> None:
    rows = [{"Email": "a@b.c", "phone": None, "order_id": "1"}]
    assert mask_rows(rows, ("email", "phone")) == [{"Email": MASK, "phone": None, "order_id": "1"}]


def test_own_expectations_run_with_the_gate(shop: Shop, tmp_path: Path) -> None:
    extra = write(
        tmp_path / "expectations.yml",
        """
        - gate: staging
          table: staging.stg_shop__orders
          name: the shop has at most two stores
          type: ExpectColumnUniqueValueCountToBeBetween
          kwargs: {column: store_id, max_value: 2}
        - gate: landing
          table: orders
          type: ExpectColumnDistinctValuesToBeInSet
          kwargs: {column: channel, value_set: [store]}
        - gate: staging
          table: staging.stg_shop__order_lines
          type: ExpectColumnQuantileValuesToBeBetween
          kwargs: {column: net_amount, quantile_ranges: {quantiles: [0.5], value_ranges: [[0, 100]]}}
          severity: warning
        """,
    )
    report = shop.run("staging", extra=extra)
    assert [(result.expectation, result.observed_value) for result in report.failures] == [
        ("the shop has at most two stores", "5")
    ]
    assert any("QuantileValues" in result.expectation and result.success for result in report.results)
    assert shop.run("landing", extra=extra).success


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("- {gate: stagin, table: a.b, type: ExpectTableRowCountToEqual}", "did you mean staging"),
        ("- {gate: staging, table: a.b, type: ExpectColumnMeanToBeBetwen}", "did you mean ExpectColumnMeanToBeBetween"),
        ("- {gate: staging, table: a.b, type: ExpectTableRowCountToEqual, kwarg: {}}", "did you mean kwargs"),
        ("- {gate: staging, table: a.b, type: ExpectColumnMeanToBeBetween, kwargs: {colum: a}}", "column"),
        ("- {gate: staging, type: ExpectTableRowCountToEqual}", "table is missing"),
        ("- {gate: staging, table: a.b, type: ExpectColumnToExist, kwargs: {column: a}, severity: bad}", "critical or"),
        ("gate: staging", "expected a list"),
        ("- {gate: [", "not valid YAML"),
    ],
)
def test_wrong_entry_names_the_nearest(good_shop: Shop, tmp_path: Path, entry: str, said: str) -> None:
    with pytest.raises(ExpectationsError, match=said):
        good_shop.run("identity", extra=write(tmp_path / "expectations.yml", entry))


@pytest.mark.parametrize(
    ("table", "column", "said"),
    [
        ("staging.stg_shop__ordres", "store_id", "did you mean staging.stg_shop__orders?"),
        ("staging.stg_shop__orders", "storeid", "did you mean store_id?"),
    ],
)
def test_unknown_table_or_column_is_a_failed_result(
    good_shop: Shop, tmp_path: Path, table: str, column: str, said: str
) -> None:
    entry = f"- {{gate: staging, table: {table}, type: ExpectColumnToExist, kwargs: {{column: {column}}}}}"
    report = good_shop.run("staging", extra=write(tmp_path / "expectations.yml", entry))
    assert [result.threshold for result in report.failures] == [said]


@pytest.fixture
def demo_folder(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The scratch shop where the command line looks for the demo shop."""
    shop.root.rename(tmp_path / "demo")
    monkeypatch.setenv("AUDIENCE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("AUDIENCE_SHOP", raising=False)
    return Shop(tmp_path / "demo")


def test_command_exits_with_0_when_the_gate_passes(demo_folder: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identity"]) == 0
    said = capsys.readouterr().out
    assert "✓ identity: 11 of 11 expectations held" in said
    assert (demo_folder.reports / "gates" / "index.html").exists()


def test_command_exits_with_1_and_explains(demo_folder: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    demo_folder.execute(f"update {INDEX} set customer_id = 'c_all'")
    assert main(["all", "--shop", "demo"]) == 1
    said = capsys.readouterr().out
    assert "✗ identity" in said
    assert "expected  between 1 and 250" in said
    assert "c_all" in said
    assert "next: dbt build --select tag:identity" in said
    assert "gates passed." in said


def test_command_exits_with_2_when_misused(demo_folder: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identity", "--shop", "nosuchshop"]) == 2
    assert "nosuchshop" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["stagin"])
    assert stopped.value.code == 2


def test_importing_the_package_does_not_import_great_expectations() -> None:
    code = (
        "import sys, expectations; print([n for n in ('great_expectations', 'pandas', 'duckdb') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_warning_does_not_fail_and_is_told() -> None:
    result = ExpectationResult("marts", "sizes", "t", "", False, "1", "2", severity="warning")
    assert not result.blocks
    assert result.sentence() == "t: sizes: observed 1, expected 2"


def test_preload_imports_in_the_background() -> None:
    preload().join(timeout=60)
    assert "great_expectations" in sys.modules
