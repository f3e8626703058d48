"""Estimators to try, all behind one interface: a name, a family, and a function that builds the unfitted pipeline.

What belongs here: how features are prepared for an estimator, and its settings. What must not: which one is taken
(`ml.propensity.choice`), and what is done with its probabilities (`ml.propensity.calibration`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

LINE_FAMILY = "logistic_regression"
FOREST_FAMILY = "random_forest"
BOOSTING_FAMILY = "gradient_boosting"
BLEND_FAMILY = "blend"


@dataclass(frozen=True)
class Candidate:
    """An estimator to try.

    Attributes
    ----------
    name : str
        Unique, stored with the model.
    family : str
        ``"logistic_regression"`` is the simple one; another family ships only if it beats the best of that one. What
        weighs the classes is a family of its own: weights ship if they gain.
    build : callable
        (numeric features, categorical features) -> unfitted Pipeline with all preprocessing inside.
    is_balanced : bool
        Both classes weigh the same while fitting. What comes out is no probability before that is undone.
    parts : tuple of str
        Names of earlier candidates whose mean this one is: while choosing it is not fitted a second time.
    """

    name: str
    family: str
    build: Callable[[Sequence[str], Sequence[str]], Pipeline]
    is_balanced: bool = False
    parts: tuple[str, ...] = ()

    def definition(self, numeric: Sequence[str], categorical: Sequence[str]) -> str:
        """All settings of the unfitted pipeline as text: a changed step is a changed model version."""
        text: str = self.build(numeric, categorical).__repr__(N_CHAR_MAX=1_000_000)
        return text


def _kinds() -> OneHotEncoder:
    # A kind that training did not see has zeros throughout.
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)


def _weights(is_balanced: bool) -> str | None:
    return "balanced" if is_balanced else None


def logistic_pipeline(
    numeric: Sequence[str], categorical: Sequence[str], strength: float, is_balanced: bool = False
) -> Pipeline:
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
    prepare = ColumnTransformer([("numbers", numbers, list(numeric)), ("kinds", _kinds(), list(categorical))])
    line = LogisticRegression(C=strength, max_iter=1000, class_weight=_weights(is_balanced))
    return Pipeline([("prepare", prepare), ("model", line)])


def _for_trees(numeric: Sequence[str], categorical: Sequence[str]) -> ColumnTransformer:
    """A null becomes -1, below every count and number of days, so that a split can part it from the rest.

    scikit-learn's own treatment of nulls fails on a column that is null throughout, which a small shop has.
    """
    fill = SimpleImputer(strategy="constant", fill_value=-1.0, keep_empty_features=True)
    return ColumnTransformer([("numbers", fill, list(numeric)), ("kinds", _kinds(), list(categorical))])


def boosting_pipeline(
    numeric: Sequence[str],
    categorical: Sequence[str],
    rounds: int,
    learning_rate: float,
    min_leaf: int,
    is_balanced: bool = False,
) -> Pipeline:
    """Histogram gradient boosting with shallow trees.

    With weights scikit-learn takes weighted quantiles to bin by, which costs more than the trees do (10,000 rows, 35
    features: 6 s beside 0.5 s); they gained nothing, so that no grid that ships has them.
    """
    model = HistGradientBoostingClassifier(
        max_iter=rounds,
        learning_rate=learning_rate,
        max_leaf_nodes=8,
        min_samples_leaf=min_leaf,
        l2_regularization=10.0,
        early_stopping=False,
        class_weight=_weights(is_balanced),
        random_state=0,
    )
    return Pipeline([("prepare", _for_trees(numeric, categorical)), ("model", model)])


def forest_pipeline(
    numeric: Sequence[str], categorical: Sequence[str], trees: int, min_leaf: int, is_balanced: bool = False
) -> Pipeline:
    """Random forest; each tree sees a third of the rows, which costs a third and loses nothing that was measured."""
    model = RandomForestClassifier(
        n_estimators=trees,
        min_samples_leaf=min_leaf,
        max_features="sqrt",
        max_samples=1 / 3,
        class_weight=_weights(is_balanced),
        random_state=0,
    )
    return Pipeline([("prepare", _for_trees(numeric, categorical)), ("model", model)])


def _named(name: str, is_balanced: bool) -> str:
    return f"{name[:-1]}, balanced)" if is_balanced else name


def _family(name: str, is_balanced: bool) -> str:
    return f"{name}_balanced" if is_balanced else name


def logistic(strength: float, is_balanced: bool = False) -> Candidate:
    """The candidate `logistic_pipeline` with this C."""
    return Candidate(
        _named(f"{LINE_FAMILY}(C={strength:g})", is_balanced),
        _family(LINE_FAMILY, is_balanced),
        lambda numeric, categorical: logistic_pipeline(numeric, categorical, strength, is_balanced),
        is_balanced,
    )


def boosting(rounds: int, learning_rate: float, min_leaf: int, is_balanced: bool = False) -> Candidate:
    """The candidate `boosting_pipeline` with these settings."""
    return Candidate(
        _named(
            f"{BOOSTING_FAMILY}(rounds={rounds}, learning_rate={learning_rate:g}, min_leaf={min_leaf})", is_balanced
        ),
        _family(BOOSTING_FAMILY, is_balanced),
        lambda numeric, categorical: boosting_pipeline(
            numeric, categorical, rounds, learning_rate, min_leaf, is_balanced
        ),
        is_balanced,
    )


def forest(trees: int, min_leaf: int, is_balanced: bool = False) -> Candidate:
    """The candidate `forest_pipeline` with these settings."""
    return Candidate(
        _named(f"{FOREST_FAMILY}(trees={trees}, min_leaf={min_leaf})", is_balanced),
        _family(FOREST_FAMILY, is_balanced),
        lambda numeric, categorical: forest_pipeline(numeric, categorical, trees, min_leaf, is_balanced),
        is_balanced,
    )


def blend(*parts: Candidate) -> Candidate:
    """The mean of the probabilities of `parts`: a straight line and steps err in different places."""

    def build(numeric: Sequence[str], categorical: Sequence[str]) -> Pipeline:
        members = [(part.family, part.build(numeric, categorical)) for part in parts]
        return Pipeline([("model", VotingClassifier(members, voting="soft"))])

    names = tuple(part.name for part in parts)
    is_balanced = any(part.is_balanced for part in parts)
    return Candidate(f"mean of {' and '.join(names)}", BLEND_FAMILY, build, is_balanced, names)


# What a search goes through, a grid a family; blends are made from what won in it.
GRID = (
    logistic(0.003),
    logistic(0.01),
    logistic(0.1),
    logistic(1.0),
    logistic(0.01, is_balanced=True),
    forest(60, 10),
    forest(60, 40),
    forest(60, 40, is_balanced=True),
    boosting(60, 0.05, 50),
    boosting(200, 0.03, 100),
)
