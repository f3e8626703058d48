"""Features gate, sources: each is fresh; of one that is missing, which features are null and which models suffer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from expectations.checks import Suite, literal_rows, no_rows
from expectations.gates import Scope

SOURCES = "features.int_as_of_sources"
AS_OF_DATES = "features.int_as_of_dates"
ESSENTIAL = ("orders", "order_lines")
COLUMNS = {
    "source": "varchar",
    "missing_reason": "varchar",
    "null_features": "integer",
    "models": "varchar",
    "consequence": "varchar",
}


@dataclass(frozen=True)
class Declared:
    """A feature as its yml declares it: what it rests on, which models learn from it, how many days it looks back."""

    name: str
    source: tuple[str, ...]
    models: tuple[str, ...]
    window_days: int | None


def suites(scope: Scope) -> list[Suite]:
    """Freshness of the sources that said something, and the consequences of those that did not."""
    if SOURCES not in scope.catalog.tables:
        return [Suite("sources", SOURCES, (), needs=(SOURCES,))]
    return [_freshness(scope), _missing(scope)]


def _freshness(scope: Scope) -> Suite:
    allowed = scope.limits.features.max_source_age_days.model_dump()
    listed = literal_rows(
        {"source": "varchar", "allowed_days": "integer", "is_essential": "boolean"},
        [(source, days, source in ESSENTIAL) for source, days in allowed.items() if days is not None],
    )
    query = f"""
        select
            source,
            last_day,
            as_of_date as current_as_of_date,
            as_of_date - last_day as days_behind,
            allowed_days,
            is_essential,
        from {SOURCES} inner join ({listed}) as allowed using (source)
        where as_of_date = (select max(as_of_date) from {AS_OF_DATES} where is_current) and last_day is not null
    """
    is_old, label = "days_behind > allowed_days", "freshness: days from the last day of {} to the current as-of date"
    step = (
        "land what is new (python -m ingestion --help); if the source does pause so long, raise "
        "gates.features.max_source_age_days.<source> in the shop's settings"
    )
    checks = (
        no_rows(f"is_essential and {is_old}", label.format("orders and lines"), "allowed_days", named_by="source").then(
            step
        ),
        no_rows(f"not is_essential and {is_old}", label.format("each other source"), "allowed_days", named_by="source")
        .as_warning()
        .then(step),
    )
    return Suite("freshness", SOURCES, checks, query, (SOURCES, AS_OF_DATES))


def _missing(scope: Scope) -> Suite:
    """One row a source without a row before the current as-of date."""
    query = f"""
        select source, missing_reason from {SOURCES}
        where missing_reason is not null
            and as_of_date = (select max(as_of_date) from {AS_OF_DATES} where is_current)
        order by source
    """
    missing = scope.catalog.rows(query) if AS_OF_DATES in scope.catalog.tables else []
    declared = tuple(declared_features(scope.feature_models)) if missing else ()
    rows = [_consequence(row["source"], row["missing_reason"], declared) for row in missing]
    unknown = scope.limits.features.sources_never_landed
    check = no_rows(
        "null_features > 0",
        "each source has rows before the current as-of date; features of one that has none are null or unknown",
        "rows of it, or its name under gates.features.sources_never_landed",
        named_by="consequence",
    )
    return Suite(
        "sources",
        SOURCES,
        (check.as_warning().then("land the source (docs/how-to/add-a-source.md), or name it in the shop's settings"),),
        literal_rows(COLUMNS, [row for row in rows if row[0] not in unknown]),
        (SOURCES, AS_OF_DATES),
    )


def _consequence(source: str, reason: str, declared: tuple[Declared, ...]) -> tuple[Any, ...]:
    resting = [feature for feature in declared if source in feature.source]
    models = sorted({model for feature in resting for model in feature.models})
    suffering = f"{', '.join(models)} learn less" if len(models) > 1 else f"{''.join(models) or 'no model'} learns less"
    consequence = f"{source} ({len(resting)} features null or unknown, {suffering})"
    return source, reason, len(resting), ", ".join(models), consequence


def declared_features(folders: tuple[Path, ...]) -> Iterator[Declared]:
    """Features that the yml of feature models declares.

    Parameters
    ----------
    folders : read with all that lies below; one that is not there has none.
    """
    # The C loader takes a tenth of the time, where PyYAML was built with it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for file in sorted(file for folder in folders for file in folder.rglob("*.yml")):
        for model in (yaml.load(file.read_text(encoding="utf-8"), loader) or {}).get("models", []):
            defaults = _meta(model).get("features", {})
            for column in model.get("columns", []):
                declared = _meta(column).get("feature")
                if declared is not None:
                    merged = {**defaults, **declared}
                    yield Declared(
                        column["name"],
                        tuple(merged.get("source", ())),
                        tuple(merged.get("models", ())),
                        merged.get("window_days"),
                    )


def _meta(node: dict[str, Any]) -> dict[str, Any]:
    return (node.get("config") or {}).get("meta") or {}
