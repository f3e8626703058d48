"""Reach of thresholds: whom to contact for a goal, how many of them do it, and how many are missed."""

from __future__ import annotations

from typing import Any

from pages import charts
from pages.page import Page
from pages.published import Published, Row, Shop
from pages.words import number, percent, spaced

_CUTS = "select * from rpt_score_cuts order by model_name, goal"
_CURVES = """
select model_name, cut, coalesce(current_contacted, people_contacted) as contacted, precision, recall, lift
from rpt_score_cut_curves order by model_name, contacted
"""
KINDS = {
    "precision": "as many as possible, as long as enough of them do it",
    "recall": "as few as possible, as long as enough of all who do it are among them",
    "people": "the likeliest, up to a number",
    "profit": "whom it pays to contact",
}
_HELD = {
    "held": "The goal held",
    "within noise": "Short of the goal, by no more than chance",
    "missed": "The goal was missed",
}


def page(published: Published, shop: Shop) -> Page:
    """The page of goals and cuts."""
    curves: dict[str, list[Row]] = {}
    for row in published.rows(_CURVES):
        curves.setdefault(row["model_name"], []).append(row)
    goals: dict[str, list[Row]] = {}
    for row in published.rows(_CUTS):
        row |= {"kind": KINDS.get(row["goal_kind"], row["goal_kind"]), "held_in_words": _HELD.get(row["held"], "")}
        row["wanted_in_words"] = _wanted(row)
        goals.setdefault(row["model_name"], []).append(row)
    models = [
        {
            "name": spaced(name),
            "goals": goals[name],
            "caution": goals[name][0]["caution"],
            "curve": curves.get(name, []),
            "chart": _chart(name, curves.get(name, []), goals[name], shop),
        }
        for name in goals
    ]
    return Page("reach.html", "Reach", "reach.html.j2", {"models": models})


def _wanted(row: Row) -> str:
    if row["wanted"] is None:
        return ""
    if row["goal_kind"] == "people":
        return f"at most {number(row['wanted'])} customers"
    return f"at least {percent(row['wanted'])}"


def _chart(name: str, curve: list[Row], goals: list[Row], shop: Shop) -> Any:
    if len(curve) < 3:
        return None
    points = [
        {"contacted": row["contacted"], "share": row[column], "what": what}
        for row in curve
        for column, what in (("precision", "of those contacted do it"), ("recall", "of all who do it are reached"))
    ]
    marks = sorted(
        (
            {"contacted": goal["current_contacted"], "goal": goal["goal"]}
            for goal in goals
            if goal["current_contacted"] is not None
        ),
        key=lambda mark: mark["contacted"],
    )
    for place, mark in enumerate(marks):
        mark["place"] = 0.02 + 0.09 * place
    said = "; ".join(f"{mark['goal']} contacts {number(mark['contacted'])}" for mark in marks)
    says = f"What each number of contacts would give by {spaced(name)}. Goals: {said or 'none can be met'}"
    return charts.cuts(points, marks, says, synthetic=name == "click_propensity" and shop.is_synthetic("email_events"))
