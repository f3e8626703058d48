"""Sections that every card has, of whatever kind of model: its use, its features, its limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from ml.catalogue import Feature
from ml.model_card.content import Picture, Section, as_table
from ml.reasons.importance import importance_plot

ABOUT_FILE = Path(__file__).with_name("models.yml")
TIERS = {"model": "the model", "cohort": "a group of such customers", "base_rate": "the overall average"}


@dataclass(frozen=True)
class Recorded:
    """What was recorded of one version of a model.

    Attributes
    ----------
    version : a row of ``ml.model_versions``
    performance : rows of ``ml.model_performance`` of this version and of the variants beside it
    judged : predictions of the hold-out with customer_id, probability, label and `dimensions`; may be empty
    dimensions : columns of `judged` that hold demographic groups
    importance : see `ml.reasons.importance.importance`; may be empty
    method : how its contributions are worked out
    features : what it learns from
    theme_of_feature : the theme of each feature
    tiers : scores that are current, by what they rest on
    unit, shop : of a score; the shop's title
    synthetic_sources : landing tables that were generated
    decisions : rows of ``ml.model_decisions`` about it, newest first; None where no such table is kept
    """

    version: Mapping[str, Any]
    performance: pd.DataFrame
    judged: pd.DataFrame
    dimensions: Sequence[str]
    importance: pd.DataFrame
    method: str
    features: Sequence[Feature]
    theme_of_feature: Sequence[str]
    tiers: Mapping[str, int]
    unit: str
    shop: str
    synthetic_sources: frozenset[str] = frozenset()
    decisions: Sequence[Mapping[str, Any]] | None = None


@cache
def _about() -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = yaml.safe_load(ABOUT_FILE.read_text(encoding="utf-8"))
    return content


def about_model(name: str, unit: str, horizon_days: int | None = None) -> dict[str, Any]:
    """Title, question, population and uses of a model; of one that nobody described what its unit says."""
    known = [one for one in _about() if name.startswith(one)]
    if known:
        about = _about()[max(known, key=len)]
        within = "the days of the horizon" if horizon_days is None else f"{horizon_days} days"
        return about | {key: about[key].format(within=within) for key in ("title", "question")}
    return {
        "title": name.replace("_", " ").capitalize(),
        "question": f"A score is: {unit}.",
        "population": "Those for whom a score is current.",
        "uses": [],
    }


def use_section(about: Mapping[str, Any]) -> Section:
    return Section(
        "What it is for",
        text=[f"{about['question']}", f"{about['population']}"],
        points=[
            *(f"For: {use[:1].lower()}{use[1:]}." for use in about["uses"]),
            "Not for: saying whom an action moves. Those with high scores may do it anyway.",
            "Not for: prices, credit, or terms that differ between people.",
        ],
    )


def facts(recorded: Recorded, algorithm: str) -> list[tuple[str, str]]:
    """What a reader looks up."""
    version = recorded.version
    tiers = ", ".join(f"{count:,} by {TIERS.get(tier, tier)}" for tier, count in recorded.tiers.items())
    return [
        ("Version", str(version["model_version"])),
        ("Shop", recorded.shop),
        ("A score is", recorded.unit),
        ("Algorithm", algorithm),
        ("Trained through", day(version["trained_through"])),
        ("Hold-out from", hold_out(recorded)),
        ("Features", f"{len(recorded.features)} in {len(set(recorded.theme_of_feature))} themes"),
        ("Scores now", tiers or "none"),
    ]


def features_section(recorded: Recorded, of: str = "log-odds") -> Section:
    """What it learns from, and what the current scores rest on; `of` what contributions add up to."""
    rows = [
        (
            theme,
            feature.name,
            feature.meaning,
            feature.unit,
            "all time" if feature.window_days is None else f"{feature.window_days} days",
            feature.null or "never null",
        )
        for theme, feature in sorted(
            zip(recorded.theme_of_feature, recorded.features, strict=True), key=lambda pair: pair[0]
        )
    ]
    columns = ["Theme", "Feature", "Meaning", "Unit", "Looks back", "Null means"]
    tables = [as_table(pd.DataFrame(rows, columns=columns), "Everything it learns from")]
    if not len(recorded.importance):
        return Section(
            "Features",
            text=["No current score comes from this model, so that there is nothing to weigh."],
            tables=tables,
        )
    found = recorded.importance
    weighed = pd.DataFrame(
        {
            "Theme": found["theme"],
            "Mean contribution": [f"{size:.3f}" for size in found["mean_contribution"]],
            "Share": [f"{share:.0%}" for share in found["share"]],
        }
    )
    return Section(
        "Features",
        text=[
            f"Mean size of each theme's contribution to the {of} of the current scores, against a typical customer "
            f"(contributions: {recorded.method}). It says what the model rests on, not what causes anything."
        ],
        tables=[as_table(weighed, "What the scores rest on", ["Mean contribution", "Share"]), *tables],
        pictures=[
            Picture(
                "importance",
                "Mean size of each theme's contribution",
                importance_plot(found, str(recorded.version["model_version"])),
            )
        ],
    )


def limits_section(recorded: Recorded, parameters: Mapping[str, Any]) -> Section:
    points = [
        "Observational: it knows what customers did, not what they would have done without a campaign. No score says "
        "whom an action moves.",
        "It speaks of customers like those it was trained on. A new assortment, other prices or another season may "
        "change what holds.",
        "A feature that is null means what the list of features says; it is not zero.",
    ]
    generated = [
        feature.name
        for feature in recorded.features
        if {source.partition(".")[0] for source in feature.source} & recorded.synthetic_sources
    ]
    if generated:
        points.append(
            f"Generated data: {len(generated)} of its features rest on sources that are synthetic in this shop "
            f"({', '.join(generated)}). What they add says nothing of real customers."
        )
    elif recorded.synthetic_sources:
        points.append("The shop has generated sources; none of its features rests on them.")
    if cut := parameters.get("open_windows"):
        points.append(f"Windows that were open at a split: {cut}.")
    others = {tier: count for tier, count in recorded.tiers.items() if tier != "model"}
    if others:
        total = sum(recorded.tiers.values())
        told = ", ".join(f"{count:,} by {TIERS.get(tier, tier)}" for tier, count in others.items())
        points.append(f"Of {total:,} current scores so many do not come from the model: {told}.")
    return Section("Known limits", points=points)


def hold_out(recorded: Recorded) -> str:
    if not len(recorded.performance):
        return "none"
    own = recorded.performance[recorded.performance["is_champion"].astype(bool)]
    return day(own["as_of_date"].min()) if len(own) else "none"


def day(value: Any) -> str:
    return "-" if value is None or pd.isna(value) else pd.Timestamp(value).date().isoformat()


def plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {said}" for key, one in value.items() if (said := plain(one)))
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value)
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NaT:
        return "-"
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return f"{value:g}" if isinstance(value, float) else str(value)
