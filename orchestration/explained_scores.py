"""Current scores with the features behind them and the model that gave them: what reasons and model cards are made of.

Features come a chunk at a time, so that more customers need no more memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import pandas as pd

from ml.catalogue import Feature, read_catalogue
from orchestration.model_inputs import POPULATION, joins, listed
from shops import ShopFolders

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and every command loads this module
    from ml.reasons.choosing import Explains

# Where the features of an offer lie; a score with a campaign has a row there.
OFFER_TABLE = "feat_customer_offer"
# DuckDB hands over vectors of 2,048 rows.
VECTORS_A_CHUNK = 25
# So many customers say what is typical: the median of more is the same to the last digit that anybody reads.
SAMPLE_ROWS = 100_000
# Of a model the newest date; of one that scores offers, of each campaign.
CURRENT = (
    "(select * from ml.scores where model_name = ? and model_version = ?) as newest "
    "semi join (select model_name, campaign_id, max(as_of_date) as as_of_date from ml.scores group by all) as latest "
    "on newest.model_name = latest.model_name and newest.campaign_id is not distinct from latest.campaign_id "
    "and newest.as_of_date = latest.as_of_date"
)


@dataclass(frozen=True)
class ScoringModel:
    """A model that gave scores which are current.

    Attributes
    ----------
    is_per_offer : whether it scores customers for a campaign
    features : what it learned from, in order; empty where there is nothing to explain
    manifest : what its artifact says of it
    estimator : what was fitted; None for a base rate or a scorecard
    """

    model_name: str
    model_version: str
    is_per_offer: bool
    score_count: int
    features: tuple[Feature, ...]
    manifest: dict[str, Any]
    estimator: Any

    @property
    def is_scorecard(self) -> bool:
        """Whether it is points that add up."""
        return "even_points" in self.manifest

    @property
    def is_lifetime_value(self) -> bool:
        """Whether it is a candidate of `ml.lifetime`, with a range around what it expects."""
        return _is_lifetime_value(self.manifest)

    @property
    def is_of_amounts(self) -> bool:
        """Whether it scores with amounts, not with probabilities: a lifetime value, or a regression of a shop's own."""
        return self.estimator is not None and not hasattr(self.estimator, "predict_proba")

    def explainer(self, sample: pd.DataFrame) -> Explains | None:
        """What explains its scores against the typical customer of `sample`; None where no model speaks."""
        from ml import scorecard
        from ml.frames import feature_matrix
        from ml.reasons.amounts import AmountExplainer
        from ml.reasons.contributions import Explainer
        from ml.reasons.reference import typical
        from ml.reasons.scorecards import ScorecardExplainer

        if self.estimator is None and not self.is_scorecard:
            return None
        # Who is scored by a fallback is not whom the model speaks of.
        by_model = sample[sample["fallback_tier"] == "model"]
        if not len(by_model):
            return None
        numbers = [feature.name for feature in self.features if feature.is_number]
        kinds = [feature.name for feature in self.features if not feature.is_number]
        matrix = feature_matrix(by_model, numbers, kinds, f"the features of {self.model_name}")
        reference = typical(matrix, numbers, kinds)[[feature.name for feature in self.features]]
        if self.is_scorecard:
            return ScorecardExplainer(scorecard.from_facts(self.manifest), reference)
        if self.is_of_amounts:
            return AmountExplainer(self.estimator, reference)
        return Explainer(self.estimator, reference)


def scoring_models(connection: duckdb.DuckDBPyConnection, folders: ShopFolders) -> list[ScoringModel]:
    """The models whose scores are current, by name; of one name the one with the newest score comes last.

    Raises
    ------
    dagster.Failure
        If the artifact of one is missing or was changed.
    """
    rows = connection.execute(
        "select scores.model_name, scores.model_version, bool_or(campaign_id is not null), count(*), "
        "any_value(artifact_sha256) from (select * from ml.scores qualify as_of_date = "
        "max(as_of_date) over (partition by model_name, campaign_id)) as scores "
        "left join ml.model_versions using (model_name, model_version) group by all "
        "order by model_name, max(as_of_date), model_version"
    ).fetchall()
    return [_read(folders, *row) for row in rows]


def _read(
    folders: ShopFolders, model_name: str, model_version: str, is_per_offer: bool, score_count: int, sha256: str | None
) -> ScoringModel:
    from ml.artifacts import ArtifactError, load

    folder = folders.models / model_name / model_version
    try:
        artifact = load(folder, sha256=sha256)
    except ArtifactError as error:
        raise dg.Failure(
            f"the model {model_version}, whose scores are current, cannot be used: {error} "
            f"Next: restore {folders.shown(folder)} from a backup, or run the chain anew."
        ) from error
    facts = artifact.manifest
    return ScoringModel(
        model_name=model_name,
        model_version=model_version,
        is_per_offer=is_per_offer,
        score_count=score_count,
        features=read_catalogue().named(_features_used(facts)),
        manifest=facts,
        estimator=artifact.estimator,
    )


def _is_lifetime_value(facts: dict[str, Any]) -> bool:
    return "yearly_discount" in facts


def _features_used(facts: dict[str, Any]) -> Sequence[str]:
    """The features on which a score depends, of what the artifact says of its model."""
    from ml.lifetime.candidates import USED_BY

    if "even_points" in facts:
        return [one["feature"] for one in facts["inputs"]]
    if _is_lifetime_value(facts):
        return USED_BY[facts["algorithm"]]
    return list(facts["feature_names"])


def sample(connection: duckdb.DuckDBPyConnection, model: ScoringModel, rows: int = SAMPLE_ROWS) -> pd.DataFrame:
    """Current scores with their features: all, or those of some customers, always the same, of many.

    Raises
    ------
    dagster.Failure
        If scores have no features any more: reasons would be made of nulls.
    """
    every = max(1, -(-model.score_count // rows))
    found = _query(connection, model, f"hash(newest.customer_id) % {every} = 0").df()
    if every == 1 and len(found) != model.score_count:
        raise dg.Failure(
            f"{model.score_count - len(found)} of {model.score_count} current scores of {model.model_version} have no "
            "features at their as-of date. Next: run the chain, which scores anew, or backfill the date."
        )
    return found


def chunks(connection: duckdb.DuckDBPyConnection, model: ScoringModel) -> Iterator[pd.DataFrame]:
    """Current scores with their features, a chunk at a time; `connection` may do nothing else meanwhile."""
    running = _query(connection, model, "true")
    while len(found := running.fetch_df_chunk(VECTORS_A_CHUNK)):
        yield found


def _query(connection: duckdb.DuckDBPyConnection, model: ScoringModel, condition: str) -> duckdb.DuckDBPyConnection:
    features: Sequence[Feature] = model.features
    base, keys = (
        (OFFER_TABLE, "customer_id, campaign_id, as_of_date")
        if model.is_per_offer
        else (POPULATION, "customer_id, as_of_date")
    )
    campaign = f"{base}.campaign_id" if model.is_per_offer else "cast(null as varchar) as campaign_id"
    return connection.execute(
        f"select {base}.customer_id, {base}.as_of_date, {campaign}, newest.score, newest.fallback_tier, "
        f"{listed(features)} from {CURRENT} join features.{base} using ({keys}) {joins(features, base)} "
        f"where {condition}",
        [model.model_name, model.model_version],
    )
