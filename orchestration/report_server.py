"""The shop's reports over HTTP while `make ui` runs: a page of Dagster may not link to a file of this machine.

Loopback only, read only, and gone with the UI.
"""

from __future__ import annotations

import os
import socket
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from shops import ShopFolders

# Where pages under `reports/` are to be found, as the UI's processes know it; unset where there is no UI.
VARIABLE = "AUDIENCE_REPORTS_URL"
_LOOK_FOR_UI_SECONDS = 2.0


def report_link(folders: ShopFolders, page: Path) -> str | None:
    """The address of `page`, a file under the shop's reports; None outside the UI."""
    base = os.environ.get(VARIABLE)
    return f"{base}/{page.relative_to(folders.reports).as_posix()}" if base else None


def serve(folders: ShopFolders, handle: socket.socket) -> None:
    """Serve the reports on a socket that listens, until the process that started this one is gone."""
    folders.reports.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(handle.getsockname()[:2], _Quiet.of(folders.reports), bind_and_activate=False)
    server.socket.close()
    server.socket = handle
    server.timeout = _LOOK_FOR_UI_SECONDS
    started_by = os.getppid()
    while os.getppid() == started_by:
        server.handle_request()


class _Quiet(SimpleHTTPRequestHandler):
    """Says nothing of what it serves."""

    @classmethod
    def of(cls, folder: Path) -> partial[_Quiet]:
        return partial(cls, directory=str(folder))

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    serve(ShopFolders.of(), socket.socket(fileno=int(sys.argv[1])))
