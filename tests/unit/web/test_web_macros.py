"""URLs and user agents as they come, and what the macros make of them."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest

from tests.unit.web.web_models import CompiledModels

Apply = Callable[[str, str | None], object]


@pytest.fixture(scope="module")
def apply(compiled: CompiledModels) -> Apply:
    """A function that gives what a macro makes of a text."""
    connection = duckdb.connect()

    def applied(macro: str, given: str | None) -> object:
        row = connection.execute(
            f"select {compiled.macros[macro]} from (select ?::varchar as given)", [given]
        ).fetchone()
        assert row is not None
        return row[0]

    return applied


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://www.Shop.example/a/b?x=1#y", "shop.example", "/a/b"),
        ("http://shop.example:8080/a/", "shop.example", "/a"),
        ("https://ann:secret@shop.example/Über/uns", "shop.example", "/Über/uns"),
        ("https://shop.example", "shop.example", "/"),
        ("https://shop.example/", "shop.example", "/"),
        ("https://shop.example?next=/a/b", "shop.example", "/"),
        ("https://shop.example#/a", "shop.example", "/"),
        ("https://shop.example/a?next=https://other.example/b", "shop.example", "/a"),
        ("/a/b?utm_source=x", None, "/a/b"),
        ("/", None, "/"),
        ("?q=1", None, "/"),
        ("a/b", None, "/a/b"),
        ("android-app://com.google.android.gm/", "com.google.android.gm", "/"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_host_and_path(apply: Apply, url: str | None, host: str | None, path: str | None) -> None:
    assert apply("url_host", url) == host
    assert apply("url_path", url) == path


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36", "desktop"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15", "desktop"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36", "desktop"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1", "mobile"),
        ("Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36", "mobile"),
        ("Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) Version/12.1 Mobile/15E148 Safari/604.1", "tablet"),
        ("Mozilla/5.0 (Linux; Android 12; SM-X906C) AppleWebKit/537.36 Chrome/120.0 Safari/537.36", "tablet"),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 TV Safari/537.36", "other"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "other"),
        ("python-requests/2.31", "other"),
        ("  ", None),
        (None, None),
    ],
)
def test_device_type(apply: Apply, agent: str | None, device: str | None) -> None:
    assert apply("device_type", agent) == device
