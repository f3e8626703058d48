"""The feature catalogue: what each feature is, read from where it is declared, the yml of the feature models.

Which features a model learns from stands there, too (`models`): a new one is one entry, and no list beside it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PROJECT_ROOT = Path(__file__).resolve().parents[1]
NUMBERS = ("integer", "bigint", "double", "decimal", "boolean")


class CatalogueError(ValueError):
    """A feature is declared incompletely or twice; the message names file and column."""


@dataclass(frozen=True)
class Feature:
    """A column of a feature table.

    Attributes
    ----------
    name, table : str
        Column and dbt model.
    data_type : str
        As in the table's contract.
    meaning, unit : str
        What it says, and in what it is counted (money: the shop's reporting currency).
    window_days : int or None
        How far back it looks from the as-of date; None is all time.
    source : tuple of str
        Landing tables, or their columns, that it is made from.
    purpose : str
        The purpose of consent that its use needs.
    null : str or None
        What null means; None where it is never null.
    models : tuple of str
        Names of the models that learn from it.
    """

    name: str
    table: str
    data_type: str
    meaning: str
    unit: str
    window_days: int | None
    source: tuple[str, ...]
    purpose: str
    null: str | None
    models: tuple[str, ...]

    @property
    def is_number(self) -> bool:
        """Whether models take it as a number, and not as a kind."""
        return self.data_type.startswith(NUMBERS)


def family_of(name: str) -> str:
    """The name without its window: what features of one quantity over several windows have in common."""
    return re.sub(r"_\d+d$", "", name)


@dataclass(frozen=True)
class Catalogue:
    """All features of a project and a shop, in the order of their tables and columns."""

    features: tuple[Feature, ...]

    def of_model(self, model_name: str) -> tuple[Feature, ...]:
        """What a model learns from."""
        return tuple(feature for feature in self.features if model_name in feature.models)

    def numbers_of(self, model_name: str) -> tuple[str, ...]:
        """Names of the numeric features of a model."""
        return tuple(feature.name for feature in self.of_model(model_name) if feature.is_number)

    def kinds_of(self, model_name: str) -> tuple[str, ...]:
        """Names of the features of a model that are words."""
        return tuple(feature.name for feature in self.of_model(model_name) if not feature.is_number)

    def named(self, names: Sequence[str]) -> tuple[Feature, ...]:
        """The features of these names, in their order.

        Raises
        ------
        CatalogueError
            If one is not declared.
        """
        known = {feature.name: feature for feature in self.features}
        missing = [name for name in names if name not in known]
        if missing:
            raise CatalogueError(f"no feature table declares {', '.join(missing)}. Next: add it to the table's yml.")
        return tuple(known[name] for name in names)


@cache
def read_catalogue(shop: str | None = None) -> Catalogue:
    """The catalogue of the project and of a shop's own feature models (by default the shop that dbt builds).

    Raises
    ------
    CatalogueError
        If a feature lacks its unit, source or purpose, or two tables have one of the same name.
    """
    shop = shop or os.environ.get("AUDIENCE_SHOP", "demo")
    folders = (PROJECT_ROOT / "models" / "features", PROJECT_ROOT / "shops" / shop / "models" / "features")
    found: dict[str, Feature] = {}
    for file in sorted(file for folder in folders for file in folder.rglob("*.yml")):
        for feature in _features_of(file):
            if feature.name in found:
                raise CatalogueError(
                    f"{file}: {feature.name} is a feature of {found[feature.name].table}, too. "
                    "Next: rename one of them; models join all feature tables."
                )
            found[feature.name] = feature
    return Catalogue(tuple(found.values()))


def _features_of(file: Path) -> Iterator[Feature]:
    # libyaml's loader, which reads the same ten times as fast
    for model in (yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader) or {}).get("models", []):
        defaults = _meta(model).get("features", {})
        for column in model.get("columns", []):
            declared = _meta(column).get("feature")
            if declared is None:
                continue
            merged: dict[str, Any] = {**defaults, **declared}
            missing = [key for key in ("unit", "source", "purpose") if not merged.get(key)]
            if missing:
                raise CatalogueError(f"{file}: the feature {column['name']} lacks {', '.join(missing)} in its meta.")
            yield Feature(
                name=column["name"],
                table=model["name"],
                data_type=column["data_type"],
                meaning=" ".join(column["description"].split()),
                unit=merged["unit"],
                window_days=merged.get("window_days"),
                source=tuple(merged["source"]),
                purpose=merged["purpose"],
                null=merged.get("null"),
                models=tuple(merged.get("models", ())),
            )


def _meta(node: dict[str, Any]) -> dict[str, Any]:
    return (node.get("config") or {}).get("meta") or {}
