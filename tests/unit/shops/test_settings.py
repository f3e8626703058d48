"""Settings: the shop's keys over the shipped ones; slips are told, with the nearest valid name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shops import SettingsError, ShopFolders, load_settings
from shops import settings as module


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings file of a shop 'corner' that is not in the project."""
    folder = tmp_path / "shops" / "corner"
    folder.mkdir(parents=True)
    monkeypatch.setattr(ShopFolders, "own", property(lambda self: tmp_path / "shops" / self.shop))
    return folder / "settings.yml"


def test_a_shop_overrides_single_keys(own_settings: Path) -> None:
    own_settings.write_text(
        "shop: {business_timezone: Europe/Berlin}\nsegments: {rules: {lapsed: {days: 90}, our_own: {amount: 3}}}\n"
    )
    settings = load_settings("corner")
    assert settings.shop.business_timezone == "Europe/Berlin"
    assert settings.shop.reporting_currency == "USD"
    assert settings.segments.rules["lapsed"] == {"days": 90, "gaps": 6.0}
    assert settings.segments.rules["our_own"] == {"amount": 3}
    assert settings.segments.rules["dormant"]["days"] == 180


def test_a_shop_names_segments(own_settings: Path) -> None:
    own_settings.write_text("shop: {title: Corner}\n")
    assert load_settings("corner").segments.names == {}
    own_settings.write_text("segments: {names: {lapsed: Sleeping Customers}}\n")
    assert load_settings("corner").segments.names == {"lapsed": "Sleeping Customers"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shop: {business_timezon: UTC}", "unknown key 'shop.business_timezon'; did you mean 'shop.business_timezone'"),
        ("segments: {min_member: 9}", "unknown key 'segments.min_member'; did you mean 'segments.min_members'"),
        ("segments: {rules: {lapsedd: {days: 9}}}", "did you mean 'segments.rules.lapsed'"),
        (
            "segments: {rules: {lapsed: {weeks: 9}}}",
            "unknown key 'segments.rules.lapsed.weeks'. Known here: days, form,",
        ),
        ("shop: {business_timezone: Europe/Berlyn}", "did you mean Europe/Berlin"),
        ("features: {as_of_step_days: 0}", "features.as_of_step_days"),
        ("normalization: {default_region: us}", "normalization.default_region"),
        ("normalization: {machine_user_agents: ['(']}", "'(' is not a regular expression"),
        ("normalization: {test_account_patterns: ['a(?!b)']}", "'a(?!b)' has a backslash or (?"),
        ("web: {session_idle_minutes: 0}", "web.session_idle_minutes"),
        ("colour: red", "unknown key 'colour'. Known here: features, gates, goals, identity, models"),
        ("shop: [", "is not valid YAML"),
        ("- 1", "must hold keys and values"),
    ],
)
def test_slips_are_told_with_file_and_key(own_settings: Path, text: str, said: str) -> None:
    own_settings.write_text(text)
    with pytest.raises(SettingsError, match=r"settings\.yml") as error:
        load_settings("corner")
    assert said in str(error.value)


def test_an_unknown_shop_is_told_with_those_that_exist() -> None:
    with pytest.raises(SettingsError, match=r"there is no shop 'nowhere'.*Known shops: demo"):
        load_settings("nowhere")


def test_the_demo_shop() -> None:
    settings = load_settings("demo")
    assert settings.shop.business_timezone == "America/New_York"
    assert settings.models.purchase.test_as_of_date == date(2017, 10, 16)


def test_the_defaults_alone_are_valid(own_settings: Path) -> None:
    assert load_settings("corner").source.adapter is None
    assert module.DEFAULTS_FILE.exists()
