"""Dagster's UI as `make ui` starts it, on a free port, asked through GraphQL; ended as a process group."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from shops import PROJECT_ROOT, ShopFolders
from tests.conftest import small_environment

# On a machine that does other work: no time fails a test.
_START_SECONDS = 400
_RUN_SECONDS = 900
REPOSITORY = {"repositoryLocationName": "orchestration.definitions", "repositoryName": "__repository__"}
_LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) { __typename ... on LaunchRunSuccess { run { runId } } }
}
"""
_STATUS = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


class WebServer:
    """A context manager around one `python -m orchestration ui`."""

    def __init__(self, shop: ShopFolders, environment: Mapping[str, str] | None = None) -> None:
        self._shop = shop
        self._environment = environment or {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])

    def __enter__(self) -> WebServer:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "orchestration", "ui", "--port", str(self._port)],
            cwd=PROJECT_ROOT,
            env={**small_environment(self._shop.data_root), **self._environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Dagster starts children; the group is ended as one.
        )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.query("{ version }")
                return self
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.__exit__(None, None, None)
                    raise
                time.sleep(0.5)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        """Send a GraphQL query; returns its `data`, and fails on errors in the answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/graphql",
            data=json.dumps({"query": text, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            content: dict[str, Any] = json.loads(answer.read())
        assert "errors" not in content, content["errors"]
        data: dict[str, Any] = content["data"]
        return data

    def launch(self, job: str, run_config: Mapping[str, Any] | None = None, **selection: object) -> str:
        """Start a run as the UI's buttons do; returns its id."""
        parameters = {
            "selector": {**REPOSITORY, "pipelineName": job, **selection},
            "mode": "default",
            "runConfigData": run_config or {},
        }
        launched = self.query(_LAUNCH, parameters=parameters)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def wait_for_success(self, run_id: str) -> None:
        """Until the run has ended well."""
        deadline = time.monotonic() + _RUN_SECONDS
        while (status := self.query(_STATUS, id=run_id)["runOrError"]["status"]) != "SUCCESS":
            assert status not in {"FAILURE", "CANCELED"}, status
            assert time.monotonic() < deadline, status
            time.sleep(1)
