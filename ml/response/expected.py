"""Expected responses: rows for each customer, type of campaign and outcome."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ml.frames import as_days, dates_out, feature_matrix, in_key_order, require_columns
from ml.response.balance import why_no_effect
from ml.response.mailing import Mailing
from ml.response.model import ResponseModel
from ml.response.outcomes import FEATURES, TYPE
from ml.threads import one_thread

EXPECTED_COLUMNS = (
    "customer_id", "as_of_date", "campaign_type", "outcome", "model_name", "model_version", "feature_schema_hash",
    "expected_response", "expected_low", "expected_high", "unit", "horizon_days", "fallback_tier",
    "mailing_propensity", "is_like_mailed", "incremental_effect", "incremental_profit", "effect_missing_reason",
)  # fmt: skip


def expected_responses(
    models: Sequence[ResponseModel], current: pd.DataFrame, mailing: Mailing, balance: pd.DataFrame
) -> pd.DataFrame:
    """Rows of ``ml.expected_responses`` without run_id, in order of customer.

    What is expected if the customer is mailed a campaign of the type; not what mailing changes. Columns of an effect
    are there for experiments to come, and null, with the reason.

    Parameters
    ----------
    models : one an outcome
    current : DataFrame with customer_id, as_of_date and `FEATURES`
    mailing : who was mailed so far
    balance : `campaign_balance`, for the reason
    """
    keys = ["customer_id", "as_of_date"]
    require_columns(current, [*keys, *FEATURES], "the current features")
    rows = in_key_order(current.assign(as_of_date=as_days(current["as_of_date"])), keys, "the current features")
    parts = [
        _rows(model, name, rows, mailing, balance) for model in models for name in sorted(model.parts) if len(rows)
    ]
    if not parts:
        return pd.DataFrame(columns=list(EXPECTED_COLUMNS))
    found = pd.concat(parts, ignore_index=True)
    return found.sort_values(["customer_id", "campaign_type", "outcome"], kind="stable").reset_index(drop=True)


def _rows(
    model: ResponseModel, campaign_type: str, rows: pd.DataFrame, mailing: Mailing, balance: pd.DataFrame
) -> pd.DataFrame:
    part, outcome = model.parts[campaign_type], model.outcome
    matrix = feature_matrix(rows.assign(**{TYPE: campaign_type}), FEATURES, (TYPE,), "the current features")
    with one_thread():
        expected, low, high = part.expected(matrix)
    propensity = mailing.propensity(rows, campaign_type)
    floor = mailing.floors.get(campaign_type)
    nothing = pd.Series([None] * len(rows), dtype=object)
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"].to_numpy(),
            "as_of_date": dates_out(rows["as_of_date"]).to_numpy(),
            "campaign_type": campaign_type,
            "outcome": outcome.name,
            "model_name": outcome.model_name,
            "model_version": model.model_version,
            "feature_schema_hash": model.feature_schema_hash,
            "expected_response": np.round(expected, 6),
            "expected_low": np.round(low, 6),
            "expected_high": np.round(high, 6),
            "unit": outcome.unit,
            "horizon_days": pd.Series([outcome.horizon_days] * len(rows), dtype="Int64"),
            "fallback_tier": part.tier,
            "mailing_propensity": propensity,
            "is_like_mailed": nothing if floor is None else propensity >= floor,
            "incremental_effect": np.nan,
            "incremental_profit": np.nan,
            "effect_missing_reason": why_no_effect(balance, campaign_type),
        },
        columns=list(EXPECTED_COLUMNS),
    )
