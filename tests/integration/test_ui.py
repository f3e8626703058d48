"""What `make ui` shows and starts, asked through GraphQL as its pages and buttons do."""

from __future__ import annotations

import urllib.request

import pytest

from orchestration.automation import SENSOR
from orchestration.backfill_asset import BACKFILL_STEP
from orchestration.definitions import BACKFILL
from orchestration.warehouse import reading
from shops import ShopFolders
from tests.integration.outcome import ReaderView
from tests.integration.web_server import REPOSITORY, WebServer

ASKED = "2017-06-07"
ASSET = """
query Asset($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode {
    description kinds groupName
    owners { __typename ... on TeamAssetOwner { team } ... on UserAssetOwner { email } }
    metadataEntries { label ... on UrlMetadataEntry { url } }
    assetMaterializations(limit: 1) { metadataEntries { label ... on IntMetadataEntry { intValue } } }
  } }
}
"""
INSTIGATORS = """
query Instigators($repository: RepositorySelector!) {
  repositoryOrError(repositorySelector: $repository) { ... on Repository {
    schedules { name executionTimezone scheduleState { status } }
    sensors { name sensorState { status } }
    jobs { name }
  } }
}
"""
TRY_SENSOR = """
mutation Try($sensor: SensorSelector!) {
  sensorDryRun(selectorData: $sensor, cursor: null) { __typename ... on DryRunInstigationTick {
    evaluationResult { skipReason runRequests { runKey } error { message } cursor }
  } }
}
"""


def _asset(server: WebServer, *path: str) -> dict[str, object]:
    node: dict[str, object] = server.query(ASSET, key={"path": path})["assetNodeOrError"]
    return node


def _try_sensor(server: WebServer) -> dict[str, object]:
    tried = server.query(TRY_SENSOR, sensor={**REPOSITORY, "sensorName": SENSOR})["sensorDryRun"]
    found: dict[str, object] = tried["evaluationResult"]
    assert found["error"] is None, found
    return found


@pytest.mark.slow
def test_what_the_ui_shows_and_starts(shop: ShopFolders) -> None:
    before = ReaderView.of(shop)
    with WebServer(shop) as server:
        orders = _asset(server, "marts", "fct_orders")
        assert orders["owners"] == [{"__typename": "TeamAssetOwner", "team": "data"}]
        assert orders["groupName"] == "marts"
        shown = {entry["label"] for entry in orders["metadataEntries"]}  # type: ignore[attr-defined]
        assert {"dagster/column_schema", "dagster/column_lineage", "columns_come_from"} <= shown

        # A gate links to its report, which is served beside the UI.
        entries = _asset(server, "gates", "marts")["metadataEntries"]
        (link,) = [entry["url"] for entry in entries if entry["label"] == "report_page"]  # type: ignore[attr-defined]
        with urllib.request.urlopen(link, timeout=30) as page:
            assert b"<html" in page.read()

        found = server.query(INSTIGATORS, repository=REPOSITORY)["repositoryOrError"]
        schedules = {each["name"]: each["scheduleState"]["status"] for each in found["schedules"]}
        assert schedules == {"refresh_schedule": "STOPPED", "retrain_schedule": "STOPPED"}
        assert {each["executionTimezone"] for each in found["schedules"]} == {"America/New_York"}
        assert {each["name"]: each["sensorState"]["status"] for each in found["sensors"]}[SENSOR] == "STOPPED"
        assert {"refresh", "retrain", "backfill"} <= {each["name"] for each in found["jobs"]}

        # The run that made this shop has seen what is there; the row of another load is news.
        assert _try_sensor(server)["skipReason"] == "the last run has seen all files that are there"
        row = shop.landing / "loads" / "load_date=2018-01-01" / "unfinished.parquet"
        row.parent.mkdir(parents=True, exist_ok=True)
        row.write_bytes(b"")
        assert _try_sensor(server)["skipReason"] == "files have arrived; waiting until they are whole"
        row.unlink()

        # One asset.
        asset = [{"path": ["marts", "dim_dates"]}]
        server.wait_for_success(server.launch("__ASSET_JOB", assetSelection=asset, assetCheckSelection=[]))
        (event,) = _asset(server, "marts", "dim_dates")["assetMaterializations"]  # type: ignore[misc]
        counted = {entry["label"]: entry.get("intValue") for entry in event["metadataEntries"]}
        with reading(shop.warehouse) as connection:
            assert connection.execute("select count(*) from marts.dim_dates").fetchone() == (
                counted["dagster/row_count"],
            )

        # One job.
        config = {"ops": {BACKFILL_STEP: {"config": {"as_of_dates": [ASKED]}}}}
        server.wait_for_success(server.launch(BACKFILL, config))
    with reading(shop.warehouse) as connection:
        kept = connection.execute("select count(*) from features.feat_customer_rfm where as_of_date = ?", [ASKED])
        assert kept.fetchone() > (100,)
    after = ReaderView.of(shop)
    assert (after.folder, after.database) == (before.folder, before.database)
