"""The site says what the published database says, and no more than anybody may read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path

import duckdb
import pytest

from pages import SiteError, build_site, models
from pages.page import segment_file
from pages.published import Shop, opened
from pages.words import day, money, number, percent, signed, spaced

THEMES = (
    "index.html",
    "moves.html",
    "rfm.html",
    "retention.html",
    "paths.html",
    "value.html",
    "models.html",
    "reach.html",
    "quality.html",
    "freshness.html",
)
SEGMENTS = ("recent_buyers", "coupon_responders", "lapsed", "inactive_visitors")


def read(site: Path, file: str) -> str:
    """The text of a page."""
    return (site / file).read_text(encoding="utf-8")


def words(html: str) -> str:
    """What a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.S))).split())


def figures(html: str) -> dict[str, str]:
    """The figures of a page by their names."""
    found = re.findall(r"<div><dt>(.*?)</dt><dd><b>(.*?)</b>", html, flags=re.S)
    return {words(name).removesuffix(" Synthetic"): words(value) for name, value in found}


@pytest.mark.parametrize("segment", SEGMENTS)
def test_every_figure_of_a_card_is_that_of_the_database(database: Path, site: Path, segment: str) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("use marts")
        as_of, currency = connection.execute("select as_of_date, reporting_currency from rpt_shop").fetchone()
        members, customers = connection.execute(
            "select count(*), (select count(*) from dim_customers) from fct_segment_memberships where segment_key = ?",
            [segment],
        ).fetchone()
        spend, all_spend, bought, spend_90d, orders = connection.execute(
            """
            with mine as (select customer_id from fct_segment_memberships where segment_key = $1)
            select
                coalesce(sum(total_after_returns) filter (customer_id in (from mine)), 0),
                sum(total_after_returns),
                count(distinct customer_id) filter (customer_id in (from mine) and order_date >= $2::date - 28),
                coalesce(
                    sum(total_after_returns) filter (customer_id in (from mine) and order_date >= $2::date - 90), 0
                ),
                count(*) filter (customer_id in (from mine))
            from fct_orders where is_purchase
            """,
            [segment, as_of],
        ).fetchone()
        mailable, visits, ordered, bounced, sent, clicked = connection.execute(
            "select mailable_count, session_count, ordering_session_count, bounced_session_count, mail_sent_count, "
            "mail_clicked_count from rpt_segment_responses where segment_key = ?",
            [segment],
        ).fetchone()
        consenting = connection.execute(
            "select count(*) from fct_segment_memberships where segment_key = ? and may_mail", [segment]
        ).fetchone()[0]
        entered, exited, before = connection.execute(
            "select entered_count, exited_count, previous_as_of_date from fct_segment_flows where segment_key = ? "
            "order by as_of_date desc limit 1",
            [segment],
        ).fetchone()
    said = figures(read(site, segment_file(segment)))
    assert members > 0
    assert said["Customers"] == number(members)
    assert said["Spend"] == money(spend, currency)
    assert said["Spend of the last 90 days"] == money(spend_90d, currency)
    assert said["An order, on average"] == money(float(spend) / orders, currency)
    assert said["Conversion: bought in 28 days"] == percent(bought / members)
    assert said["Reached by e-mail"] == number(mailable)
    assert mailable <= consenting
    assert said["Visits that ended in an order"] == percent(ordered / visits if visits else None)
    assert said["Bounce"] == percent(bounced / visits if visits else None)
    assert said["Clicks"] == percent(clicked / sent if sent else None)
    assert said[f"Change since {day(before)}"] == signed(entered - exited)
    assert said["Came and left"] == f"{signed(entered)} / {signed(-exited)}"
    text = words(read(site, segment_file(segment)))
    assert f"{percent(members / customers)} of all" in text
    assert f"{percent(float(spend) / float(all_spend))} of all, since" in text
    assert f"Data through {day(as_of - timedelta(days=1))}" in text


def test_a_card_says_its_rule_its_action_and_that_segments_overlap(database: Path, site: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select segment_key, segment_name, description, suggested_action from marts.dim_segments"
        ).fetchall()
    for segment, *said in rows:
        text = words(read(site, segment_file(segment)))
        for words_of_it in said:
            assert " ".join(words_of_it.split()) in text
        assert "add up to more than 100%" in text


def test_a_card_says_how_far_visits_of_its_members_go(database: Path, site: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        counted = connection.execute(
            "select segment_key, session_count, ordering_session_count, "
            "segment_key in (select segment_key from marts.rpt_segment_web_paths) from marts.rpt_segment_responses"
        ).fetchall()
    assert {is_told for *_, is_told in counted} == {True, False}
    for segment, visits, ordered, is_told in counted:
        text = words(read(site, segment_file(segment)))
        if is_told:
            assert f"Visits {number(visits)} 100%" in text
            assert f"ordered {number(ordered)} {percent(ordered / visits)}" in text
        else:
            assert "Fewer than five of its members visited the web shop" in text


def test_nobody_is_named(good_shop: Path, site: Path) -> None:
    """Customer ids are the most that a page says of anybody."""
    with duckdb.connect(str(good_shop / "demo" / "warehouse.duckdb"), read_only=True) as connection:
        values = connection.execute(
            "select distinct field_value from identity.int_identity__golden_values "
            "where field in ('email', 'phone', 'street') and length(field_value) > 5"
        ).fetchall()
    assert values
    for file in site.iterdir():
        text = words(read(site, file.name))
        assert "@" not in text
        told = [value for (value,) in values if value in text]
        assert not told, f"{file.name} says {told}"


def test_pages_need_nothing_from_anywhere(site: Path) -> None:
    for file in site.iterdir():
        html = read(site, file.name)
        assert "<script" not in html
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)
        assert "@import" not in html
        assert "url(" not in html


def test_generated_figures_carry_a_badge(site: Path) -> None:
    card = read(site, segment_file("recent_buyers"))
    for name in ("Dwell", "Bounce", "Clicks", "Reached by e-mail"):
        assert re.search(rf"<dt>{name} <span class=\"badge\">Synthetic</span></dt>", card), name
    assert re.search(r"<dt>Customers </dt>", card)  # who bought lately stands on real orders
    assert "SYNTHETIC DATA" not in card
    assert "SYNTHETIC DATA" in read(site, segment_file("inactive_visitors"))
    assert "SYNTHETIC DATA" in read(site, "moves.html")
    assert 'class="badge"' not in read(site, "rfm.html").split("<main")[1]


def scorecards(html: str) -> dict[str, str]:
    """The cards of the page of models, by the model's name."""
    return dict(re.findall(r'<section class="card" aria-label="(.*?)">(.*?)</section>', html, flags=re.S))


def test_each_model_that_scores_has_its_curves(database: Path, site: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        curves = connection.execute(
            "select model_name, max_by(mean_predicted, band), max_by(observed, band) from marts.rpt_model_curves "
            "where is_champion group by model_name having count(*) > 2"
        ).fetchall()
    cards = scorecards(read(site, "models.html"))
    assert curves
    for model, said, came in curves:
        card = unescape(cards[spaced(model)])
        lowest = f"of those to whom it gave about {percent(said)}, {percent(came)} did it"
        assert f"<title>Calibration of {spaced(model)}: {lowest}" in card
        assert f"<title>Lift of {spaced(model)}: " in card
        assert "No curve is drawn" not in card


def test_where_rates_score_no_curve_is_drawn_and_words_say_why(copied: Callable[[str, bool], Path]) -> None:
    file = copied("rates", True)
    with duckdb.connect(str(file)) as connection:
        connection.execute("use marts")
        for table in ("rpt_model_performance", "rpt_model_curves"):
            connection.execute(f"update {table} set is_champion = false where model_name = 'buy_readiness'")
        connection.execute(
            "insert into dim_model_versions by name select model_name, 'rates' as model_version, "
            "'fallback' as algorithm, 'champion' as standing from dim_model_versions "
            "where model_name = 'buy_readiness' limit 1"
        )
    with opened(file) as published:
        found = models.page(published, Shop.of(published)).context["scorecards"]
    card = next(one for one in found if one["name"] == "Buy readiness")
    assert card["calibration"] is None
    assert card["gains"] is None
    assert "the rates of groups score in its place" in card["no_curve"]


@pytest.mark.parametrize("file", THEMES)
def test_a_shop_with_orders_alone_is_told_what_is_missing(bare_site: Path, file: str) -> None:
    text = words(read(bare_site, file))
    assert "Synthetic" not in text
    assert "nan" not in text.lower().split()
    assert "None" not in text.split()


def test_what_has_not_landed_is_said_in_words(bare_site: Path) -> None:
    assert "no web events have landed" in words(read(bare_site, segment_file("recent_buyers")))
    assert "no consents have landed" in words(read(bare_site, segment_file("recent_buyers")))
    assert "There are no paths to show: no web events" in words(read(bare_site, segment_file("recent_buyers")))
    assert "this shop has landed no web events" in words(read(bare_site, "paths.html"))
    assert "No model has been judged here yet" in words(read(bare_site, "models.html"))
    assert "visits, dwell, bounces, paths" in words(read(bare_site, "freshness.html"))


@pytest.mark.parametrize("file", THEMES)
def test_a_shop_with_nothing_has_all_pages(empty_site: Path, file: str) -> None:
    assert 'class="empty"' in read(empty_site, file)


def test_a_missing_table_is_told_with_the_next_step(empty_database: Path, tmp_path: Path) -> None:
    file = tmp_path / "audience.duckdb"
    file.write_bytes(empty_database.read_bytes())
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop table marts.rpt_sources")
    with pytest.raises(SiteError, match=r"(?s)rpt_sources.*Next: publish anew"):
        build_site(file, tmp_path / "site")


def test_a_site_that_fails_leaves_the_old_one(empty_database: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build_site(empty_database, site)
    before = {file.name: file.read_bytes() for file in site.iterdir()}
    with pytest.raises(SiteError, match="is not there"):
        build_site(tmp_path / "none.duckdb", site)
    assert {file.name: file.read_bytes() for file in site.iterdir()} == before


def test_a_run_publishes_the_site_of_its_database(database: Path, site: Path) -> None:
    """Built once by the run and once here: the same database gives the same site."""
    published = database.parent / "site"
    assert {f.name: f.read_bytes() for f in published.iterdir()} == {f.name: f.read_bytes() for f in site.iterdir()}


def test_no_page_is_heavy(site: Path) -> None:
    assert max(file.stat().st_size for file in site.iterdir()) < 5_000_000
