"""Features gate, leak alarm: no feature knows what happens after its date (statistics: `expectations.leak`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from expectations.checks import Suite, each_between, literal_rows, measure
from expectations.gates import Scope
from expectations.gates.features_columns import features_of, is_compared, selected, values_of
from expectations.leak import Strength, auc, rank_correlation, readings

COLUMNS = {
    "pair": "varchar",
    "strength": "double",
    "label_rows": "integer",
    "auc_at_least": "double",
    "correlation_at_least": "double",
}
NEXT = (
    "read the model of the feature: every row that it takes has to be from strictly before as_of_date; if the feature "
    "is honest, raise gates.features.{limit} in the shop's settings"
)


@dataclass(frozen=True)
class Label:
    """What happened after a date: columns that say yes or no, columns that are amounts, how many dates are read."""

    table: str
    columns: tuple[str, ...]
    amounts: tuple[str, ...] = ()
    dates: int = 1
    is_per_campaign: bool = False


LABELS = (
    Label("features.label_purchase", ("has_purchased",), ("spend",)),
    Label("features.label_churn", ("has_churned",)),
    # One campaign reaches few.
    Label("features.label_redemption", ("has_redeemed",), dates=8, is_per_campaign=True),
)


def suites(scope: Scope, tables: list[str]) -> list[Suite]:
    """Hold every feature against every label of the newest date that has labels.

    Parameters
    ----------
    scope : what there is.
    tables : feature tables that exist; those of a campaign's offer are held against labels of campaigns.
    """
    limits = scope.limits.features
    labels = [label for label in LABELS if label.table in scope.catalog.tables]
    found = [pair for label in labels for pair in _strengths(scope, label, tables)]
    counted = Suite(
        "leak_pairs",
        "features",
        (
            measure("pairs", 1, None, "pairs of feature and label, to find leaks (none: not measured)")
            .as_warning()
            .then("none; labels come with time"),
        ),
        f"select {len(found)} as pairs",
        tuple(label.table for label in labels),
    )
    if not found:
        return [counted]
    rows = [_row(pair, strength, rows, len(found), scope) for pair, strength, rows in found]
    auc_label = "ROC-AUC of one feature alone for a label, lower bound (higher: it knows what happened after its date)"
    warned_label = "ROC-AUC of one feature alone for a label, lower bound, is not suspiciously high"
    amount_label = "rank correlation of one feature alone with an amount to come, lower bound"
    checks = (
        each_between("auc_at_least", None, limits.max_label_auc, auc_label, named_by="pair").then(
            NEXT.format(limit="max_label_auc")
        ),
        each_between("auc_at_least", None, limits.suspicious_label_auc, warned_label, named_by="pair")
        .as_warning()
        .then(NEXT.format(limit="suspicious_label_auc")),
        each_between("correlation_at_least", None, limits.max_label_correlation, amount_label, named_by="pair").then(
            NEXT.format(limit="max_label_correlation")
        ),
    )
    return [counted, Suite("leak", "features", checks, literal_rows(COLUMNS, rows), tuple(tables))]


def _strengths(scope: Scope, label: Label, tables: list[str]) -> Iterator[tuple[str, Strength, int]]:
    """Each pair in words, how strong it is, and on how many rows; pairs with too few cases are left out."""
    newest = f"select distinct as_of_date from {label.table} order by as_of_date desc"
    dates = ", ".join(f"date '{row['as_of_date']}'" for row in scope.catalog.rows(newest, label.dates))
    cases = scope.limits.features.min_label_cases
    for table in tables if dates else ():
        is_per_campaign = "campaign_id" in scope.catalog.tables[table]
        if is_per_campaign and not label.is_per_campaign:
            continue
        labels = ", ".join(f"labels.{column}::double as label_{column}" for column in (*label.columns, *label.amounts))
        columns = scope.catalog.columns(f"""
            select hash(featured.customer_id) as customer, {labels}, {selected(scope, table)}
            from {table} as featured inner join {label.table} as labels
                using (customer_id, as_of_date{", campaign_id" if is_per_campaign else ""})
            where featured.as_of_date in ({dates}) and {is_compared(scope)}
        """)
        customers = np.unique(np.ma.getdata(columns["customer"]), return_inverse=True)[1]
        happened = {column: values_of(columns[f"label_{column}"]) for column in (*label.columns, *label.amounts)}
        for feature in features_of(scope, table):
            for reading, values in readings(feature, values_of(columns[feature])).items():
                for column, after in happened.items():
                    is_amount = column in label.amounts
                    strength = (
                        rank_correlation(values, after, cases)
                        if is_amount
                        else auc(values, after > 0, customers, cases)
                    )
                    if strength is not None:
                        pair = f"{table.partition('.')[2]}.{reading} for {label.table.partition('.')[2]}.{column}"
                        yield pair, strength, len(after)


def _row(pair: str, strength: Strength, rows: int, pairs: int, scope: Scope) -> tuple[Any, ...]:
    at_least = round(strength.at_least(pairs, scope.limits.features.false_alarm_rate), 6)
    bounds = (None, at_least) if strength.is_amount else (at_least, None)
    return (pair, round(strength.strength, 6), rows, *bounds)
