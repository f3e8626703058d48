"""Outcomes and drift over time, as PNG bytes."""

import pandas as pd

from ml.frames import as_days
from ml.plots import COLORS, _axes, _png

_SAYS = {"log_loss": "Log loss", "roc_auc": "ROC-AUC", "calibration_intercept": "Calibration intercept (log-odds)"}


def over_time(outcomes: pd.DataFrame, drift: pd.DataFrame) -> dict[str, bytes]:
    """A picture for each model and tested figure, and one of drift for each model; only what has values."""
    pictures = {}
    for (model, metric), rows in outcomes.groupby(["model_name", "metric"], sort=True):
        if metric in _SAYS and rows["value"].notna().any():
            pictures[f"{model!s}_{metric!s}"] = of_figure(rows, f"{model!s}: {_SAYS[str(metric)]}", _SAYS[str(metric)])
    for model, rows in drift.groupby("model_name", sort=True):
        pictures[f"{model!s}_drift"] = of_drift(rows, str(model))
    return pictures


def of_figure(rows: pd.DataFrame, title: str, says: str) -> bytes:
    """One figure of each date with its interval, beside what was expected and what was promised.

    Parameters
    ----------
    rows : rows of ``ml.model_outcomes`` of one model and metric
    """
    rows = rows.sort_values("as_of_date")
    days = as_days(rows["as_of_date"]).to_numpy()
    figure, axes = _axes(7.4, 4.4)
    errors = [(rows["value"] - rows["ci_low"]).to_numpy(), (rows["ci_high"] - rows["value"]).to_numpy()]
    axes.errorbar(
        days, rows["value"].to_numpy(), yerr=errors, color=COLORS[0], marker="o", markersize=4, linewidth=0,
        elinewidth=1, capsize=2, label="came true (95% interval)",
    )  # fmt: skip
    axes.plot(days, rows["expected"].to_numpy(), color=COLORS[2], linewidth=1.5, label="expected by the scores")
    if rows["promised"].notna().any():
        axes.plot(
            days, rows["promised"].to_numpy(), color=COLORS[4], linewidth=1.5, linestyle="--", marker="_",
            label="promised at the hold-out",
        )  # fmt: skip
    bad = rows["is_degraded"].to_numpy(dtype=bool)
    if bad.any():
        axes.scatter(
            days[bad], rows["value"].to_numpy()[bad], s=110, facecolors="none", edgecolors=COLORS[1], linewidths=1.8,
            label="degraded", zorder=3,
        )  # fmt: skip
    axes.set(xlabel="As-of date of the scores", ylabel=says)
    axes.set_title(title, fontsize=11, loc="left")
    axes.grid(alpha=0.25)
    axes.legend(loc="best", frameon=False, fontsize=9)
    figure.autofmt_xdate()
    return _png(figure)


def of_drift(rows: pd.DataFrame, model: str) -> bytes:
    """How far each feature and the score have moved at the newest date, beside the least effect of an alarm.

    Parameters
    ----------
    rows : rows of ``ml.model_drift`` of one model
    """
    day = as_days(rows["as_of_date"]).max()
    newest = rows[as_days(rows["as_of_date"]) == day].sort_values(["effect", "name"]).tail(20)
    alarm = newest["is_alarm"].to_numpy(dtype=bool)
    figure, axes = _axes(7.4, 1.6 + 0.26 * len(newest))
    colors = [COLORS[1] if one else COLORS[0] for one in alarm]
    axes.barh(newest["name"].astype(str), 100 * newest["effect"].to_numpy(dtype=float), color=colors)
    least = 100 * float(newest["min_effect"].min())
    axes.axvline(least, color="#999999", linestyle="--", linewidth=1, label=f"an alarm needs {least:g}%")
    reference = as_days(newest["reference_date"]).max()
    axes.set(xlabel="Customers in another place than then, %")
    axes.set_title(f"{model}: {day:%Y-%m-%d} against {reference:%Y-%m-%d}", fontsize=11, loc="left")
    axes.grid(axis="x", alpha=0.25)
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    return _png(figure)
