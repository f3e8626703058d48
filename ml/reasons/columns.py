"""Which feature each prepared column comes from: models learn from columns, reasons speak of features."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder


class UnknownPreparationError(ValueError):
    """A preparation has a step whose columns cannot be traced to features; the message names the step."""


def features_of_columns(prepare: ColumnTransformer, reference: pd.DataFrame) -> npt.NDArray[np.intp]:
    """For each column that `prepare` makes, the place of the feature that it is made from; shape (n_columns,).

    What was traced through the steps is tried out: one feature after the other is changed, and no column of another
    may move.

    Parameters
    ----------
    prepare : fitted ColumnTransformer whose steps treat each feature by itself
    reference : DataFrame of one row, the features in order

    Raises
    ------
    UnknownPreparationError
        If a step is not known, or mixes features.
    """
    names = list(reference.columns)
    width = int(max((part.stop for part in prepare.output_indices_.values()), default=0))
    found = np.full(width, -1, dtype=np.intp)
    for name, step, columns in prepare.transformers_:
        place = prepare.output_indices_[name]
        if place.start == place.stop:
            continue
        inputs = [names.index(column) if isinstance(column, str) else int(column) for column in columns]
        made = _inputs_of(step, len(inputs))
        if len(made) != place.stop - place.start:
            raise UnknownPreparationError(
                f"'{name}' makes {place.stop - place.start} columns, {len(made)} were traced."
            )
        found[place] = np.asarray(inputs, dtype=np.intp)[made]
    _try_out(prepare, reference, found)
    return found


def _inputs_of(step: Any, count: int) -> list[int]:
    """For each output column of a fitted step the number of the input column that it is made from."""
    if isinstance(step, Pipeline):
        places = list(range(count))
        for _, part in step.steps:
            places = [places[place] for place in _inputs_of(part, len(places))]
        return places
    if isinstance(step, SimpleImputer):
        kept = [place for place in range(count) if step.keep_empty_features or not _is_empty(step.statistics_[place])]
        indicated = step.indicator_.features_.tolist() if step.add_indicator else []
        return [*kept, *indicated]
    if isinstance(step, OneHotEncoder):
        made = [len(kinds) for kinds in step.categories_]
        if step.drop is not None or getattr(step, "infrequent_categories_", None) is not None:
            raise UnknownPreparationError("OneHotEncoder with dropped or infrequent kinds.")
        return [place for place, columns in enumerate(made) for _ in range(columns)]
    if step == "passthrough" or isinstance(step, OneToOneFeatureMixin | FunctionTransformer):
        return list(range(count))
    raise UnknownPreparationError(f"the step {type(step).__name__} is not known.")


def _is_empty(statistic: Any) -> bool:
    return isinstance(statistic, float) and bool(np.isnan(statistic))


def _try_out(prepare: ColumnTransformer, reference: pd.DataFrame, found: npt.NDArray[np.intp]) -> None:
    """Raise unless changing one feature moves no column of another."""
    probes = pd.concat([_changed(reference, name) for name in reference.columns], ignore_index=True)
    prepared = np.asarray(prepare.transform(probes), dtype=np.float64)
    before = np.asarray(prepare.transform(reference), dtype=np.float64)[0]
    per_feature = len(probes) // len(reference.columns)
    for place, name in enumerate(reference.columns):
        rows = prepared[place * per_feature : (place + 1) * per_feature]
        moved = ~np.isclose(rows, before, rtol=0, atol=0, equal_nan=True).all(axis=0)
        strange = np.flatnonzero(moved & (found != place))
        if len(strange):
            raise UnknownPreparationError(f"column {strange[0]} moves with {name}, and was traced to another feature.")


def _changed(reference: pd.DataFrame, name: str) -> pd.DataFrame:
    """The reference with other values of one feature."""
    value = reference[name].iloc[0]
    others: Sequence[Any] = (
        ("no such kind", "unknown")
        if isinstance(value, str)
        else (np.nan, 0.0, 1.0 if np.isnan(value) else float(value) + 1.0)
    )
    rows = pd.concat([reference] * 3, ignore_index=True)
    rows[name] = [*others, value][:3]
    return rows
