"""The propensity models that a run trains, decides on and scores by: an entry each.

Another model is another entry: what is asked, of whom, and the functions of `ml` that learn it.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from ml.frames import as_days
from orchestration.model_inputs import CustomerInputs, Inputs, OfferInputs, TrainingRows, described
from shops import PROJECT_ROOT, Settings

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and every command loads this module
    from ml.propensity import Task, TrainedModel
    from shops.settings import ClickSection, RedemptionSection

# (labels, first date that is free) -> first as-of date of the newest hold-out, or None where there is none.
HoldOutOf = Callable[[pd.DataFrame, date | None], date | None]
# What a person would use without a model; the first champion has to beat those that a model was judged beside.
BASELINES = ("base_rate", "logistic_regression_rfm")
# Recency alone says who comes first and no probability.
RECENCY = "days_since_last_order"
# What all models are made by.
_CODE = ("ml/propensity", "ml/splits.py", "ml/frames.py")


@dataclass(frozen=True)
class PropensityModel:
    """A yes/no question about customers, and who answers it.

    Attributes
    ----------
    model_name, description : str
    family : str
        The name under which the feature catalogue lists what it learns from.
    inputs : Inputs
        Which rows it learns from and scores.
    train : callable
        `TrainingRows` -> TrainedModel.
    says : str
        What its scores are, in words.
    hold_out : callable
        (labels, first date that is free) -> first as-of date of the newest hold-out, or None where there is none.
    settings : mapping
        What of the shop's settings the model depends on.
    recency_sign : int
        -1 if who ordered lately is the more likely to say yes, +1 if the less.
    """

    model_name: str
    family: str
    description: str
    inputs: Inputs
    train: Callable[[TrainingRows], TrainedModel]
    says: str
    hold_out: HoldOutOf
    settings: dict[str, Any]
    recency_sign: int = -1

    @property
    def definition_hash(self) -> str:
        """16 digits that change with the features, settings or code of the model; comments are no code."""
        features = [(feature.name, feature.is_number) for feature in described(self.family)]
        text = json.dumps([features, self.settings, code_hash(_CODE)], default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def propensity_models(settings: Settings) -> list[PropensityModel]:
    """All of them, with the settings of a shop."""
    from ml.propensity.tasks import CHURN, CLICK, REDEMPTION, purchase_within

    own = settings.models
    return [
        *(
            _of_customers(purchase_within(days), f"How likely each customer is to order within {days} days.",
                          f"as_of_date + {days - 1}", own.purchase.test_as_of_date, None, settings)
            for days in (7, 14, 28)
        ),
        _of_customers(
            CHURN,
            "How likely each customer is to place no order for several of their usual pauses.",
            "as_of_date + horizon_days::integer - 1",
            own.churn.test_as_of_date,
            own.churn.test_until_date,
            settings,
        ),
        _of_offers(
            REDEMPTION,
            "How likely each customer that is mailed a campaign is to redeem one of its coupons, as of its first day.",
            own.redemption,
            settings,
            is_targeting_shown=True,
        ),
        _of_offers(
            CLICK,
            "How likely each customer that is mailed a campaign is to click in its e-mails, if one is delivered.",
            own.click,
            settings,
        ),
    ]  # fmt: skip


def _of_customers(
    task: Task, description: str, ends_on: str, fixed: date | None, until: date | None, settings: Settings
) -> PropensityModel:
    """A question about customers at an as-of date."""
    inputs = CustomerInputs(task.label_table, ends_on, f"{task.label_column} is not null")
    return _entry(task, description, inputs, newest_date(task, fixed), until, settings)


def _of_offers(
    task: Task,
    description: str,
    section: RedemptionSection | ClickSection,
    settings: Settings,
    is_targeting_shown: bool = False,
) -> PropensityModel:
    """A question about customers who are mailed a campaign."""
    inputs = OfferInputs(task.label_table, is_targeting_shown)
    hold_out = newest_campaigns(task, section.test_from_date)
    return _entry(task, description, inputs, hold_out, section.test_until_date, settings)


def _entry(
    task: Task, description: str, inputs: Inputs, hold_out: HoldOutOf, until: date | None, settings: Settings
) -> PropensityModel:
    bounds = settings.models.training.model_dump()

    def train(rows: TrainingRows) -> TrainedModel:
        from ml import propensity

        return propensity.train(
            task,
            rows.features,
            rows.labels,
            rows.hold_out_from,
            test_until=until,
            limits=propensity.Limits(**bounds),
            slices=rows.slices,
            everyone=rows.everyone,
        )

    facts = {"training": bounds, "horizon_days": task.horizon_days}
    return PropensityModel(
        task.model_name, task.family, description, inputs, train, task.says, hold_out, facts, task.recency_sign
    )


def newest_date(task: Task, fixed: date | None) -> HoldOutOf:
    """The hold-out of a model of customers: the newest whole date (up to the `fixed` one), if it is free."""

    def find(labels: pd.DataFrame, free_from: date | None) -> date | None:
        from ml import propensity

        days = as_days(labels["as_of_date"])
        known = labels if fixed is None else labels[(days <= pd.Timestamp(fixed)).to_numpy()]
        if known.empty:
            return None
        newest = propensity.default_test_from(task, known)
        return None if free_from is not None and newest < free_from else newest

    return find


def newest_campaigns(task: Task, fixed: date | None) -> HoldOutOf:
    """The hold-out of a model of offers: the newest fifth of the campaigns, or those from `fixed` on, that are free."""

    def find(labels: pd.DataFrame, free_from: date | None) -> date | None:
        from ml import propensity

        wanted = max(fixed or propensity.default_test_from(task, labels), free_from or date.min)
        return wanted if (as_days(labels["as_of_date"]) >= pd.Timestamp(wanted)).any() else None

    return find


def first_free(used_through: date | None) -> date | None:
    """The first date that no hold-out has used."""
    return None if used_through is None else used_through + timedelta(days=1)


@cache
def code_hash(patterns: Sequence[str]) -> str:
    """Hash of what Python files do, without comments, docstrings and layout."""
    digest = hashlib.sha256()
    for pattern in patterns:
        found = sorted(PROJECT_ROOT.glob(pattern))
        for file in [one for each in found for one in (sorted(each.rglob("*.py")) if each.is_dir() else [each])]:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, False):
                    node.body = node.body[1:]
            digest.update(ast.dump(tree).encode())
    return digest.hexdigest()
