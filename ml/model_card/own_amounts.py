"""What a card says of a model of amounts that a shop made itself: whatever figures it recorded, as they are named."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ml.model_card.content import ModelCard, Section, as_table
from ml.model_card.sections import (
    Recorded,
    about_model,
    day,
    facts,
    features_section,
    hold_out,
    limits_section,
    plain,
    use_section,
)


def make_own_card(recorded: Recorded) -> ModelCard:
    """The card of a version of a model that predicts an amount and is none of `ml.lifetime`."""
    version = recorded.version
    name = str(version["model_name"])
    parameters = json.loads(version["parameters"]) if version.get("parameters") else {}
    about = about_model(name, recorded.unit, parameters.get("horizon_days"))
    return ModelCard(
        model_name=name,
        model_version=str(version["model_version"]),
        title=about["title"],
        summary=f"{about['question']} {_summary(recorded)}",
        facts=facts(recorded, str(version["algorithm"])),
        sections=[
            use_section(about),
            _data(recorded, parameters),
            _figures(recorded),
            features_section(recorded, "logarithm of the expected amount"),
            limits_section(recorded, parameters),
        ],
    )


def _own(recorded: Recorded) -> pd.DataFrame:
    return recorded.performance[recorded.performance["is_champion"].astype(bool)]


def _summary(recorded: Recorded) -> str:
    own = _own(recorded).dropna(subset=["value"])
    if not len(own):
        return "It has not been judged on a hold-out."
    first = own.iloc[0]
    beside = (
        ""
        if pd.isna(first["baseline"])
        else f"; {_words(str(first['baseline_name']))} alone has {_amount(first['baseline'])}"
    )
    return (
        f"On the hold-out of {int(first['rows']):,} rows its {_words(str(first['metric']))} is "
        f"{_amount(first['value'])}{beside}."
    )


def _data(recorded: Recorded, parameters: Mapping[str, Any]) -> Section:
    rows = [
        ("Last day that a training label saw", day(recorded.version["trained_through"])),
        ("Hold-out", f"from {hold_out(recorded)} on"),
        ("Sources", ", ".join(sorted({one.partition(".")[0] for f in recorded.features for one in f.source})) or "-"),
        *((key.replace("_", " ").capitalize(), plain(value)) for key, value in parameters.items()),
    ]
    return Section(
        "Data and settings",
        tables=[as_table(pd.DataFrame(rows, columns=["Part", "What"]), "What it was learned from and judged on")],
    )


def _figures(recorded: Recorded) -> Section:
    own = _own(recorded)
    if not len(own):
        return Section("How good it is", text=["It has not been judged: there are no rows in ml.model_performance."])
    rows = [
        (
            _words(str(row["metric"])).capitalize(),
            str(row["slice"]),
            int(row["rows"]),
            _amount(row["value"]),
            "-" if pd.isna(row["ci_low"]) else f"{_amount(row['ci_low'])} to {_amount(row['ci_high'])}",
            "-" if pd.isna(row["baseline"]) else f"{_amount(row['baseline'])} ({_words(str(row['baseline_name']))})",
        )
        for _, row in own.iterrows()
    ]
    columns = ["Figure", "Slice", "Rows", "This model", "95% interval", "Without it"]
    return Section(
        "How good it is",
        tables=[as_table(pd.DataFrame(rows, columns=columns), "What was recorded of the hold-out", columns[2:5])],
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _amount(value: float) -> str:
    return f"{float(value):,.2f}"
