"""A calibrated probability of a yes/no event: candidates, choice in time order, calibration, fallback.

The purchase and the redemption model differ in their rows, labels and splits; everything after that is the same and
lives here.
"""

import dataclasses
import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from ml.evaluation import Estimate, estimate
from ml.frames import feature_matrix, schema_hash
from ml.splits import Fold
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

# With fewer rows of either class a fitted model would be noise: everybody gets the base rate, and the score says so.
MIN_ROWS_PER_CLASS = 20
# With fewer out-of-time rows of either class the two numbers of the calibration would be noise.
MIN_CALIBRATION_ROWS_PER_CLASS = 30
# What cannot be told apart by customers resampled is decided by simplicity, not by the third digit.
CHOICE_RESAMPLES = 300
SCORE_DIGITS = 6

RFM_FEATURES = ("days_since_last_order", "order_count", "total_spend")


@dataclass(frozen=True)
class Candidate:
    """An estimator to try.

    Attributes
    ----------
    name : str
        Unique, stored with the model.
    family : str
        ``"logistic_regression"`` is the simple one; another family ships only if it beats the best of that one.
    build : callable
        (numeric features, categorical features) -> unfitted Pipeline with all preprocessing inside.
    parts : tuple of str
        Names of earlier candidates whose mean this one is: while choosing it is not fitted a second time.
    """

    name: str
    family: str
    build: Callable[[Sequence[str], Sequence[str]], Pipeline]
    parts: tuple[str, ...] = ()

    def definition(self, numeric: Sequence[str], categorical: Sequence[str]) -> str:
        """All settings of the unfitted pipeline as text: a changed step is a changed model version."""
        text: str = self.build(numeric, categorical).__repr__(N_CHAR_MAX=1_000_000)
        return text


def _kinds() -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)


def logistic_pipeline(numeric: Sequence[str], categorical: Sequence[str], strength: float) -> Pipeline:
    """Logistic regression on de-skewed, scaled numbers; `strength` is scikit-learn's C.

    arcsinh is a logarithm that accepts zero and negative amounts. A null gets the median and a column of its own.
    """
    numbers = Pipeline(
        [
            ("fill", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
            ("deskew", FunctionTransformer(np.arcsinh)),
            ("scale", StandardScaler()),
        ]
    )
    return Pipeline(
        [
            (
                "prepare",
                ColumnTransformer([("numbers", numbers, list(numeric)), ("kinds", _kinds(), list(categorical))]),
            ),
            ("model", LogisticRegression(C=strength, max_iter=1000)),
        ]
    )


def boosting_pipeline(
    numeric: Sequence[str], categorical: Sequence[str], rounds: int, learning_rate: float, min_leaf: int
) -> Pipeline:
    """Histogram gradient boosting with shallow trees.

    A null becomes -1, below every count and number of days, so that a split can part it from the rest: scikit-learn's
    own treatment of nulls fails on a column that is null throughout, which a small shop has.
    """
    fill = SimpleImputer(strategy="constant", fill_value=-1.0, keep_empty_features=True)
    return Pipeline(
        [
            ("prepare", ColumnTransformer([("numbers", fill, list(numeric)), ("kinds", _kinds(), list(categorical))])),
            (
                "model",
                HistGradientBoostingClassifier(
                    max_iter=rounds,
                    learning_rate=learning_rate,
                    max_leaf_nodes=8,
                    min_samples_leaf=min_leaf,
                    l2_regularization=10.0,
                    early_stopping=False,
                    random_state=0,
                ),
            ),
        ]
    )


def logistic(strength: float) -> Candidate:
    """The candidate `logistic_pipeline` with this C."""
    return Candidate(
        f"logistic_regression(C={strength:g})",
        "logistic_regression",
        lambda numeric, categorical: logistic_pipeline(numeric, categorical, strength),
    )


def boosting(rounds: int, learning_rate: float, min_leaf: int) -> Candidate:
    """The candidate `boosting_pipeline` with these settings."""
    return Candidate(
        f"gradient_boosting(rounds={rounds}, learning_rate={learning_rate:g}, min_leaf={min_leaf})",
        "gradient_boosting",
        lambda numeric, categorical: boosting_pipeline(numeric, categorical, rounds, learning_rate, min_leaf),
    )


def blend(*parts: Candidate) -> Candidate:
    """The mean of the probabilities of `parts`: a straight line and steps err in different places."""

    def build(numeric: Sequence[str], categorical: Sequence[str]) -> Pipeline:
        members = [(part.family, part.build(numeric, categorical)) for part in parts]
        return Pipeline([("model", VotingClassifier(members, voting="soft"))])

    names = tuple(part.name for part in parts)
    return Candidate(f"mean of {' and '.join(names)}", "blend", build, names)


@dataclass(frozen=True)
class Calibration:
    """``logit(calibrated) = slope * logit(raw) + intercept``; (1, 0) leaves probabilities as they are."""

    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, probabilities: Floats) -> Floats:
        """Calibrated probabilities in the same order: the slope is positive, so no rank changes."""
        calibrated: Floats = 1.0 / (1.0 + np.exp(-(self.slope * _logit(probabilities) + self.intercept)))
        return calibrated


def _logit(probabilities: Floats) -> Floats:
    clipped = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return np.log(clipped) - np.log1p(-clipped)


def fit_calibration(probabilities: Floats, labels: Labels) -> Calibration:
    """Platt's two numbers, from predictions made for rows later than those the model learned from.

    They come from the newest fold alone: its model saw nearly as much as the final one does. Over all folds the
    smaller models of the older ones were corrected for, and the log loss on later dates was worse than with no
    calibration. Few rows of one class, or a fit that would turn the order around, leave the probabilities as they are.
    """
    if _rows_per_class(labels) < MIN_CALIBRATION_ROWS_PER_CLASS:
        return Calibration()
    # C is so large that the penalty does nothing.
    line = LogisticRegression(C=1e6).fit(_logit(probabilities)[:, None], labels)
    slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
    return Calibration(round(slope, 6), round(intercept, 6)) if slope > 0 else Calibration()


def _rows_per_class(labels: Labels) -> int:
    """Rows of the rarer class; 0 if there is one class only."""
    return int(min(labels.sum(), len(labels) - labels.sum()))


def smoothed_rate(labels: Labels) -> float:
    """(positives + 1) / (rows + 2): a rate that is never 0 or 1, and 0.5 where nothing is known."""
    return float((labels.sum() + 1) / (len(labels) + 2))


@dataclass(frozen=True)
class Choice:
    """Which candidate was taken, and on what evidence; all of it from before the hold-out.

    Attributes
    ----------
    winner : Candidate
    out_of_time : array of shape (n_newest,)
        The winner's raw probabilities for the newest fold, by a model that learned from before it.
    labels : array of shape (n_newest,)
        The labels of the newest fold.
    table : list of dict
        One entry a candidate: name, roc_auc over the folds' pooled rows, and for each candidate that is not of the
        simple family the paired gain over the best simple one with its 95% interval.
    simplest : Candidate
        The best of the simple family: the baseline "logistic regression on the same features".
    """

    winner: Candidate
    simplest: Candidate
    out_of_time: Floats
    labels: Labels
    table: list[dict[str, Any]]


def choose(
    candidates: Sequence[Candidate],
    features: pd.DataFrame,
    labels_of_fold: Sequence[tuple[Labels, Labels]],
    folds: Sequence[Fold],
    customers: pd.Series,
    numeric: Sequence[str],
    categorical: Sequence[str],
) -> Choice:
    """Take the best logistic regression, unless another family gains on it with an interval above zero.

    Parameters
    ----------
    candidates : at least one of family ``"logistic_regression"``
    features : DataFrame of shape (n_rows, n_features), see `feature_matrix`
    labels_of_fold : for each fold the labels of its training rows and of its judged rows
    folds : splits in time order; those with too few rows of a class are passed over
    customers : Series of shape (n_rows,)
    """
    simple = [candidate for candidate in candidates if candidate.family == "logistic_regression"]
    usable = [
        (fold, learned, judged)
        for fold, (learned, judged) in zip(folds, labels_of_fold, strict=True)
        if _rows_per_class(learned) >= MIN_ROWS_PER_CLASS and len(judged)
    ]
    if not usable:
        nothing = np.zeros(0)
        return Choice(simple[0], simple[0], nothing, nothing.astype(np.int64), [])
    rows = np.concatenate([fold.judged.rows for fold, _, _ in usable])
    truth = np.concatenate([judged for _, _, judged in usable])
    predictions: dict[str, Floats] = {}
    for candidate in candidates:
        if candidate.parts:
            predictions[candidate.name] = np.mean([predictions[part] for part in candidate.parts], axis=0)
            continue
        predictions[candidate.name] = np.concatenate(
            [
                positive_probability(
                    candidate.build(numeric, categorical).fit(features.iloc[fold.train.rows], learned),
                    features.iloc[fold.judged.rows],
                )
                for fold, learned, _ in usable
            ]
        )
    who = customers.iloc[rows].reset_index(drop=True)
    figures, _ = estimate(truth, predictions, who, metrics=("roc_auc",), resamples=0)
    aucs = {name: figures[name, "roc_auc"].value for name in predictions}
    simplest = max(simple, key=lambda candidate: _comparable(aucs[candidate.name]))
    winner, best_auc = simplest, _comparable(aucs[simplest.name])
    table: list[dict[str, Any]] = []
    for candidate in candidates:
        entry: dict[str, Any] = {"candidate": candidate.name, "roc_auc": _rounded(aucs[candidate.name])}
        if candidate.family != "logistic_regression":
            pair = {candidate.name: predictions[candidate.name], simplest.name: predictions[simplest.name]}
            _, gains = estimate(truth, pair, who, metrics=("roc_auc",), resamples=CHOICE_RESAMPLES)
            gain: Estimate = gains[simplest.name, "roc_auc"]
            entry["gain"] = [_rounded(number) for number in (gain.value, gain.low, gain.high)]
            if gain.low > 0 and aucs[candidate.name] > best_auc:
                winner, best_auc = candidate, aucs[candidate.name]
        table.append(entry)
    newest = len(usable[-1][2])
    return Choice(winner, simplest, predictions[winner.name][-newest:], truth[-newest:], table)


def _comparable(auc: float) -> float:
    return -1.0 if np.isnan(auc) else auc


def _rounded(number: float) -> float | None:
    return None if np.isnan(number) else round(number, 6)


def positive_probability(pipeline: Pipeline, features: pd.DataFrame) -> Floats:
    """Probability of label 1, shape (n_rows,)."""
    if not len(features):
        return np.zeros(0)
    probabilities: Floats = pipeline.predict_proba(features)[:, 1]
    return probabilities


@dataclass(frozen=True)
class PropensityScorer:
    """What is needed to score, and nothing of the training data.

    Attributes
    ----------
    pipeline : Pipeline or None
        None means that training had too few rows of a class: everybody gets `base_rate`, and `fallback_tier` says
        ``"base_rate"`` instead of ``"model"``.
    trained_through : date
        Last day whose label the training saw.
    """

    model_name: str
    model_version: str
    algorithm: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    pipeline: Pipeline | None
    calibration: Calibration
    base_rate: float
    trained_through: datetime.date
    horizon_days: int | None

    @property
    def fallback_tier(self) -> str:
        """What a score of this model rests on: ``"model"`` or ``"base_rate"``."""
        return "model" if self.pipeline is not None else "base_rate"

    @property
    def feature_schema_hash(self) -> str:
        """Hash of names and order of the features."""
        return schema_hash(self.numeric, self.categorical)

    @property
    def identity(self) -> dict[str, Any]:
        """What every score row says of the model that gave it."""
        return {
            "model_name": self.model_name,
            "model_version": self.model_version,
            "feature_schema_hash": self.feature_schema_hash,
            "horizon_days": self.horizon_days,
        }

    @property
    def feature_names(self) -> tuple[str, ...]:
        """All features, numbers first."""
        return (*self.numeric, *self.categorical)

    def probabilities(self, features: pd.DataFrame) -> Floats:
        """Calibrated probability of each row of `features`, shape (n_rows,), rounded to 6 digits.

        Raises
        ------
        MissingColumnsError
            If a feature of the training is not there. Nothing is filled in for it.
        """
        matrix = feature_matrix(features, self.numeric, self.categorical, f"the input of {self.model_name}")
        if self.pipeline is None:
            return np.full(len(matrix), round(self.base_rate, SCORE_DIGITS))
        with one_thread():
            raw = positive_probability(self.pipeline, matrix)
        return np.round(self.calibration.apply(raw), SCORE_DIGITS)


def fit_scorer(
    candidate: Candidate,
    features: pd.DataFrame,
    labels: Labels,
    calibration: Calibration,
    numeric: Sequence[str],
    categorical: Sequence[str],
    **identity: Any,
) -> PropensityScorer:
    """Fit `candidate` on all of `features`, or fall back to the base rate if a class has too few rows."""
    pipeline = None
    if _rows_per_class(labels) >= MIN_ROWS_PER_CLASS:
        pipeline = candidate.build(numeric, categorical).fit(features, labels)
    return PropensityScorer(
        algorithm=candidate.name if pipeline is not None else "base_rate",
        numeric=tuple(numeric),
        categorical=tuple(categorical),
        pipeline=pipeline,
        calibration=calibration if pipeline is not None else Calibration(),
        base_rate=smoothed_rate(labels),
        **identity,
    )


@dataclass(frozen=True)
class HoldOut:
    """Rows that neither fitting nor choice has seen, with the model's and the baselines' probabilities for them.

    Attributes
    ----------
    labels : array of shape (n_rows,)
    scores : name -> array of shape (n_rows,); the first is the model
    """

    labels: Labels
    scores: Mapping[str, Floats]


@dataclass(frozen=True)
class TrainedModel:
    """A scorer together with the evidence for it.

    Attributes
    ----------
    scorer : PropensityScorer
    performance : DataFrame
        Rows of ``ml.model_performance`` without run_id.
    parameters : dict
        What was chosen, among what, on which days; goes as JSON into ``ml.model_versions``.
    hold_out : HoldOut
    title : str
        For the plots.
    """

    scorer: PropensityScorer
    performance: pd.DataFrame
    parameters: dict[str, Any]
    hold_out: HoldOut
    title: str

    def version_row(self, artifact_sha256: str | None) -> pd.DataFrame:
        """The row of ``ml.model_versions`` without run_id."""
        scorer = self.scorer
        return pd.DataFrame(
            [
                {
                    "model_name": scorer.model_name,
                    "model_version": scorer.model_version,
                    "algorithm": scorer.algorithm,
                    "trained_through": scorer.trained_through,
                    "feature_names": json.dumps(scorer.feature_names),
                    "feature_schema_hash": scorer.feature_schema_hash,
                    "parameters": json.dumps(self.parameters, sort_keys=True, default=str),
                    "artifact_sha256": artifact_sha256,
                }
            ]
        )

    def metrics(self) -> dict[str, float | None]:
        """Hold-out figures of the model itself, by ``slice/metric``; not of the variant with targeting included."""
        own = self.performance[self.performance["is_champion"].astype(bool)]
        own = own[~own["metric"].astype(str).str.endswith("_gain")]
        own = own.drop_duplicates(["slice", "metric"])
        return {
            f"{part}/{metric}": None if pd.isna(value) else float(value)
            for part, metric, value in zip(own["slice"], own["metric"], own["value"], strict=True)
        }

    def plots(self) -> dict[str, bytes]:
        """PNG images of the hold-out: ``calibration`` and ``lift``; none if the hold-out has one class only."""
        from ml import plots

        if _rows_per_class(self.hold_out.labels) == 0:
            return {}
        return {
            "calibration": plots.calibration(self.hold_out.labels, self.hold_out.scores, self.title),
            "lift": plots.lift(self.hold_out.labels, self.hold_out.scores, self.title),
        }


def describe_choice(choice: Choice, scorer: PropensityScorer, **facts: Any) -> dict[str, Any]:
    """The parameters of a model version as plain values."""
    return {
        "chosen": scorer.algorithm,
        "fallback_tier": scorer.fallback_tier,
        "candidates": choice.table,
        "calibration": dataclasses.asdict(scorer.calibration),
        "base_rate": round(scorer.base_rate, SCORE_DIGITS),
        **facts,
    }
