import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from ml.propensity.candidates import logistic_pipeline
from ml.reasons.columns import UnknownPreparationError, features_of_columns
from tests.unit.ml.reasons.conftest import KINDS, NUMBERS, drawn

ROWS = drawn(300)
FIRST = ROWS.dropna().iloc[[0]].reset_index(drop=True)


def test_columns_of_nulls_and_kinds_belong_to_their_features() -> None:
    prepare = logistic_pipeline(NUMBERS, KINDS, 1.0)[0].fit(ROWS)
    found = features_of_columns(prepare, FIRST)
    # five numbers, one of which has nulls, and three kinds
    assert found.tolist() == [0, 1, 2, 3, 4, 2, 5, 5, 5]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (PCA(2), "the step PCA is not known"),
        (OneHotEncoder(drop="first"), "dropped or infrequent"),
        (FunctionTransformer(lambda values: np.asarray(values)[:, ::-1]), "column .* moves with"),
    ],
    ids=["mixes", "drops", "swaps"],
)
def test_a_step_that_cannot_be_traced_is_refused(step: object, said: str) -> None:
    names = ["order_count_28d", "order_count_90d"]
    prepare = ColumnTransformer([("odd", step, names)]).fit(ROWS[names])
    with pytest.raises(UnknownPreparationError, match=said):
        features_of_columns(prepare, FIRST[names])


def test_an_empty_column_that_the_imputer_drops_is_left_out() -> None:
    rows = pd.DataFrame({"empty": [np.nan, np.nan], "full": [1.0, 2.0]})
    prepare = ColumnTransformer([("fill", SimpleImputer(), ["empty", "full"])]).fit(rows)
    assert features_of_columns(prepare, rows.iloc[[0]].reset_index(drop=True)).tolist() == [1]
