"""Charts follow the page's colors, say what they show, and say what is generated."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest

from pages import charts, ribbons

FLOWS = [
    {"day": date(2024, 1, 1) + timedelta(days=7 * week), "members": 10 + week, "entered": 2, "exited": 1}
    for week in range(5)
]


def test_a_chart_has_no_color_of_its_own() -> None:
    drawn = charts.membership(FLOWS, "Members", synthetic=False)
    colors = set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawn))
    assert {color for color in colors if not color.startswith("var(--")} <= {"none", "transparent"}


def test_a_chart_says_what_it_shows_and_nothing_of_it_is_markup() -> None:
    drawn = charts.membership(FLOWS, "Members of <b>A & B</b>", synthetic=False)
    assert 'role="img"' in drawn
    assert "<title>Members of &lt;b&gt;A &amp; B&lt;/b&gt;</title>" in drawn


@pytest.mark.parametrize("synthetic", [True, False])
def test_generated_figures_carry_their_badge_in_the_drawing(synthetic: bool) -> None:
    drawn = charts.membership(FLOWS, "Members", synthetic=synthetic)
    assert (charts.SYNTHETIC in drawn) is synthetic


def test_each_chart_has_its_own_rows() -> None:
    """One drawing is compiled for all segments: the rows of one must not stay in it for the next."""
    first = charts.membership(FLOWS, "Members", synthetic=False)
    more = charts.membership([{**flow, "members": 1000} for flow in FLOWS], "Members", synthetic=False)
    assert "1,000" in more
    assert first == charts.membership(FLOWS, "Members", synthetic=False)


def test_the_calibration_of_rare_answers_is_not_in_a_corner() -> None:
    points = [
        {"said": 0.02, "came": 0.03, "low": 0.01, "high": 0.06},
        {"said": 0.2, "came": 0.18, "low": 0.1, "high": 0.28},
    ]
    drawn = charts.calibration(points, "Calibration")
    assert "30%" in drawn
    assert "40%" not in drawn
    assert "100%" in charts.calibration([*points, {"said": 0.9, "came": 1, "low": 0.8, "high": 1}], "Calibration")


MOVES = [
    {"origin": "A", "target": "C", "customers": 30},
    {"origin": "A", "target": "B", "customers": 10},
    {"origin": "B", "target": "C", "customers": 5},
]


def test_ribbons_are_as_thick_as_their_moves_and_lie_one_below_the_other() -> None:
    laid = ribbons.laid_out(MOVES, height=90, columns=20)
    for point in laid.points:
        assert round(point["y"] - point["y2"], 6) in {60, 20, 10}
    starts = sorted((point["y2"], point["y"]) for point in laid.points if point["x"] == 0)
    assert all(low[1] <= high[0] for low, high in pairwise(starts))
    assert {label["label"] for label in laid.targets} == {"C\N{NO-BREAK SPACE}35", "B\N{NO-BREAK SPACE}10"}


def test_a_long_name_of_a_flow_loses_no_word_and_no_two_names_lie_on_each_other() -> None:
    long = "Customers of many words, who came and left and came again, and whom nobody can name in one line"
    moves = [*MOVES, {"origin": "A", "target": long, "customers": 1}, {"origin": long, "target": "B", "customers": 1}]
    laid = ribbons.laid_out(moves, height=40, columns=20)
    for side in (laid.origins, laid.targets):
        named = next(label for label in side if label["lines"] > 1)
        assert named["label"].replace("\n", " ").split("\N{NO-BREAK SPACE}") == [long, "1"]
        assert max(map(len, named["label"].split("\n"))) <= 20
        places = [(label["y"], ribbons.LINE * label["lines"] / 2) for label in side]
        assert all(upper[0] - upper[1] >= lower[0] + lower[1] for upper, lower in pairwise(places))
        assert all(place - half >= -laid.depth for place, half in places)
    narrow = charts.flow(moves, "Moves", synthetic=True, is_narrow=True)
    assert "\N{HORIZONTAL ELLIPSIS}" not in narrow
    assert charts.SYNTHETIC in narrow
