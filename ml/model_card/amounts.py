"""What a card says of a model of amounts of money: its errors in money, and who spends more than was expected."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ml.lifetime import value_plots
from ml.lifetime.value_evidence import by_tenth
from ml.model_card.content import ModelCard, Picture, Section, as_table
from ml.model_card.fairness import MIN_ROWS, amount_differences
from ml.model_card.sections import (
    Recorded,
    about_model,
    facts,
    features_section,
    limits_section,
    plain,
    use_section,
)

METRICS = {
    "rmse": "Root of the mean squared error",
    "mae": "Mean absolute error",
    "spearman": "Rank correlation",
    "total_bias": "Bias of the total",
    "interval_coverage": "Within the range",
    "mean_interval_width": "Mean width of the range",
}
SHARES = ("total_bias", "interval_coverage")
WORDS = {
    "mean_spend": "everybody's mean",
    "spend_of_the_last_90_days": "spend of the last 90 days",
    "purchase_value": "BG/NBD and Gamma-Gamma",
    "boosted_value": "boosted trees",
    "meant": "meant",
}


def make_amount_card(recorded: Recorded, currency: str) -> ModelCard:
    """The card of a version of a model of amounts.

    Parameters
    ----------
    recorded : its `judged` has customer_id, expected, spent (money) and the dimensions
    currency : ISO code
    """
    parameters = json.loads(recorded.version["parameters"])
    about = about_model(str(recorded.version["model_name"]), recorded.unit, parameters["horizon_days"])
    return ModelCard(
        model_name=str(recorded.version["model_name"]),
        model_version=str(recorded.version["model_version"]),
        title=about["title"],
        summary=_summary(about, recorded, currency),
        facts=facts(recorded, WORDS.get(parameters["chosen"], parameters["chosen"])),
        sections=[
            use_section(about),
            _data(recorded, parameters),
            _algorithm(parameters, currency),
            _figures(recorded, currency),
            *_tenths(recorded, currency),
            _groups(recorded, currency),
            features_section(recorded, "logarithm of the expected amount"),
            limits_section(recorded, parameters),
            Section(
                "Promotion",
                text=[
                    "Lifetime value has no champion that stays: each run chooses among the candidates anew, on a date "
                    "before the hold-out, and takes the simplest one that no other beats by more than noise."
                ],
            ),
        ],
    )


def _summary(about: Mapping[str, Any], recorded: Recorded, currency: str) -> str:
    own = recorded.performance.drop_duplicates("metric")
    figures = dict(zip(own["metric"], own["value"].astype(float), strict=True))
    if "mae" not in figures:
        return f"{about['question']} It has not been judged on a hold-out."
    bias = figures["total_bias"]
    return (
        f"{about['question']} On the hold-out of {int(own['rows'].max()):,} customers it is off by "
        f"{figures['mae']:,.0f} {currency} a customer on average; the total is {abs(bias):.1%} too "
        f"{'high' if bias >= 0 else 'low'}, and {figures['interval_coverage']:.0%} spent what lay within their range."
    )


def _data(recorded: Recorded, parameters: Mapping[str, Any]) -> Section:
    learned = parameters["learned_from"]
    rows = [
        ("Learned from", f"{len(learned)} as-of dates from {learned[0]} to {learned[-1]}"),
        ("Rows learned from", f"{parameters['learned_rows']:,}"),
        ("Choice among candidates, width of the range", f"as of {parameters['chosen_on']}"),
        ("Hold-out", f"as of {parameters['hold_out']}, {parameters['horizon_days']} days"),
        ("Discount", f"{parameters['yearly_discount']:.0%} a year"),
        ("Sources", ", ".join(sorted({one.partition(".")[0] for f in recorded.features for one in f.source})) or "-"),
    ]
    return Section(
        "Data",
        text=[
            "Candidates are compared by what they say as of an earlier date, each learned from windows that had ended "
            "by then. The one that is judged, and scores, learned from windows that had ended by the hold-out."
        ],
        tables=[as_table(pd.DataFrame(rows, columns=["Part", "What"]), "What it was learned from and judged on")],
    )


def _algorithm(parameters: Mapping[str, Any], currency: str) -> Section:
    compared = []
    for one in parameters["candidates"]:
        gain = one.get("rmse_gain")
        told = "-"
        if gain is not None:
            value, low, high = gain["value_low_high"]
            told = f"{value:+,.1f} ({low:+,.1f} to {high:+,.1f}) on {WORDS.get(gain['over'], gain['over'])}"
        compared.append((WORDS.get(one["candidate"], one["candidate"]), *map(_money, (one["rmse"], one["mae"])), told))
    columns = [
        "Candidate",
        f"Root of the squared error, {currency}",
        f"Absolute error, {currency}",
        "Gain on a simpler one",
    ]
    tables = [as_table(pd.DataFrame(compared, columns=columns), f"As of {parameters['chosen_on']}", columns[1:3])]
    settings = [
        (name.replace("_", " "), plain(parameters[name]))
        for name in ("purchase_value", "widening", "not_fitted")
        if parameters.get(name)
    ]
    if settings:
        tables.append(as_table(pd.DataFrame(settings, columns=["Setting", "Value"]), "Settings"))
    chosen = WORDS.get(parameters["chosen"], parameters["chosen"])
    return Section("Algorithm", text=[f"{chosen[:1].upper()}{chosen[1:]}."], tables=tables)


def _figures(recorded: Recorded, currency: str) -> Section:
    found = recorded.performance
    others = [str(one) for one in dict.fromkeys(found["baseline_name"].dropna()) if one != "meant"]
    rows = []
    for metric, title in METRICS.items():
        own = found[found["metric"] == metric]
        if not len(own):
            continue
        first, beside = own.iloc[0], dict(zip(own["baseline_name"], own["baseline"], strict=True))
        said = _percent if metric in SHARES else _plain_number if metric == "spearman" else _money
        value, low, high = (said(first[name]) for name in ("value", "ci_low", "ci_high"))
        rows.append([title, f"{value} ({low} to {high})", *(said(beside.get(name)) for name in others)])
    if not rows:
        return Section("How good it is", text=["It has not been judged: there are no rows in ml.model_performance."])
    titles = ["Metric", "This model", *(WORDS.get(name, name) for name in others)]
    caption = f"Hold-out, {currency}: 95% intervals, customers resampled"
    return Section("How good it is", tables=[as_table(pd.DataFrame(rows, columns=titles), caption, titles[1:])])


def _tenths(recorded: Recorded, currency: str) -> list[Section]:
    if not len(recorded.judged):
        return []
    spent, expected = (recorded.judged[name].to_numpy(dtype=np.float64) for name in ("spent", "expected"))
    found = by_tenth(spent, expected, recorded.judged["customer_id"])
    columns = ["Tenth, lowest first", "Customers", "Expected", "Spent"]
    spans = zip(
        map(_money, found["observed"]), map(_money, found["ci_low"]), map(_money, found["ci_high"]), strict=True
    )
    frame = pd.DataFrame(
        {
            columns[0]: found["tenth"].astype(str),
            columns[1]: found["rows"],
            columns[2]: [_money(value) for value in found["expected"]],
            columns[3]: [f"{value} ({low} to {high})" for value, low, high in spans],
        }
    )
    title = str(recorded.version["model_name"])
    return [
        Section(
            "Expected and spent",
            text=["Of customers who are expected to spend 100 each, the mean should be about 100."],
            tables=[as_table(frame, f"Means in {currency}, by expected value", columns[1:])],
            pictures=[Picture("tenths", "Expected and spent, by tenth", value_plots.tenths(found, title, currency))],
        )
    ]


def _groups(recorded: Recorded, currency: str) -> Section:
    title = "For whom it is how good"
    if not len(recorded.judged):
        return Section(title, text=["The features of the hold-out are not kept, so that groups cannot be told apart."])
    found = amount_differences(recorded.judged, recorded.dimensions)
    if not len(found):
        return Section(title, text=[f"No demographic group has {MIN_ROWS} customers, with as many beside it."])
    columns = ["", "Group", "Customers", "Expected", "Spent", "Underrated by", "Beyond noise"]
    frame = pd.DataFrame(
        [
            (
                str(row["dimension"]).replace("_", " "),
                str(row["group"]),
                int(row["rows"]),
                _money(row["mean_expected"]),
                _money(row["mean_spent"]),
                f"{row['difference']:+,.0f} ({row['low']:+,.0f} to {row['high']:+,.0f})",
                "yes" if row["is_clear"] else "no",
            )
            for _, row in found.iterrows()
        ],
        columns=columns,
    )
    clear = found[found["is_clear"].astype(bool)]
    named = ", ".join(f"{row.group} ({str(row.dimension).replace('_', ' ')})" for row in clear.itertuples())
    return Section(
        title,
        text=["What a group spent beyond what was expected of it, less the same of all others; above 0: underrated."],
        points=[
            f"Beyond noise, counting all {len(found)} groups: {named}."
            if named
            else f"No difference is beyond noise, counting all {len(found)} groups."
        ],
        tables=[as_table(frame, f"Means in {currency}, with 95% intervals", columns[2:6])],
    )


def _money(value: Any) -> str:
    return "-" if value is None or pd.isna(value) else f"{value:,.0f}"


def _percent(value: Any) -> str:
    return "-" if value is None or pd.isna(value) else f"{value:.1%}"


def _plain_number(value: Any) -> str:
    return "-" if value is None or pd.isna(value) else f"{value:.3f}"
