"""A scorer together with the evidence for it: what it said of rows that it had not learned from, and what happened."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import dates_out
from ml.propensity.calibration import rows_per_class
from ml.propensity.scorer import PropensityScorer

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

JUDGED_COLUMNS = (
    "model_name",
    "model_version",
    "judged_for",
    "customer_id",
    "as_of_date",
    "campaign_id",
    "probability",
    "label",
)


def judged_rows(
    model_name: str,
    model_version: str,
    judged_for: str,
    rows: pd.DataFrame,
    probability: Floats,
    labels: npt.NDArray[Any],
) -> pd.DataFrame:
    """Rows of ``ml.judged_predictions`` without run_id.

    Parameters
    ----------
    judged_for : ``"selection"`` or ``"hold_out"``
    rows : DataFrame with customer_id and as_of_date, of offers campaign_id too; shape (n_rows, at least 2)
    probability, labels : arrays of shape (n_rows,)
    """
    nothing = pd.Series([None] * len(rows), dtype=object)
    return pd.DataFrame(
        {
            "model_name": model_name,
            "model_version": model_version,
            "judged_for": judged_for,
            "customer_id": rows["customer_id"].to_numpy(),
            "as_of_date": dates_out(rows["as_of_date"]).to_numpy(),
            "campaign_id": rows["campaign_id"].to_numpy() if "campaign_id" in rows else nothing,
            "probability": probability,
            "label": labels,
        },
        columns=list(JUDGED_COLUMNS),
    )


@dataclass(frozen=True)
class Judged:
    """Rows that were predicted out of time, with the model's and the baselines' scores for them.

    Attributes
    ----------
    rows : DataFrame of shape (n_rows, n_keys + n_features)
        The keys and the features, as the model was given them.
    labels : array of shape (n_rows,)
    scores : name -> array of shape (n_rows,)
        The first is the model.
    tiers : array of text, shape (n_rows,)
        What each of the model's scores rests on.
    """

    rows: pd.DataFrame
    labels: Labels
    scores: Mapping[str, Floats]
    tiers: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.labels)


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
    hold_out : Judged
        Rows that neither fitting nor choice nor calibration has seen.
    selection : Judged
        An earlier slice, each row predicted by a model that learned from before it: on it the probabilities were
        calibrated and cuts may be chosen. Its probabilities are calibrated on these very rows.
    title : str
        For the plots.
    """

    scorer: PropensityScorer
    performance: pd.DataFrame
    parameters: dict[str, Any]
    hold_out: Judged
    selection: Judged
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

    def judged_predictions(self) -> pd.DataFrame:
        """Rows of ``ml.judged_predictions`` without run_id: those of the selection, then those of the hold-out."""
        parts = [
            judged_rows(
                self.scorer.model_name,
                self.scorer.model_version,
                name,
                judged.rows,
                next(iter(judged.scores.values())),
                judged.labels,
            )
            for name, judged in (("selection", self.selection), ("hold_out", self.hold_out))
        ]
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)

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

        if rows_per_class(self.hold_out.labels) == 0:
            return {}
        # a recency is no probability
        scores = {name: said for name, said in self.hold_out.scores.items() if ((said >= 0) & (said <= 1)).all()}
        return {
            "calibration": plots.calibration(self.hold_out.labels, scores, self.title),
            "lift": plots.lift(self.hold_out.labels, scores, self.title),
        }
