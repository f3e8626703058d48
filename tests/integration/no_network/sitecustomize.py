"""Put on PYTHONPATH by test_no_network: every Python process of the run notes and refuses calls to the outside."""

import os
import socket
from pathlib import Path

_LOG = os.environ["AUDIENCE_TEST_NETWORK_LOG"]
_LOCAL = ("127.", "::1", "localhost", "0.0.0.0")


def _note(what: str) -> None:
    with Path(_LOG).open("a", encoding="utf-8") as log:
        log.write(what + "\n")


def _connect(connect):
    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(_LOCAL):
            _note(f"connect {address}")
            raise OSError("no network in this test")
        return connect(self, address)

    return guarded


def _getaddrinfo(lookup):
    def guarded(host, *rest, **options):
        if host not in (None, "", b"") and not str(host).startswith(_LOCAL) and host != socket.gethostname():
            _note(f"look up {host}")
            raise socket.gaierror("no network in this test")
        return lookup(host, *rest, **options)

    return guarded


socket.socket.connect = _connect(socket.socket.connect)
socket.socket.connect_ex = _connect(socket.socket.connect_ex)
socket.getaddrinfo = _getaddrinfo(socket.getaddrinfo)
_note("guarded process")
