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


def test_ribbons_are_as_thick_as_their_moves_and_lie_one_below_the_other() -> None:
    moves = [
        {"origin": "A", "target": "C", "customers": 30},
        {"origin": "A", "target": "B", "customers": 10},
        {"origin": "B", "target": "C", "customers": 5},
    ]
    laid = ribbons.laid_out(moves)
    for point in laid.points:
        assert round(point["y"] - point["y2"], 6) in {30, 10, 5}
    starts = sorted((point["y2"], point["y"]) for point in laid.points if point["x"] == 0)
    assert all(low[1] <= high[0] for low, high in pairwise(starts))
    assert {label["label"] for label in laid.targets} == {"C  35", "B  10"}
