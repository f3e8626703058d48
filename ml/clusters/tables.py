"""What a run writes of cluster segments, as rows of ``ml.*`` tables without run_id."""

import datetime
import json

import pandas as pd

from ml.clusters.cards import Cards
from ml.clusters.model import Segmentation
from ml.clusters.segment_model import MODEL_NAME, SegmentModel
from ml.frames import schema_hash

FOLDS = ("level", "parent_cluster_key", "member_count", "floor", "folded_into", "center_distance")
DRIFT = ("kind", "name", "share_before", "share_now", "effect", "population_stability_index", "p_value",
         "min_effect", "is_alarm")  # fmt: skip


def described(segmentation: Segmentation, cards: Cards) -> dict[str, pd.DataFrame]:
    """Table to rows, of all that describes the clusters as they are now."""
    model = segmentation.model
    stamp = {"model_name": MODEL_NAME, "model_version": model.model_version}
    folds = pd.DataFrame(list(model.facts["folds"]), columns=list(FOLDS))
    return {
        "clusters": cards.clusters,
        "cluster_profiles": cards.profiles,
        "cluster_typical_customers": cards.typical,
        "cluster_selection": model.selection.assign(**stamp, as_of_date=model.chosen_on),
        "cluster_folds": folds.assign(**stamp, as_of_date=model.fitted_on),
    }


def drift_rows(
    drift: pd.DataFrame, model_version: str | None, as_of_date: datetime.date, reference_date: datetime.date | None
) -> pd.DataFrame:
    """Rows of ``ml.cluster_drift``: how far customers are from those that the model `model_version` was fitted on."""
    return drift[list(DRIFT)].assign(
        model_name=MODEL_NAME, model_version=model_version, as_of_date=as_of_date, reference_date=reference_date
    )


def model_row(segmentation: Segmentation, artifact_sha256: str) -> pd.DataFrame:
    """The row of ``ml.cluster_models``."""
    model = segmentation.model
    broad = model.facts["levels"]["broad"]
    return pd.DataFrame(
        [
            {
                "model_name": MODEL_NAME,
                "model_version": model.model_version,
                "previous_model_version": segmentation.previous_version,
                "holds_from": model.fitted_on,
                "chosen_on": model.chosen_on,
                "action": segmentation.action,
                "reason": segmentation.reason,
                "algorithm": broad["algorithm"],
                "cluster_count": len(model.broad_keys),
                "micro_segment_count": len(model.all_keys) - len(model.broad_keys),
                "inertia_loss": broad.get("inertia_loss"),
                "artifact_sha256": artifact_sha256,
            }
        ]
    )


def lineage_rows(segmentation: Segmentation) -> pd.DataFrame:
    """Rows of ``ml.cluster_lineage``."""
    return segmentation.lineage.assign(
        model_name=MODEL_NAME,
        model_version=segmentation.model.model_version,
        previous_model_version=segmentation.previous_version,
        as_of_date=segmentation.as_of_date,
    )


def version_row(model: SegmentModel, artifact_sha256: str) -> pd.DataFrame:
    """The row of ``ml.model_versions``."""
    parameters = {**model.facts, "chosen_on": model.chosen_on.isoformat(), "keys": model.all_keys}
    return pd.DataFrame(
        [
            {
                "model_name": MODEL_NAME,
                "model_version": model.model_version,
                "algorithm": model.facts["levels"]["broad"]["algorithm"],
                "trained_through": model.fitted_on - datetime.timedelta(days=1),
                "feature_names": json.dumps(model.features),
                "feature_schema_hash": schema_hash(model.features, ()),
                "parameters": json.dumps(parameters, sort_keys=True),
                "artifact_sha256": artifact_sha256,
            }
        ]
    )
