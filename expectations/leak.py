"""Leak alarm: features that say what happened after their as-of date too well to be true.

A feature is held against a label alone: the chance that it is higher for a customer with the label than for one without
(ROC-AUC; ties count half), whichever side is the higher one. Honest features of a shop stay well below 1; one that was
made from rows of the label's own window comes near it.

The lower bound of the strength holds for all pairs of feature and label of a run together (Bonferroni). Its error is
DeLong's (DeLong, DeLong, Clarke-Pearson 1988, Biometrics 44(3), 837-845), summed by customer, who may be there with
several campaigns (Obuchowski 1997, Biometrics 53(2), 567-578), and taken on the logit scale (Pepe 2003, The Statistical
Evaluation of Medical Tests, section 5.2). An amount is held by rank correlation (Spearman; error
of its Fisher transform by Bonett, Wright 2000, Psychometrika 65(1), 23-28).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atanh, exp, log, tanh
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

LEVELS = 9


@dataclass(frozen=True)
class Strength:
    """How well one feature tells one label.

    Attributes
    ----------
    strength : ROC-AUC of the better side, ½ … 1; of an amount the absolute rank correlation, 0 … 1.
    error : standard error of it; of an amount, of its Fisher transform.
    is_amount : whether the label is an amount.
    """

    strength: float
    error: float
    is_amount: bool = False

    def at_least(self, pairs: int, alpha: float) -> float:
        """Lower bound that holds for `pairs` such statements together with probability 1 - alpha."""
        reach = -NormalDist().inv_cdf(alpha / max(pairs, 1))
        if self.is_amount:
            return tanh(atanh(min(self.strength, 1 - 1e-12)) - reach * self.error)
        if self.strength == 1:
            return 1.0
        # On the logit scale: as an AUC comes near 1 its own error shrinks, and a symmetric bound is passed too often.
        odds = self.strength / (1 - self.strength)
        return 1 / (1 + exp(reach * self.error / (self.strength * (1 - self.strength)) - log(odds)))


def readings(name: str, values: npt.NDArray[Any]) -> dict[str, Numbers]:
    """Ways to read a feature as a number: its value where known, whether it is null, each of its commonest words.

    Parameters
    ----------
    name : of the feature.
    values : (rows,) numbers with NaN for null, or words with None for null.
    """
    if values.dtype == object:
        known = np.array([value is not None for value in values], dtype=bool)
        words = np.where(known, values, "").astype(str)
        levels, counts = np.unique(words[known], return_counts=True)
        kept = levels[np.argsort(-counts, kind="stable")[:LEVELS]]
        found = {f"{name} = '{word}'": (words == word).astype(np.float64) for word in kept}
    else:
        known = ~np.isnan(values)
        found = {name: values}
    if known.any() and not known.all():
        found[f"{name} is null"] = (~known).astype(np.float64)
    return found


def auc(values: Numbers, label: npt.NDArray[np.bool_], customers: Codes, min_cases: int) -> Strength | None:
    """ROC-AUC of the better side, with its error over customers; None with too few rows of either kind.

    Parameters
    ----------
    values : (rows,) numbers; NaN is left out.
    label : (rows,) what happened.
    customers : (rows,) whole numbers from 0.
    min_cases : least number of rows with the label, and without it.
    """
    known = ~np.isnan(values)
    values, label, customers = values[known], label[known], customers[known]
    positives, negatives = int(label.sum()), int((~label).sum())
    if min(positives, negatives) < min_cases:
        return None
    # The share of the other kind below each row: the rank among all less the rank among its own (Sun, Xu 2014).
    own = np.empty(len(values))
    own[label], own[~label] = _ranks(values[label]), _ranks(values[~label])
    below = (_ranks(values) - own) / np.where(label, negatives, positives)
    area = float(below[label].mean())
    influence = np.where(label, (below - area) / positives, (1 - below - area) / negatives)
    by_customer = np.bincount(customers, influence)
    return Strength(max(area, 1 - area), float(np.sqrt(np.sum(by_customer**2))))


def rank_correlation(values: Numbers, amounts: Numbers, min_cases: int) -> Strength | None:
    """Spearman's correlation, without its sign; None with too few rows, or where one of both is constant.

    Parameters
    ----------
    values, amounts : (rows,) numbers; rows with NaN in `values` are left out.
    min_cases : least number of rows.
    """
    known = ~np.isnan(values)
    values, amounts = _ranks(values[known]), _ranks(amounts[known])
    if len(values) < max(min_cases, 4) or not values.std() or not amounts.std():
        return None
    correlation = abs(float(np.corrcoef(values, amounts)[0, 1]))
    return Strength(correlation, float(np.sqrt((1 + correlation**2 / 2) / (len(values) - 3))), is_amount=True)


def _ranks(values: npt.NDArray[Any]) -> Numbers:
    """Ranks from 1, ties at their mean. SciPy's, without the second that importing scipy.stats takes."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], dtype=np.float64)
