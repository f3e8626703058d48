"""Fixtures: a good scratch shop, made once, and copies of it to break; no test may reach the network."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.expectations import scratch_shop
from tests.unit.expectations.scratch_shop import Shop


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves the machine."""

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            raise AssertionError(f"a gate called out to {address}")

    def refuse_name(host: Any, *_: Any, **__: Any) -> None:
        raise AssertionError(f"a gate looked up {host}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse_name)


@pytest.fixture(scope="session")
def good_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The good shop itself: read it, do not change it."""
    shop = Shop(tmp_path_factory.mktemp("good"))
    scratch_shop.write_landing(shop.landing)
    scratch_shop.build_warehouse(shop.landing, shop.warehouse)
    return shop


@pytest.fixture
def shop(good_shop: Shop, tmp_path: Path) -> Shop:
    """A copy of the good shop, to break."""
    copied = tmp_path / "shop"
    shutil.copytree(good_shop.root, copied, ignore=shutil.ignore_patterns("reports"))
    return Shop(copied)


@pytest.fixture
def sparse_shop(tmp_path: Path) -> Callable[[], Shop]:
    """Make a shop that has orders and lines only."""

    def make() -> Shop:
        shop = Shop(tmp_path / "sparse")
        scratch_shop.write_landing(shop.landing, empty=scratch_shop.OPTIONAL_TABLES)
        scratch_shop.build_warehouse(shop.landing, shop.warehouse)
        return shop

    return make
