import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from ml.frames import (
    MissingColumnsError,
    as_days,
    content_hash,
    dates_out,
    feature_matrix,
    in_key_order,
    model_version,
    require_columns,
    schema_hash,
)


def test_a_missing_column_is_named() -> None:
    frame = pd.DataFrame({"spend": [1.0]})
    with pytest.raises(MissingColumnsError, match="the offers lacks visits, days"):
        require_columns(frame, ["spend", "visits", "days"], "the offers")


def test_a_repeated_key_is_refused() -> None:
    frame = pd.DataFrame({"customer_id": ["a", "b", "a"]})
    with pytest.raises(ValueError, match="1 rows too many"):
        in_key_order(frame, ["customer_id"], "the offers")


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1.5, None, 3.0]),
        pd.Series([decimal.Decimal("1.5"), None, decimal.Decimal("3")], dtype=object),
        pd.Series([1.5, None, 3.0], dtype="Float64"),
    ],
)
def test_numbers_of_every_driver_become_floats(values: pd.Series) -> None:
    matrix = feature_matrix(pd.DataFrame({"amount": values}), ["amount"], [], "it")
    assert matrix["amount"].dtype == np.float64
    np.testing.assert_array_equal(matrix["amount"], [1.5, np.nan, 3.0])


def test_an_unknown_kind_has_a_name_of_its_own() -> None:
    matrix = feature_matrix(pd.DataFrame({"kind": ["A", None]}), [], ["kind"], "it")
    assert matrix["kind"].tolist() == ["A", "unknown"]


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["2017-10-16"]),
        pd.Series([datetime.date(2017, 10, 16)], dtype=object),
        pd.Series(pd.to_datetime(["2017-10-16 00:00"])),
    ],
)
def test_dates_of_every_driver_become_dates(values: pd.Series) -> None:
    assert dates_out(as_days(values)).tolist() == [datetime.date(2017, 10, 16)]


def test_a_version_follows_data_parameters_and_features() -> None:
    day = datetime.date(2017, 10, 15)
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    same = model_version("m", day, 14, schema_hash(["a", "b"], []), content_hash(frame))
    assert same == model_version("m", day, 14, schema_hash(["a", "b"], []), content_hash(frame.copy()))
    assert same.startswith("m-20171015-")
    others = [
        model_version("m", day, 28, schema_hash(["a", "b"], []), content_hash(frame)),
        model_version("m", day, 14, schema_hash(["b", "a"], []), content_hash(frame)),
        model_version("m", day, 14, schema_hash(["a", "b"], []), content_hash(frame + 1)),
        model_version("n", day, 14, schema_hash(["a", "b"], []), content_hash(frame)),
    ]
    assert len({same, *others}) == 5


def test_a_hash_sees_renamed_columns() -> None:
    frame = pd.DataFrame({"a": [1.0]})
    assert content_hash(frame) != content_hash(frame.rename(columns={"a": "b"}))
