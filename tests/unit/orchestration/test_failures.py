"""A failed run is told in words, in its log and to a webhook; a dead webhook changes nothing."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration import webhook
from orchestration.workspace import RunWorkspace
from shops import ShopFolders

REASON = "orders of ann@shop.example cannot be read.\nNext: correct them.\n" + "\n".join(f"line {n}" for n in range(9))


@dg.asset
def staging_orders(workspace: RunWorkspace) -> None:
    raise dg.Failure(REASON)


@pytest.fixture
def folders(tmp_path: Path) -> ShopFolders:
    return ShopFolders.of("demo", tmp_path / "data")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What a webhook on this machine was sent; its first answer is that it is not ready."""
    messages: list[dict[str, Any]] = []
    answers = iter([503])

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(next(answers, 200))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(webhook.VARIABLE, f"http://127.0.0.1:{server.server_port}/secret-token")
    monkeypatch.setattr(webhook, "_PAUSES_SECONDS", (0.01, 0.01))
    yield messages
    server.shutdown()
    server.server_close()


def _run(folders: ShopFolders, instance: dg.DagsterInstance) -> tuple[dg.ExecuteInProcessResult, list[str]]:
    workspace = RunWorkspace(shop=folders.shop, data_root=str(folders.data_root))
    result = dg.materialize(
        [staging_orders], resources={"workspace": workspace}, instance=instance, raise_on_error=False
    )
    return result, [entry.user_message for entry in instance.all_logs(result.run_id)]


def test_a_failed_run_is_told_to_the_webhook_and_the_log(folders: ShopFolders, heard: list[dict[str, Any]]) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result, log = _run(folders, instance)
    assert not result.success
    refused, message = heard
    assert refused == message, "the hook was not ready, and was told again"
    assert (message["shop"], message["run_id"]) == ("demo", result.run_id)
    assert message["failed"][0]["step"] == "staging_orders"
    text = message["text"]
    assert "staging_orders: orders of …@… cannot be read.\nNext: correct them." in text
    assert "line 3" in text
    assert "line 4" not in text, "the first lines suffice"
    assert "Nothing was published and the warehouse is as it was" in text
    assert text in log
    assert not any("secret-token" in line for line in log)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/secret-token", "secret-token", "http://[secret-token/"])
def test_a_dead_webhook_changes_nothing(folders: ShopFolders, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(webhook.VARIABLE, url)
    monkeypatch.setattr(webhook, "_PAUSES_SECONDS", (0.01, 0.01))
    with dg.DagsterInstance.ephemeral() as instance:
        result, log = _run(folders, instance)
    assert not result.success
    (failure,) = result.get_step_failure_events()
    assert failure.step_failure_data.user_failure_data.description == REASON
    assert any("the webhook could not be told of it" in line for line in log)
    assert not any("secret-token" in line for line in log)


def test_a_run_that_ends_well_tells_nobody(folders: ShopFolders, heard: list[dict[str, Any]]) -> None:
    @dg.asset
    def fine(workspace: RunWorkspace) -> None:
        pass

    workspace = RunWorkspace(shop=folders.shop, data_root=str(folders.data_root))
    assert dg.materialize([fine], resources={"workspace": workspace}).success
    assert heard == []
