"""A PostgreSQL server of our own, for tests and benchmarks: on loopback, on a free port, without a password."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

# The server trusts everybody; the password is there to see that it is kept nowhere.
PASSWORD = "hush-hush"


def _program(name: str) -> str:
    found = shutil.which(name) or next(iter(sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))), None)
    assert found, f"PostgreSQL's {name} was not found. Next: apt-get install postgresql"
    return found


@contextmanager
def running_postgres() -> Iterator[str]:
    """The address of a server that ends with the block."""
    folder = Path(tempfile.mkdtemp(prefix="audience-postgres-"))
    # The server refuses to run as root.
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    identity: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = str(folder / "data")
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    subprocess.run(
        [_program("initdb"), "-D", data, "-U", "shop", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True, capture_output=True, cwd=folder, env=environment, **identity,
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [_program("postgres"), "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, env=environment, **identity,
    )  # fmt: skip
    address = f"postgresql://shop:{PASSWORD}@127.0.0.1:{port}/postgres"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(address).close()
                break
            except psycopg.OperationalError:
                assert server.poll() is None, "PostgreSQL ended by itself"
                assert time.monotonic() < deadline, "PostgreSQL did not come up"
                time.sleep(0.1)
        yield address
    finally:
        server.send_signal(2)  # a fast shut-down: it does not wait for whoever is still connected
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)
