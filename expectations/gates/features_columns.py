"""Features gate, reading features into numpy: which columns are features, and whose rows are read."""

from __future__ import annotations

from typing import Any

import numpy as np

from expectations.gates import Scope

MEMBERSHIPS = "features.int_activity__memberships"
# Tables with one of these have other rows than one a customer and date.
FURTHER_KEYS = {"campaign_id", "category", "attribute"}
KEYS = {"customer_id", "as_of_date", *FURTHER_KEYS}
INTEGERS = {"BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT", "UBIGINT", "UINTEGER"}
NUMBERS = INTEGERS | {"DOUBLE", "FLOAT"}


def features_of(scope: Scope, table: str) -> list[str]:
    """Columns of a feature table that are numbers, yes or no, or words."""
    return [
        column
        for column, kind in scope.catalog.tables[table].items()
        if column not in KEYS | {"identity_basis"} and (is_number(kind) or kind in ("VARCHAR", "BOOLEAN"))
    ]


def is_number(kind: str) -> bool:
    """Whether a column of this type holds numbers."""
    return kind in NUMBERS or kind.startswith("DECIMAL")


def selected(scope: Scope, table: str) -> str:
    """SQL that selects the features of a table, there named `featured`: words as they are, all else as a double."""
    kinds = scope.catalog.tables[table]
    return ", ".join(
        f"featured.{feature}" if kinds[feature] == "VARCHAR" else f"featured.{feature}::double as {feature}"
        for feature in features_of(scope, table)
    )


def values_of(column: Any) -> Any:
    """Values with NaN, or of words with None, for null."""
    if column.dtype == object:
        words = np.ma.getdata(column).copy()
        words[np.ma.getmaskarray(column)] = None
        return words
    return np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)


def is_compared(scope: Scope) -> str:
    """SQL condition on `featured.customer_id`: a sample of the customers by hash, the same ones in every table."""
    query = f"select count(distinct customer_id) as customers from {MEMBERSHIPS}"
    customers = scope.catalog.rows(query)[0]["customers"] if MEMBERSHIPS in scope.catalog.tables else 0
    parts = max(-(-customers // scope.limits.features.max_customers_compared), 1)
    return f"hash(featured.customer_id) % {parts} = 0"
