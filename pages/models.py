"""Model scorecards: how good each model was on dates it had not seen, and whether it still is."""

from __future__ import annotations

from typing import Any

from pages import charts
from pages.page import Page
from pages.published import Published, Row, Shop
from pages.words import number, percent, spaced

READINESS = "buy_readiness"
# Fewer dots than this are no curve.
FEWEST_POINTS = 3

# The slices that a model is judged on as a whole; its other slices are parts of these.
_WHOLE = ("all", "all dates", "mailed", "reached by e-mail")

_FIGURES = f"""
select performance.*, versions.standing, versions.algorithm, versions.trained_through
from rpt_model_performance as performance
left join dim_model_versions as versions using (model_name, model_version)
where slice in {_WHOLE}
qualify dense_rank() over (
    partition by model_name order by is_champion desc, performance.as_of_date desc, model_version desc
) = 1
order by model_name, metric, baseline_name
"""
_DECISIONS = """
select * from rpt_model_decisions
qualify row_number() over (partition by model_name order by hold_out_through desc, challenger_version desc) = 1
"""
_CURVES = """
select model_version, mean_predicted as said, observed as came, observed_low as low, observed_high as high,
    contacted_share as contacted, recall
from rpt_model_curves where is_champion
order by model_version, band
"""
# Where no model has passed, the rates of groups score.
_RATES = """
select model_name from dim_model_versions
where (standing = 'champion' and algorithm = 'fallback') or algorithm = 'base_rate'
"""
_HEALTH = """
select model_name, count(*) filter (is_degraded) as worse, count(*) as judged
from rpt_model_outcomes group by model_name
"""
_DRIFT = """
select model_name, count(*) filter (is_alarm) as alarms, count(*) as compared
from rpt_model_drift where kind = 'feature' group by model_name
"""
_TIERS = """
select model_name, coalesce(sum(score_count) filter (fallback_tier = 'model'), 0) / sum(score_count) as share
from rpt_score_tiers where is_current group by model_name
"""

# What each model stands on beside orders, as far as it may be generated.
_STANDS_ON = {"click_propensity": ("email_events",)}


def page(published: Published, shop: Shop) -> Page:
    """The page of all models that were judged."""
    figures = _grouped(published.rows(_FIGURES))
    decisions = {row["model_name"]: row for row in published.rows(_DECISIONS)}
    curves = _grouped(published.rows(_CURVES), "model_version")
    of_rates = {row["model_name"] for row in published.rows(_RATES)}
    health = {row["model_name"]: row for row in published.rows(_HEALTH)}
    drift = {row["model_name"]: row for row in published.rows(_DRIFT)}
    tiers = {row["model_name"]: row["share"] for row in published.rows(_TIERS)}
    scorecards = []
    for name, rows in figures.items():
        synthetic = shop.is_synthetic(*_STANDS_ON.get(name, ()))
        points = curves.get(rows[0]["model_version"], [])
        scorecards.append(
            {
                "name": spaced(name),
                "of": rows[0],
                "figures": _figures(rows),
                "decision": decisions.get(name),
                "calibration": _calibration(name, points, synthetic),
                "gains": _gains(name, points, synthetic),
                "dot": "a tenth of those judged" if name != READINESS else "ten points of the index",
                "no_curve": _no_curve(rows, name in of_rates),
                "health": health.get(name),
                "drift": drift.get(name),
                "model_share": tiers.get(name),
                "synthetic": synthetic,
            }
        )
    return Page("models.html", "Models", "models.html.j2", {"scorecards": scorecards})


def _figures(rows: list[Row]) -> list[tuple[str, str, str]]:
    """Name, value and what it means, of the figures that a marketer needs."""
    by_metric = _grouped(rows, "metric")
    found: list[tuple[str, str, str]] = []
    if auc := by_metric.get("roc_auc"):
        beside = ", ".join(
            f"{row['baseline_name'].replace('_', ' ')} {row['baseline']:.3f}"
            for row in auc
            if row["baseline"] is not None and row["baseline_name"] != "base_rate"
        )
        first = auc[0]
        found.append(
            (
                "Tells them apart (ROC-AUC)",
                f"{first['value']:.3f}",
                f"95% interval {_interval(first)}; 0.5 is chance, 1 is perfect"
                + (f". Beside it: {beside}" if beside else ""),
            )
        )
    if lift := by_metric.get("lift_at_10pct"):
        highest = by_metric.get("highest_lift_at_10pct", [{}])[0].get("value")
        found.append(
            (
                "Lift of the highest tenth",
                f"{lift[0]['value']:.2f} times",
                f"as often as all; interval {_interval(lift[0], 2)}"
                + (f"; more than {highest:.2f} cannot be" if highest else ""),
            )
        )
    if error := by_metric.get("calibration_error"):
        found.append(
            (
                "Probabilities are off by",
                f"{100 * error[0]['value']:.1f} points",
                "on average, of 100: how far what it says lies from what comes true",
            )
        )
    if mae := by_metric.get("mae"):
        found.append(("Amounts are off by", number(mae[0]["value"]), f"on average; interval {_interval(mae[0], 0)}"))
    if coverage := by_metric.get("interval_coverage"):
        found.append(("Within the range it gives", percent(coverage[0]["value"]), "of customers; promised are 95%"))
    return found


def _interval(row: Row, digits: int = 3) -> str:
    if row.get("ci_low") is None:
        return "not known"
    return f"{number(row['ci_low'], digits)} to {number(row['ci_high'], digits)}"


def _no_curve(rows: list[Row], rates_score: bool) -> str:
    """Why there may be no curve of a model, for a card that has none."""
    if rates_score:
        return (
            "No curve is drawn: the rates of groups score in its place, each the same for all of a group. "
            "What was judged here did not pass and scores nobody; a curve of it would say nothing of the scores."
        )
    if not rows[0]["is_champion"]:
        return "No curve is drawn: what was judged here scores nobody, and a curve would say nothing of the scores."
    if any(row["metric"] == "mae" for row in rows):
        return "No curve is drawn: it says amounts, not chances. How far they are off stands above."
    return "No curve is drawn: too few rows were judged for tenths that say anything, or all have the same score."


def _calibration(name: str, points: list[Row], synthetic: bool) -> Any:
    if len(points) < FEWEST_POINTS:
        return None
    highest, lowest = points[0], points[-1]
    says = (
        f"Calibration of {spaced(name)}: of those to whom it gave about {percent(lowest['said'])}, "
        f"{percent(lowest['came'])} did it; of those with about {percent(highest['said'])}, {percent(highest['came'])}"
    )
    return charts.calibration(
        [{key: row[key] for key in ("said", "came", "low", "high")} for row in points], says, synthetic=synthetic
    )


def _gains(name: str, points: list[Row], synthetic: bool) -> Any:
    if len(points) < FEWEST_POINTS or points[-1]["recall"] is None:
        return None
    fifth = min(points, key=lambda row: abs(row["contacted"] - 0.2))
    says = (
        f"Lift of {spaced(name)}: the highest {percent(fifth['contacted'])} of the scores hold "
        f"{percent(fifth['recall'])} of all who did it"
    )
    rows = [{"contacted": row["contacted"], "recall": row["recall"]} for row in points]
    return charts.gains(rows, says, outcome="of all who did it", synthetic=synthetic)


def _grouped(rows: list[Row], by: str = "model_name") -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(row)
    return found
