"""Names of clusters from what sets each of them apart, in words that a marketer uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

# A difference below this many standard deviations is not worth a word (Cohen's "medium" is 0.5).
WORTH_A_WORD = 0.4
MAX_ADJECTIVES = 2

ACTIVITY = "purchase_day_count_90d"
SILENCE = "days_since_last_order"


@dataclass(frozen=True)
class Trait:
    """Words for one end and the other of a feature; features of one `theme` say the same and share one word."""

    theme: str
    high: str
    low: str


TRAITS: Mapping[str, Trait] = {
    "mean_order_value": Trait("basket", "big-basket", "small-basket"),
    "mean_lines_per_order": Trait("basket", "big-basket", "small-basket"),
    "retail_discount_share": Trait("discount", "bargain-seeking", "full-price"),
    "coupon_order_share": Trait("coupon", "coupon-using", "coupon-free"),
    "private_brand_spend_share": Trait("brand", "own-brand", "name-brand"),
}


def name_clusters(effects: pd.DataFrame) -> list[str]:
    """A distinct name for each cluster.

    The noun says how active the members are, up to two adjectives what else is unusual about them; a cluster whose
    name is taken gets further adjectives, and in the end a place in the order of activity.

    Parameters
    ----------
    effects : DataFrame of shape (n_clusters, n_features)
        Difference of the cluster from everyone else in standard deviations; needs `ACTIVITY` and `SILENCE`.

    Returns
    -------
    list of str, one for each row of `effects`

    Examples
    --------
    >>> effects = pd.DataFrame([[1.4, -0.8, 0.9], [-1.3, 1.2, 0.1]], columns=[ACTIVITY, SILENCE, "mean_order_value"])
    >>> name_clusters(effects)
    ['Big-basket regulars', 'Lapsing shoppers']
    """
    if len(effects) == 1:
        return ["All customers"]
    nouns = [_noun(row[ACTIVITY], row[SILENCE]) for _, row in effects.iterrows()]
    ranked = [_adjectives(row) for _, row in effects.iterrows()]
    counts = [min(MAX_ADJECTIVES, sum(strength >= WORTH_A_WORD for _, strength in words)) for words in ranked]
    names = _compose(nouns, ranked, counts)
    for _ in range(len(TRAITS)):
        taken = {name for name in names if names.count(name) > 1}
        if not taken:
            return names
        counts = [
            min(count + 1, len(words)) if name in taken else count
            for name, count, words in zip(names, counts, ranked, strict=True)
        ]
        names = _compose(nouns, ranked, counts)
    return _numbered(names, effects[ACTIVITY].tolist())


def _noun(activity: float, silence: float) -> str:
    if activity >= WORTH_A_WORD:
        return "regulars"
    if activity > -WORTH_A_WORD:
        return "steady shoppers"
    return "lapsing shoppers" if silence >= 2 * WORTH_A_WORD else "occasional shoppers"


def _adjectives(effects: pd.Series) -> list[tuple[str, float]]:
    """Adjectives with their strength, strongest first, one for each theme."""
    strongest: dict[str, tuple[str, float]] = {}
    for feature, trait in TRAITS.items():
        effect = float(effects.get(feature, 0.0))
        word = trait.high if effect > 0 else trait.low
        if trait.theme not in strongest or abs(effect) > strongest[trait.theme][1]:
            strongest[trait.theme] = (word, abs(effect))
    return sorted(strongest.values(), key=lambda item: (-item[1], item[0]))


def _compose(nouns: Sequence[str], ranked: Sequence[Sequence[tuple[str, float]]], counts: Sequence[int]) -> list[str]:
    names = []
    for noun, words, count in zip(nouns, ranked, counts, strict=True):
        text = ", ".join(word for word, _ in words[:count])
        names.append(_sentence_case(f"{text} {noun}".strip()))
    return names


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _numbered(names: Sequence[str], activity: Sequence[float]) -> list[str]:
    """Names that are still equal, told apart by their place in the order of activity."""
    distinct = list(names)
    for name in {name for name in names if names.count(name) > 1}:
        members = [i for i, other in enumerate(names) if other == name]
        for place, i in enumerate(sorted(members, key=lambda i: (-activity[i], i)), start=1):
            distinct[i] = f"{name} (activity group {place})"
    return distinct


def describe_cluster(means: pd.Series, overall: pd.Series, member_count: int, customer_count: int) -> str:
    """One line on a cluster, with the figures of all customers beside it.

    Parameters
    ----------
    means, overall : Series indexed by feature
        Means of the members and of all customers, in the features' own units.
    """
    share = member_count / customer_count
    parts = [
        f"{means[ACTIVITY]:.0f} shopping days in 13 weeks (all: {overall[ACTIVITY]:.0f})",
        f"{means['mean_order_value']:.0f} an order (all: {overall['mean_order_value']:.0f})",
        f"last order {means[SILENCE]:.0f} days ago (all: {overall[SILENCE]:.0f})",
    ]
    return f"{member_count:,} customers ({share:.0%}), on average {', '.join(parts)}."
