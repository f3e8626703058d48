"""The list of programs that say who they are: they are named, and nobody's browser is."""

from __future__ import annotations

import csv

import pytest

from ingestion.overlay.agents import DECLARED_AGENTS, browser_agents
from shops import PROJECT_ROOT

with (PROJECT_ROOT / "seeds" / "bot_user_agents.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 "
    "Edg/126.0.0.0",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36",
    # A telephone whose maker is called Cubot.
    "Mozilla/5.0 (Linux; Android 9; CUBOT_NOVA) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0 Mobile Safari",
    "Mozilla/5.0 (Linux; Android 10; CUBOT) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0 Mobile Safari/537.36",
    # Browsers inside of apps.
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "[FBAN/FBIOS;FBAV/468.0;FBDV/iPhone14,5]",
    "Mozilla/5.0 (Linux; Android 13; SM-A536B) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0 Mobile "
    "Safari/537.36 Instagram 332.0.0.38.90 Android",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "[Pinterest/iOS]",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/6.0 TV Safari/537.36",
    "Mozilla/5.0 (Linux; U; Android 12; en-us; Redmi Note 9) AppleWebKit/537.36 Chrome/100.0 MQQBrowser/13.6 Mobile",
    "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18",
)
PROGRAMS = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "Googlebot",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)": "Bingbot",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)": "GPTBot",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)": "Facebook preview",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0 Safari/537.36":
        "Headless Chrome",
    "Mozilla/5.0 (compatible; SomethingNew/1.0; +https://new.example/what)": "a program that gives its address",
    "NewsyBot/0.3": "a bot that names itself",
    "curl/8.5.0": "curl",
}  # fmt: skip


def _name(agent: str) -> str | None:
    """The rule of base_web__visitor_days: the listed before the general, then the longest text."""
    held = [row for row in ROWS if row["pattern"] in agent.lower()]
    held.sort(key=lambda row: (row["kind"] == "unknown", -len(row["pattern"]), row["pattern"]))
    return held[0]["name"] if held else None


def test_each_text_stands_once_and_in_lower_case() -> None:
    patterns = [row["pattern"] for row in ROWS]
    assert len(set(patterns)) == len(patterns) > 150
    assert all(pattern == pattern.lower().strip() and len(pattern) > 3 for pattern in patterns)
    assert all(row["name"] and row["kind"] for row in ROWS)


@pytest.mark.parametrize("agent", BROWSERS)
def test_no_persons_browser_is_on_the_list(agent: str) -> None:
    assert _name(agent) is None


def test_no_browser_of_the_overlay_is_on_the_list() -> None:
    assert {_name(agent) for agent in browser_agents()} == {None}


@pytest.mark.parametrize(("agent", "name"), PROGRAMS.items())
def test_programs_are_named(agent: str, name: str) -> None:
    assert _name(agent) == name


def test_the_overlays_declared_crawlers_are_all_on_the_list() -> None:
    assert None not in {_name(agent) for agent in DECLARED_AGENTS}
