"""A model of one response for all types of campaigns: own, common, or the type's base rate, as far as positives go."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.evaluation import performance_rows
from ml.frames import content_hash, feature_matrix, model_version, schema_hash
from ml.propensity.calibration import Calibration
from ml.propensity.scorer import fit_scorer
from ml.propensity.tasks import RFM_FEATURES
from ml.propensity.trained import judged_rows
from ml.resampling import blocks_of, drawn_sums, draws, interval
from ml.response.fitting import CANDIDATE, RFM, Fitted, fit, levelled, rarer
from ml.response.outcomes import FEATURES, TYPE, Outcome, eligible_rows, known_at, responses_of
from ml.splits import check_time_order, make_slice
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# With fewer rows of the rarer class a type has no model of its own, and all types together have none.
MIN_RARER = 100
# A type's rate is drawn to that of all types as if so many of them had been seen: three of 77 say little.
PRIOR_ROWS = 20
DIGITS = 6


class NothingToLearnError(ValueError):
    """No response was observed before the hold-out; the message says from when on campaigns are held out."""


@dataclass(frozen=True)
class Part:
    """What a type's expected responses rest on.

    Attributes
    ----------
    tier : str
        ``"model"``: one of its own; ``"common_model"``: one of all types, with the type as a feature; ``"base_rate"``.
    fitted : Fitted or None
        None for the base rate.
    rate, rate_low, rate_high : float
        The type's rate, drawn to that of all types, with its 95% interval.
    rows, positives : int
        What was learned of the type.
    """

    tier: str
    fitted: Fitted | None
    rate: float
    rate_low: float
    rate_high: float
    rows: int
    positives: int

    def expected(self, features: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
        """Probability and its 95% interval for each row of `features`."""
        if self.fitted is None:
            same = np.ones(len(features))
            return self.rate * same, self.rate_low * same, self.rate_high * same
        return self.fitted.expected(features)


@dataclass(frozen=True)
class ResponseModel:
    """Parts by type, with the evidence for them.

    Attributes
    ----------
    performance : DataFrame
        Rows of ``ml.model_performance`` without run_id: ``mailed`` and ``mailed, <type>``.
    predictions : DataFrame
        Rows of ``ml.judged_predictions`` without run_id: all of the hold-out; nothing was chosen on an earlier slice.
    trained_through : date
        Last day whose label was learned from.
    """

    outcome: Outcome
    model_version: str
    parts: Mapping[str, Part]
    performance: pd.DataFrame
    predictions: pd.DataFrame
    parameters: dict[str, Any]
    trained_through: datetime.date

    @property
    def feature_schema_hash(self) -> str:
        """Hash of the features, the type among them."""
        return schema_hash(FEATURES, (TYPE,))

    def version_row(self, artifact_sha256: str | None) -> pd.DataFrame:
        """The row of ``ml.model_versions`` without run_id."""
        return pd.DataFrame(
            [
                {
                    "model_name": self.outcome.model_name,
                    "model_version": self.model_version,
                    "algorithm": CANDIDATE.name if self.has_model else "base_rate",
                    "trained_through": self.trained_through,
                    "feature_names": json.dumps([*FEATURES, TYPE]),
                    "feature_schema_hash": self.feature_schema_hash,
                    "parameters": json.dumps(self.parameters, sort_keys=True, default=str),
                    "artifact_sha256": artifact_sha256,
                }
            ]
        )

    @property
    def has_model(self) -> bool:
        """Whether any type has more than a base rate."""
        return any(part.fitted is not None for part in self.parts.values())

    def metrics(self) -> dict[str, float]:
        """The model's own figures on the hold-out, by ``slice/metric``."""
        own = self.performance[~self.performance["metric"].astype(str).str.endswith("_gain")]
        own = own[own["value"].notna()].drop_duplicates(["slice", "metric"])
        return {f"{row['slice']}/{row['metric']}": float(row["value"]) for row in own.to_dict("records")}


def train(eligible: pd.DataFrame, responses: pd.DataFrame, outcome: Outcome, test_from: datetime.date) -> ResponseModel:
    """Learn from campaigns that start before `test_from`, as known then; judge once on those from then on.

    The model that is returned is the one that was judged. The order of rows does not matter.

    Parameters
    ----------
    eligible : DataFrame with `ELIGIBLE_COLUMNS` and `FEATURES`
        One row for each campaign and each customer who could have received it; features are as of its first day.
    responses : DataFrame with `RESPONSE_COLUMNS`
        Of those mailed: last day of the window, day of the first response in it (null if none) and whether there was
        one. Rows of customers who are not in `eligible` are passed over.
    outcome : Outcome
    test_from : date
        Campaigns that start on it or later are the hold-out.

    Raises
    ------
    MissingColumnsError, ValueError
        If a column is not there, or a customer stands twice for a campaign.
    NothingToLearnError
        If no label was known before `test_from`.
    """
    rows = responses_of(eligible_rows(eligible), responses, f"the responses ({outcome.name})")
    return _train(rows, outcome, test_from)


def _train(rows: pd.DataFrame, outcome: Outcome, test_from: datetime.date) -> ResponseModel:
    labels, is_known = known_at(rows, outcome, test_from)
    days, begin = rows["as_of_date"], pd.Timestamp(test_from)
    learned, tested = is_known & (days < begin).to_numpy(), (days >= begin).to_numpy()
    if not learned.any():
        raise NothingToLearnError(
            f"no response ({outcome.name}) was observed before {test_from}, from when on campaigns are held out. "
            "Next: wait for more campaigns, or set models.redemption.test_from_date to a later day."
        )
    ends = rows["label_ends_on"].where(rows["label_ends_on"] < begin, begin - pd.Timedelta(days=1))
    train_slice = make_slice("train", learned, days, ends)
    check_time_order([train_slice, make_slice("hold-out", tested, days, rows["label_ends_on"])])
    trained_through = train_slice.last_label_day or test_from - datetime.timedelta(days=1)
    matrix = feature_matrix(rows, FEATURES, (TYPE,), "the features of those mailed")
    used = matrix[learned].assign(label=labels[learned], customer=rows["customer_id"][learned].to_numpy())
    version = model_version(
        outcome.model_name,
        trained_through,
        CANDIDATE.definition(FEATURES, (TYPE,)),
        outcome.horizon_days,
        (MIN_RARER, PRIOR_ROWS),
        content_hash(used),
    )
    identity = {
        "model_name": outcome.model_name,
        "model_version": version,
        "trained_through": trained_through,
        "horizon_days": outcome.horizon_days,
    }
    learner = _Learner(rows, matrix, outcome, test_from, labels, learned, identity)
    with one_thread():
        parts = learner.parts()
        performance, predictions = _judged(rows, matrix, parts, learner, tested, test_from)
    parameters = {
        "test_from": test_from.isoformat(),
        "estimator": CANDIDATE.name,
        "types": {
            name: {"tier": part.tier, "rows": part.rows, "positives": part.positives, "rate": round(part.rate, DIGITS)}
            for name, part in parts.items()
        },
        "who_could_have_received_it": "customers with an order before the campaign's first day",
        "training_campaigns": sorted(set(rows.loc[learned, "campaign_id"].astype(str))),
        "test_campaigns": sorted(set(rows.loc[tested, "campaign_id"].astype(str))),
        "open_windows": "cut at the split" if outcome.is_cut_short else "left out",
    }
    return ResponseModel(outcome, version, parts, performance, predictions, parameters, trained_through)


class _Learner:
    """The rows to learn from, and how a part is made of some of them."""

    def __init__(
        self,
        rows: pd.DataFrame,
        matrix: pd.DataFrame,
        outcome: Outcome,
        test_from: datetime.date,
        labels: Labels,
        learned: Mask,
        identity: dict[str, Any],
    ) -> None:
        self.rows, self.matrix, self.outcome, self.test_from = rows, matrix, outcome, test_from
        self.labels, self.learned, self.identity = labels, learned, identity

    def parts(self) -> dict[str, Part]:
        """A part for each type that has a campaign, learned from or held out."""
        types = self.rows[TYPE].to_numpy()
        common = self.fitted(self.learned, (TYPE,)) if rarer(self.labels[self.learned]) >= MIN_RARER else None
        parts = {}
        for name in sorted(set(types)):
            own = self.learned & (types == name)
            rate, low, high = self._rate(own)
            tier, fitted = "base_rate", None
            if rarer(self.labels[own]) >= MIN_RARER:
                tier, fitted = "model", self.fitted(own, ())
            elif common is not None and own.any():
                # A type that was never mailed has no level in the common model.
                tier, fitted = "common_model", levelled(common, self.matrix[own], rate)
            parts[name] = Part(tier, fitted, rate, low, high, int(own.sum()), int(self.labels[own].sum()))
        return parts

    def fitted(self, group: Mask, kinds: tuple[str, ...]) -> Fitted:
        """A model of the rows of `group`."""
        return fit(
            self.matrix.loc[group, [*FEATURES, *kinds]].reset_index(drop=True),
            self.labels[group],
            self.rows.loc[group, "customer_id"].reset_index(drop=True),
            FEATURES,
            kinds,
            **self.identity,
        )

    def _rate(self, own: Mask) -> tuple[float, float, float]:
        """The rate of the rows of `own`, drawn to that of all, with its interval: customers drawn."""
        blocks = blocks_of(self.rows["customer_id"])
        values = np.column_stack([own, own * self.labels, self.learned, self.learned * self.labels]).astype(np.float64)
        sums = drawn_sums(values, blocks, draws(int(blocks.max()) + 1))
        overall = (sums[:, 3] + 1) / (sums[:, 2] + 2)
        value, low, high = interval((sums[:, 1] + PRIOR_ROWS * overall) / (sums[:, 0] + PRIOR_ROWS))
        return round(value, DIGITS), round(low, DIGITS), round(high, DIGITS)


def _judged(
    rows: pd.DataFrame,
    matrix: pd.DataFrame,
    parts: Mapping[str, Part],
    learner: _Learner,
    tested: Mask,
    test_from: datetime.date,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Evidence on the hold-out: over all types, and of each, beside its base rate and a simple model of all types.

    With it the predictions that were judged, row by row.
    """
    types = rows[TYPE].to_numpy()
    scores = {"model": np.zeros(len(rows)), "campaign_type_rate": np.zeros(len(rows))}
    for name, part in parts.items():
        inside = tested & (types == name)
        if inside.any():
            scores["model"][inside] = part.expected(matrix[inside].reset_index(drop=True))[0]
            scores["campaign_type_rate"][inside] = part.rate
    group, identity = learner.learned, learner.identity
    names = [*RFM_FEATURES, TYPE]
    simple = fit_scorer(
        RFM, matrix.loc[group, names], learner.labels[group], Calibration(), RFM_FEATURES, (TYPE,), **identity
    )
    scores["logistic_regression_rfm"] = np.zeros(len(rows))
    if tested.any():
        scores["logistic_regression_rfm"][tested] = simple.probabilities(matrix[tested])
    labels = rows["has_responded"].to_numpy(dtype=np.int64)
    slices = {"mailed": tested} | {f"mailed, {name}": tested & (types == name) for name in parts}
    found = [
        performance_rows(
            labels[inside],
            {name: values[inside] for name, values in scores.items()},
            rows.loc[inside, "customer_id"],
            model_name=identity["model_name"],
            model_version=identity["model_version"],
            as_of_date=test_from,
            slice=name,
            # A base rate ranks nobody: the gate that asks a champion to be better than chance does not ask it.
            is_champion=any(part.fitted is not None for part in parts.values()),
        )
        for name, inside in slices.items()
    ]
    filled = [part for part in found if len(part)]
    performance = pd.concat(filled, ignore_index=True) if filled else found[0]
    predictions = judged_rows(
        identity["model_name"],
        identity["model_version"],
        "hold_out",
        rows[tested],
        scores["model"][tested],
        labels[tested],
    )
    return performance, predictions
