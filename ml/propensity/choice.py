"""Which candidate is taken: a search in time order within a budget of fits and rows, and a choice that needs proof.

First every candidate of the grid learns from a part of the rows and is judged on the newest fold; the better half of
each family goes on (successive halving: Jamieson and Talwalkar, *Non-stochastic best arm identification and
hyperparameter optimization*, AISTATS 2016), until each family has one, and that one is judged on all folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from ml.evaluation import estimate, log_loss
from ml.propensity.calibration import rows_per_class, unweighted
from ml.propensity.candidates import BOOSTING_FAMILY, LINE_FAMILY, Candidate, blend
from ml.propensity.inputs import sampled
from ml.propensity.limits import Limits
from ml.propensity.scorer import positive_probability
from ml.propensity.slices import Part, Plan, Split
from ml.threads import in_processes

Floats = npt.NDArray[np.float64]

# What cannot be told apart by customers resampled is decided by simplicity, not by the third digit.
CHOICE_RESAMPLES = 300
# The first round of the search learns from so small a part of the rows.
FIRST_SHARE = 0.25
# Fewer rows of a class than a model that ships needs: what is compared is settings, on the same few rows.
MIN_FOLD_ROWS_PER_CLASS = 30
# Fewer rows in all are fitted sooner than other processes begin.
ROWS_WORTH_PROCESSES = 20_000


@dataclass(frozen=True)
class Choice:
    """Which candidate was taken, and on what evidence; all of it from before the slice that calibrates.

    Attributes
    ----------
    winner : Candidate
    simplest : Candidate
        The best of the simple family: the baseline "logistic regression on the same features".
    table : list of dict
        One entry a candidate that came to the last round: name, roc_auc over the folds' pooled rows, and for each
        that is not of the simple family the paired gain over the best simple one with its 95% interval.
    cost : dict
        fits and rows that the search took, beside what it was allowed; how many candidates were tried.
    """

    winner: Candidate
    simplest: Candidate
    table: list[dict[str, Any]]
    cost: dict[str, int] = field(default_factory=dict)


class _Search:
    """Fits candidates on samples of folds, and counts what that costs."""

    def __init__(
        self, plan: Plan, matrix: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str], limits: Limits
    ) -> None:
        self.customers = plan.rows["customer_id"]
        self.matrix, self.numeric, self.categorical, self.limits = matrix, numeric, categorical, limits
        self.folds = [fold for fold in plan.folds if fold.is_usable(MIN_FOLD_ROWS_PER_CLASS)]
        self.rows_fitted = self.fits = 0

    def predictions(self, asked: Sequence[tuple[Candidate, Split]], at_most: int) -> list[Floats]:
        """What each candidate says of the judged rows of a fold, having learned from about `at_most` rows."""
        parts = [(self._learned(fold, at_most), self._judged(fold)) for _, fold in asked]
        calls = [
            (
                candidate.build(self.numeric, self.categorical),
                self.matrix.iloc[learned.slice.rows],
                learned.labels,
                self.matrix.iloc[judged.slice.rows],
            )
            for (candidate, _), (learned, judged) in zip(asked, parts, strict=True)
        ]
        rows = sum(len(learned) for learned, _ in parts)
        self.fits += len(calls)
        self.rows_fitted += rows
        said = in_processes(_fitted_probability, calls, worth_it=rows >= ROWS_WORTH_PROCESSES)
        return [
            judged.as_seen(unweighted(learned.labels, candidate.is_balanced).apply(raw))
            for (candidate, _), (learned, judged), raw in zip(asked, parts, said, strict=True)
        ]

    def _learned(self, fold: Split, at_most: int) -> Part:
        kept = sampled(self.customers.iloc[fold.learned.slice.rows], at_most)
        learned = fold.learned.where(kept)
        return learned if rows_per_class(learned.labels) >= MIN_FOLD_ROWS_PER_CLASS else fold.learned

    def _judged(self, fold: Split) -> Part:
        return fold.judged.where(sampled(self.customers.iloc[fold.judged.slice.rows], self.limits.search_rows))

    def answers(self, folds: Sequence[Split]) -> tuple[Floats, pd.Series]:
        """Labels and customers of the judged rows of `folds`."""
        parts = [self._judged(fold) for fold in folds]
        labels = np.concatenate([part.labels for part in parts]).astype(np.float64)
        rows = np.concatenate([part.slice.rows for part in parts])
        return labels, self.customers.iloc[rows].reset_index(drop=True)

    def losses(self, candidates: Sequence[Candidate], fold: Split, at_most: int) -> dict[str, float]:
        """Log loss on the judged rows of `fold`, by name: of settings of one family it tells more than a ranking."""
        labels, _ = self.answers([fold])
        said = self.predictions([(candidate, fold) for candidate in candidates], at_most)
        once = np.ones((1, len(labels)))
        return {c.name: float(log_loss(labels, one, once)[0]) for c, one in zip(candidates, said, strict=True)}


def _fitted_probability(
    pipeline: Pipeline, learned: pd.DataFrame, labels: npt.NDArray[np.int64], judged: pd.DataFrame
) -> Floats:
    return positive_probability(pipeline.fit(learned, labels), judged)


def choose(
    candidates: Sequence[Candidate],
    plan: Plan,
    matrix: pd.DataFrame,
    numeric: Sequence[str],
    categorical: Sequence[str],
    limits: Limits,
) -> Choice:
    """Take the best logistic regression, unless another family gains on it with an interval above zero.

    Parameters
    ----------
    candidates : at least one of family ``"logistic_regression"``
    plan : its folds are used and nothing later; those with too few rows of a class are passed over
    matrix : DataFrame of shape (n_rows, n_features), the features of ``plan.rows``
    limits : how much may be fitted

    Returns
    -------
    Choice
        Without a usable fold: the first candidate of the simple family.
    """
    simple = [candidate for candidate in candidates if candidate.family == LINE_FAMILY]
    candidates = [candidate for candidate in candidates if not candidate.parts]
    search = _Search(plan, matrix, numeric, categorical, limits)
    if not search.folds:
        return Choice(simple[0], simple[0], [], _cost(search, candidates, limits))
    finalists = _halved(search, candidates)
    asked = [(candidate, fold) for candidate in finalists for fold in search.folds]
    said = search.predictions(asked, limits.search_rows)
    predictions: dict[str, Floats] = {
        candidate.name: np.concatenate([one for (other, _), one in zip(asked, said, strict=True) if other is candidate])
        for candidate in finalists
    }
    finalists = [*finalists, *_blends(finalists)]
    for candidate in finalists:
        if candidate.parts:
            predictions[candidate.name] = np.mean([predictions[part] for part in candidate.parts], axis=0)
    labels, customers = search.answers(search.folds)
    figures, _ = estimate(labels, predictions, customers, metrics=("roc_auc",), resamples=0)
    aucs = {name: figures[name, "roc_auc"].value for name in predictions}
    lines = [candidate for candidate in finalists if candidate.family == LINE_FAMILY]
    simplest = max(lines, key=lambda candidate: comparable(aucs[candidate.name]))
    winner, best_auc = simplest, comparable(aucs[simplest.name])
    table: list[dict[str, Any]] = []
    for candidate in finalists:
        entry: dict[str, Any] = {"candidate": candidate.name, "roc_auc": _rounded(aucs[candidate.name])}
        if candidate.family != LINE_FAMILY:
            pair = {candidate.name: predictions[candidate.name], simplest.name: predictions[simplest.name]}
            _, gains = estimate(labels, pair, customers, metrics=("roc_auc",), resamples=CHOICE_RESAMPLES)
            gain = gains[simplest.name, "roc_auc"]
            entry["gain"] = [_rounded(number) for number in (gain.value, gain.low, gain.high)]
            if gain.low > 0 and aucs[candidate.name] > best_auc:
                winner, best_auc = candidate, aucs[candidate.name]
        table.append(entry)
    return Choice(winner, simplest, table, _cost(search, candidates, limits))


def _halved(search: _Search, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best of each family, as far as the budget goes; what the last round takes is kept back.

    The newest fold judges. When the budget ends, the best so far goes on.
    """
    limits = search.limits
    sizes = [min(len(fold.learned), limits.search_rows) for fold in search.folds]
    kept_back = len({candidate.family for candidate in candidates}) * sum(sizes)
    judging = search.folds[-1]
    at_most = max(1, int(FIRST_SHARE * limits.search_rows))
    left = {name: [c for c in candidates if c.family == name] for name in dict.fromkeys(c.family for c in candidates)}
    while any(len(family) > 1 for family in left.values()):
        fits = sum(len(family) for family in left.values() if len(family) > 1)
        cost = fits * min(len(judging.learned), at_most)
        if search.rows_fitted + cost + kept_back > limits.search_fits * limits.search_rows:
            return [family[0] for family in left.values()]
        losses = search.losses([c for family in left.values() if len(family) > 1 for c in family], judging, at_most)
        for name, family in left.items():
            if len(family) > 1:
                ranked = sorted(family, key=lambda c: losses[c.name])
                left[name] = ranked[: (len(ranked) + 1) // 2]
        at_most = min(2 * at_most, limits.search_rows)
    return [family[0] for family in left.values()]


def _blends(finalists: Sequence[Candidate]) -> list[Candidate]:
    """The mean of the best line and the best boosting, where both are there."""
    parts = [c for family in (LINE_FAMILY, BOOSTING_FAMILY) for c in finalists if c.family == family]
    return [blend(*parts)] if len(parts) == 2 else []


def _cost(search: _Search, candidates: Sequence[Candidate], limits: Limits) -> dict[str, int]:
    return {
        "candidates": len(candidates),
        "fits": search.fits,
        "rows_fitted": search.rows_fitted,
        "rows_allowed": limits.search_fits * limits.search_rows,
    }


def comparable(auc: float) -> float:
    """A ROC-AUC that sorts: what is not defined comes last."""
    return -1.0 if np.isnan(auc) else auc


def _rounded(number: float) -> float | None:
    return None if np.isnan(number) else round(number, 6)
