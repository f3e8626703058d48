"""What there is to say of each cluster: size, spend, traits, typical customers; as rows for tables and as cards."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.clusters.fitting import scaled_features
from ml.clusters.model import Segmentation
from ml.clusters.naming import effect_sizes, trait_text
from ml.clusters.segment_model import DESCRIBED, FEATURES, MODEL_NAME, WHAT
from ml.clusters.words import Words
from ml.frames import feature_matrix

SLICING = "A convenient slicing, not natural groups."
TYPICAL = 5
TRAITS = 3
CLUSTERS = ("model_name", "model_version", "as_of_date", "level", "cluster_key", "parent_cluster_key", "cluster_name",
            "cluster_description", "member_count", "customer_share", "spend_share", "outlier_count",
            "is_natural", "size_floor")  # fmt: skip
PROFILES = ("model_name", "model_version", "as_of_date", "level", "cluster_key", "parent_cluster_key", "cluster_name",
            "cluster_description", "member_count", "feature", "cluster_mean", "others_mean", "overall_mean",
            "effect_size")  # fmt: skip
TYPICALS = ("model_name", "model_version", "as_of_date", "level", "cluster_key", "place", "customer_id", "distance")


@dataclass(frozen=True)
class Cards:
    """Rows of the tables that describe the clusters of a run, without run_id.

    Attributes
    ----------
    clusters : DataFrame with `CLUSTERS`, one row a cluster of either level
    profiles : DataFrame with `PROFILES`, one row a cluster and feature
        effect_size is Cohen's d: against all others, for a micro-segment against its siblings.
    typical : DataFrame with `TYPICALS`, five customers a cluster, the nearest to its center
    """

    clusters: pd.DataFrame
    profiles: pd.DataFrame
    typical: pd.DataFrame


def make_cards(segmentation: Segmentation, words: Words) -> Cards:
    """Describe every cluster of a run."""
    rows, divided, model = segmentation.rows, segmentation.divided, segmentation.model
    features = (*FEATURES, *DESCRIBED)
    matrix = feature_matrix(rows, features, (), WHAT)
    scaled = scaled_features(rows)
    prepared = model.prepare(rows)
    spend = np.nan_to_num(matrix["spend_90d"].to_numpy())
    broad = divided["broad_key"].to_numpy()
    micro = divided["micro_key"].to_numpy()
    stamp: dict[str, Any] = {
        "model_name": MODEL_NAME,
        "model_version": model.model_version,
        "as_of_date": segmentation.as_of_date,
    }
    effects = effect_sizes(scaled, list(model.broad_keys), broad)
    for parent in model.broad_keys:
        within = micro.copy()
        within[broad != parent] = None
        if keys := list(model.micro_keys(parent)):
            effects = pd.concat([effects, effect_sizes(scaled, keys, within)])
    clusters, profiles, typical = [], [], []
    for key in model.all_keys:
        above = key.rpartition(".")[0] or None
        inside = (broad if above is None else micro) == key
        beside = ~inside if above is None else (broad == above) & ~inside
        natural = (model.broad if above is None else model.micro[above]).is_natural
        means = {"cluster_mean": matrix[inside], "others_mean": matrix[beside], "overall_mean": matrix}
        figures = pd.DataFrame({name: part.mean() for name, part in means.items()})
        figures["effect_size"] = effects.loc[key].reindex(figures.index)
        head: dict[str, Any] = {
            **stamp,
            "level": "broad" if above is None else "micro",
            "cluster_key": key,
            "parent_cluster_key": above,
            "cluster_name": segmentation.names[key],
            "member_count": int(inside.sum()),
        }
        share = float(spend[inside].sum() / spend.sum()) if spend.sum() else 0.0
        texts = traits_of(figures, words)
        description = _description(head["member_count"], len(rows), share, texts, natural)
        clusters.append(
            {
                **head,
                "cluster_description": description,
                "customer_share": round(float(inside.mean()), 6),
                "spend_share": round(share, 6),
                "outlier_count": int((inside & divided["is_outlier"].to_numpy()).sum()),
                "is_natural": natural,
                "size_floor": segmentation.floor,
            }
        )
        profiles.append(
            figures.round(6).rename_axis("feature").reset_index().assign(**head, cluster_description=description)
        )
        typical.append(_typical(rows, prepared, inside).assign(**stamp, level=head["level"], cluster_key=key))
    return Cards(
        pd.DataFrame(clusters)[list(CLUSTERS)],
        pd.concat(profiles, ignore_index=True)[list(PROFILES)],
        pd.concat(typical, ignore_index=True)[list(TYPICALS)],
    )


def traits_of(figures: pd.DataFrame, words: Words, count: int = TRAITS) -> list[str]:
    """The strongest traits in words; none for what hardly differs.

    Parameters
    ----------
    figures : DataFrame with cluster_mean, others_mean and effect_size, index features
    """
    worth: dict[str, str] = {}
    numbers = figures[["cluster_mean", "others_mean", "effect_size"]].to_numpy(dtype=np.float64)
    for place in np.argsort(-np.abs(numbers[:, 2]), kind="stable"):
        feature, (own, others, effect) = str(figures.index[place]), numbers[place].tolist()
        if abs(effect) >= words.worth_a_word / 2:
            worth.setdefault(words.trait(feature).theme or feature, trait_text(feature, own, others, effect, words))
    return list(worth.values())[:count]


def _description(members: int, customers: int, spend_share: float, traits: list[str], is_natural: bool) -> str:
    size = f"{members:,} customers ({members / customers:.0%}) with {spend_share:.0%} of the spend of 13 weeks."
    told = f" {'; '.join(traits)}." if traits else ""
    return f"{size}{told}{'' if is_natural else ' ' + SLICING}"


def _typical(rows: pd.DataFrame, prepared: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """The members nearest to the center; of equally near ones the smaller id, because rows are in their order."""
    if not inside.any():
        return pd.DataFrame({"place": [], "customer_id": [], "distance": []})
    own = prepared[inside]
    distances = np.linalg.norm(own - own.mean(axis=0), axis=1)
    nearest = np.argsort(distances, kind="stable")[:TYPICAL]
    return pd.DataFrame(
        {
            "place": np.arange(1, len(nearest) + 1),
            "customer_id": rows.loc[inside, "customer_id"].to_numpy()[nearest],
            "distance": distances[nearest].round(6),
        }
    )


def card_text(cluster: pd.Series, profiles: pd.DataFrame, typical: pd.DataFrame, words: Words) -> str:
    """One card as Markdown.

    Parameters
    ----------
    cluster : a row of `Cards.clusters`
    profiles, typical : `Cards.profiles` and `Cards.typical`, of all clusters
    """
    key = cluster["cluster_key"]
    figures = profiles[profiles["cluster_key"] == key].set_index("feature")
    lines = [
        f"### {cluster['cluster_name']}",
        f"{cluster['member_count']:,} customers ({cluster['customer_share']:.0%}), "
        f"{cluster['spend_share']:.0%} of the spend of 13 weeks. Key {key}.",
        "",
        *(f"- {text}" for text in traits_of(figures, words, count=5)),
        "",
        "Typical: " + ", ".join(f"`{one}`" for one in typical.loc[typical["cluster_key"] == key, "customer_id"]),
    ]
    if not cluster["is_natural"]:
        lines += ["", f"*{SLICING}*"]
    return "\n".join(lines)
