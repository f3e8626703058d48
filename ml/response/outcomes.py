"""What a response is, and whose: customers who could have received a campaign, and what those mailed did.

Who could have received it is every customer with an order before the campaign's first day: nothing is known of others,
and none of them would be scored. A coupon cannot be redeemed by who was not mailed, so that only those mailed teach.
"""

import datetime
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.catalogue import read_catalogue
from ml.frames import as_days, in_key_order, require_columns
from ml.splits import cut_label_windows

KEYS = ("customer_id", "campaign_id")
TYPE = "campaign_type"
OFFER_TABLE = "feat_customer_offer"
# What a coming campaign will hold is not known: a response to its type rests on the customer alone.
FEATURES = tuple(
    feature.name
    for feature in read_catalogue().of_model("redemption_propensity")
    if feature.is_number and feature.table != OFFER_TABLE
)
RESPONSE_COLUMNS = (*KEYS, "label_ends_on", "responded_on", "has_responded")
ELIGIBLE_COLUMNS = (*KEYS, TYPE, "as_of_date", "is_mailed")


@dataclass(frozen=True)
class Outcome:
    """A response that is predicted.

    Attributes
    ----------
    name : str
        ``"redeemed"`` or ``"purchased"``.
    unit : str
        What the probability is of.
    horizon_days : int or None
        Days from the campaign's first one; None where the campaign sets the end.
    is_cut_short : bool
        Whether a window that is open at a split is cut there. Else its row is left out: a window of fewer days than
        the others would teach a lower rate.
    """

    name: str
    unit: str
    horizon_days: int | None
    is_cut_short: bool

    @property
    def model_name(self) -> str:
        """Its name among models."""
        return f"expected_response_{self.name}"


REDEEMED = Outcome("redeemed", "probability of redeeming a coupon of such a campaign, if mailed", None, True)


def purchased(horizon_days: int) -> Outcome:
    """An order in the first `horizon_days` of the campaign.

    Not in its whole window: campaigns run for one to five months, and a grocer's customers nearly all buy in that time.
    """
    unit = f"probability of an order within {horizon_days} days of the start of such a campaign, if mailed"
    return Outcome("purchased", unit, horizon_days, False)


def eligible_rows(eligible: pd.DataFrame) -> pd.DataFrame:
    """Who could have received each campaign, in key order; a campaign without a type has the type "unknown".

    Raises
    ------
    MissingColumnsError
        If a key or a feature is not there.
    ValueError
        If a customer stands twice for a campaign.
    """
    what = "who could have received a campaign"
    require_columns(eligible, [*ELIGIBLE_COLUMNS, *FEATURES], what)
    types = eligible[TYPE].astype(object)
    given = eligible.assign(
        as_of_date=as_days(eligible["as_of_date"]), **{TYPE: types.where(types.notna(), "unknown").astype(str)}
    )
    return in_key_order(given, ("as_of_date", *KEYS[::-1]), what)


def responses_of(eligible: pd.DataFrame, responses: pd.DataFrame, what: str) -> pd.DataFrame:
    """The rows of `eligible_rows` that were mailed and have a label, with it."""
    require_columns(responses, RESPONSE_COLUMNS, what)
    labels = in_key_order(responses[list(RESPONSE_COLUMNS)], KEYS, what)
    mailed = eligible[eligible["is_mailed"].astype(bool)]
    rows = mailed.merge(labels, on=list(KEYS), how="inner")
    rows["label_ends_on"], rows["responded_on"] = as_days(rows["label_ends_on"]), as_days(rows["responded_on"])
    return in_key_order(rows, ("as_of_date", *KEYS[::-1]), what)


def known_at(
    rows: pd.DataFrame, outcome: Outcome, day: datetime.date | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Labels as they were known when `day` began, and which rows had one; None is today.

    Parameters
    ----------
    rows : `responses_of`, shape (n_rows, …)

    Returns
    -------
    labels, is_known : arrays of shape (n_rows,)
    """
    labels = rows["has_responded"].to_numpy(dtype=np.int64)
    if day is None:
        return labels, np.ones(len(rows), dtype=bool)
    begin = pd.Timestamp(day)
    if outcome.is_cut_short:
        cut, _ = cut_label_windows(rows["responded_on"], rows["label_ends_on"], day)
        return cut, (rows["as_of_date"] < begin).to_numpy()
    return labels, (rows["label_ends_on"] < begin).to_numpy()


def known_before(
    day: datetime.date, eligible: pd.DataFrame, responses: dict[str, pd.DataFrame], outcomes: list[Outcome]
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """What was known when `day` began: campaigns that had started, with labels cut there or left out.

    For looking at a model without looking at what came later.

    Parameters
    ----------
    responses : outcome name -> DataFrame with `RESPONSE_COLUMNS`
    """
    begin = pd.Timestamp(day)
    earlier = eligible[as_days(eligible["as_of_date"]) < begin]
    found = {}
    for outcome in outcomes:
        rows = responses[outcome.name].merge(earlier[[*KEYS, "as_of_date"]], on=list(KEYS), how="inner")
        rows = rows.assign(as_of_date=as_days(rows["as_of_date"]))
        labels, is_known = known_at(rows, outcome, day)
        ends = as_days(rows["label_ends_on"])
        rows = rows.assign(
            has_responded=labels,
            responded_on=as_days(rows["responded_on"]).where(labels == 1),
            label_ends_on=ends.where(ends < begin, begin - pd.Timedelta(days=1)),
        )
        found[outcome.name] = rows.loc[is_known, list(RESPONSE_COLUMNS)].reset_index(drop=True)
    return earlier.reset_index(drop=True), found
